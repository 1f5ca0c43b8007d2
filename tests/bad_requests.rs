//! Malformed enrolments, programs, rules, look-ups and lists: as with sales, the field is named and nothing is written.

use loyalty_sdk::api::{self as wire, expiry_policy::Period, identifier::Identifier, member_key::Key};
use loyalty_sdk::{EarnRate, NewProgram, RedemptionPolicy};
use prost_types::FieldMask;
use tonic::Code;
use tonic_types::StatusExt;

use crate::harness::Shop;
use crate::harness::raw::{assert_names, number, request_id};

/// What is wrong, how a good request is spoiled, and the field that the answer names.
type Rows<Request> = &'static [(&'static str, fn(&mut Request), &'static str)];

#[rustfmt::skip]
const BAD_ENROLMENTS: Rows<wire::EnrollMemberRequest> = &[
    ("no request id", |call| call.request_id.clear(), "request_id"),
    ("a blank in the request id", |call| call.request_id.push(' '), "request_id"),
    ("no program", |call| call.program_id.clear(), "program_id"),
    ("a program id of 65 characters", |call| call.program_id = "x".repeat(65), "program_id"),
    ("no identifier", |call| call.identifiers.clear(), "identifiers"),
    ("an empty identifier", |call| call.identifiers = vec![wire::Identifier { identifier: None }], "identifiers[0]"),
    ("an empty customer id", |call| call.identifiers = vec![customer("")], "identifiers[0].customer_id"),
    ("a long card", |call| call.identifiers = vec![card(&"7".repeat(129))], "identifiers[0].card"),
    ("a trailing blank", |call| call.identifiers = vec![card("77 ")], "identifiers[0].card"),
    ("a tabulator", |call| call.identifiers = vec![card("7\t7")], "identifiers[0].card"),
    ("one card twice", |call| call.identifiers = vec![card("1"), card("1")], "identifiers[1]"),
    ("11 identifiers", |call| call.identifiers = vec![card("1"); 11], "identifiers"),
    ("a long name", |call| call.name = "x".repeat(201), "name"),
];

