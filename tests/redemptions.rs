//! Points that pay: what they are worth, what bounds them, and which lots they come from.

use loyalty_sdk::{
    EarnRate, Error, NewProgram, ProgramState, ProgramUpdate, Receipt, Redemption, RedemptionPolicy, Rounding, Tier,
};
use rust_decimal::Decimal;

use crate::harness::{Shop, dec};

/// One point per euro; each pays `value_per_point`.
async fn shop_where_a_point_pays(value_per_point: &str) -> Shop {
    shop_redeeming(RedemptionPolicy::new(dec(value_per_point))).await
}

async fn shop_redeeming(policy: RedemptionPolicy) -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(policy);
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// Points, rate and money of the only tender.
fn tender(receipt: &Receipt) -> (Decimal, Decimal, Decimal) {
    let [tender] = receipt.points_tenders.as_slice() else {
        panic!("not one tender: {receipt:?}");
    };
    (
        tender.points,
        tender.value_per_point.expect("a rate"),
        tender.amount.amount,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn points_pay_their_worth_rounded_down_to_the_cent() {
    let shop = shop_where_a_point_pays("0.0333").await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    let receipt = ada.records(&ada.sale("10").redeem_points(50)).await;

    assert_eq!(tender(&receipt), (dec("50"), dec("0.0333"), dec("1.66")));
    assert_eq!(receipt.points_redeemed, dec("50"));
    assert_eq!(receipt.due.amount, dec("8.34"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_takes_points_by_the_rounding_of_the_program() {
    let cases = [
        (Rounding::Ceiling, "21", "3"),
        (Rounding::Ceiling, "30", "3"),
        (Rounding::HalfUp, "24.99", "2"),
        (Rounding::HalfUp, "25", "3"),
        (Rounding::Floor, "29.99", "2"),
    ];
    for (rounding, amount, points) in cases {
        let shop = shop_redeeming(RedemptionPolicy::new(10).points_rounding(rounding)).await;
        let ada = shop.enrols("ada").await;
        ada.buys("100").await;

        let receipt = ada.records(&ada.sale("50").redeem_amount(dec(amount))).await;

        assert_eq!(
            tender(&receipt),
            (dec(points), dec("10"), dec(amount)),
            "{rounding:?} {amount}"
        );
        assert_eq!(ada.movements().await[1], -dec(points), "{rounding:?} {amount}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_due_is_refused_unless_it_is_clamped() {
    let shop = shop_where_a_point_pays("10").await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let sale = || ada.sale("55").tender("CASH", 20);

    let points = ada.tries(&sale().redeem_points(4)).await;
    let amount = ada.tries(&sale().redeem_amount(dec("35.01"))).await;
    let clamped_points = ada.records(&sale().redeem_points(6).clamped()).await;
    let clamped_amount = ada.records(&sale().redeem_amount(50).clamped()).await;

    let exceeds = |amount: &str| {
        Err(Error::ExceedsDue {
            amount: dec(amount),
            due: dec("35"),
        })
    };
    assert_eq!(points, exceeds("40"));
    assert_eq!(amount, exceeds("35.01"));
    assert_eq!(
        tender(&clamped_points),
        (dec("3"), dec("10"), dec("30")),
        "no more points than are worth the 35"
    );
    assert_eq!(tender(&clamped_amount), (dec("4"), dec("10"), dec("35")));
    assert_eq!(
        (clamped_points.due.amount, clamped_amount.due.amount),
        (dec("5"), Decimal::ZERO)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_available_is_refused_with_the_numbers_unless_it_is_clamped() {
    let shop = shop_where_a_point_pays("10").await;
    let ada = shop.enrols("ada").await;
    ada.buys("7").await;

    let points = ada.tries(&ada.sale("1000").redeem_points(8)).await;
    let amount = ada.tries(&ada.sale("1000").redeem_amount(dec("70.01"))).await;
    let unchanged = ada.points().await;
    let clamped = ada.records(&ada.sale("1000").redeem_amount(500).clamped()).await;

    let insufficient = Error::InsufficientPoints {
        available: dec("7"),
        requested: dec("8"),
    };
    assert_eq!(points, Err(insufficient.clone()));
    assert_eq!(amount, Err(insufficient));
    assert_eq!(unchanged, dec("7"));
    assert_eq!(tender(&clamped), (dec("7"), dec("10"), dec("70")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_to_no_points_or_no_money_is_refused() {
    let worthless = shop_where_a_point_pays("0.0001").await;
    let rounded_away = shop_redeeming(RedemptionPolicy::new(10).points_rounding(Rounding::Floor)).await;

    let ada = worthless.enrols("ada").await;
    ada.buys("99").await;
    let no_money = ada.tries(&ada.sale("10").redeem_points(99)).await;
    let bob = rounded_away.enrols("bob").await;
    bob.buys("99").await;
    let no_points = bob.tries(&bob.sale("10").redeem_amount(dec("9.99"))).await;
    let empty = worthless.enrols("carol").await;
    let all_that_is_left = empty.records(&empty.sale("10").redeem_points(5).clamped()).await;

    let nothing = |points: &str, amount: &str| {
        Err(Error::NothingToRedeem {
            points: dec(points),
            amount: dec(amount),
        })
    };
    assert_eq!(no_money, nothing("99", "0"));
    assert_eq!(no_points, nothing("0", "9.99"));
    assert_eq!(
        (all_that_is_left.points_redeemed, all_that_is_left.due.amount),
        (dec("0"), dec("10"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn points_have_no_more_decimals_than_the_program() {
    let program = NewProgram::new("Club", "EUR")
        .decimals(1)
        .redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.5").await;

    let too_fine = ada
        .tries(&ada.sale("9").redeem_points(1).redeem_points(dec("1.25")))
        .await;
    let fine = ada.records(&ada.sale("9").redeem_points(dec("1.50"))).await;

    let too_many = Error::TooManyDecimals {
        field: "sale.redemptions[1].points".to_owned(),
        decimals: 1,
    };
    assert_eq!(too_fine, Err(too_many));
    assert_eq!(tender(&fine), (dec("1.5"), dec("1"), dec("1.5")));
    assert_eq!(ada.points().await, dec("16.5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_redemption_does_not_offer_it() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;

    let outcome = ada.tries(&ada.sale("5").redeem_points(1)).await;

    let program_id = "club".into();
    assert_eq!(outcome, Err(Error::RedemptionNotOffered { program_id }));
    assert_eq!(ada.balance().await.value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_program_and_one_past_its_last_day_redeem_nothing() {
    let program = NewProgram {
        redeem_until: Some("2026-01-20".parse().expect("a day")),
        ..NewProgram::new("Club", "EUR")
            .time_zone("America/Lima")
            .redemption(RedemptionPolicy::new(1))
    };
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;

    // Lima is five hours behind: its 20 January lasts until 05:00 of the 21st.
    shop.it_is("2026-01-21T04:59:59Z");
    let on_the_last_day = ada.tries(&ada.sale("5").redeem_points(1)).await;
    shop.it_is("2026-01-21T05:00:00Z");
    let ended = ada.tries(&ada.sale("5").redeem_points(1)).await;
    let program = shop.client.get_program("club").await.expect("the program");
    let pause = ProgramUpdate::of(&program)
        .state(ProgramState::Paused)
        .redeem_until(None);
    shop.client.update_program(&pause).await.expect("a pause");
    let paused = ada.tries(&ada.sale("5").redeem_points(1)).await;

    let closed = |state: &str| {
        Err(Error::RedemptionClosed {
            program_id: "club".into(),
            state: state.to_owned(),
        })
    };
    assert_eq!(on_the_last_day.expect("a receipt").points_redeemed, dec("1"));
    assert_eq!(ended, closed("ENDED"));
    assert_eq!(paused, closed("PAUSED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_redemptions_of_a_sale_pay_in_order_and_share_what_is_there() {
    let shop = shop_where_a_point_pays("2").await;
    let ada = shop.enrols("ada").await;
    ada.buys("20").await;
    let sale = ada.sale("50").tender("CASH", 10);
    let too_much = sale.clone().redeem_points(15).redeem_points(6);
    let clamped = Redemption::points(100).clamped();
    let exact = sale.redeem_points(5).redeem_amount(7).redemption(clamped);

    let refused = ada.tries(&too_much).await;
    let receipt = ada.records(&exact).await;

    let exceeds = Error::ExceedsDue {
        amount: dec("12"),
        due: dec("10"),
    };
    assert_eq!(refused, Err(exceeds));
    let paid: Vec<(Decimal, Decimal)> = receipt
        .points_tenders
        .iter()
        .map(|tender| (tender.points, tender.amount.amount))
        .collect();
    let expected = [("5", "10"), ("4", "7"), ("11", "22")];
    assert_eq!(paid, expected.map(|(points, amount)| (dec(points), dec(amount))));
    assert_eq!(receipt.due.amount, dec("1"));
    // 39 of 50 were paid with points, so 11 earn.
    assert_eq!(ada.movements().await, ["20", "-5", "-4", "-11", "11"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_may_have_a_redeem_rate_of_its_own_and_the_tier_before_the_sale_counts() {
    let program = NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(1))
        .tier(Tier::new("base", "Base", 0))
        .tier(Tier::new("gold", "Gold", 100).value_per_point(2));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("60").await;

    let reaching_gold = ada.records(&ada.sale("60").redeem_points(10)).await;
    let as_gold = ada.records(&ada.sale("60").redeem_points(10)).await;

    assert_eq!(tender(&reaching_gold), (dec("10"), dec("1"), dec("10")));
    assert_eq!(reaching_gold.tier_id_before.as_deref(), Some("base"));
    assert_eq!(reaching_gold.balance.tier_id.as_deref(), Some("gold"));
    assert_eq!(
        reaching_gold.balance.value.map(|value| value.amount),
        Some(dec("200")),
        "100 points at 2"
    );
    assert_eq!(tender(&as_gold), (dec("10"), dec("2"), dec("20")));
}
