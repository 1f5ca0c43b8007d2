//! The worked examples of the field systems' manuals and test suites, one row each. A row reads: what the program is,
//! then step by step what happens and what is true after it.
mod telling;

use loyalty_sdk::{EarnRate, ExpiryPolicy, NewProgram, ProgramUnit, RedemptionPolicy, Rounding, Tier};
use tokio::task::JoinSet;

use crate::harness::dec;

type Configuration = fn() -> (NewProgram, EarnRate);
type Story = &'static [(&'static str, &'static str)];

#[rustfmt::skip]
const EXAMPLES: &[(&str, Configuration, Story)] = &[
    ("X1", fac_1_per_1, &[("buys 17.00", "earns 17, has 17")]),
    ("X2", fac_1_per_1, &[
        ("a cup costs 15", "has 0"),
        ("buys 17.00", "has 17"),
        ("redeems a cup", "redeems 15, bought 1 cup for 15, has 2"),
    ]),
    ("X3", fie_credit_10, &[("buys 26", "earns 3, has 3")]),
    ("X4 debit 10", || fie_debit("10"), &[
        ("buys 100", "has 100"),
        ("buys 26 paying 26", "redeems 3, paid 26.00, due 0, earns 0, has 97"),
    ]),
    ("X4 debit 1", || fie_debit("1"), &[
        ("buys 100", "has 100"),
        ("buys 30 paying 30", "redeems 30, paid 30.00, due 0, earns 0, has 70"),
    ]),
    ("X5", fie_ceiling_20, &[
        ("buys 1 at 100 less 10 %", "earns 9"),
        ("buys 1 at 100 less 20 %", "earns 8"),
        ("buys 1 at 100 less 25 %", "earns 0, due 75.00"),
    ]),
    ("X6", fie_12_months, &[
        ("at 2021-01-01T15:00:00Z", "has 0"),
        ("buys 100", "earns 10, lapses 2022-01-01T03:00:00Z"),
        ("at 2021-01-02T15:00:00Z", "has 10"),
        ("buys 50", "earns 5, has 15, lapses 2022-01-02T03:00:00Z"),
        ("at 2022-01-01T02:59:59Z", "has 15"),
        ("at 2022-01-01T03:00:00Z", "has 5"),
        ("at 2022-01-02T03:00:00Z", "has 0"),
    ]),
    ("X7", one_for_one, &[
        ("for birthday adds points", "has 0"),
        ("for mistake removes points", "has 0"),
        ("adjusts 50 for birthday", "moved 50, has 50"),
        ("adjusts 20 for mistake", "moved -20, has 30, entries 2"),
    ]),
    ("X8", fie_assigned, &[
        ("rule normal gives 1 per 10", "has 0"),
        ("rule vip gives 1 per 5", "has 0"),
        ("scores under normal", "has 0"),
        ("buys 100", "earns 10"),
        ("scores under vip", "has 10"),
        ("buys 100", "earns 20"),
    ]),
    ("X9", erp_silver_gold, &[("buys 3000", "earns 10, tier silver, spend 3000")]),
    ("X10", erp_silver_gold, &[
        ("buys 3000", "earns 10, tier silver"),
        ("buys 3000 redeeming 10", "redeems 10, paid 100, rated 2900, earns 9, has 9, spend 6000, tier gold"),
    ]),
    ("X11", erp_silver_gold, &[
        ("buys 3000", "earns 10, entries 1"),
        ("buys 3000 redeeming 11", "refused INSUFFICIENT_POINTS, has 10, spend 3000, tier silver, entries 1"),
    ]),
    ("X12", erp_bronze_silver_gold, &[
        ("buys 10000", "earns 10, tier silver"),
        ("buys 10000 redeeming 10", "redeems 10, paid 10, rated 9990, earns 9, has 9, tier gold"),
    ]),
    ("X13", erp_1000_per_point, &[
        ("buys 20000", "earns 20"),
        ("returns 10000 of 1", "keeps 10, takes 10, has 10"),
    ]),
    ("X14", erp_silver_gold, &[
        ("buys 3000", "earns 10, tier silver, spend 3000"),
        ("buys 3000 redeeming 10", "earns 9, tier gold, has 9"),
        ("cancels 2", "takes 9, gives 10, has 10, tier silver, spend 3000, entries 5"),
        ("cancels 1", "takes 10, has 0, tier , spend 0, entries 6"),
    ]),
    ("X15 a", erp_tiers, &[("buys 6000", "tier bronze")]),
    ("X15 b", erp_tiers, &[("buys 15000", "tier silver")]),
    ("X15 c", erp_tiers, &[("buys 25000", "tier gold")]),
    ("X15 d", erp_tiers, &[("buys 4000", "spend 4000"), ("buys 500", "tier bronze")]),
    ("X15 e", erp_tiers, &[("buys 8000", "spend 8000"), ("buys 3000", "tier silver")]),
    ("X15 f", erp_tiers, &[("buys 18000", "spend 18000"), ("buys 3000", "tier gold")]),
    ("X15 g", erp_tiers, &[("buys 22000", "spend 22000"), ("buys 5000", "tier gold")]),
    ("X16", one_for_one, &[
        ("points last 10 days", "has 0"),
        ("buys 10", "earns 10"),
        ("points last 20 days", "has 10"),
        ("buys 10", "earns 10, has 20"),
        ("on day 1", "has 20"),
        ("buys 10 redeeming 10", "earns 0, has 10"),
        ("on day 2", "has 10"),
        ("buys 5 redeeming 5", "earns 0, has 5"),
        ("on day 11", "has 5"),
        ("on day 20", "has 5"),
        ("on day 21", "has 0"),
    ]),
    ("X17", erp_1000_per_point, &[
        ("buys 1000000", "earns 1000"),
        ("buys 10000 redeeming 1000", "redeems 1000, paid 1000, earns 9, has 9"),
        ("returns 5000 of 2", "gives 500, keeps 4, takes 5, has 504"),
    ]),
    ("X18", emd_5_per_point, &[("buys 26.00", "earns 5, has 5")]),
    ("X19", emd_value, &[
        ("buys 26.00", "earns 5.20, has 5.20, worth 5.20"),
        ("buys 10.00 paying 5.20", "redeems 5.20, paid 5.20, due 4.80, vat 24, earns 0.96, has 0.96"),
    ]),
    ("X20", emd_5_per_point, &[
        ("a coffee gives 7", "has 0"),
        ("a tea gives 0", "has 0"),
        ("buys 2 coffee at 9", "earns 14"),
        ("buys 2 tea at 9", "earns 0"),
        ("buys 1 cup at 11", "earns 2"),
        ("buys 2 coffee and 2 tea at 9 and a cup at 11", "earns 16"),
    ]),
    ("X21", emd_no_percent_discounts, &[
        ("buys 1 at 10.00 less 10 %", "earns 0, due 9.00"),
        ("buys 1 cup at 9.00", "earns 1, rated 9.00"),
    ]),
    ("X22 149", emd_ladder, &[("a ladder of 150 300 500", "has 0"), ("buys 149", "has 149, reminder false, affords nothing")]),
    ("X22 320", emd_ladder, &[
        ("a ladder of 150 300 500", "has 0"),
        ("buys 320", "has 320, reminder true, affords 150+300"),
        ("redeems key-300", "redeems 300, bought 1 key-300 for 300, has 20, reminder false"),
    ]),
    ("X23", emd_5_per_point, &[
        ("buys 26.00", "earns 5"),
        ("returns 10.00 of 1", "keeps 3, moved -2, has 3"),
        ("cancels 1", "moved -3, has 0"),
    ]),
    ("X24", fie_1_per_10, &[
        ("buys 20", "earns 2"),
        ("returns 5 of 1", "moved -1, has 1"),
        ("returns 5 of 1", "moved 0, has 1"),
        ("returns 5 of 1", "moved -1, has 0"),
        ("returns 5 of 1", "moved 0, has 0"),
    ]),
    ("X25", one_for_one, &[
        ("at 2026-01-15T10:00:00Z", "has 0"),
        ("points last 16 days", "has 0"),
        ("buys 100", "earns 100, lapses 2026-02-01T00:00:00Z"),
        ("at 2026-01-30T10:00:00Z", "has 100"),
        ("buys 100 redeeming 100", "redeems 100, has 0"),
        ("at 2026-02-02T10:00:00Z", "has 0"),
        ("returns 100 of 2", "gives 100, lapsed 100, has 0"),
    ]),
    ("X26", one_for_one, &[
        ("buys 100", "has 100"),
        ("2 tills hold 60", "placed 1, has 40, held 60"),
    ]),
    ("X27", one_for_one, &[
        ("points last 10 days", "has 0"),
        ("buys 50", "earns 50"),
        ("points last 30 days", "has 50"),
        ("buys 100", "has 150"),
        ("buys 80 redeeming 80", "redeems 80, earns 0, has 70"),
        ("points last 40 days", "has 70"),
        ("buys 50", "has 120"),
        ("on day 11", "has 120"),
        ("on day 31", "has 50"),
    ]),
];

