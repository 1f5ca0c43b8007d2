use loyalty_api::v1::sale_redemption::Ask;

use super::*;
use crate::{
    DocumentTreatment, EarnRate, EarnReason, ExpiryPolicy, MemberKey, NewProgram, NewRule, Operation, OperationResult,
    Program, ProgramState, ProgramUpdate, RateSource, Receipt, Redemption, RedemptionPolicy, Rounding, Rule,
    RuleUpdate, Sale, Tier, TierSpendWindow,
};

fn number(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

fn day_of(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap()
}

#[test]
fn decimals_keep_every_digit_and_fit_the_contract() {
    for text in [
        "0",
        "12",
        "-0.5",
        "2900.00",
        "0.000001",
        "-7.9228162514264337593543950335",
    ] {
        let message = decimal_message(number(text));

        assert_eq!(message.value, text);
        assert!(message.value.len() <= 32);
        assert_eq!(decimal("points", Some(message)).unwrap(), number(text));
    }
    assert_eq!(decimal_message(Decimal::MIN).value.len(), 30);
}

#[test]
fn numbers_that_are_missing_or_malformed_are_reported_with_their_field() {
    for text in ["", "1e3", "ten", "NaN", "1,5"] {
        let message = v1::Decimal { value: text.to_owned() };

        assert_eq!(
            decimal("points", Some(message)).unwrap_err(),
            Error::InvalidAnswer {
                field: "points",
                value: text.to_owned(),
            }
        );
    }
    assert!(decimal("points", None).is_err());
    assert_eq!(optional_decimal("points", None).unwrap(), None);
}

#[test]
fn instants_keep_their_nanoseconds_also_before_1970() {
    for (seconds, nanos) in [(0, 0), (1_700_000_000, 123_456_789), (-1, 999_999_999)] {
        let message = Timestamp { seconds, nanos };

        let read = instant("at", Some(message)).unwrap();

        assert_eq!(timestamp(read), message);
    }
}

#[test]
fn instants_outside_the_calendar_are_reported() {
    for (seconds, nanos) in [(i64::MAX, 0), (0, -1), (0, 1_000_000_000)] {
        assert!(instant("at", Some(Timestamp { seconds, nanos })).is_err());
    }
}

#[test]
fn days_are_text_and_nothing_is_none() {
    assert_eq!(day_text(Some(day_of("2026-02-28"))), "2026-02-28");
    assert_eq!(day_text(None), "");
    assert_eq!(
        day("valid_from", "2026-02-28".to_owned()).unwrap(),
        Some(day_of("2026-02-28"))
    );
    assert_eq!(day("valid_from", String::new()).unwrap(), None);
    assert!(day("valid_from", "28.2.2026".to_owned()).is_err());
}

#[test]
fn enums_survive_values_of_later_versions() {
    assert_eq!(ProgramState::from_number(3), ProgramState::Paused);
    assert_eq!(ProgramState::from_number(77), ProgramState::Other(77));
    assert_eq!(ProgramState::Other(77).number(), 77);
    assert_eq!(ProgramState::Paused.number(), 3);
}

#[test]
fn clamping_a_sale_clamps_its_redemptions_whenever_they_were_added() {
    let sale = Sale::new("t", "s", MemberKey::card("1"), "EUR", 100)
        .clamped()
        .redeem_points(5)
        .redeem_amount(number("2.50"));

    let redemptions = sale.to_wire().redemptions;

    assert!(redemptions.iter().all(|redemption| redemption.clamp));
    assert_eq!(redemptions[0].ask, Some(Ask::Points(decimal_message(5.into()))));
    assert_eq!(redemptions[1].ask, Some(Ask::Amount(decimal_message(number("2.50")))));
}

#[test]
fn one_redemption_can_be_clamped_alone() {
    let sale = Sale::new("t", "s", MemberKey::card("1"), "EUR", 100)
        .redemption(Redemption::points(5).clamped())
        .redeem_points(1);

    let clamps: Vec<bool> = sale.to_wire().redemptions.iter().map(|asked| asked.clamp).collect();

    assert_eq!(clamps, [true, false]);
}

fn club() -> NewProgram {
    NewProgram {
        valid_from: Some(day_of("2026-01-01")),
        tier_spend_window: Some(TierSpendWindow::rolling_days(365).downgrade_after(30)),
        ..NewProgram::new("Club", "EUR")
            .program_id("club")
            .decimals(2)
            .tier(Tier::new("silver", "Silver", 2000).earn_rate(EarnRate::new(300, 1).rounding(Rounding::HalfUp)))
            .expiry(ExpiryPolicy::months(12))
            .redemption(RedemptionPolicy::new(10))
            .document_type("RETURN", DocumentTreatment::Returning)
    }
}

fn stored(program: &NewProgram) -> Program {
    let at = Some(Timestamp::default());
    Program::from_wire(v1::Program {
        etag: "e1".to_owned(),
        version: 1,
        created_at: at,
        updated_at: at,
        ..program.to_wire()
    })
    .unwrap()
}

#[test]
fn a_program_comes_back_as_it_was_sent() {
    let new = club();

    let program = stored(&new);

    assert_eq!(program.program_id, "club");
    assert_eq!(program.decimals, Some(2));
    assert_eq!(program.tiers, new.tiers);
    assert_eq!(program.tier_spend_window, new.tier_spend_window);
    assert_eq!(program.valid_from, new.valid_from);
    assert_eq!(program.valid_until, None);
    assert_eq!(program.expiry, new.expiry);
    assert_eq!(program.redemption, new.redemption);
    assert_eq!(program.document_types, new.document_types);
}

#[test]
fn an_update_names_what_it_sets_and_brings_the_etag() {
    let update = ProgramUpdate::of(&stored(&club()))
        .name("Klub")
        .redemption(None)
        .name("Club 2");

    assert_eq!(update.paths, ["name", "redemption"]);
    assert_eq!(update.program.name, "Club 2");
    assert_eq!(update.program.etag, "e1");
    assert_eq!(update.program.program_id, "club");
    assert!(update.program.tiers.is_empty());
}

#[test]
fn a_rule_comes_back_as_it_was_sent_and_its_update_names_what_it_sets() {
    let new = NewRule::new("club", "Base", EarnRate::new(10, 1).complete_steps()).rule_id("base");
    let rule = Rule::from_wire(v1::Rule {
        etag: "e1".to_owned(),
        updated_at: Some(Timestamp::default()),
        ..new.to_wire()
    })
    .unwrap();

    let update = RuleUpdate::of(&rule).earn_rate(EarnRate::new(5, 1));

    assert_eq!(rule.terms, new.terms);
    assert_eq!(update.paths, ["effect"]);
    assert_eq!(update.rule.etag, "e1");
}

fn points(text: &str) -> Option<v1::Decimal> {
    Some(decimal_message(number(text)))
}

fn eur(text: &str) -> Option<v1::Money> {
    Some(v1::Money {
        currency_code: "EUR".to_owned(),
        amount: points(text),
    })
}

fn outcome() -> v1::SaleOutcome {
    let source = |tier_id: &str| {
        Some(v1::RateSource {
            source: Some(v1::rate_source::Source::TierId(tier_id.to_owned())),
        })
    };
    v1::SaleOutcome {
        member_id: "m".to_owned(),
        points_earned: points("9"),
        points_redeemed: points("10"),
        rated_amount: eur("2900.00"),
        points_tenders: vec![v1::PointsTender {
            points: points("10"),
            value_per_point: points("10"),
            amount: eur("100.00"),
            ..v1::PointsTender::default()
        }],
        due: eur("2900.00"),
        balance_before: points("10"),
        balance: Some(v1::Balance {
            available: points("9"),
            tier_id: "gold".to_owned(),
            tier_spend: eur("6000.00"),
            pending: points("0"),
            held: points("0"),
            ..v1::Balance::default()
        }),
        lines: vec![v1::LineOutcome {
            rated_amount: points("2900"),
            points: points("9.666666"),
            source: source("gold"),
            reason: v1::EarnReason::Earned.into(),
            ..v1::LineOutcome::default()
        }],
        rates: vec![v1::RateOutcome {
            source: Some(v1::RateSource::default()),
            rated_amount: eur("2900.00"),
            points: points("9"),
            rounding: points("-0.666666"),
            fixed_points: points("0"),
            capped: points("0"),
            vat_percent: None,
            reason: v1::EarnReason::Earned.into(),
        }],
        ..v1::SaleOutcome::default()
    }
}

#[test]
fn a_receipt_says_none_where_the_contract_says_empty() {
    let receipt = Receipt::from_wire(outcome(), true).unwrap();

    assert!(receipt.replayed);
    assert_eq!(receipt.points_paid().to_string(), "100.00 EUR");
    assert_eq!(receipt.tier_id_before, None);
    assert_eq!(receipt.balance.tier_id.as_deref(), Some("gold"));
    assert_eq!(receipt.balance.value, None);
    assert_eq!(receipt.balance.next_tier, None);
    assert_eq!(receipt.points_expire_at, None);
    assert_eq!(receipt.lines[0].source, Some(RateSource::Tier("gold".to_owned())));
    assert_eq!(receipt.lines[0].reason, EarnReason::Earned);
    assert_eq!(receipt.rates[0].source, RateSource::Unknown);
    assert_eq!(receipt.rates[0].rounding, number("-0.666666"));
}

#[test]
fn a_receipt_without_its_numbers_is_reported_with_the_field() {
    let incomplete = v1::SaleOutcome { due: None, ..outcome() };

    let error = Receipt::from_wire(incomplete, false).unwrap_err();

    assert!(
        matches!(
            error,
            Error::InvalidAnswer {
                field: "outcome.due",
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn an_operation_tells_a_refusal_as_its_call_did() {
    let refusal = v1::Refusal {
        reason: "INSUFFICIENT_POINTS".to_owned(),
        message: "not enough".to_owned(),
        metadata: [("available", "10"), ("requested", "11")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let answer = |result| v1::GetOperationResponse {
        recorded_at: Some(Timestamp::default()),
        result,
    };

    let refused = Operation::from_wire(answer(Some(v1::get_operation_response::Result::Refusal(refusal)))).unwrap();
    let unknown = Operation::from_wire(answer(None)).unwrap();

    let not_enough = Error::InsufficientPoints {
        available: 10.into(),
        requested: 11.into(),
    };
    assert_eq!(refused.result, OperationResult::Refused(Box::new(not_enough)));
    assert_eq!(unknown.result, OperationResult::Unknown);
}
