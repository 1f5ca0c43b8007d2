//! What products earn and cost in points, and what one load of them changes.

use std::collections::HashSet;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::number::SCALE;
use super::rejection::Rejection;

/// Most products of a program: 500,000 of them take about 30 MB of a server's memory.
pub(crate) const MOST_PRODUCTS: u32 = 500_000;

/// What a unit of a product earns and costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProductPoints {
    /// Points that a unit earns, whatever else matches; 0: it never earns. `None`: the rates decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<Decimal>,
    /// Price of a unit in points. `None`: it cannot be bought with points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redeem_points: Option<Decimal>,
}

/// The products of a program under one version: some 40 bytes each, since a program may have hundreds of thousands.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Products {
    /// The program version in which they last changed; 0 when it never had any.
    version: u32,
    /// All ids behind each other, in rising order.
    ids: String,
    products: Vec<Packed>,
}

/// A product; its id begins where that of the one before ends. Ten-thousandths, -1 for none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Packed {
    id_end: u32,
    points: i64,
    redeem_points: i64,
}

impl Products {
    /// No products yet, to be added in rising order of their ids.
    pub(crate) fn new(version: u32) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    /// The program version in which they last changed.
    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.products.len()
    }

    /// What a product earns and costs; `None` when the program says nothing about it.
    pub(crate) fn get(&self, product_id: &str) -> Option<ProductPoints> {
        let mut range = 0..self.products.len();
        while !range.is_empty() {
            let middle = range.start + range.len() / 2;
            match self.id(middle).cmp(product_id) {
                std::cmp::Ordering::Equal => return Some(self.products[middle].unpacked()),
                std::cmp::Ordering::Less => range.start = middle + 1,
                std::cmp::Ordering::Greater => range.end = middle,
            }
        }
        None
    }

    /// Adds a product behind the last one; whether its id comes after that one's and fits.
    #[must_use]
    pub(crate) fn push(&mut self, product_id: &str, points: ProductPoints) -> bool {
        let is_next = self.products.is_empty() || self.id(self.products.len() - 1) < product_id;
        let id_end = u32::try_from(self.ids.len() + product_id.len());
        let (Ok(id_end), true) = (id_end, is_next) else {
            return false;
        };
        self.ids.push_str(product_id);
        self.products.push(Packed {
            id_end,
            points: packed(points.points),
            redeem_points: packed(points.redeem_points),
        });
        true
    }

    /// These products with changes, which come in rising order of their ids; `None` removes. Nothing when they do not.
    pub(crate) fn with_changes(&self, version: u32, changes: &[(String, Option<ProductPoints>)]) -> Option<Self> {
        let mut after = Self::new(version);
        let mut kept = self.iter().peekable();
        for (product_id, points) in changes {
            while let Some((kept_id, kept_points)) = kept.next_if(|(kept_id, _)| *kept_id < product_id.as_str()) {
                after.push(kept_id, kept_points).then_some(())?;
            }
            kept.next_if(|(kept_id, _)| *kept_id == product_id);
            if let Some(points) = points {
                after.push(product_id, *points).then_some(())?;
            }
        }
        for (kept_id, kept_points) in kept {
            after.push(kept_id, kept_points).then_some(())?;
        }
        after.shrink();
        Some(after)
    }

    fn iter(&self) -> impl Iterator<Item = (&str, ProductPoints)> {
        (0..self.products.len()).map(|place| (self.id(place), self.products[place].unpacked()))
    }

    /// Gives back the memory that growing took too much of.
    pub(crate) fn shrink(&mut self) {
        self.ids.shrink_to_fit();
        self.products.shrink_to_fit();
    }

    fn id(&self, place: usize) -> &str {
        let begin = place.checked_sub(1).map_or(0, |before| self.products[before].id_end);
        &self.ids[begin as usize..self.products[place].id_end as usize]
    }
}

impl fmt::Debug for Products {
    /// Not all of them: there may be hundreds of thousands.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} products of version {}", self.len(), self.version)
    }
}

impl Packed {
    fn unpacked(self) -> ProductPoints {
        let number = |packed: i64| (packed >= 0).then(|| Decimal::new(packed, SCALE).normalize());
        ProductPoints {
            points: number(self.points),
            redeem_points: number(self.redeem_points),
        }
    }
}

/// The edge bounds points by 10^9, so that their ten-thousandths fit by far.
fn packed(points: Option<Decimal>) -> i64 {
    let Some(mut points) = points else {
        return -1;
    };
    points.rescale(SCALE);
    i64::try_from(points.mantissa()).unwrap_or(i64::MAX)
}

/// What is asked for one product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ProductEdit {
    pub(crate) product_id: String,
    /// The new values; `None` removes the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<ProductPoints>,
}

/// How many products a load changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProductCounts {
    pub(crate) created: u32,
    pub(crate) changed: u32,
    pub(crate) unchanged: u32,
    pub(crate) removed: u32,
}

impl ProductCounts {
    /// Whether nothing changed.
    pub(crate) fn is_nothing(&self) -> bool {
        self.created + self.changed + self.removed == 0
    }

    /// How many products a program that had `before` has now.
    pub(crate) fn count_after(&self, before: u32) -> u32 {
        before + self.created - self.removed
    }
}

