//! E1, E2: what a sale earns: rates, roundings, decimals and steps; how it is cut into lines does not matter.

use loyalty_sdk::{
    Decimal, EarnRate, NewProgram, ProgramUnit, RateSource, Rounding, RuleEffect, Sale, SaleLine, SaleLineFlag,
};

use crate::harness::{Shop, ShopMember, dec};

#[tokio::test(flavor = "multi_thread")]
async fn each_rounding_brings_points_to_the_programs_decimals() {
    // 26.00 at 3 per 7: 11.142857…; 24.50 at 3 per 7: 10.5; 21.00: 9.
    let cases = [
        (Rounding::Floor, 0, ["11", "10", "9"]),
        (Rounding::HalfUp, 0, ["11", "11", "9"]),
        (Rounding::Ceiling, 0, ["12", "11", "9"]),
        (Rounding::None, 0, ["11.1428", "10.5", "9"]),
        (Rounding::Floor, 1, ["11.1", "10.5", "9"]),
        (Rounding::HalfUp, 2, ["11.14", "10.5", "9"]),
        (Rounding::Ceiling, 2, ["11.15", "10.5", "9"]),
        (Rounding::HalfUp, 3, ["11.143", "10.5", "9"]),
        (Rounding::Floor, 4, ["11.1428", "10.5", "9"]),
        (Rounding::HalfUp, 4, ["11.1429", "10.5", "9"]),
        (Rounding::Ceiling, 4, ["11.1429", "10.5", "9"]),
        (Rounding::None, 4, ["11.1428", "10.5", "9"]),
    ];
    let shop = Shop::empty().await;
    for (rounding, decimals, expected) in cases {
        let program = NewProgram::new("Club", "EUR").decimals(decimals);
        let ada = shop.member_of(program, EarnRate::new(7, 3).rounding(rounding)).await;

        for (total, points) in ["26.00", "24.50", "21.00"].into_iter().zip(expected) {
            let receipt = ada.buys(total).await;

            assert_eq!(
                receipt.points_earned,
                dec(points),
                "{total} {rounding:?} to {decimals} decimals"
            );
        }
        assert_eq!(ada.points().await, expected.map(dec).iter().sum());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rounding_switch_of_the_peruvian_pos_is_half_up_or_two_decimals() {
    let shop = Shop::empty().await;
    let (on, off) = (NewProgram::new("On", "PEN"), NewProgram::new("Off", "PEN").decimals(2));
    let ada = shop
        .member_of(on, EarnRate::new(10, 1).rounding(Rounding::HalfUp))
        .await;
    let bob = shop.member_of(off, EarnRate::new(10, 1)).await;
    let in_soles = |member: &ShopMember<'_>, total| Sale {
        currency_code: "PEN".to_owned(),
        ..member.sale(total)
    };

    for (total, rounded, exact) in [("17.49", "2", "1.74"), ("15.00", "2", "1.5"), ("14.99", "1", "1.49")] {
        assert_eq!(
            ada.records(&in_soles(&ada, total)).await.points_earned,
            dec(rounded),
            "{total}"
        );
        assert_eq!(
            bob.records(&in_soles(&bob, total)).await.points_earned,
            dec(exact),
            "{total}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_program_earns_money_to_the_minor_unit_of_its_currency() {
    // Twelve and a third percent of the sale.
    let cases = [
        ("EUR", Rounding::Floor, "10.00", "1.23"),
        ("EUR", Rounding::Ceiling, "10.00", "1.24"),
        ("JPY", Rounding::Floor, "1000", "123"),
        ("JPY", Rounding::Ceiling, "1000", "124"),
        ("KWD", Rounding::Floor, "10.000", "1.233"),
        ("KWD", Rounding::Ceiling, "10.000", "1.234"),
        ("KWD", Rounding::None, "10.000", "1.2333"),
    ];
    let shop = Shop::empty().await;
    for (currency, rounding, total, value) in cases {
        let program = NewProgram {
            unit: ProgramUnit::Value,
            ..NewProgram::new("Club", currency)
        };
        let rate = EarnRate::new(300, 37).rounding(rounding).vat_percent(24);
        let ada = shop.member_of(program, rate).await;

        let sale = Sale {
            currency_code: currency.to_owned(),
            ..ada.sale(total)
        };
        let receipt = ada.records(&sale).await;

        assert_eq!(receipt.points_earned, dec(value), "{currency} {rounding:?}");
        assert_eq!(receipt.rated_amount.to_string(), format!("{total} {currency}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vat_that_earned_money_includes_is_told_and_takes_nothing_from_it() {
    // EMD: 0.20 for each 1.00.
    let (amount, value) = (1, dec("0.20"));
    let shop = Shop::empty().await;
    for vat in [None, Some(dec("24")), Some(dec("0")), Some(dec("13.5"))] {
        let program = NewProgram {
            unit: ProgramUnit::Value,
            ..NewProgram::new("Club", "EUR")
        };
        let rate = EarnRate::new(amount, value);
        let rate = vat.into_iter().fold(rate, EarnRate::vat_percent);
        let ada = shop.member_of(program, rate.clone()).await;
        let sale = ada.sale("26.00");

        let quote = shop.client.quote_sale(&sale).await.expect("a quote");
        let receipt = ada.records(&sale).await;
        let repeated = ada.records(&sale).await;
        let half = ada.returns_amount(&sale, "13.00").await;

        assert_eq!(receipt.points_earned, dec("5.20"), "X19, whatever the VAT: {vat:?}");
        assert_eq!(half.points_taken_back, dec("2.60"), "{vat:?}");
        for rates in [&quote.rates, &receipt.rates, &repeated.rates, &half.rates] {
            assert_eq!(rates.iter().map(|rate| rate.vat_percent).collect::<Vec<_>>(), [vat]);
        }
        let rule_id = match &receipt.rates[0].source {
            RateSource::Rule(rule_id) => rule_id.clone(),
            other => panic!("{other:?}"),
        };
        let rule = shop.client.get_rule(receipt.program_id.clone(), rule_id).await;
        let rule = rule.expect("the rule");
        assert_eq!(rule.terms.effect, RuleEffect::EarnRate(rate), "{vat:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_complete_steps_count_where_the_rule_says_so() {
    let cases = [
        (EarnRate::new(5, 2).complete_steps(), "9.00", "2"),
        (EarnRate::new(5, 2), "9.00", "3"),
        (EarnRate::new(5, 1).complete_steps(), "9.00", "1"),
        (EarnRate::new(5, 2).complete_steps(), "10.00", "4"),
        (EarnRate::new(5, 2).complete_steps(), "4.99", "0"),
        (
            EarnRate::new(5, 2).complete_steps().rounding(Rounding::Ceiling),
            "9.99",
            "2",
        ),
        (EarnRate::new(dec("0.3"), dec("1.5")).complete_steps(), "1.00", "4"),
        (
            EarnRate::new(dec("0.3"), dec("1.5"))
                .complete_steps()
                .rounding(Rounding::None),
            "1.00",
            "4.5",
        ),
    ];
    let shop = Shop::empty().await;
    for (rate, total, points) in cases {
        let ada = shop.member_of(NewProgram::new("Club", "EUR"), rate.clone()).await;

        assert_eq!(ada.buys(total).await.points_earned, dec(points), "{total} at {rate:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_one_rate_are_rounded_once_and_their_shares_explain_the_sum() {
    let shop = Shop::earning("3", "1").await;
    let ada = shop.enrols("ada").await;
    let line = || SaleLine::new(dec("1.00"));
    let sale = ada
        .sale("4.00")
        .line(line())
        .line(line())
        .line(line())
        .line(line().flag(SaleLineFlag::Deposit));

    let receipt = ada.records(&sale).await;

    assert_eq!(
        (receipt.points_earned, receipt.rated_amount.amount),
        (dec("1"), dec("3.00"))
    );
    assert_eq!((receipt.rates.len(), receipt.rates[0].rounding), (1, dec("0.000001")));
    let shares: Vec<Decimal> = receipt.lines.iter().map(|line| line.points).collect();
    assert_eq!(shares, ["0.333333", "0.333333", "0.333333", "0"].map(dec));
    assert_explained(&receipt);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_order_of_lines_nor_how_they_are_cut_changes_what_is_earned() {
    let cases = [
        (0, EarnRate::new(7, 3)),
        (2, EarnRate::new(dec("3.33"), dec("1.07")).rounding(Rounding::HalfUp)),
        (1, EarnRate::new(9, 2).rounding(Rounding::Ceiling)),
        (4, EarnRate::new(dec("0.7"), 1).rounding(Rounding::None)),
        (0, EarnRate::new(11, 5).complete_steps()),
    ];
    let shop = Shop::empty().await;
    for (seed, (decimals, rate)) in (1..).zip(cases) {
        let ada = shop
            .member_of(NewProgram::new("Club", "EUR").decimals(decimals), rate)
            .await;
        let mut dice = Dice(seed);

        for basket in 0..25 {
            let lines: Vec<u64> = (0..dice.up_to(9)).map(|_| dice.up_to(20_000)).collect();
            let (mut shuffled, mut cut) = (lines.clone(), lines.clone());
            for place in (1..shuffled.len()).rev() {
                shuffled.swap(place, dice.up_to(place as u64 + 1) as usize - 1);
            }
            let (place, whole) = (dice.up_to(lines.len() as u64) as usize - 1, lines[0]);
            let part = dice.up_to(whole) - 1;
            cut[0] = whole - part;
            cut.insert(place, part);

            let points = quoted(&ada, &lines).await;

            assert_eq!(
                quoted(&ada, &[lines.iter().sum()]).await,
                points,
                "seed {seed}, basket {basket}: {lines:?}"
            );
            assert_eq!(
                quoted(&ada, &shuffled).await,
                points,
                "seed {seed}, basket {basket}: {shuffled:?}"
            );
            assert_eq!(
                quoted(&ada, &cut).await,
                points,
                "seed {seed}, basket {basket}: {cut:?}"
            );
        }
    }
}

/// Points for lines of so many cents.
async fn quoted(member: &ShopMember<'_>, lines: &[u64]) -> Decimal {
    let cents = |cents: u64| Decimal::new(cents.cast_signed(), 2);
    let mut sale = member.sale("0");
    sale.total = cents(lines.iter().sum());
    sale.lines = lines.iter().map(|line| SaleLine::new(cents(*line))).collect();
    let receipt = member.shop.client.quote_sale(&sale).await.expect("a quote");
    assert_explained(&receipt);
    receipt.points_earned
}

/// The shares of the lines and the roundings add up to the points.
fn assert_explained(receipt: &loyalty_sdk::Receipt) {
    let shares: Decimal = receipt.lines.iter().map(|line| line.points).sum();
    let roundings: Decimal = receipt.rates.iter().map(|rate| rate.rounding).sum();
    assert_eq!(shares + roundings, receipt.points_earned);
}

/// The same numbers in every run: a linear congruential generator with Knuth's constants.
struct Dice(u64);

impl Dice {
    /// From 1 to `sides`.
    fn up_to(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides + 1
    }
}