fn fac_1_per_1() -> (NewProgram, EarnRate) {
    (NewProgram::new("FAC", "EUR"), rate("1.00", "1"))
}

fn fie_credit_10() -> (NewProgram, EarnRate) {
    (
        NewProgram::new("FIE", "EUR"),
        rate("10", "1").rounding(Rounding::HalfUp),
    )
}

fn fie_ceiling_20() -> (NewProgram, EarnRate) {
    let program = NewProgram {
        max_discount_percent: Some(dec("20")),
        ..NewProgram::new("FIE", "EUR")
    };
    (program, rate("10", "1").rounding(Rounding::HalfUp))
}

/// Without a rule of its own a customer scores next to nothing.
fn fie_assigned() -> (NewProgram, EarnRate) {
    (NewProgram::new("FIE", "EUR"), rate("1000", "1"))
}

fn fie_debit(value_per_point: &str) -> (NewProgram, EarnRate) {
    let policy = RedemptionPolicy::new(dec(value_per_point)).points_rounding(Rounding::HalfUp);
    (NewProgram::new("FIE", "EUR").redemption(policy), rate("1", "1"))
}

fn fie_12_months() -> (NewProgram, EarnRate) {
    let program = NewProgram::new("FIE", "EUR").time_zone("America/Argentina/Buenos_Aires");
    (program.expiry(ExpiryPolicy::months(12)), rate("10", "1"))
}

