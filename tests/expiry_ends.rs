//! T6: the ends that a period can have, through the public door; the table of all of them stands beside the code.

use loyalty_sdk::{EarnRate, ExpiryEnd, ExpiryPeriod, ExpiryPolicy, NewProgram};

use crate::harness::{Shop, dec, instant, wrong_fields};

#[tokio::test(flavor = "multi_thread")]
async fn points_lapse_at_the_end_that_the_policy_names_in_the_programs_zone() {
    let shop = Shop::empty().await;
    // It is 15 January 2026; Lima is five hours behind.
    let cases = [
        (
            ExpiryPolicy::days(30).end(ExpiryEnd::StartOfDay),
            "2026-02-14T05:00:00Z",
        ),
        (
            ExpiryPolicy::days(30).end(ExpiryEnd::EndOfMonth),
            "2026-03-01T05:00:00Z",
        ),
        (ExpiryPolicy::months(1).end(ExpiryEnd::EndOfDay), "2026-02-16T05:00:00Z"),
        (
            ExpiryPolicy::months(3).end(ExpiryEnd::EndOfQuarter),
            "2026-07-01T05:00:00Z",
        ),
        (
            ExpiryPolicy::months(12).end(ExpiryEnd::EndOfYear),
            "2028-01-01T05:00:00Z",
        ),
        (ExpiryPolicy::yearly(12, 31), "2027-01-01T05:00:00Z"),
        (ExpiryPolicy::yearly(1, 14), "2027-01-15T05:00:00Z"),
        (ExpiryPolicy::yearly(2, 29), "2026-03-01T05:00:00Z"),
    ];

    for (policy, expected) in cases {
        let program = NewProgram::new("Club", "EUR").time_zone("America/Lima").expiry(policy);
        let member = shop.member_of(program, EarnRate::new(1, 1)).await;
        shop.it_is("2026-01-15T10:00:00Z");
        let receipt = member.buys("10").await;
        assert_eq!(receipt.points_expire_at, Some(instant(expected)), "{policy:?}");

        let last_second = instant(expected) - chrono::TimeDelta::microseconds(1);
        shop.it_is(&last_second.to_rfc3339());
        assert_eq!(member.points().await, dec("10"), "{policy:?}");
        shop.it_is(expected);
        assert_eq!(member.points().await, dec("0"), "{policy:?}");
        shop.it_is("2026-01-15T10:00:00Z");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_comes_back_as_it_was_set_and_what_is_no_day_is_refused() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let policy = ExpiryPolicy::yearly(2, 29).end(ExpiryEnd::EndOfQuarter);

    let club = shop.changes(|club| club.expiry(Some(policy))).await;

    assert_eq!(club.expiry, Some(policy));
    let cases = [
        ("program.expiry.yearly", ExpiryPolicy::yearly(13, 1)),
        ("program.expiry.yearly", ExpiryPolicy::yearly(4, 31)),
        ("program.expiry.days", ExpiryPolicy::days(0)),
        ("program.expiry.end", ExpiryPolicy::days(5).end(ExpiryEnd::Other(9))),
        (
            "program.expiry",
            ExpiryPolicy {
                period: ExpiryPeriod::Unknown,
                end: None,
            },
        ),
    ];
    for (field, policy) in cases {
        let new = NewProgram::new("Club", "EUR").expiry(policy);
        let error = shop.client.create_program(&new).await.expect_err(field);
        assert_eq!(wrong_fields(&error), [field], "{policy:?}");
    }
}
