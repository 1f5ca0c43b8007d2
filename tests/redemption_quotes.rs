//! R3, R6 and the quote of a redemption: the keys of a till, the reminder, and what a redemption would say.

use loyalty_sdk::api::ErrorReason;
use loyalty_sdk::{
    EarnRate, Error, Money, NewProgram, NewReward, ProgramState, RedemptionPolicy, RedemptionQuestion, RedemptionQuote,
    Rounding,
};
use rust_decimal::Decimal;

use crate::harness::{PROGRAM, Shop, ShopMember, dec, wrong_fields};

/// A point per euro; keys for 500, 150 and 300 points in that order, and a poster off the ladder.
async fn shop(policy: RedemptionPolicy) -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(policy);
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    for (position, points, off) in [(1, 500, 30), (2, 150, 5), (3, 300, 12)] {
        let reward = NewReward::money_off(PROGRAM, format!("{off} euro off"), points, off)
            .reward_id(format!("key-{points}"))
            .position(position)
            .product_code(format!("LOYPAY{position}"));
        shop.client.create_reward(&reward).await.expect("a reward");
    }
    let poster = NewReward::product(PROGRAM, "A poster", 20, "poster").reward_id("a-poster");
    shop.client.create_reward(&poster).await.expect("a reward");
    shop
}

async fn member<'a>(shop: &'a Shop, points: &str) -> ShopMember<'a> {
    let member = shop.enrols(&shop.next_sale_id()).await;
    if points != "0" {
        member.buys(points).await;
    }
    member
}

async fn ask(member: &ShopMember<'_>, ask: impl FnOnce(RedemptionQuestion) -> RedemptionQuestion) -> RedemptionQuote {
    let question = ask(RedemptionQuestion::of(member.key.clone()));
    let quote = member.shop.client.quote_redemption(&question).await;
    quote.unwrap_or_else(|error| panic!("{error}"))
}

