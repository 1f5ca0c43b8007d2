//! R4: what bounds a redemption beside what is available and due, refused with the numbers or clamped.

use loyalty_sdk::{EarnRate, Error, NewProgram, Receipt, Redemption, RedemptionPolicy, Rounding};
use rust_decimal::Decimal;

use crate::harness::{Shop, ShopMember, dec};

/// A shop whose points pay ten cents each unless told otherwise.
async fn shop_redeeming(policy: RedemptionPolicy) -> Shop {
    Shop::with_rule(NewProgram::new("Club", "EUR").redemption(policy), EarnRate::new(1, 1)).await
}

async fn ada(shop: &Shop) -> ShopMember<'_> {
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    ada
}

/// Points and money of every tender.
fn tenders(receipt: &Receipt) -> Vec<(Decimal, Decimal)> {
    let parts = receipt.points_tenders.iter();
    parts.map(|tender| (tender.points, tender.amount.amount)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_points_than_the_minimum_are_refused_or_none_are_taken() {
    let shop = shop_redeeming(RedemptionPolicy::new(dec("0.10")).minimum_points(50)).await;
    let ada = ada(&shop).await;

    let by_points = ada.tries(&ada.sale("100").redeem_points(49)).await;
    let by_amount = ada.tries(&ada.sale("100").redeem_amount(dec("4.90"))).await;
    let enough = ada.records(&ada.sale("100").redeem_points(50)).await;
    let due_is_too_little = ada.records(&ada.sale("4").redeem_points(500).clamped()).await;

    let refused = || Error::BelowMinimumPoints {
        points: dec("49"),
        minimum_points: dec("50"),
    };
    assert_eq!((by_points, by_amount), (Err(refused()), Err(refused())));
    assert_eq!(tenders(&enough), [(dec("50"), dec("5"))]);
    assert_eq!(tenders(&due_is_too_little), []);
    assert_eq!(due_is_too_little.due.amount, dec("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_are_no_multiple_of_the_step_are_refused_or_reduced() {
    let shop = shop_redeeming(RedemptionPolicy::new(dec("0.10")).points_step(25)).await;
    let ada = ada(&shop).await;

    let by_points = ada.tries(&ada.sale("100").redeem_points(60)).await;
    let by_amount = ada.tries(&ada.sale("100").redeem_amount(6)).await;
    let whole = ada.records(&ada.sale("100").redeem_amount(5)).await;
    let reduced = ada.records(&ada.sale("100").redeem_points(60).clamped()).await;
    let reduced_amount = ada.records(&ada.sale("100").redeem_amount(6).clamped()).await;

    let refused = || Error::NotInSteps {
        points: dec("60"),
        points_step: dec("25"),
    };
    assert_eq!((by_points, by_amount), (Err(refused()), Err(refused())));
    for receipt in [whole, reduced, reduced_amount] {
        assert_eq!(tenders(&receipt), [(dec("50"), dec("5"))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_maximum_of_a_sale_counts_all_its_redemptions() {
    let shop = shop_redeeming(RedemptionPolicy::new(dec("0.10")).max_points_per_sale(100)).await;
    let ada = ada(&shop).await;
    let sale = || ada.sale("100").redeem_points(70);

    let refused = ada.tries(&sale().redeem_points(31)).await;
    let exact = ada.records(&sale().redeem_points(30)).await;
    let clamped = ada.records(&sale().redemption(Redemption::amount(50).clamped())).await;
    let next_sale = ada.records(&sale()).await;

    let exceeds = Error::ExceedsMaximumPoints {
        points: dec("31"),
        max_points: dec("30"),
    };
    assert_eq!(refused, Err(exceeds));
    let expected = [(dec("70"), dec("7")), (dec("30"), dec("3"))];
    assert_eq!(tenders(&exact), expected);
    assert_eq!(tenders(&clamped), expected);
    assert_eq!(tenders(&next_sale), [(dec("70"), dec("7"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn points_pay_no_more_than_their_share_of_the_sale() {
    let policy = RedemptionPolicy::new(dec("0.10")).max_percent_of_sale(dec("33.3333"));
    let shop = shop_redeeming(policy).await;
    let ada = ada(&shop).await;
    // A third of 100.00, rounded down to the cent, whatever else pays.
    let sale = || ada.sale("100").tender("CASH", 10);

    let refused = ada.tries(&sale().redeem_amount(30).redeem_amount(dec("3.34"))).await;
    let exact = ada.records(&sale().redeem_amount(dec("33.33"))).await;
    let clamped = ada.records(&sale().redeem_points(1_000).clamped()).await;
    let due_first = ada.tries(&ada.sale("100").tender("CASH", 90).redeem_amount(20)).await;

    let exceeds = Error::ExceedsSaleShare {
        amount: dec("3.34"),
        max_amount: dec("3.33"),
    };
    assert_eq!(refused, Err(exceeds));
    assert_eq!(tenders(&exact), [(dec("334"), dec("33.33"))]);
    assert_eq!(tenders(&clamped), [(dec("333"), dec("33.3"))]);
    assert!(matches!(due_first, Err(Error::ExceedsDue { .. })), "{due_first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remainder_below_the_smallest_unit_of_money_is_covered_where_the_program_says_so() {
    let policy = RedemptionPolicy::new(dec("0.0333"));
    let shop = shop_redeeming(policy.clone()).await;
    let covering = shop_redeeming(policy.clone().cover_remainder()).await;
    let sharing = shop_redeeming(policy.cover_remainder().max_percent_of_sale(dec("99.5"))).await;

    // 30 points are worth 0.999.
    let cases = [
        (&shop, "1.00", 30, "0.99"),
        (&covering, "1.00", 30, "1.00"),
        (&covering, "1.01", 30, "0.99"),
        (&covering, "1.00", 29, "0.96"),
        (&sharing, "1.00", 30, "0.99"),
    ];
    for (shop, total, points, paid) in cases {
        let member = shop.enrols(&shop.next_sale_id()).await;
        member.buys("100").await;

        let receipt = member.records(&member.sale(total).redeem_points(points)).await;
        let clamped = member.sale(total).redeem_points(points).clamped();
        let clamped = member.records(&clamped).await;

        let expected = [(Decimal::from(points), dec(paid))];
        assert_eq!(tenders(&receipt), expected, "{points} points on {total}");
        assert_eq!(tenders(&clamped), expected, "{points} points on {total}, clamped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_together_when_what_is_possible_is_taken() {
    let policy = RedemptionPolicy::new(dec("0.10"))
        .points_rounding(Rounding::HalfUp)
        .minimum_points(30)
        .points_step(10)
        .max_points_per_sale(150)
        .max_percent_of_sale(50);
    let shop = shop_redeeming(policy).await;
    let ada = ada(&shop).await;

    // What is due, half of which is 12.35: 123 points, of which 120 are in steps.
    let by_share = ada.records(&ada.sale("24.70").redeem_points(1_000).clamped()).await;
    let by_maximum = ada.records(&ada.sale("100").redeem_amount(1_000).clamped()).await;
    let by_minimum = ada.records(&ada.sale("5").redeem_amount(1_000).clamped()).await;

    assert_eq!(tenders(&by_share), [(dec("120"), dec("12"))]);
    assert_eq!(tenders(&by_maximum), [(dec("150"), dec("15"))]);
    assert_eq!(tenders(&by_minimum), []);
}
