//! Recording and quoting sales: what is taken in, what is refused, and what is due.

use loyalty_sdk::{
    DocumentTreatment, EarnRate, EarnReason, Error, MemberKey, NewProgram, Receipt, RedemptionPolicy, Sale, SaleLine,
    SaleLineFlag,
};
use rust_decimal::Decimal;

use crate::harness::{Shop, dec};

/// One point per euro, each worth a euro.
fn one_for_one() -> (NewProgram, EarnRate) {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    (program, EarnRate::new(1, 1))
}

async fn one_for_one_shop() -> Shop {
    let (program, rate) = one_for_one();
    Shop::with_rule(program, rate).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_answers_what_recording_then_does_and_writes_nothing() {
    let shop = one_for_one_shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let sale = ada
        .sale("60.00")
        .line(SaleLine::new(dec("40.00")).product("beans").quantity(2))
        .line(SaleLine::new(dec("20.00")).flag(SaleLineFlag::Shipping))
        .tender("CASH", dec("30.00"))
        .redeem_points(15);

    let quoted = shop.client.quote_sale(&sale).await.expect("a quote");
    let again = shop.client.quote_sale(&sale).await.expect("a quote");
    let entries_before_recording = ada.history().await.len();
    let recorded = ada.records(&sale).await;

    assert_eq!(quoted, again);
    assert_eq!(entries_before_recording, 1);
    let unsaid = loyalty_sdk::Receipt { quote: None, ..quoted };
    assert_eq!(unsaid, recorded);
    assert_eq!(
        recorded.points_earned,
        dec("30"),
        "40 of 60 earn, a quarter is paid with points"
    );
    assert_eq!(recorded.due.amount, dec("15.00"));
    assert_eq!(recorded.balance.available, ada.points().await);
    assert_eq!(ada.points().await, dec("115"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_refused_as_the_sale_would_be_and_the_refusal_is_not_remembered() {
    let shop = one_for_one_shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("60.00").redeem_points(15);

    let quoted = shop.client.quote_sale(&sale).await;
    ada.buys("15").await;
    let recorded = ada.tries(&sale).await;

    let expected = Error::InsufficientPoints {
        available: dec("0"),
        requested: dec("15"),
    };
    assert_eq!(quoted, Err(expected));
    assert_eq!(recorded.expect("a receipt").points_redeemed, dec("15"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_without_lines_is_one_line_of_its_total() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;

    let without = ada.buys("26.00").await;
    let with = ada.records(&ada.sale("26.00").line(SaleLine::new(26))).await;

    assert_eq!(without.lines.len(), 1);
    assert_eq!(without.lines[0].rated_amount, dec("26"));
    assert_eq!(without.lines[0].reason, EarnReason::Earned);
    assert_eq!(without.lines, with.lines);
    assert_eq!(without.points_earned, with.points_earned);
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_of_any_length_and_script_come_back_to_the_last_character() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    let products = [
        ("short", 1, "καφές ☕"),
        ("long", 400, "καφές ☕"),
        ("quoted", 400, "l'été \\ 'ζέστη' \" ;--"),
    ];

    for (number, lines, product) in products {
        let mut sale = ada.sale("0").cashier("Ζωή ‹1›");
        sale.sale_id = format!("απόδειξη-{number}").as_str().into();
        sale.lines = (0..lines).map(|_| SaleLine::new(0).product(product)).collect();
        let receipt = ada.records(&sale).await;

        let read = shop.client.get_sale("store-1", &sale.sale_id).await.expect("the sale");

        assert_eq!((read.receipt, read.sale.sale_id), (receipt, sale.sale_id));
        assert_eq!(read.sale.cashier_id, sale.cashier_id);
        assert_eq!(read.sale.lines.len(), lines);
        assert!(
            read.sale.lines.iter().all(|line| line.product_id == product),
            "{number}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_of_nothing_is_recorded_and_earns_nothing() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;

    let receipt = ada.buys("0").await;

    assert_eq!(receipt.points_earned, Decimal::ZERO);
    assert_eq!(ada.movements().await, [Decimal::ZERO]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_must_add_up_to_the_total_and_tenders_must_not_exceed_it() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;

    let short = ada.tries(&ada.sale("30.00").line(SaleLine::new(dec("29.99")))).await;
    let overpaid = ada
        .tries(&ada.sale("30.00").tender("CASH", 20).tender("CARD", dec("10.01")))
        .await;

    assert_eq!(field_of(short), "sale.total");
    assert_eq!(field_of(overpaid), "sale.tenders");
    assert!(ada.history().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tenders_leave_what_is_due() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;

    let receipt = ada
        .records(&ada.sale("30.00").tender("CASH", 20).tender("CARD", dec("9.99")))
        .await;

    assert_eq!(receipt.due.amount, dec("0.01"));
    assert_eq!(receipt.points_earned, dec("30"), "how it was paid does not matter");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_issue_return_or_are_ignored_by_their_type() {
    let (program, rate) = one_for_one();
    let program = program
        .document_type("INVOICE", DocumentTreatment::Issuing)
        .document_type("CREDIT-NOTE", DocumentTreatment::Returning)
        .document_type("PRO-FORMA", DocumentTreatment::Ignored);
    let shop = Shop::with_rule(program, rate).await;
    let ada = shop.enrols("ada").await;

    let issuing = ada.records(&ada.sale("10").document("INVOICE", "F-1")).await;
    let unlisted = ada.records(&ada.sale("10").document("TICKET", "T-1")).await;
    let returning = ada.tries(&ada.sale("10").document("CREDIT-NOTE", "N-1")).await;
    let ignored = ada.records(&ada.sale("10").document("PRO-FORMA", "P-1")).await;
    let ignored_redeeming = ada
        .tries(&ada.sale("10").document("PRO-FORMA", "P-2").redeem_points(1))
        .await;

    let refused = |document_type: &str| {
        Err(Error::DocumentTypeRefused {
            document_type: document_type.to_owned(),
        })
    };
    assert_eq!((issuing.points_earned, unlisted.points_earned), (dec("10"), dec("10")));
    assert_eq!(returning, refused("CREDIT-NOTE"));
    assert_eq!(ignored.points_earned, Decimal::ZERO);
    assert_eq!(ignored.lines[0].reason, EarnReason::DocumentIgnored);
    assert_eq!(
        ignored.balance.tier_spend.amount,
        dec("20"),
        "it does not count as spend"
    );
    assert_eq!(ignored_redeeming, refused("PRO-FORMA"));
    assert_eq!(ada.points().await, dec("20"));
    let newest_first = ada.history().await;
    let documents = newest_first
        .iter()
        .map(|entry| (entry.document_type.as_deref(), entry.document_number.as_deref()));
    let expected = [("PRO-FORMA", "P-1"), ("TICKET", "T-1"), ("INVOICE", "F-1")];
    assert!(
        documents.eq(expected.map(|(kind, number)| (Some(kind), Some(number)))),
        "entries carry the document"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_may_be_named_by_its_own_id_and_what_is_unknown_is_named() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    shop.client
        .create_program(&NewProgram::new("Second", "EUR").program_id("second"))
        .await
        .expect("a program");
    let by_id = MemberKey::from(&ada.member);
    let nobody = MemberKey::member_id("00000000-0000-4000-8000-000000000000");
    let sale_to = |member: &MemberKey| Sale::new(shop.next_sale_id(), "store-1", member.clone(), "EUR", 10);

    let receipt = ada.records(&sale_to(&by_id).program("club")).await;
    let unknown_member = ada.tries(&sale_to(&nobody)).await;
    let not_of_the_program = ada.tries(&sale_to(&by_id).program("second")).await;
    let unknown_program = ada.tries(&sale_to(&by_id).program("third")).await;
    let quoted = shop.client.quote_sale(&sale_to(&by_id).program("third")).await;
    let balance = shop.client.get_balance(by_id.clone().in_program("third")).await;

    let member_not_found = Error::MemberNotFound {
        field: "sale.member".to_owned(),
    };
    let program_not_found = Error::ProgramNotFound {
        program_id: "third".into(),
    };
    assert_eq!(receipt.member_id, ada.member.member_id);
    assert_eq!(unknown_member, Err(member_not_found.clone()));
    assert_eq!(not_of_the_program, Err(member_not_found));
    assert_eq!(unknown_program, Err(program_not_found.clone()));
    assert_eq!(quoted, Err(program_not_found.clone()));
    assert_eq!(balance.err(), Some(program_not_found));
    assert_eq!(ada.movements().await, [dec("10")]);
}

fn field_of(outcome: Result<Receipt, Error>) -> String {
    match outcome {
        Err(Error::InvalidFields(violations)) if violations.len() == 1 => violations[0].field.clone(),
        other => panic!("not refused for one field: {other:?}"),
    }
}
