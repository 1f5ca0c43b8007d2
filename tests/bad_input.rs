//! What callers send that is wrong: every answer names the field, nothing is written, and the server serves on.

use loyalty_sdk::api::{self as wire, member_key, sale_redemption::Ask};
use loyalty_sdk::{EarnRate, NewProgram, RedemptionPolicy, TierSpendWindow};
use prost_types::Timestamp;
use tonic::Status;

use crate::harness::raw::{assert_names, customer, number, request_id};
use crate::harness::{Shop, instant};

type Spoil = fn(&mut wire::Sale);

/// How a sale is spoiled, and the field that the answer names.
#[rustfmt::skip]
const BAD_SALES: &[(&str, Spoil, &str)] = &[
    ("no sale id", |sale| sale.sale_id.clear(), "sale.sale_id"),
    ("a sale id of 65 characters", |sale| sale.sale_id = "x".repeat(65), "sale.sale_id"),
    ("a trailing blank", |sale| sale.sale_id.push(' '), "sale.sale_id"),
    ("a trailing no-break space", |sale| sale.sale_id.push('\u{a0}'), "sale.sale_id"),
    ("a zero byte", |sale| sale.sale_id.push('\0'), "sale.sale_id"),
    ("a line feed", |sale| sale.store_id.insert(1, '\n'), "sale.store_id"),
    ("no store", |sale| sale.store_id.clear(), "sale.store_id"),
    ("a long terminal", |sale| sale.terminal_id = "x".repeat(65), "sale.terminal_id"),
    ("a long cashier", |sale| sale.cashier_id = "x".repeat(65), "sale.cashier_id"),
    ("a long document type", |sale| sale.document_type = "x".repeat(65), "sale.document_type"),
    ("a long document number", |sale| sale.document_number = "x".repeat(65), "sale.document_number"),
    ("a program id in capitals", |sale| sale.program_id = "CLUB".to_owned(), "sale.program_id"),
    ("no member", |sale| sale.member = None, "sale.member"),
    ("an empty member", |sale| sale.member = Some(wire::MemberKey { key: None }), "sale.member"),
    ("a member id that is no UUID", |sale| sale.member = member("42"), "sale.member.member_id"),
    ("an empty customer id", |sale| sale.member = customer(""), "sale.member.customer_id"),
    ("a long customer id", |sale| sale.member = customer(&"x".repeat(129)), "sale.member.customer_id"),
    ("no currency", |sale| sale.currency_code.clear(), "sale.currency_code"),
    ("an unknown currency", |sale| sale.currency_code = "EUX".to_owned(), "sale.currency_code"),
    ("a currency in small letters", |sale| sale.currency_code = "eur".to_owned(), "sale.currency_code"),
    ("no total", |sale| sale.total = None, "sale.total"),
    ("an empty total", |sale| sale.total = number(""), "sale.total"),
    ("a negative total", |sale| sale.total = number("-1"), "sale.total"),
    ("too large a total", |sale| sale.total = number("100000000000.01"), "sale.total"),
    ("a total of 40 digits", |sale| sale.total = number(&"9".repeat(40)), "sale.total"),
    ("a total of 30 digits", |sale| sale.total = number(&"9".repeat(30)), "sale.total"),
    ("an exponent", |sale| sale.total = number("1e3"), "sale.total"),
    ("not a number", |sale| sale.total = number("NaN"), "sale.total"),
    ("infinity", |sale| sale.total = number("inf"), "sale.total"),
    ("a comma", |sale| sale.total = number("1,50"), "sale.total"),
    ("three decimals of euro", |sale| sale.total = number("1.005"), "sale.total"),
    ("a third of a yen", |sale| sale.currency_code = "JPY".to_owned(), "sale.total"),
    ("lines that add up to less", |sale| sale.lines.push(line("9.99")), "sale.total"),
    ("10,000 lines", |sale| sale.lines = vec![line("0.01"); 10_000], "sale.lines"),
    ("1,001 lines", |sale| sale.lines = vec![line("0.01"); 1_001], "sale.lines"),
    ("a quantity of zero", |sale| spoil_line(sale, |line| line.quantity = number("0")), "sale.lines[0].quantity"),
    ("a negative quantity", |sale| spoil_line(sale, |line| line.quantity = number("-1")), "sale.lines[0].quantity"),
    ("seven decimals", |sale| spoil_line(sale, |line| line.quantity = number("0.1234567")), "sale.lines[0].quantity"),
    ("a line without amount", |sale| spoil_line(sale, |line| line.amount = None), "sale.lines[0].amount"),
    ("tax above the amount", |sale| spoil_line(sale, |line| line.tax_amount = number("10.51")), "sale.lines[0].tax_amount"),
    ("a discount above all", |sale| spoil_line(sale, |line| line.discount_percent = number("100.1")), "sale.lines[0].discount_percent"),
    ("a negative price", |sale| spoil_line(sale, |line| line.unit_price = number("-0.01")), "sale.lines[0].unit_price"),
    ("an unknown flag", |sale| spoil_line(sale, |line| line.flag = 99), "sale.lines[0].flag"),
    ("a long category", |sale| spoil_line(sale, |line| line.category = "x".repeat(201)), "sale.lines[0].category"),
    ("1,001 tenders", |sale| sale.tenders = vec![tender("0.01"); 1_001], "sale.tenders"),
    ("tenders above the total", |sale| sale.tenders = vec![tender("5.26"); 2], "sale.tenders"),
    ("a tender without amount", |sale| sale.tenders.push(wire::Tender { tender_type: "CASH".to_owned(), amount: None }), "sale.tenders[0].amount"),
    ("a negative tender", |sale| sale.tenders.push(tender("-1")), "sale.tenders[0].amount"),
    ("11 redemptions", |sale| sale.redemptions = vec![redemption(None); 11], "sale.redemptions"),
    ("a redemption of nothing", |sale| sale.redemptions.push(redemption(None)), "sale.redemptions[0]"),
    ("no points", |sale| sale.redemptions.push(redemption(points("0"))), "sale.redemptions[0].points"),
    ("negative points", |sale| sale.redemptions.push(redemption(points("-5"))), "sale.redemptions[0].points"),
    ("five decimals of points", |sale| sale.redemptions.push(redemption(points("0.00001"))), "sale.redemptions[0].points"),
    ("the year 10000", |sale| sale.occurred_at = at(253_402_300_800, 0), "sale.occurred_at"),
    ("the year 0", |sale| sale.occurred_at = at(-62_135_596_801, 0), "sale.occurred_at"),
    ("a time past all calendars", |sale| sale.occurred_at = at(i64::MAX, 0), "sale.occurred_at"),
    ("a time before all calendars", |sale| sale.occurred_at = at(i64::MIN, 0), "sale.occurred_at"),
    ("negative nanoseconds", |sale| sale.occurred_at = at(1_768_471_200, -1), "sale.occurred_at"),
    ("a second of nanoseconds", |sale| sale.occurred_at = at(1_768_471_200, 1_000_000_000), "sale.occurred_at"),
];

