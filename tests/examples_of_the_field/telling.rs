//! How a story is told: what each step does, and what is seen after it.

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_sdk::{
    Adjustment, Balance, Error, ExpiryPolicy, MemberUpdate, NewHold, NewReason, NewReward, NewRule, ProductUpdate,
    Receipt, Redemption, RedemptionRequest, ReturnReceipt, Sale, SaleLine,
};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use super::{Configuration, Story, rate};
use crate::harness::{Shop, ShopMember, dec, instant};

/// Day 0 of every story.
fn day_zero() -> DateTime<Utc> {
    instant("2026-01-15T10:00:00Z")
}

/// Tells one story in a shop of its own; what came out differently.
pub(super) async fn tell(id: &'static str, configuration: Configuration, story: Story) -> Vec<String> {
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
    Placed(usize),
    Sold(Result<Receipt, Error>),
    CameBack(ReturnReceipt),
    SomethingElse,
}

/// Carries out a step. Sales are numbered from 1.
async fn act(ada: &ShopMember<'_>, action: &str, sales: &mut Vec<Sale>) -> Outcome {
    let words = action.split(' ').collect::<Vec<_>>();
    let sale = match words.as_slice() {
        ["buys", total] => ada.sale(total),
        ["buys", "1", "at", price, "less", percent, "%"] => {
            let (price, percent) = (dec(price), dec(percent));
            let amount = price * (Decimal::ONE_HUNDRED - percent) / Decimal::ONE_HUNDRED;
            let mut line = SaleLine::new(amount);
            (line.unit_price, line.discount_percent) = (Some(price), Some(percent));
            of_lines(ada, vec![line])
        }
        ["buys", quantity, product, "at", price] => of_lines(ada, vec![units(quantity, product, price)]),
        [
            "buys",
            some,
            product,
            "and",
            more,
            other,
            "at",
            price,
            "and",
            "a",
            third,
            "at",
            dear,
        ] => {
            let lines = [
                units(some, product, price),
                units(more, other, price),
                units("1", third, dear),
            ];
            of_lines(ada, lines.to_vec())
        }
        ["buys", total, "redeeming", points] => ada.sale(total).redeem_points(dec(points)),
        ["buys", total, "paying", amount] => ada.sale(total).redemption(Redemption::amount(dec(amount))),
        ["redeems", "a", product] => ada.sale("0").redeem_product(*product, 1),
        ["redeems", reward] => ada.sale("10").do_not_earn().redeem_reward(*reward, 1),
        ["returns", amount, "of", number] => {
            return Outcome::CameBack(ada.returns_amount(numbered(sales, number), amount).await);
        }
        [tills, "tills", "hold", points] => {
            let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(dec(points));
            let mut holds = JoinSet::new();
            for _ in 0..tills.parse().expect("a number of tills") {
                let (client, hold) = (ada.shop.client.clone(), NewHold::of(request.clone()));
                holds.spawn(async move { client.place_hold(&hold).await });
            }
            let placed = holds.join_all().await.into_iter().filter(Result::is_ok);
            return Outcome::Placed(placed.count());
        }
        ["scores", "under", rule] => {
            let update = MemberUpdate::of(&ada.shop.client.get_member(&ada.member).await.expect("a member").0)
                .assigned_rule(Some(*rule));
            ada.shop.client.update_member(&update).await.expect("a member");
            return Outcome::SomethingElse;
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

fn units(quantity: &str, product: &str, price: &str) -> SaleLine {
    let mut line = SaleLine::new(dec(quantity) * dec(price));
    (line.product_id, line.quantity, line.unit_price) = (product.to_owned(), Some(dec(quantity)), Some(dec(price)));
    line
}

fn of_lines(ada: &ShopMember<'_>, lines: Vec<SaleLine>) -> Sale {
    let total: Decimal = lines.iter().map(|line| line.amount).sum();
    let mut sale = ada.sale(&total.to_string());
    sale.lines = lines;
    sale
}

fn numbered<'a>(sales: &'a [Sale], number: &str) -> &'a Sale {
    &sales[number.parse::<usize>().expect("the number of a sale") - 1]
}

async fn set_scene(shop: &Shop, words: &[&str]) {
    match words {
        ["a", product, "gives", points] => {
            let product = ProductUpdate::new(*product).points(dec(points));
            shop.client
                .upsert_products("club", &[product])
                .await
                .expect("a product");
        }
        ["rule", name, "gives", points, "per", amount] => {
            let rule = NewRule::new("club", *name, rate(amount, points))
                .rule_id(*name)
                .assigned();
            shop.creates(&rule).await;
        }
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
        ("held", _) => return balance.held.to_string(),
        ("placed", Outcome::Placed(holds)) => return holds.to_string(),
        ("reminder", _) => return balance.reward_reminder.to_string(),
        ("affords", _) => return affordable(&balance),
        ("refused", Outcome::Sold(Err(error))) => return error.reason().as_str_name().replace("ERROR_REASON_", ""),
        _ => {}
    }
    let receipt = match outcome {
        Outcome::Sold(Ok(receipt)) => receipt,
        Outcome::Sold(Err(error)) => return format!("refused ({error})"),
        Outcome::CameBack(receipt) => return observe_return(receipt, what),
        Outcome::Placed(_) | Outcome::SomethingElse => panic!("no sale has told: {what}"),
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