#[rustfmt::skip]
const BAD_PROGRAMS: Rows<wire::Program> = &[
    ("no name", |program| program.name.clear(), "program.name"),
    ("capitals", |program| program.program_id = "Club".to_owned(), "program.program_id"),
    ("no currency", |program| program.currency_code.clear(), "program.currency_code"),
    ("an unknown currency", |program| program.currency_code = "XXY".to_owned(), "program.currency_code"),
    ("gold, which has no minor unit", |program| program.currency_code = "XAU".to_owned(), "program.currency_code"),
    ("an unknown unit", |program| program.unit = 9, "program.unit"),
    ("an unknown state", |program| program.state = -1, "program.state"),
    ("archived at birth", |program| program.state = wire::ProgramState::Archived.into(), "program.state"),
    ("five decimals", |program| program.decimals = Some(5), "program.decimals"),
    ("decimals of value", |program| { program.unit = wire::ProgramUnit::Value.into(); program.decimals = Some(2) }, "program.decimals"),
    ("an unknown zone", |program| program.time_zone = "Europe/Atlantis".to_owned(), "program.time_zone"),
    ("no day", |program| program.valid_from = "2026-02-30".to_owned(), "program.valid_from"),
    ("a day in short", |program| program.valid_until = "2026-2-3".to_owned(), "program.valid_until"),
    ("an end before the beginning", |program| { program.valid_from = "2026-02-02".to_owned(); program.valid_until = "2026-02-01".to_owned() }, "program.valid_until"),
    ("no period", |program| program.expiry = Some(wire::ExpiryPolicy::default()), "program.expiry"),
    ("no days", |program| program.expiry = days(0), "program.expiry.days"),
    ("too many days", |program| program.expiry = days(36_601), "program.expiry.days"),
    ("a worth of nothing", |program| program.redemption = Some(worth(number("0"), 0)), "program.redemption.value_per_point"),
    ("a minimum of nothing", |program| program.redemption = Some(wire::RedemptionPolicy { minimum_points: number("0"), ..worth(number("1"), 0) }), "program.redemption.minimum_points"),
    ("a step back", |program| program.redemption = Some(wire::RedemptionPolicy { points_step: number("-1"), ..worth(number("1"), 0) }), "program.redemption.points_step"),
    ("more than all of a sale", |program| program.redemption = Some(wire::RedemptionPolicy { max_percent_of_sale: number("100.5"), ..worth(number("1"), 0) }), "program.redemption.max_percent_of_sale"),
    ("a maximum below the minimum", |program| program.redemption = Some(wire::RedemptionPolicy { minimum_points: number("10"), max_points_per_sale: number("9"), ..worth(number("1"), 0) }), "program.redemption.max_points_per_sale"),
    ("VAT on points", |program| program.redemption = Some(wire::RedemptionPolicy { vat_percent: number("24"), ..worth(number("1"), 0) }), "program.redemption.vat_percent"),
    ("unrounded points", |program| program.redemption = Some(worth(number("1"), wire::Rounding::None.into())), "program.redemption.points_rounding"),
    ("an unknown rounding", |program| program.redemption = Some(worth(number("1"), 77)), "program.redemption.points_rounding"),
    ("two tiers with one minimum", |program| program.tiers = vec![tier("a", "1"), tier("b", "1.00")], "program.tiers"),
    ("two tiers with one id", |program| program.tiers = vec![tier("a", "1"), tier("a", "2")], "program.tiers"),
    ("a negative minimum", |program| program.tiers = vec![tier("a", "-1")], "program.tiers[0].minimum_spend"),
    ("51 tiers", |program| program.tiers = vec![tier("a", "1"); 51], "program.tiers"),
    ("a window of no days", |program| program.tier_spend_window = Some(wire::TierSpendWindow::default()), "program.tier_spend_window"),
    ("an unknown basis", |program| program.rated_basis = 5, "program.rated_basis"),
    ("no treatment", |program| program.document_types = vec![document_type("A", 0)], "program.document_types[0].treatment"),
    ("a type twice", |program| program.document_types = vec![document_type("A", 1); 2], "program.document_types[1].document_type"),
    ("a version", |program| program.version = 1, "program.version"),
    ("an etag", |program| program.etag = "1".to_owned(), "program.etag"),
];

#[rustfmt::skip]
const BAD_UPDATES: Rows<wire::UpdateProgramRequest> = &[
    ("no request id", |call| call.request_id.clear(), "request_id"),
    ("no program", |call| call.program = None, "program.program_id"),
    ("no etag", |call| of_update(call).etag.clear(), "program.etag"),
    ("no mask", |call| call.update_mask = None, "update_mask"),
    ("an unknown path", |call| call.update_mask = mask("colour"), "update_mask"),
    ("what never changes", |call| call.update_mask = mask("currency_code"), "update_mask"),
    ("no name", |call| of_update(call).name.clear(), "program.name"),
    ("equal minimums", |call| { call.update_mask = mask("tiers"); of_update(call).tiers = vec![tier("a", "1"), tier("b", "1")] }, "program.tiers"),
];

#[rustfmt::skip]
const BAD_RULES: Rows<wire::Rule> = &[
    ("no program", |rule| rule.program_id.clear(), "rule.program_id"),
    ("a slash", |rule| rule.rule_id = "a/b".to_owned(), "rule.rule_id"),
    ("no name", |rule| rule.name.clear(), "rule.name"),
    ("no rate", |rule| rule.effect = None, "rule.effect"),
    ("an amount of zero", |rule| rate(rule).amount = number("0"), "rule.earn_rate.amount"),
    ("negative points", |rule| rate(rule).points = number("-1"), "rule.earn_rate.points"),
    ("five decimals", |rule| rate(rule).points = number("0.00001"), "rule.earn_rate.points"),
    ("an unknown rounding", |rule| rate(rule).rounding = 6, "rule.earn_rate.rounding"),
    ("VAT on points", |rule| rate(rule).vat_percent = number("19"), "rule.earn_rate.vat_percent"),
];

