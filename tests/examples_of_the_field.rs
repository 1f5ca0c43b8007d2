//! The worked examples of the field systems' manuals and test suites, one row each. A row reads: what the program is,
//! then step by step what happens and what is true after it.

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_sdk::{
    Adjustment, Balance, EarnRate, Error, ExpiryPolicy, NewProgram, NewReason, NewReward, ProductUpdate, ProgramUnit,
};
use loyalty_sdk::{Receipt, Redemption, RedemptionPolicy, ReturnReceipt, Rounding, Sale, Tier};
use tokio::task::JoinSet;

use crate::harness::{Shop, ShopMember, dec, instant};

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

/// Day 0 of every story.
fn day_zero() -> DateTime<Utc> {
    instant("2026-01-15T10:00:00Z")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_worked_example_of_the_field_comes_out_as_its_manual_says() {
    let mut stories = JoinSet::new();
    for (id, configuration, story) in EXAMPLES {
        stories.spawn(tell(id, *configuration, story));
    }

    let wrong: Vec<String> = stories.join_all().await.concat();

    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Tells one story in a shop of its own; what came out differently.
async fn tell(id: &'static str, configuration: Configuration, story: Story) -> Vec<String> {
    let (program, rate) = configuration();
    let shop = Shop::with_rule(program, rate).await;
    if let Some(started) = story[0].0.strip_prefix("at ") {
        shop.it_is(started);
    }
    let ada = shop.enrols("ada").await;

    let mut wrong = Vec::new();
    let mut sales = Vec::new();
    for (action, expected) in story {
        let outcome = act(&ada, action, &mut sales).await;
        for fact in expected.split(", ") {
            let (what, value) = fact.split_once(' ').expect("a fact is two words");
            let found = observe(&ada, &outcome, what).await;
            if !same(&found, value) {
                wrong.push(format!("{id}: after `{action}` {what} is {found}, not {value}"));
            }
        }
    }
    wrong
}

/// What a step came to.
enum Outcome {
    Sold(Result<Receipt, Error>),
    CameBack(ReturnReceipt),
    SomethingElse,
}

/// Carries out a step. Sales are numbered from 1.
async fn act(ada: &ShopMember<'_>, action: &str, sales: &mut Vec<Sale>) -> Outcome {
    let words = action.split(' ').collect::<Vec<_>>();
    let sale = match words.as_slice() {
        ["buys", total] => ada.sale(total),
        ["buys", total, "redeeming", points] => ada.sale(total).redeem_points(dec(points)),
        ["buys", total, "paying", amount] => ada.sale(total).redemption(Redemption::amount(dec(amount))),
        ["redeems", "a", product] => ada.sale("0").redeem_product(*product, 1),
        ["redeems", reward] => ada.sale("10").do_not_earn().redeem_reward(*reward, 1),
        ["returns", amount, "of", number] => {
            return Outcome::CameBack(ada.returns_amount(numbered(sales, number), amount).await);
        }
        ["adjusts", points, "for", reason] => {
            let adjustment = Adjustment::new(ada.key.clone(), *reason, dec(points));
            ada.shop.client.adjust_points(&adjustment).await.expect("an adjustment");
            return Outcome::SomethingElse;
        }
        ["cancels", number] => return Outcome::CameBack(ada.cancels(numbered(sales, number)).await),
        _ => {
            set_scene(ada.shop, &words).await;
            return Outcome::SomethingElse;
        }
    };
    sales.push(sale.clone());
    Outcome::Sold(ada.tries(&sale).await)
}

fn numbered<'a>(sales: &'a [Sale], number: &str) -> &'a Sale {
    &sales[number.parse::<usize>().expect("the number of a sale") - 1]
}

