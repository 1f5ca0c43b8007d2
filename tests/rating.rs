//! What of a sale is rated, and how the explanation adds up.

use loyalty_sdk::{
    EarnRate, EarnReason, EntryKind, NewProgram, RateSource, RatedBasis, Receipt, RedemptionPolicy, Rounding, SaleLine,
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
async fn flagged_lines_never_earn_and_say_so() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    let flags = [
        SaleLineFlag::Shipping,
        SaleLineFlag::GiftCard,
        SaleLineFlag::Deposit,
        SaleLineFlag::NonEarning,
    ];
    let sale = ada.sale("50").line(SaleLine::new(10));
    let sale = flags
        .into_iter()
        .fold(sale, |sale, flag| sale.line(SaleLine::new(10).flag(flag)));

    let receipt = ada.records(&sale).await;

    let reasons: Vec<EarnReason> = receipt.lines.iter().map(|line| line.reason).collect();
    assert_eq!(reasons[0], EarnReason::Earned);
    assert_eq!(reasons[1..], [EarnReason::LineFlagged; 4]);
    assert_eq!(receipt.points_earned, dec("10"));
    assert_eq!(receipt.rated_amount.amount, dec("10.00"));
    assert_eq!(
        receipt.balance.tier_spend.amount,
        dec("50.00"),
        "the whole sale is spend"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_net_basis_the_tax_earns_nothing() {
    let program = NewProgram {
        rated_basis: RatedBasis::Net,
        ..NewProgram::new("Club", "EUR")
    };
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    let sale = ada
        .sale("24.00")
        .line(SaleLine::new(dec("12.40")).tax_amount(dec("2.40")))
        .line(SaleLine::new(dec("11.60")));

    let receipt = ada.records(&sale).await;

    assert_eq!(receipt.rated_amount.amount, dec("21.60"));
    assert_eq!(receipt.points_earned, dec("21"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_part_paid_with_points_lowers_every_rated_amount_in_proportion() {
    let shop = one_for_one_shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    let sale = ada
        .sale("100.00")
        .line(SaleLine::new(60))
        .line(SaleLine::new(20))
        .line(SaleLine::new(20).flag(SaleLineFlag::GiftCard))
        .redeem_points(25);

    let receipt = ada.records(&sale).await;

    // A quarter is paid with points: 75 % of 60 and of 20 is left; the gift card bears its quarter too.
    let rated: Vec<Decimal> = receipt.lines.iter().map(|line| line.rated_amount).collect();
    assert_eq!(rated, [dec("45"), dec("15"), dec("0")]);
    assert_eq!(receipt.rated_amount.amount, dec("60.00"));
    assert_eq!(receipt.points_earned, dec("60"));
    assert_eq!(
        receipt.balance.tier_spend.amount,
        dec("1100.00"),
        "spend counts however it was paid"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_part_paid_with_points_earns_where_the_program_says_so() {
    let (program, rate) = one_for_one();
    let program = NewProgram {
        earn_on_points_paid_part: true,
        ..program
    };
    let shop = Shop::with_rule(program, rate).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    let part = ada.records(&ada.sale("50").redeem_points(25)).await;
    let whole = ada.records(&ada.sale("50").redeem_points(50)).await;

    assert_eq!(part.points_earned, dec("50"));
    assert_eq!(whole.points_earned, dec("50"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_paid_wholly_with_points_earns_nothing_and_says_why() {
    let shop = one_for_one_shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    let receipt = ada.records(&ada.sale("50").redeem_points(50)).await;

    assert_eq!(receipt.points_earned, Decimal::ZERO);
    assert_eq!(receipt.lines[0].reason, EarnReason::PaidWithPoints);
    let kinds: Vec<EntryKind> = ada.history().await.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Earn, EntryKind::Redeem, EntryKind::Earn]);
    assert_eq!(ada.movements().await, [dec("100"), dec("-50"), dec("0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shares_of_the_lines_and_the_rounding_add_up_exactly_to_what_is_earned() {
    let (program, rate) = one_for_one();
    for rounding in [Rounding::Floor, Rounding::HalfUp, Rounding::Ceiling, Rounding::None] {
        // Thirds and sevenths: no share of a line is a whole number of millionths.
        let rate = EarnRate {
            amount: dec("7"),
            points: dec("3"),
            rounding,
            ..rate.clone()
        };
        let shop = Shop::with_rule(program.clone(), rate).await;
        let ada = shop.enrols("ada").await;
        ada.buys("100").await;
        let prices = ["0.01", "19.99", "3.33", "0", "7.77", "68.90"].map(dec);
        let sale = ada.sale("100.00").redeem_points(3);
        let sale = prices
            .into_iter()
            .fold(sale, |sale, price| sale.line(SaleLine::new(price)));

        let receipt = ada.records(&sale).await;

        // 97 of 100 are left to be rated: 97 × 3 / 7 = 41.571428…
        let expected = match rounding {
            Rounding::Floor => dec("41"),
            Rounding::None => dec("41.5714"),
            _ => dec("42"),
        };
        assert_eq!(receipt.points_earned, expected, "{rounding:?}");
        assert_eq!(explained(&receipt), expected, "{rounding:?}");
        assert_eq!(receipt.rates.len(), 1);
        assert!(matches!(receipt.rates[0].source, RateSource::Rule(_)));
    }
}

/// What the explanation of a receipt adds up to.
fn explained(receipt: &Receipt) -> Decimal {
    let shares: Decimal = receipt.lines.iter().map(|line| line.points).sum();
    let roundings: Decimal = receipt.rates.iter().map(|rate| rate.rounding).sum();
    shares + roundings
}
