//! Products on the wire.

use loyalty_api::v1;

use super::{decimal_message, optional_decimal};
use crate::{
    error::Error,
    product::{Product, ProductLoad, ProductUpdate},
};

impl ProductUpdate {
    pub(crate) fn to_wire(&self) -> v1::Product {
        v1::Product {
            product_id: self.product_id.to_string(),
            points: self.points.map(decimal_message),
            redeem_points: self.redeem_points.map(decimal_message),
            remove: self.remove,
            ..v1::Product::default()
        }
    }
}

impl Product {
    pub(crate) fn from_wire(product: v1::Product) -> Result<Self, Error> {
        Ok(Self {
            product_id: product.product_id.into(),
            points: optional_decimal("product.points", product.points)?,
            redeem_points: optional_decimal("product.redeem_points", product.redeem_points)?,
            since_version: product.since_version,
        })
    }
}

impl ProductLoad {
    pub(crate) fn from_wire(load: v1::ProductLoad) -> Self {
        Self {
            version: load.version,
            created: load.created_count,
            changed: load.changed_count,
            unchanged: load.unchanged_count,
            removed: load.removed_count,
        }
    }
}