fn erp_silver_gold() -> (NewProgram, EarnRate) {
    let program = NewProgram::new("ERP", "EUR")
        .tier(Tier::new("gold", "Gold", 6_000))
        .tier(Tier::new("silver", "Silver", 2_000))
        .redemption(RedemptionPolicy::new(10));
    (program, rate("300", "1"))
}

fn erp_bronze_silver_gold() -> (NewProgram, EarnRate) {
    let program = NewProgram::new("ERP", "EUR")
        .tier(Tier::new("bronze", "Bronze", 0))
        .tier(Tier::new("silver", "Silver", 10_000))
        .tier(Tier::new("gold", "Gold", 19_000))
        .redemption(RedemptionPolicy::new(1));
    (program, rate("1000", "1"))
}

fn erp_1000_per_point() -> (NewProgram, EarnRate) {
    let program = NewProgram::new("ERP", "EUR").redemption(RedemptionPolicy::new(1));
    (program, rate("1000", "1"))
}

fn fie_1_per_10() -> (NewProgram, EarnRate) {
    (NewProgram::new("FIE", "EUR"), rate("10", "1"))
}

fn erp_tiers() -> (NewProgram, EarnRate) {
    let program = NewProgram::new("ERP", "EUR")
        .tier(Tier::new("bronze", "Bronze", 0))
        .tier(Tier::new("silver", "Silver", 10_000))
        .tier(Tier::new("gold", "Gold", 20_000));
    (program, rate("1000", "1"))
}

fn one_for_one() -> (NewProgram, EarnRate) {
    (
        NewProgram::new("One", "EUR").redemption(RedemptionPolicy::new(1)),
        rate("1", "1"),
    )
}

fn emd_5_per_point() -> (NewProgram, EarnRate) {
    (NewProgram::new("EMD", "EUR"), rate("5.00", "1"))
}

fn emd_no_percent_discounts() -> (NewProgram, EarnRate) {
    let program = NewProgram {
        exclude_percent_discounted_lines: true,
        ..NewProgram::new("EMD", "EUR")
    };
    (program, rate("5.00", "1"))
}

fn emd_ladder() -> (NewProgram, EarnRate) {
    let policy = RedemptionPolicy::rewards_only().reminder_points(150);
    (NewProgram::new("EMD", "EUR").redemption(policy), rate("1", "1"))
}

fn emd_value() -> (NewProgram, EarnRate) {
    let program = NewProgram {
        unit: ProgramUnit::Value,
        redemption: Some(RedemptionPolicy::of_value_program().vat_percent(24)),
        ..NewProgram::new("EMD", "EUR")
    };
    (program, rate("1.00", "0.20"))
}

fn rate(amount: &str, points: &str) -> EarnRate {
    EarnRate::new(dec(amount), dec(points))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_worked_example_of_the_field_comes_out_as_its_manual_says() {
    let mut stories = JoinSet::new();
    for (id, configuration, story) in EXAMPLES {
        stories.spawn(telling::tell(id, *configuration, story));
    }

    let wrong: Vec<String> = stories.join_all().await.concat();

    assert!(wrong.is_empty(), "{wrong:#?}");
}
