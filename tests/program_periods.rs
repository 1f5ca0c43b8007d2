//! T1: the on/off switch of a program, its dates, and that a change holds at once for every server.

use loyalty_sdk::{
    EarnRate, EarnReason, Error, NewProgram, PageRequest, ProgramState, RedemptionPolicy, RuleUpdate, Tier,
};

use crate::harness::{PROGRAM, Shop, ShopMember, day, dec, instant};

fn closed(state: &str) -> Error {
    Error::RedemptionClosed {
        program_id: PROGRAM.into(),
        state: state.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_switched_off_earns_and_redeems_nothing_and_says_so() {
    let program = NewProgram::new("Club", "EUR")
        .tier(Tier::new("bronze", "Bronze", 0))
        .redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;

    let states = [
        (ProgramState::Draft, EarnReason::ProgramDraft, "DRAFT"),
        (ProgramState::Paused, EarnReason::ProgramPaused, "PAUSED"),
    ];
    for (state, reason, name) in states {
        shop.changes(|club| club.state(state)).await;

        let receipt = ada.buys("100.00").await;
        let redeemed = ada.tries(&ada.sale("5.00").redeem_points(5)).await;

        assert_eq!((receipt.points_earned, receipt.lines[0].reason), (dec("0"), reason));
        assert_eq!(receipt.rated_amount.amount, dec("0"));
        assert_eq!(
            receipt.balance.tier_spend.amount,
            dec("10"),
            "does not count towards tiers"
        );
        assert_eq!(redeemed, Err(closed(name)));
    }
    shop.changes(|club| club.state(ProgramState::Active)).await;
    let receipt = ada.records(&ada.sale("5.00").redeem_points(1)).await;

    assert_eq!((receipt.points_earned, receipt.points_redeemed), (dec("4"), dec("1")));
    assert_eq!(ada.movements().await, ["10", "0", "0", "-1", "4"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_earn_from_the_first_to_the_last_second_of_the_validity_in_the_programs_zone() {
    let program = NewProgram {
        valid_from: Some(day("2026-01-10")),
        valid_until: Some(day("2026-01-31")),
        ..NewProgram::new("Club", "EUR")
            .time_zone("America/Lima")
            .tier(Tier::new("bronze", "Bronze", 0))
            .redemption(RedemptionPolicy::new(1))
    };
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    shop.it_is("2026-02-10T12:00:00Z");
    let ada = shop.enrols("ada").await;

    // Lima is five hours behind UTC all year.
    let cases = [
        ("2026-01-10T04:59:59.999999Z", "0", EarnReason::OutsideValidity),
        ("2026-01-10T05:00:00Z", "10", EarnReason::Earned),
        ("2026-02-01T04:59:59Z", "10", EarnReason::Earned),
        ("2026-02-01T04:59:59.999999Z", "10", EarnReason::Earned),
        ("2026-02-01T05:00:00Z", "0", EarnReason::OutsideValidity),
    ];
    for (at, points, reason) in cases {
        let receipt = ada.records(&ada.sale("10.00").occurred_at(instant(at))).await;

        assert_eq!(
            (receipt.points_earned, receipt.lines[0].reason),
            (dec(points), reason),
            "{at}"
        );
    }

    assert_eq!(
        ada.balance().await.tier_spend.amount,
        dec("30"),
        "sales outside do not count"
    );
    let redeeming = ada.records(&ada.sale("10.00").redeem_points(5)).await;
    assert_eq!(redeeming.points_redeemed, dec("5"), "redemption goes on after the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn points_pay_through_the_last_day_of_redemption() {
    let program = NewProgram {
        valid_until: Some(day("2026-01-31")),
        redeem_until: Some(day("2026-02-28")),
        ..NewProgram::new("Club", "EUR")
            .time_zone("America/Lima")
            .redemption(RedemptionPolicy::new(1))
    };
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100.00").await;

    shop.it_is("2026-03-01T04:59:59Z");
    let in_time = ada.records(&ada.sale("10.00").redeem_points(5)).await;
    shop.it_is("2026-03-01T05:00:00Z");
    let too_late = ada.tries(&ada.sale("10.00").redeem_points(5)).await;

    assert_eq!(in_time.points_redeemed, dec("5"));
    assert_eq!(too_late, Err(closed("ENDED")));
    assert_eq!(ada.points().await, dec("95"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_holds_at_once_for_sales_through_another_server() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    let elsewhere = shop.second_server().await;
    let earned_elsewhere = async |ada: &ShopMember<'_>| {
        let receipt = elsewhere.record_sale(&ada.sale("100.00")).await;
        let receipt = receipt.expect("a sale");
        (receipt.points_earned, receipt.program_version)
    };
    assert_eq!(earned_elsewhere(&ada).await, (dec("10"), 2));

    for round in 1..=5_u32 {
        shop.changes(|club| club.state(ProgramState::Paused)).await;
        let paused = earned_elsewhere(&ada).await;
        shop.changes(|club| club.state(ProgramState::Active)).await;
        let rules = shop
            .client
            .list_rules(PROGRAM, &PageRequest::default())
            .await
            .expect("rules");
        let rate = EarnRate::new(10, round + 1);
        let update = RuleUpdate::of(&rules.items[0]).earn_rate(rate);
        shop.client.update_rule(&update).await.expect("a rule");
        let active = earned_elsewhere(&ada).await;

        assert_eq!(paused, (dec("0"), 3 * round));
        assert_eq!(active, ((10 * (round + 1)).into(), 3 * round + 2));
    }
}