async fn set_scene(shop: &Shop, words: &[&str]) {
    match words {
        ["a", product, "costs", points] => {
            let product = ProductUpdate::new(*product).redeem_points(dec(points));
            shop.client
                .upsert_products("club", &[product])
                .await
                .expect("a product");
        }
        ["a", "ladder", "of", rungs @ ..] => {
            for (place, points) in (1..).zip(rungs.iter()) {
                let key = format!("key-{points}");
                let reward = NewReward::money_off("club", &key, dec(points), place).reward_id(&key);
                shop.client
                    .create_reward(&reward.position(place))
                    .await
                    .expect("a reward");
            }
        }
        ["for", reason, direction, "points"] => {
            let reason = match *direction {
                "adds" => NewReason::adding(*reason).reason_id(*reason),
                _ => NewReason::removing(*reason).reason_id(*reason),
            };
            shop.client.create_reason(&reason).await.expect("a reason");
        }
        ["on", "day", day] => {
            let at = day_zero() + TimeDelta::days(day.parse().expect("a number of days"));
            shop.it_is(&at.to_rfc3339());
        }
        ["at", at] => shop.it_is(at),
        ["points", "last", days, "days"] => {
            let policy = ExpiryPolicy::days(days.parse().expect("a number of days"));
            shop.changes(|program| program.expiry(Some(policy))).await;
        }
        _ => panic!("nobody knows how to do: {words:?}"),
    }
}

/// What is true after a step.
async fn observe(ada: &ShopMember<'_>, outcome: &Outcome, what: &str) -> String {
    let balance = ada.balance().await;
    match (what, outcome) {
        ("has", _) => return balance.available.to_string(),
        ("tier", _) => return balance.tier_id.unwrap_or_default(),
        ("spend", _) => return balance.tier_spend.amount.to_string(),
        ("worth", _) => return balance.value.map(|value| value.amount.to_string()).unwrap_or_default(),
        ("entries", _) => return ada.history().await.len().to_string(),
        ("moved", _) => return ada.history().await[0].points.to_string(),
        ("reminder", _) => return balance.reward_reminder.to_string(),
        ("affords", _) => return affordable(&balance),
        ("refused", Outcome::Sold(Err(error))) => return error.reason().as_str_name().replace("ERROR_REASON_", ""),
        _ => {}
    }
    let receipt = match outcome {
        Outcome::Sold(Ok(receipt)) => receipt,
        Outcome::Sold(Err(error)) => return format!("refused ({error})"),
        Outcome::CameBack(receipt) => return observe_return(receipt, what),
        Outcome::SomethingElse => panic!("no sale has told: {what}"),
    };
    match what {
        "earns" => receipt.points_earned.to_string(),
        "redeems" => receipt.points_redeemed.to_string(),
        "paid" => receipt.points_paid().amount.to_string(),
        "bought" => bought(receipt),
        "vat" => receipt.points_tenders[0].vat_percent.unwrap_or_default().to_string(),
        "rated" => receipt.rated_amount.amount.to_string(),
        "due" => receipt.due.amount.to_string(),
        "lapses" => receipt.points_expire_at.map(|at| at.to_rfc3339()).unwrap_or_default(),
        "refused" => "recorded".to_owned(),
        _ => panic!("nobody knows how to see: {what}"),
    }
}

fn observe_return(receipt: &ReturnReceipt, what: &str) -> String {
    let points = match what {
        "keeps" => receipt.points_earned,
        "takes" => receipt.points_taken_back,
        "gives" => receipt.points_given_back,
        "lapsed" => receipt.given_back_lapsed,
        _ => panic!("nobody knows how to see: {what}"),
    };
    points.to_string()
}

/// The points of the affordable rewards.
fn affordable(balance: &Balance) -> String {
    let points = balance
        .affordable_rewards
        .iter()
        .map(|reward| reward.points.to_string());
    match points.collect::<Vec<_>>().as_slice() {
        [] => "nothing".to_owned(),
        points => points.join("+"),
    }
}

/// What the document shows of the only thing that was bought.
fn bought(receipt: &Receipt) -> String {
    let tender = &receipt.points_tenders[0];
    let item = tender.item.as_ref().expect("something was bought");
    let product = item.product_id.as_ref().map(|id| id.to_string());
    let text = item.printed_text.clone().or(product).unwrap_or_default();
    format!("{} {text} for {}", item.quantity, tender.points)
}

/// Whether two texts are the same number, instant or word.
fn same(found: &str, expected: &str) -> bool {
    let numbers = (
        found.parse::<rust_decimal::Decimal>(),
        expected.parse::<rust_decimal::Decimal>(),
    );
    let instants = (found.parse::<DateTime<Utc>>(), expected.parse::<DateTime<Utc>>());
    match (numbers, instants) {
        ((Ok(found), Ok(expected)), _) => found == expected,
        (_, (Ok(found), Ok(expected))) => found == expected,
        _ => found == expected,
    }
}