#[rustfmt::skip]
const BAD_LISTS: Rows<wire::ListEntriesRequest> = &[
    ("201 a page", |call| call.page_size = 201, "page_size"),
    ("all in a page", |call| call.page_size = u32::MAX, "page_size"),
    ("a token in another writing", |call| call.page_token = "next".to_owned(), "page_token"),
    ("a token of another list", |call| call.page_token = "636c7562".to_owned(), "page_token"),
    ("a token of half a byte", |call| call.page_token = "636".to_owned(), "page_token"),
    ("a token past all entries", |call| call.page_token = "39".repeat(20), "page_token"),
    ("a kind that is none", |call| call.kinds = vec![1, 0], "kinds[1]"),
    ("an unknown kind", |call| call.kinds = vec![77], "kinds[0]"),
    ("a sale without its store", |call| call.sale_id = "1".to_owned(), "sale_store_id"),
    ("the store of no sale", |call| call.sale_store_id = "1".to_owned(), "sale_id"),
    ("a store of 65 characters", |call| call.store_id = "s".repeat(65), "store_id"),
    ("a date in the year 0", |call| call.recorded_from = Some(prost_types::Timestamp { seconds: -62_135_596_801, nanos: 0 }), "recorded_from"),
    ("a member id that is no UUID", |call| call.member = Some(wire::MemberKey { key: Some(Key::MemberId("1".to_owned())) }), "member.member_id"),
    ("a program id in capitals", |call| call.program_id = "CLUB".to_owned(), "program_id"),
];

#[tokio::test(flavor = "multi_thread")]
async fn malformed_enrolments_programs_rules_and_lists_are_refused_by_their_fields_and_write_nothing() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    let before = shop.rows().await;
    let (mut ledger, mut programs, mut rules) = (
        shop.client.raw_ledger(),
        shop.client.raw_programs(),
        shop.client.raw_rules(),
    );

    for (what, spoil, field) in BAD_ENROLMENTS {
        let outcome = programs.enroll_member(spoilt(good_enrolment(), spoil)).await.err();
        assert_names(what, &outcome, field, "INVALID_FIELD");
    }
    for (what, spoil, field) in BAD_PROGRAMS {
        let program = Some(spoilt(good_program(), spoil));
        let request_id = request_id();
        let call = wire::CreateProgramRequest { request_id, program };
        assert_names(what, &programs.create_program(call).await.err(), field, "INVALID_FIELD");
    }
    for (what, spoil, field) in BAD_UPDATES {
        let outcome = programs.update_program(spoilt(good_update(), spoil)).await.err();
        assert_names(what, &outcome, field, "INVALID_FIELD");
    }
    for (what, spoil, field) in BAD_RULES {
        let rule = Some(spoilt(good_rule(), spoil));
        let request_id = request_id();
        let call = wire::CreateRuleRequest { request_id, rule };
        assert_names(what, &rules.create_rule(call).await.err(), field, "INVALID_FIELD");
    }
    for (what, spoil, field) in BAD_LISTS {
        let outcome = ledger.list_entries(spoilt(good_list(), spoil)).await.err();
        assert_names(what, &outcome, field, "INVALID_FIELD");
    }
    let request_id = String::new();
    let nameless = ledger
        .get_operation(wire::GetOperationRequest { request_id })
        .await
        .err();
    assert_names("no request id", &nameless, "request_id", "INVALID_FIELD");

    assert_eq!(shop.rows().await, before);
    assert_eq!(ada.buys("5").await.points_earned, 5.into(), "it serves on");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_that_was_never_given_does_not_match() {
    let shop = Shop::earning("1", "1").await;
    let mut programs = shop.client.raw_programs();

    for etag in ["0", "-1", "W/\"1\"", "99999999999999999999", "1 "] {
        let call = spoilt(good_update(), &|call| etag.clone_into(&mut of_update(call).etag));
        let status = programs.update_program(call).await.expect_err("a mismatch");

        assert_eq!(status.code(), Code::Aborted, "{etag}");
        let details = status.get_error_details();
        let info = details.error_info().expect("a reason");
        assert_eq!(
            (info.reason.as_str(), info.metadata["etag"].as_str()),
            ("ETAG_MISMATCH", "1")
        );
    }
}

