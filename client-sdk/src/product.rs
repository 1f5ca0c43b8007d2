//! Products: what a unit of each earns and costs in points.

use rust_decimal::Decimal;

use crate::id::ProductId;

/// What is to be known of one product. In a VALUE program points are money.
///
/// ```
/// use loyalty_sdk::ProductUpdate;
///
/// let cake = ProductUpdate::new("cake").points(7).redeem_points(150);
/// let stamps = ProductUpdate::new("stamps").points(0); // never earn, whatever else matches
/// let gone = ProductUpdate::remove("fax-roll");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ProductUpdate {
    pub(crate) product_id: ProductId,
    pub(crate) points: Option<Decimal>,
    pub(crate) redeem_points: Option<Decimal>,
    pub(crate) remove: bool,
}

impl ProductUpdate {
    /// Sets what the product earns and costs: at least one of the two is to follow. What is not set is none
    /// afterwards, also when it was set before.
    pub fn new(product_id: impl Into<ProductId>) -> Self {
        Self {
            product_id: product_id.into(),
            points: None,
            redeem_points: None,
            remove: false,
        }
    }

    /// Takes the product out of the program; the rates decide what it earns again.
    pub fn remove(product_id: impl Into<ProductId>) -> Self {
        Self {
            remove: true,
            ..Self::new(product_id)
        }
    }

    /// Points that one unit earns instead of what rates would give, 0 to 1,000,000,000, with at most the program's
    /// decimals. 0: the product never earns.
    pub fn points(mut self, points: impl Into<Decimal>) -> Self {
        self.points = Some(points.into());
        self
    }

    /// Price of one unit in points, above 0, up to 1,000,000,000, with at most the program's decimals.
    pub fn redeem_points(mut self, redeem_points: impl Into<Decimal>) -> Self {
        self.redeem_points = Some(redeem_points.into());
        self
    }
}

/// A product as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The product.
    pub product_id: ProductId,
    /// Points that one unit earns; 0: it never earns. `None`: the rates decide.
    pub points: Option<Decimal>,
    /// Price of one unit in points. `None`: it cannot be bought with points.
    pub redeem_points: Option<Decimal>,
    /// First program version with the product as it is here.
    pub since_version: u32,
}

/// What a load of products did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductLoad {
    /// The program's version afterwards; the one before when nothing changed.
    pub version: u32,
    /// Products that were not there before.
    pub created: u32,
    /// Products with new values.
    pub changed: u32,
    /// Products that had these values already, and removed ones that were not there.
    pub unchanged: u32,
    /// Products that were taken out.
    pub removed: u32,
}
