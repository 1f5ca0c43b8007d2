//! What callers send as returns and cancellations that is wrong: every answer names the field, and nothing is written.

use loyalty_sdk::api::{self as wire, sale_return::Returned};
use loyalty_sdk::{EarnRate, NewProgram};
use prost_types::Timestamp;

use crate::harness::Shop;
use crate::harness::raw::{assert_names, number, request_id};

type Rows<T> = &'static [(&'static str, fn(&mut T), &'static str)];

#[rustfmt::skip]
const BAD_RETURNS: Rows<wire::SaleReturn> = &[
    ("no return id", |sale_return| sale_return.return_id.clear(), "sale_return.return_id"),
    ("a return id of 65 characters", |sale_return| sale_return.return_id = "x".repeat(65), "sale_return.return_id"),
    ("no store", |sale_return| sale_return.store_id.clear(), "sale_return.store_id"),
    ("a trailing blank", |sale_return| sale_return.store_id.push(' '), "sale_return.store_id"),
    ("no sale", |sale_return| sale_return.sale_id.clear(), "sale_return.sale_id"),
    ("a long store of the sale", |sale_return| sale_return.sale_store_id = "x".repeat(65), "sale_return.sale_store_id"),
    ("a long terminal", |sale_return| sale_return.terminal_id = "x".repeat(65), "sale_return.terminal_id"),
    ("a long cashier", |sale_return| sale_return.cashier_id = "x".repeat(65), "sale_return.cashier_id"),
    ("a long document type", |sale_return| sale_return.document_type = "x".repeat(65), "sale_return.document_type"),
    ("a long document number", |sale_return| sale_return.document_number = "x".repeat(65), "sale_return.document_number"),
    ("nothing", |sale_return| sale_return.returned = None, "sale_return.returned"),
    ("no rest", |sale_return| sale_return.returned = Some(Returned::Rest(false)), "sale_return.rest"),
    ("an amount of zero", |sale_return| sale_return.returned = number("0").map(Returned::Amount), "sale_return.amount"),
    ("a negative amount", |sale_return| sale_return.returned = number("-1").map(Returned::Amount), "sale_return.amount"),
    ("too large an amount", |sale_return| sale_return.returned = number("100000000001").map(Returned::Amount), "sale_return.amount"),
    ("no number", |sale_return| sale_return.returned = number("all").map(Returned::Amount), "sale_return.amount"),
    ("no lines", |sale_return| sale_return.returned = lines(0, "1"), "sale_return.lines"),
    ("1,001 lines", |sale_return| sale_return.returned = lines(1_001, "0.001"), "sale_return.lines"),
    ("a quantity of zero", |sale_return| sale_return.returned = lines(1, "0"), "sale_return.lines[0].quantity"),
    ("a negative quantity", |sale_return| sale_return.returned = lines(2, "-1"), "sale_return.lines[1].quantity"),
    ("seven decimals", |sale_return| sale_return.returned = lines(1, "0.0000001"), "sale_return.lines[0].quantity"),
    ("no instant", |sale_return| sale_return.occurred_at = Some(Timestamp { seconds: 0, nanos: -1 }), "sale_return.occurred_at"),
];

#[rustfmt::skip]
const BAD_CANCELLATIONS: Rows<wire::CancelSaleRequest> = &[
    ("no request id", |call| call.request_id.clear(), "request_id"),
    ("no store", |call| call.store_id.clear(), "store_id"),
    ("no sale", |call| call.sale_id.clear(), "sale_id"),
    ("a long store", |call| call.sale_store_id = "x".repeat(65), "sale_store_id"),
    ("a line feed", |call| call.terminal_id.push('\n'), "terminal_id"),
    ("a long cashier", |call| call.cashier_id = "x".repeat(65), "cashier_id"),
    ("a long document type", |call| call.document_type = "x".repeat(65), "document_type"),
    ("a long document number", |call| call.document_number = "x".repeat(65), "document_number"),
    ("no instant", |call| call.occurred_at = Some(Timestamp { seconds: i64::MAX, nanos: 0 }), "occurred_at"),
];

#[tokio::test(flavor = "multi_thread")]
async fn malformed_returns_and_cancellations_are_refused_by_their_fields_and_write_nothing() {
    let shop = Shop::with_rule(NewProgram::new("Club", "EUR"), EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;
    let good_return = wire::SaleReturn {
        return_id: "r-1".to_owned(),
        store_id: "store-1".to_owned(),
        sale_id: sale.sale_id.clone(),
        returned: Some(Returned::Rest(true)),
        ..wire::SaleReturn::default()
    };
    let good_cancellation = wire::CancelSaleRequest {
        request_id: request_id(),
        store_id: "store-1".to_owned(),
        sale_id: sale.sale_id.clone(),
        ..wire::CancelSaleRequest::default()
    };
    let mut ledger = shop.client.raw_ledger();
    let before = shop.rows().await;

    for (what, spoil, field) in BAD_RETURNS {
        let mut sale_return = good_return.clone();
        spoil(&mut sale_return);
        let sale_return = Some(sale_return);
        let quote = wire::QuoteReturnRequest {
            sale_return: sale_return.clone(),
            ..wire::QuoteReturnRequest::default()
        };
        assert_names(what, &ledger.quote_return(quote).await.err(), field, "INVALID_FIELD");
        let request_id = request_id();
        let call = wire::ReturnSaleRequest {
            request_id,
            sale_return,
            ..wire::ReturnSaleRequest::default()
        };
        assert_names(what, &ledger.return_sale(call).await.err(), field, "INVALID_FIELD");
    }
    for (what, spoil, field) in BAD_CANCELLATIONS {
        let mut call = good_cancellation.clone();
        spoil(&mut call);
        assert_names(what, &ledger.cancel_sale(call).await.err(), field, "INVALID_FIELD");
    }
    let nothing = wire::ReturnSaleRequest {
        request_id: request_id(),
        sale_return: None,
        ..wire::ReturnSaleRequest::default()
    };
    assert_names(
        "nothing",
        &ledger.return_sale(nothing).await.err(),
        "sale_return",
        "INVALID_FIELD",
    );

    assert_eq!(shop.rows().await, before);
    let returned = ada.returns_amount(&sale, "99.99").await;
    assert_eq!(returned.points_earned, 0.into(), "it serves on");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_with_more_decimals_than_the_currency_is_refused() {
    let shop = Shop::with_rule(NewProgram::new("Club", "JPY"), EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    let mut sale = ada.sale("100");
    sale.currency_code = "JPY".to_owned();
    ada.records(&sale).await;

    let refused = shop
        .client
        .return_sale(&ada.return_of(&sale).amount(crate::harness::dec("1.5")))
        .await;

    let expected = loyalty_sdk::Error::TooManyDecimals {
        field: "sale_return.amount".to_owned(),
        decimals: 0,
    };
    assert_eq!(refused, Err(expected));
}

fn lines(count: usize, quantity: &str) -> Option<Returned> {
    let good = wire::ReturnedLine {
        line: 0,
        quantity: number("1"),
    };
    let mut lines = vec![good; count];
    if let Some(last) = lines.last_mut() {
        last.quantity = number(quantity);
    }
    Some(Returned::Lines(wire::ReturnedLines { lines }))
}
