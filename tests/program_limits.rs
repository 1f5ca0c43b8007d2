//! T1, T2: a program that cannot be right is refused, and every wrong field is named.

use loyalty_sdk::{PageRequest, RequestId, api};

use crate::harness::Shop;

type Change = fn(&mut api::Program);

fn number(text: &str) -> Option<api::Decimal> {
    Some(api::Decimal { value: text.to_owned() })
}

fn tier(tier_id: &str, minimum_spend: &str) -> api::Tier {
    api::Tier {
        tier_id: tier_id.to_owned(),
        name: tier_id.to_owned(),
        minimum_spend: number(minimum_spend),
        ..api::Tier::default()
    }
}

fn tier_with_rate(amount: &str, points: &str) -> api::Tier {
    let rate = api::EarnRate {
        amount: number(amount),
        points: number(points),
        ..api::EarnRate::default()
    };
    api::Tier {
        earn_rate: Some(rate),
        ..tier("silver", "0")
    }
}

fn redemption(value_per_point: &str) -> Option<api::RedemptionPolicy> {
    Some(api::RedemptionPolicy {
        value_per_point: number(value_per_point),
        ..api::RedemptionPolicy::default()
    })
}

fn value(program: &mut api::Program) {
    program.unit = api::ProgramUnit::Value.into();
}

fn expiry(period: api::expiry_policy::Period) -> Option<api::ExpiryPolicy> {
    Some(api::ExpiryPolicy {
        period: Some(period),
        end: 0,
    })
}

fn document(document_type: &str, treatment: i32) -> api::DocumentType {
    api::DocumentType {
        document_type: document_type.to_owned(),
        treatment,
    }
}

/// What is wrong with a program, and the field that says so.
const TIERS: &[(&str, Change)] = &[
    ("program.tiers", |p| {
        p.tiers = vec![tier("a", "100"), tier("b", "100.00")]
    }),
    ("program.tiers", |p| p.tiers = vec![tier("a", "100"), tier("a", "200")]),
    ("program.tiers", |p| {
        p.tiers = (0..51).map(|n| tier(&format!("t{n}"), &n.to_string())).collect();
    }),
    ("program.tiers[0].tier_id", |p| p.tiers = vec![tier("Silver", "0")]),
    ("program.tiers[0].tier_id", |p| {
        p.tiers = vec![tier(&"s".repeat(65), "0")]
    }),
    ("program.tiers[1].minimum_spend", |p| {
        p.tiers = vec![tier("a", "0"), tier("b", "-0.01")]
    }),
    ("program.tiers[0].minimum_spend", |p| {
        p.tiers = vec![tier("a", "0.00001")]
    }),
    ("program.tiers[0].minimum_spend", |p| p.tiers = vec![tier("a", "1e3")]),
    ("program.tiers[0].name", |p| {
        p.tiers = vec![api::Tier {
            name: String::new(),
            ..tier("a", "0")
        }];
    }),
    ("program.tiers[0].earn_rate.amount", |p| {
        p.tiers = vec![tier_with_rate("0", "1")]
    }),
    ("program.tiers[0].earn_rate.amount", |p| {
        p.tiers = vec![tier_with_rate("-1", "1")]
    }),
    ("program.tiers[0].earn_rate.amount", |p| {
        p.tiers = vec![tier_with_rate("0.00001", "1")]
    }),
    ("program.tiers[0].earn_rate.amount", |p| {
        p.tiers = vec![tier_with_rate("1000000000.01", "1")]
    }),
    ("program.tiers[0].earn_rate.points", |p| {
        p.tiers = vec![tier_with_rate("1", "0.00")]
    }),
    ("program.tiers[0].earn_rate.points", |p| {
        p.tiers = vec![tier_with_rate("1", "-3")]
    }),
    ("program.tiers[0].earn_rate.points", |p| {
        p.tiers = vec![tier_with_rate("1", "0.12345")]
    }),
    ("program.tiers[0].earn_rate.rounding", |p| {
        let mut tier = tier_with_rate("1", "1");
        tier.earn_rate.as_mut().expect("a rate").rounding = 9;
        p.tiers = vec![tier];
    }),
    ("program.tiers.earn_rate.vat_percent", |p| {
        let mut tier = tier_with_rate("1", "1");
        tier.earn_rate.as_mut().expect("a rate").vat_percent = number("24");
        p.tiers = vec![tier];
    }),
    ("program.tiers.value_per_point", |p| {
        p.tiers = vec![api::Tier {
            value_per_point: number("2"),
            ..tier("a", "0")
        }];
    }),
    ("program.tiers.value_per_point", |p| {
        value(p);
        p.redemption = Some(api::RedemptionPolicy::default());
        p.tiers = vec![api::Tier {
            value_per_point: number("2"),
            ..tier("a", "0")
        }];
    }),
];