fn spoilt<Request>(mut request: Request, spoil: &impl Fn(&mut Request)) -> Request {
    spoil(&mut request);
    request
}

fn good_enrolment() -> wire::EnrollMemberRequest {
    wire::EnrollMemberRequest {
        request_id: request_id(),
        program_id: "club".to_owned(),
        identifiers: vec![customer("bob")],
        name: "Bob".to_owned(),
        ..wire::EnrollMemberRequest::default()
    }
}

fn good_program() -> wire::Program {
    wire::Program {
        name: "Second".to_owned(),
        currency_code: "EUR".to_owned(),
        ..wire::Program::default()
    }
}

fn good_update() -> wire::UpdateProgramRequest {
    let program = wire::Program {
        program_id: "club".to_owned(),
        etag: "1".to_owned(),
        name: "Coffee club".to_owned(),
        ..wire::Program::default()
    };
    wire::UpdateProgramRequest {
        request_id: request_id(),
        program: Some(program),
        update_mask: mask("name"),
    }
}

fn good_rule() -> wire::Rule {
    let earn_rate = wire::EarnRate {
        amount: number("1"),
        points: number("1"),
        ..wire::EarnRate::default()
    };
    wire::Rule {
        program_id: "club".to_owned(),
        name: "Second".to_owned(),
        effect: Some(wire::rule::Effect::EarnRate(earn_rate)),
        ..wire::Rule::default()
    }
}

fn good_list() -> wire::ListEntriesRequest {
    let key = Some(Key::CustomerId("ada".to_owned()));
    wire::ListEntriesRequest {
        member: Some(wire::MemberKey { key }),
        ..wire::ListEntriesRequest::default()
    }
}

fn of_update(call: &mut wire::UpdateProgramRequest) -> &mut wire::Program {
    call.program.get_or_insert_default()
}

fn rate(rule: &mut wire::Rule) -> &mut wire::EarnRate {
    match &mut rule.effect {
        Some(wire::rule::Effect::EarnRate(rate)) => rate,
        other => panic!("a base: {other:?}"),
    }
}

fn mask(path: &str) -> Option<FieldMask> {
    let paths = vec![path.to_owned()];
    Some(FieldMask { paths })
}

fn days(days: u32) -> Option<wire::ExpiryPolicy> {
    let period = Some(Period::Days(days));
    Some(wire::ExpiryPolicy { period, end: 0 })
}

fn worth(value_per_point: Option<wire::Decimal>, points_rounding: i32) -> wire::RedemptionPolicy {
    wire::RedemptionPolicy {
        value_per_point,
        points_rounding,
        ..wire::RedemptionPolicy::default()
    }
}

fn tier(tier_id: &str, minimum_spend: &str) -> wire::Tier {
    wire::Tier {
        tier_id: tier_id.to_owned(),
        name: tier_id.to_owned(),
        minimum_spend: number(minimum_spend),
        ..wire::Tier::default()
    }
}

fn document_type(document_type: &str, treatment: i32) -> wire::DocumentType {
    wire::DocumentType {
        document_type: document_type.to_owned(),
        treatment,
    }
}

fn customer(id: &str) -> wire::Identifier {
    let identifier = Some(Identifier::CustomerId(id.to_owned()));
    wire::Identifier { identifier }
}

fn card(id: &str) -> wire::Identifier {
    let identifier = Some(Identifier::Card(id.to_owned()));
    wire::Identifier { identifier }
}