/// The edits that change something, and how many do what. `current` are the values of those products that exist now,
/// `product_count` how many the program has altogether.
pub(crate) fn changes(
    edits: &[ProductEdit],
    current: impl Fn(&str) -> Option<ProductPoints>,
    product_count: u32,
    decimals: u32,
) -> Result<(Vec<&ProductEdit>, ProductCounts), Rejection> {
    let mut counts = ProductCounts::default();
    let mut changed = Vec::new();
    for (place, edit) in edits.iter().enumerate() {
        check_decimals(place, edit, decimals)?;
        let count = match (current(&edit.product_id), edit.points) {
            (before, after) if before == after => {
                counts.unchanged += 1;
                continue;
            }
            (None, _) => &mut counts.created,
            (Some(_), Some(_)) => &mut counts.changed,
            (Some(_), None) => &mut counts.removed,
        };
        *count += 1;
        changed.push(edit);
    }
    let after = counts.count_after(product_count);
    if after > MOST_PRODUCTS {
        return Err(Rejection::InvalidField {
            field: "products".to_owned(),
            description: format!("the program would have {after} products; at most {MOST_PRODUCTS} are allowed"),
        });
    }
    Ok((changed, counts))
}

fn check_decimals(place: usize, edit: &ProductEdit, decimals: u32) -> Result<(), Rejection> {
    let Some(values) = edit.points else {
        return Ok(());
    };
    for (field, number) in [("points", values.points), ("redeem_points", values.redeem_points)] {
        if number.is_some_and(|number| number.normalize().scale() > decimals) {
            return Err(Rejection::TooManyDecimals {
                field: format!("products[{place}].{field}"),
                decimals,
            });
        }
    }
    Ok(())
}

/// The first product that is there twice, by the place of its second edit.
pub(crate) fn repeated(edits: &[ProductEdit]) -> Option<usize> {
    let mut seen = HashSet::with_capacity(edits.len());
    edits.iter().position(|edit| !seen.insert(&edit.product_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(points: &str) -> ProductPoints {
        ProductPoints {
            points: points.parse().ok(),
            redeem_points: None,
        }
    }

    #[test]
    fn every_product_is_found_and_no_other() {
        let ids = ["a", "ab", "abc", "b", "é", "日本"];
        for count in 0..=ids.len() {
            let mut products = Products::new(3);
            for (place, id) in ids[..count].iter().enumerate() {
                assert!(products.push(id, points(&format!("{place}.5"))));
            }

            for (place, id) in ids.iter().enumerate() {
                let expected = (place < count).then(|| points(&format!("{place}.5")));
                assert_eq!(products.get(id), expected, "{id} of {count}");
            }
            for id in ["", "A", "aa", "abcd", "z", "日"] {
                assert_eq!(products.get(id), None, "{id} of {count}");
            }
        }
    }

    #[test]
    fn values_come_back_as_they_went_in() {
        let values = |points: &str, redeem_points: &str| ProductPoints {
            points: points.parse().ok(),
            redeem_points: redeem_points.parse().ok(),
        };
        let cases = [
            ("a", values("0", "")),
            ("b", values("", "15")),
            ("c", values("1000000000", "0.0001")),
        ];
        let mut products = Products::new(1);
        for (id, values) in cases {
            assert!(products.push(id, values));
        }

        assert_eq!(products.iter().collect::<Vec<_>>(), cases);
    }

    #[test]
    fn ids_that_do_not_rise_are_not_taken() {
        let mut products = Products::new(1);
        assert!(products.push("b", points("1")));

        assert!(!products.push("b", points("1")));
        assert!(!products.push("a", points("1")));
        assert_eq!(products.len(), 1);
    }

    #[test]
    fn changes_make_the_products_that_a_whole_load_would() {
        let change = |id: &str, text: &str| (id.to_owned(), (!text.is_empty()).then(|| points(text)));
        let of = |version, products: &[(&str, &str)]| {
            let mut loaded = Products::new(version);
            for (id, text) in products {
                assert!(loaded.push(id, points(text)));
            }
            loaded
        };
        let before = of(1, &[("b", "1"), ("d", "2"), ("f", "3")]);
        let cases = [
            (vec![], of(2, &[("b", "1"), ("d", "2"), ("f", "3")])),
            (
                vec![change("b", "9"), change("f", "")],
                of(2, &[("b", "9"), ("d", "2")]),
            ),
            (
                vec![change("a", "7"), change("c", ""), change("e", "8"), change("g", "9")],
                of(
                    2,
                    &[("a", "7"), ("b", "1"), ("d", "2"), ("e", "8"), ("f", "3"), ("g", "9")],
                ),
            ),
            (vec![change("b", ""), change("d", ""), change("f", "")], of(2, &[])),
        ];
        for (changes, expected) in cases {
            assert_eq!(before.with_changes(2, &changes), Some(expected), "{changes:?}");
        }
        assert_eq!(before.with_changes(2, &[change("c", "1"), change("a", "1")]), None);
    }

    #[test]
    fn a_product_takes_far_less_than_150_bytes() {
        assert_eq!(size_of::<Packed>(), 24);
    }
}