const SETTINGS: &[(&str, Change)] = &[
    ("program.program_id", |p| p.program_id = "Club".to_owned()),
    ("program.name", |p| p.name = String::new()),
    ("program.name", |p| p.name = "n".repeat(201)),
    ("program.name", |p| p.name = "a\u{7}b".to_owned()),
    ("program.currency_code", |p| p.currency_code = String::new()),
    ("program.currency_code", |p| p.currency_code = "eur".to_owned()),
    ("program.currency_code", |p| p.currency_code = "ZZZ".to_owned()),
    ("program.state", |p| p.state = 99),
    ("program.state", |p| p.state = api::ProgramState::Archived.into()),
    ("program.unit", |p| p.unit = -1),
    ("program.tier_spend_basis", |p| p.tier_spend_basis = 3),
    ("program.rated_basis", |p| p.rated_basis = 3),
    ("program.time_zone", |p| p.time_zone = "America/Atlantis".to_owned()),
    ("program.time_zone", |p| p.time_zone = "+05:00".to_owned()),
    ("program.decimals", |p| p.decimals = Some(5)),
    ("program.decimals", |p| {
        value(p);
        p.decimals = Some(2);
    }),
    ("program.valid_from", |p| p.valid_from = "2026-02-30".to_owned()),
    ("program.valid_from", |p| p.valid_from = "2026-1-1".to_owned()),
    ("program.valid_until", |p| {
        p.valid_from = "2026-02-01".to_owned();
        p.valid_until = "2026-01-31".to_owned();
    }),
    ("program.redeem_until", |p| {
        p.valid_from = "2026-02-01".to_owned();
        p.redeem_until = "2026-01-31".to_owned();
    }),
    ("program.expiry", |p| p.expiry = Some(api::ExpiryPolicy::default())),
    ("program.expiry.days", |p| {
        p.expiry = expiry(api::expiry_policy::Period::Days(0))
    }),
    ("program.expiry.days", |p| {
        p.expiry = expiry(api::expiry_policy::Period::Days(36_601))
    }),
    ("program.expiry.months", |p| {
        p.expiry = expiry(api::expiry_policy::Period::Months(0))
    }),
    ("program.expiry.months", |p| {
        p.expiry = expiry(api::expiry_policy::Period::Months(1_201))
    }),
    ("program.redemption.value_per_point", |p| p.redemption = redemption("0")),
    ("program.redemption.value_per_point", |p| {
        p.redemption = redemption("0.00001")
    }),
    ("program.redemption.value_per_point", |p| {
        p.redemption = redemption("1000000.01")
    }),
    ("program.redemption.value_per_point", |p| {
        value(p);
        p.redemption = redemption("2");
    }),
    ("program.redemption.points_rounding", |p| {
        p.redemption = redemption("1");
        p.redemption.as_mut().expect("a policy").points_rounding = api::Rounding::None.into();
    }),
    ("program.redemption.points_rounding", |p| {
        p.redemption = redemption("1");
        p.redemption.as_mut().expect("a policy").points_rounding = 17;
    }),
    ("program.tier_spend_window", |p| {
        p.tier_spend_window = Some(api::TierSpendWindow::default())
    }),
    ("program.tier_spend_window.rolling_days", |p| {
        let window = Some(api::tier_spend_window::Window::RollingDays(3_661));
        p.tier_spend_window = Some(api::TierSpendWindow {
            window,
            ..api::TierSpendWindow::default()
        });
    }),
    ("program.tier_spend_window.grace_days", |p| {
        let window = Some(api::tier_spend_window::Window::CalendarYear(true));
        p.tier_spend_window = Some(api::TierSpendWindow {
            window,
            grace_days: 1,
            ..Default::default()
        });
    }),
    ("program.tier_spend_window.downgrade", |p| {
        let window = Some(api::tier_spend_window::Window::CalendarYear(true));
        p.tier_spend_window = Some(api::TierSpendWindow {
            window,
            downgrade: 3,
            ..Default::default()
        });
    }),
    ("program.document_types[0].treatment", |p| {
        p.document_types = vec![document("NC", 0)]
    }),
    ("program.document_types[0].treatment", |p| {
        p.document_types = vec![document("NC", 4)]
    }),
    ("program.document_types[0].document_type", |p| {
        p.document_types = vec![document("", 1)]
    }),
    ("program.document_types[1].document_type", |p| {
        p.document_types = vec![document("NC", 1), document("NC", 2)];
    }),
    ("program.document_types", |p| {
        p.document_types = (0..101).map(|n| document(&n.to_string(), 1)).collect();
    }),
    ("program.version", |p| p.version = 1),
    ("program.etag", |p| p.etag = "1".to_owned()),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_right_is_refused_by_the_name_of_its_field() {
    let shop = Shop::empty().await;

    for (place, (field, spoil)) in TIERS.iter().chain(SETTINGS).enumerate() {
        let mut program = api::Program {
            name: "Club".to_owned(),
            currency_code: "EUR".to_owned(),
            ..api::Program::default()
        };
        spoil(&mut program);

        let error = create(&shop, program).await.err();

        let error = error.unwrap_or_else(|| panic!("case {place}: {field} was taken"));
        assert_eq!(violations(&error), [*field], "case {place}: {error}");
    }
    let programs = shop.client.list_programs(&PageRequest::default()).await;
    assert_eq!(programs.expect("a page").items, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_names_every_wrong_field() {
    let shop = Shop::empty().await;

    let error = create(
        &shop,
        api::Program {
            decimals: Some(5),
            ..api::Program::default()
        },
    )
    .await;

    let mut fields = violations(&error.expect_err("nothing is right"));
    fields.sort();
    assert_eq!(fields, ["program.currency_code", "program.decimals", "program.name"]);
}

async fn create(shop: &Shop, program: api::Program) -> Result<(), tonic::Status> {
    let request = api::CreateProgramRequest {
        request_id: RequestId::generate().to_string(),
        program: Some(program),
    };
    shop.client.raw_programs().create_program(request).await.map(drop)
}

fn violations(error: &tonic::Status) -> Vec<String> {
    use tonic_types::StatusExt as _;
    let bad_request = error.get_details_bad_request().expect("field violations");
    bad_request
        .field_violations
        .into_iter()
        .map(|violation| violation.field)
        .collect()
}
