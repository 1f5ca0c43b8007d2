//! Products.

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::decimal;
use crate::domain::answer::{ProductRecord, ProductsRecord};
use crate::domain::product::{ProductEdit, ProductPoints};
use crate::grpc::fields::{Bounds, Fields};

const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// What is asked for the product at this place of the call. Whether its decimals are the program's shows later.
pub(in crate::grpc) fn product_edit(fields: &mut Fields, place: usize, given: wire::Product) -> ProductEdit {
    let field = |name: &str| format!("products[{place}].{name}");
    let bounds = Bounds::up_to(BILLION, 4);
    if given.since_version != 0 {
        fields.wrong(field("since_version"), "is set by the server");
    }
    let names_values = given.points.is_some() || given.redeem_points.is_some();
    if given.remove && names_values {
        fields.wrong(field("remove"), "leaves no points and no redeem_points");
    }
    if !given.remove && !names_values {
        fields.wrong(field("points"), "is missing, and so is redeem_points");
    }
    let points = ProductPoints {
        points: fields.decimal(&field("points"), given.points, bounds),
        redeem_points: fields.decimal(&field("redeem_points"), given.redeem_points, bounds.positive()),
    };
    ProductEdit {
        product_id: fields.text(&field("product_id"), given.product_id, 1, 64),
        points: (!given.remove).then_some(points),
    }
}

/// A product on the wire.
pub(in crate::grpc) fn product(record: ProductRecord) -> wire::Product {
    wire::Product {
        product_id: record.product_id,
        points: record.points.points.and_then(decimal),
        redeem_points: record.points.redeem_points.and_then(decimal),
        remove: false,
        since_version: record.since_version,
    }
}

/// What a load did, on the wire.
pub(in crate::grpc) fn product_load(record: ProductsRecord) -> wire::ProductLoad {
    wire::ProductLoad {
        version: record.version,
        created_count: record.counts.created,
        changed_count: record.counts.changed,
        unchanged_count: record.counts.unchanged,
        removed_count: record.counts.removed,
    }
}