/// Well formed, and refused by what the program and the clock say: remembered with the request.
#[rustfmt::skip]
const REFUSED_SALES: &[(&str, Spoil, &str, &str)] = &[
    ("dollars", |sale| sale.currency_code = "USD".to_owned(), "sale.currency_code", "CURRENCY_MISMATCH"),
    ("the year 3000", |sale| sale.occurred_at = year("3000"), "sale.occurred_at", "TIME_OUT_OF_RANGE"),
    ("the year 1990", |sale| sale.occurred_at = year("1990"), "sale.occurred_at", "TIME_OUT_OF_RANGE"),
    ("the year 1", |sale| sale.occurred_at = year("0001"), "sale.occurred_at", "TIME_OUT_OF_RANGE"),
    ("the year 9999", |sale| sale.occurred_at = year("9999"), "sale.occurred_at", "TIME_OUT_OF_RANGE"),
    ("half a point", |sale| sale.redemptions.push(redemption(points("0.5"))), "sale.redemptions[0].points", "TOO_MANY_DECIMALS"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_sale_is_refused_by_the_name_of_its_field_and_writes_nothing() {
    let shop = shop().await;
    let before = shop.rows().await;

    for (what, spoil, field) in BAD_SALES {
        let mut sale = good_sale(&shop);
        spoil(&mut sale);
        let quoted = quote(&shop, Some(sale.clone())).await;
        let recorded = record(&shop, &request_id(), Some(sale)).await;

        assert_names(what, &quoted, field, "INVALID_FIELD");
        assert_names(what, &recorded, field, "INVALID_FIELD");
    }
    assert_names(
        "no sale",
        &record(&shop, &request_id(), None).await,
        "sale",
        "INVALID_FIELD",
    );
    assert_names("no sale", &quote(&shop, None).await, "sale", "INVALID_FIELD");
    for id in ["", " ", "with blank", "\u{e9}", "line\nfeed", &"x".repeat(65)] {
        let outcome = record(&shop, id, Some(good_sale(&shop))).await;
        assert_names(id, &outcome, "request_id", "INVALID_FIELD");
    }

    assert_eq!(shop.rows().await, before);
    assert!(
        record(&shop, &request_id(), Some(good_sale(&shop))).await.is_none(),
        "it serves on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_the_program_or_the_clock_refuses_names_its_field_and_leaves_only_the_refusal() {
    for shop in [shop().await, shop_with_a_spend_window().await] {
        let before = shop.rows().await;

        for (what, spoil, field, reason) in REFUSED_SALES {
            let mut sale = good_sale(&shop);
            spoil(&mut sale);
            let quoted = quote(&shop, Some(sale.clone())).await;
            let recorded = record(&shop, &request_id(), Some(sale)).await;

            assert_names(what, &quoted, field, reason);
            assert_names(what, &recorded, field, reason);
        }

        let mut expected = before;
        *expected.entry("request").or_default() += i64::try_from(REFUSED_SALES.len()).expect("a few");
        assert_eq!(shop.rows().await, expected);
        assert!(
            record(&shop, &request_id(), Some(good_sale(&shop))).await.is_none(),
            "it serves on"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_look_like_sql_are_only_text() {
    let shop = shop().await;
    let ids = ["'; DROP TABLE sale; -- ", "\\", "\\'", "\"", "%_", "Ж😀", "a", "A", "á"].map(str::trim_end);

    for id in ids {
        let mut sale = good_sale(&shop);
        id.clone_into(&mut sale.sale_id);
        sale.store_id = format!("{id}!");
        assert!(record(&shop, &request_id(), Some(sale)).await.is_none(), "{id}");
    }

    let ada = shop
        .client
        .list_entries(loyalty_sdk::MemberKey::customer_id("ada"), &Default::default())
        .await;
    let recorded: Vec<String> = ada
        .expect("entries")
        .items
        .into_iter()
        .rev()
        .filter_map(|entry| entry.sale_id)
        .collect();
    assert_eq!(recorded, ids);
}

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    open(program).await
}

/// Here a sale's time decides which entries are read.
async fn shop_with_a_spend_window() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    open(NewProgram {
        tier_spend_window: Some(TierSpendWindow::rolling_days(30)),
        ..program
    })
    .await
}

async fn open(program: NewProgram) -> Shop {
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    shop.enrols("ada").await;
    shop
}

/// 10.50 euro to ada, with nothing wrong.
fn good_sale(shop: &Shop) -> wire::Sale {
    wire::Sale {
        sale_id: shop.next_sale_id(),
        store_id: "store-1".to_owned(),
        member: customer("ada"),
        currency_code: "EUR".to_owned(),
        total: number("10.50"),
        ..wire::Sale::default()
    }
}

async fn record(shop: &Shop, request_id: &str, sale: Option<wire::Sale>) -> Option<Status> {
    let request_id = request_id.to_owned();
    let request = wire::RecordSaleRequest {
        request_id,
        sale,
        ..wire::RecordSaleRequest::default()
    };
    shop.client.raw_ledger().record_sale(request).await.err()
}

async fn quote(shop: &Shop, sale: Option<wire::Sale>) -> Option<Status> {
    shop.client
        .raw_ledger()
        .quote_sale(wire::QuoteSaleRequest {
            sale,
            ..wire::QuoteSaleRequest::default()
        })
        .await
        .err()
}

fn member(member_id: &str) -> Option<wire::MemberKey> {
    let key = Some(member_key::Key::MemberId(member_id.to_owned()));
    Some(wire::MemberKey { key })
}

fn line(amount: &str) -> wire::SaleLine {
    wire::SaleLine {
        amount: number(amount),
        ..wire::SaleLine::default()
    }
}

fn spoil_line(sale: &mut wire::Sale, spoil: impl FnOnce(&mut wire::SaleLine)) {
    let mut line = line("10.50");
    spoil(&mut line);
    sale.lines.push(line);
}

fn tender(amount: &str) -> wire::Tender {
    wire::Tender {
        tender_type: "CASH".to_owned(),
        amount: number(amount),
    }
}

fn redemption(ask: Option<Ask>) -> wire::SaleRedemption {
    wire::SaleRedemption {
        ask,
        ..wire::SaleRedemption::default()
    }
}

fn points(value: &str) -> Option<Ask> {
    number(value).map(Ask::Points)
}

fn at(seconds: i64, nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos })
}

fn year(year: &str) -> Option<Timestamp> {
    at(instant(&format!("{year}-06-01T00:00:00Z")).timestamp(), 0)
}