fn eur(amount: &str) -> Money {
    Money::new("EUR", dec(amount))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ladder_comes_in_order_with_what_is_missing_to_each_key() {
    let shop = shop(RedemptionPolicy::new(dec("0.01"))).await;
    let ada = member(&shop, "320").await;

    let quote = ask(&ada, |question| question).await;

    let keys: Vec<_> = quote
        .rewards
        .iter()
        .map(|key| (key.reward_id.as_str(), key.affordable, key.missing_points, key.refusal))
        .collect();
    let lacking = Some(ErrorReason::InsufficientPoints);
    let expected = [
        ("key-500", false, dec("180"), lacking),
        ("key-150", true, dec("0"), None),
        ("key-300", true, dec("0"), None),
        ("a-poster", true, dec("0"), None),
    ];
    assert_eq!(keys, expected);
    let first = &quote.rewards[0];
    assert_eq!((first.position, first.points), (1, dec("500")));
    assert_eq!(first.product_code.as_deref(), Some("LOYPAY1"));
    assert_eq!(first.printed_text, "30 euro off");
    assert_eq!(quote.balance.available, dec("320"));
    assert_eq!(
        (quote.cost, quote.program_version),
        (None, shop.program().await.version)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reminder_follows_the_limit_of_the_program_or_the_first_key() {
    let limited = shop(RedemptionPolicy::new(dec("0.01")).reminder_points(150)).await;
    let by_first_key = shop(RedemptionPolicy::new(dec("0.01"))).await;

    let cases = [
        (&limited, "149", false),
        (&limited, "150", true),
        (&by_first_key, "499", false),
        (&by_first_key, "500", true),
    ];
    for (shop, points, reminds) in cases {
        let member = member(shop, points).await;

        let balance = member.balance().await;
        let looked_up = shop.client.lookup_member(member.key.clone()).await.expect("a member");

        assert_eq!(balance.reward_reminder, reminds, "{points}");
        assert_eq!(looked_up.1.reward_reminder, reminds, "{points}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_the_affordable_rewards_in_the_order_of_tills() {
    let shop = shop(RedemptionPolicy::new(dec("0.01")).reminder_points(100)).await;
    let ada = member(&shop, "300").await;
    let names = |rewards: &[loyalty_sdk::AffordableReward]| -> Vec<String> {
        rewards.iter().map(|reward| reward.reward_id.to_string()).collect()
    };

    let receipt = ada.records(&ada.sale("50").redeem_reward("a-poster", 1)).await;
    let balance = ada.balance().await;
    let key = ada.records(&ada.sale("50").redeem_reward("key-300", 1)).await;
    shop.changes(|club| club.state(ProgramState::Paused)).await;
    let paused = ada.balance().await;

    assert_eq!(receipt.balance.available, dec("330"));
    assert_eq!(
        names(&receipt.balance.affordable_rewards),
        ["key-150", "key-300", "a-poster"]
    );
    assert_eq!(balance, receipt.balance);
    let first = &balance.affordable_rewards[0];
    assert_eq!((first.points, first.printed_text.as_str()), (dec("150"), "5 euro off"));
    assert!(
        receipt
            .to_string()
            .contains("\nYou can have:\n  5 euro off for 150 points"),
        "{receipt}"
    );
    assert_eq!((key.balance.available, key.balance.reward_reminder), (dec("68"), false));
    assert_eq!(names(&key.balance.affordable_rewards), ["a-poster"]);
    assert_eq!((paused.reward_reminder, paused.affordable_rewards), (false, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_says_what_a_redemption_of_the_same_ticket_says() {
    let policies = [
        RedemptionPolicy::new(dec("0.01")),
        RedemptionPolicy::new(dec("0.0333")).cover_remainder(),
        RedemptionPolicy::new(dec("0.10"))
            .points_rounding(Rounding::HalfUp)
            .points_step(25),
        RedemptionPolicy::new(dec("0.10"))
            .minimum_points(100)
            .max_percent_of_sale(50),
        RedemptionPolicy::new(dec("0.05")).max_points_per_sale(160),
    ];
    for policy in policies {
        let shop = shop(policy.clone()).await;
        for (total, cash) in [("4.00", "0"), ("20.00", "3.01"), ("100.00", "0")] {
            let ada = member(&shop, "320").await;
            let due = dec(total) - dec(cash);
            let sale = || ada.sale(total).tender("CASH", dec(cash));

            let quote = ask(&ada, |ask| ask.total(eur(total)).due(Money::new("EUR", due))).await;

            let most = sale().redeem_points(1_000_000).clamped();
            let most = shop.client.quote_sale(&most).await.expect("a quote");
            let told = |tender: &loyalty_sdk::PointsTender| (tender.points, tender.amount.clone());
            assert_eq!(
                quote.most.as_ref().map(told),
                most.points_tenders.first().map(told),
                "{policy:?} {total}"
            );
            let all = shop.client.quote_sale(&sale().redeem_amount(due)).await;
            let cost = quote.cost.expect("the cost of all that is due");
            match all {
                Ok(receipt) => assert_eq!((cost.points, cost.refusal), (Some(receipt.points_redeemed), None)),
                Err(error) => assert_eq!(cost.refusal, Some(error.reason()), "{policy:?} {total}"),
            }
            for key in quote.rewards {
                let one = sale().redeem_reward(key.reward_id.clone(), 1);
                let refusal = shop.client.quote_sale(&one).await.err().map(|error| error.reason());
                assert_eq!(key.refusal, refusal, "{policy:?} {total} {}", key.reward_id);
                assert_eq!(key.affordable, refusal.is_none());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cost_of_an_amount_is_told_also_where_points_are_missing() {
    let shop = shop(RedemptionPolicy::new(dec("0.10")).max_points_per_sale(250)).await;
    let ada = member(&shop, "120").await;

    let affordable = ask(&ada, |question| question.amount(eur("11.95"))).await;
    let missing = ask(&ada, |question| question.amount(eur("20.01"))).await;
    let too_much = ask(&ada, |question| question.amount(eur("25.01"))).await;
    let not_due = ask(&ada, |question| question.total(eur("5")).amount(eur("6"))).await;

    let told = |quote: RedemptionQuote| {
        let cost = quote.cost.expect("a cost");
        (cost.points, cost.missing_points, cost.refusal)
    };
    assert_eq!(told(affordable), (Some(dec("120")), dec("0"), None));
    let lacking = Some(ErrorReason::InsufficientPoints);
    assert_eq!(told(missing), (Some(dec("201")), dec("81"), lacking));
    let above = Some(ErrorReason::ExceedsMaximumPoints);
    assert_eq!(told(too_much), (Some(dec("251")), dec("131"), above));
    assert_eq!(told(not_due), (None, dec("0"), Some(ErrorReason::ExceedsDue)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_writes_nothing_and_refuses_what_makes_no_sense() {
    let shop = shop(RedemptionPolicy::new(dec("0.10"))).await;
    let ada = member(&shop, "120").await;
    let before = shop.rows().await;
    let refused = async |question: RedemptionQuestion| {
        let outcome = shop.client.quote_redemption(&question).await;
        outcome.expect_err("a question that makes no sense")
    };
    let question = || RedemptionQuestion::of(ada.key.clone());

    let due_alone = refused(question().due(eur("1"))).await;
    let more_due = refused(question().total(eur("1")).due(eur("1.01"))).await;
    let nothing = refused(question().amount(eur("0"))).await;
    let mills = refused(question().total(eur("0.005"))).await;
    let dollars = refused(question().total(Money::new("USD", 5))).await;
    let nobody = refused(RedemptionQuestion::of(loyalty_sdk::MemberKey::customer_id("nobody"))).await;
    shop.changes(|club| club.state(ProgramState::Paused)).await;
    let paused = refused(question()).await;

    assert_eq!(wrong_fields(&due_alone), ["due"]);
    assert_eq!(wrong_fields(&more_due), ["due.amount"]);
    assert_eq!(wrong_fields(&nothing), ["amount.amount"]);
    assert_eq!(wrong_fields(&mills), ["total.amount"]);
    let (field, currency_code) = ("total.currency_code".to_owned(), "EUR".to_owned());
    assert_eq!(dollars, Error::CurrencyMismatch { field, currency_code });
    assert!(matches!(nobody, Error::MemberNotFound { .. }), "{nobody}");
    assert!(matches!(paused, Error::RedemptionClosed { .. }), "{paused}");
    let mut after = shop.rows().await;
    // The pause was written.
    for table in ["configuration_change", "program_definition", "request"] {
        after.entry(table).and_modify(|count| *count -= 1);
    }
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_are_pending_or_lapsed_buy_nothing() {
    let shop = shop(RedemptionPolicy::new(dec("0.10"))).await;
    shop.changes(|club| club.pending_days(14)).await;
    let ada = member(&shop, "320").await;

    let waiting = ask(&ada, |question| question.total(eur("100"))).await;
    shop.days_pass(15);
    let ready = ask(&ada, |question| question.total(eur("100"))).await;

    assert_eq!((waiting.most, waiting.rewards[1].affordable), (None, false));
    assert_eq!(waiting.rewards[1].missing_points, dec("150"));
    assert_eq!(ready.most.map(|tender| tender.points), Some(Decimal::from(320)));
    assert!(ready.rewards[1].affordable);
}
