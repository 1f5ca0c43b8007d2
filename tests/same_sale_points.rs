//! Points that a sale earns and that pay for that same sale.

use loyalty_sdk::{EarnRate, Error, NewProgram, RedemptionPolicy, Tier, TierSpendBasis};

use crate::harness::{Shop, dec};

async fn shop_redeeming(policy: RedemptionPolicy) -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(policy);
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_a_sale_pay_for_it_only_where_the_program_says_so() {
    let usual = shop_redeeming(RedemptionPolicy::new(1)).await;
    let generous = shop_redeeming(RedemptionPolicy::new(1).same_sale_points_can_pay()).await;
    let (ada, bob) = (usual.enrols("ada").await, generous.enrols("bob").await);

    let refused = ada.tries(&ada.sale("30").redeem_points(10)).await;
    let paid = bob.records(&bob.sale("30").redeem_points(10)).await;
    let too_much = bob.tries(&bob.sale("30").redeem_points(26)).await;

    let insufficient = Error::InsufficientPoints {
        available: dec("0"),
        requested: dec("10"),
    };
    assert_eq!(refused, Err(insufficient));
    assert_eq!((paid.points_earned, paid.points_redeemed), (dec("20"), dec("10")));
    assert_eq!(bob.movements().await, ["20", "-10"].map(dec));
    // Ten are left; paying 26 leaves 4 of the sale to earn: 14 are there.
    assert!(
        matches!(too_much, Err(Error::InsufficientPoints { .. })),
        "{too_much:?}"
    );
    assert_eq!(bob.points().await, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_spent_than_the_sale_earns_where_paying_less_reaches_a_tier_that_earns_less() {
    // Of 150, 60 paid with points leave 90: earns 45. But 45 paid leave 105: earns 1. And 1 paid leaves 149: earns 1.
    let program = NewProgram {
        tier_spend_basis: TierSpendBasis::WithoutPointsPaidPart,
        ..NewProgram::new("Club", "EUR")
    };
    let program = program
        .redemption(RedemptionPolicy::new(1).same_sale_points_can_pay())
        .tier(Tier::new("a", "A", 0).earn_rate(EarnRate::new(2, 1)))
        .tier(Tier::new("b", "B", 100).earn_rate(EarnRate::new(100, 1)))
        .tier(Tier::new("c", "C", 150).earn_rate(EarnRate::new(1, 1)));
    let shop = Shop::with_program(program.clone()).await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("150").redeem_points(60);

    let clamped = ada.records(&sale.clone().clamped()).await;
    let bob = shop.enrols("bob").await;
    let mut of_bob = sale;
    of_bob.sale_id = shop.next_sale_id();
    of_bob.member = bob.key.clone();
    let refused = bob.tries(&of_bob).await;

    assert_eq!((clamped.points_redeemed, clamped.points_earned), (dec("1"), dec("1")));
    assert!(matches!(refused, Err(Error::InsufficientPoints { .. })), "{refused:?}");
}
