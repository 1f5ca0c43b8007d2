//! What is kept of a sale earns what it would have earned at the moment of the sale: under its rules, its prior spend,
//! its limits and its fractions.

use loyalty_sdk::{
    DocumentTreatment, EarnRate, EntryKind, Error, ExpiryPolicy, NewProgram, NewRule, ProgramState, ProgramUpdate,
    RedemptionPolicy, RuleUpdate, SaleLine, Tier, TierSpendBasis, TierSpendWindow,
};

use crate::harness::books::{assert_books_agree, texts};
use crate::harness::{PROGRAM, Shop, dec, instant};

fn rate(amount: &str, points: &str) -> EarnRate {
    EarnRate::new(dec(amount), dec(points))
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_products_and_settings_that_changed_since_do_not_touch_it() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_program(program).await;
    let rule = shop.creates(&NewRule::new(PROGRAM, "Default", rate("10", "1"))).await;
    shop.sets_points(&[("lamp", "7")]).await;
    let ada = shop.enrols("ada").await;
    let lamps = SaleLine::new(dec("50")).product("lamp").quantity(2);
    let sale = ada.sale("150").line(lamps).line(SaleLine::new(dec("100")));
    let recorded = ada.records(&sale).await;

    let update = RuleUpdate::of(&rule).earn_rate(rate("1", "1"));
    shop.client.update_rule(&update).await.expect("a rule");
    shop.sets_points(&[("lamp", "1000")]).await;
    let campaign = NewRule::multiplier(PROGRAM, "Double", dec("2"));
    shop.creates(&campaign).await;
    shop.changes(|program| program.max_discount_percent(Some(dec("0"))).state(ProgramState::Paused))
        .await;
    let quote = shop.client.quote_return(&ada.return_of(&sale).line(0, 1)).await;
    let elsewhere = shop.second_server().await;
    let of_other_server = elsewhere.quote_return(&ada.return_of(&sale).line(0, 1)).await;
    let one = ada.returns(&ada.return_of(&sale).line(0, 1)).await;
    let half = ada.returns(&ada.return_of(&sale).line(1, dec("0.5"))).await;

    assert_eq!(recorded.points_earned, dec("24"));
    assert_eq!((one.points_earned, one.points_taken_back), (dec("17"), dec("7")));
    assert_eq!((half.points_earned, half.points_taken_back), (dec("12"), dec("5")));
    assert_eq!(one.program_version, recorded.program_version);
    for quote in [quote, of_other_server] {
        assert_eq!(quote.map(|quote| quote.points_earned), Ok(dec("17")));
    }
    assert_books_agree(&shop).await;
}

/// Bronze from the start at a point per 10, silver from 1,000 at a point per 5.
fn tiered() -> NewProgram {
    NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(1))
        .tier(Tier::new("bronze", "Bronze", 0).earn_rate(rate("10", "1")))
        .tier(Tier::new("silver", "Silver", 1_000).earn_rate(rate("5", "1")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_takes_back_the_upgrade_that_it_undid_and_the_rate_with_it() {
    let shop = Shop::with_program(tiered()).await;
    let ada = shop.enrols("ada").await;
    ada.buys("600").await;
    let sale = ada.sale("500");
    let recorded = ada.records(&sale).await;
    ada.buys("100").await;

    let above = ada.returns_amount(&sale, "100").await;
    let below = ada.returns_amount(&sale, "0.01").await;

    assert_eq!(
        (recorded.points_earned, recorded.balance.tier_id.as_deref()),
        (dec("100"), Some("silver"))
    );
    assert_eq!(
        (above.points_earned, above.balance.tier_id.as_deref()),
        (dec("80"), Some("silver"))
    );
    // The sale of 399.99 would have left the spend below 1,000; that of 100 came later and lifts it again.
    assert_eq!(
        (below.points_earned, below.balance.tier_id.as_deref()),
        (dec("39"), Some("silver"))
    );
    assert_eq!(below.balance.tier_spend.amount, dec("1099.99"));
    let gone = ada.returns(&ada.return_of(&sale)).await;
    assert_eq!(gone.tier_id_before.as_deref(), Some("silver"));
    assert_eq!(gone.balance.tier_id.as_deref(), Some("bronze"));
    assert_eq!(
        gone.balance.next_tier.map(|next| next.missing_spend.amount),
        Some(dec("300"))
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spend_of_a_window_is_taken_off_the_day_of_the_sale() {
    let window = TierSpendWindow::rolling_days(30);
    for window in [window.clone().downgrade_after(5), window] {
        let mut program = tiered();
        program.tier_spend_window = Some(window.clone());
        let shop = Shop::with_program(program).await;
        let ada = shop.enrols("ada").await;
        let old = ada.sale("800");
        ada.records(&old).await;
        shop.days_pass(20);
        let new = ada.sale("300");
        let upgraded = ada.records(&new).await;

        shop.days_pass(5);
        let first = ada.returns_amount(&old, "50").await;
        let second = ada.returns_amount(&old, "51").await;
        shop.days_pass(7);
        let later = ada.balance().await;

        assert_eq!(upgraded.balance.tier_id.as_deref(), Some("silver"));
        assert_eq!(first.balance.tier_id.as_deref(), Some("silver"), "{window:?}");
        assert_eq!(second.balance.tier_id.as_deref(), Some("bronze"), "{window:?}");
        assert_eq!(second.balance.tier_spend.amount, dec("999"));
        // The old sale has left the window, and what came back of it with it.
        assert_eq!(later.tier_spend.amount, dec("300"));
        assert_books_agree(&shop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_that_stays_stays_where_other_sales_reached_it() {
    let mut program = tiered();
    program.tier_spend_window = Some(TierSpendWindow::rolling_days(30));
    let shop = Shop::with_program(program).await;
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    shop.days_pass(40);
    let sale = ada.sale("1500");
    ada.records(&sale).await;

    let receipt = ada.returns(&ada.return_of(&sale)).await;

    assert_eq!(receipt.balance.tier_id.as_deref(), Some("silver"));
    assert_eq!(receipt.balance.tier_spend.amount, dec("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn spend_without_the_part_paid_with_points_follows_in_proportion() {
    let mut program = tiered();
    program.tier_spend_basis = TierSpendBasis::WithoutPointsPaidPart;
    let shop = Shop::with_program(program).await;
    let ada = shop.enrols("ada").await;
    ada.buys("900").await;
    let sale = ada.sale("300").redeem_points(90);
    let recorded = ada.records(&sale).await;

    let receipt = ada.returns_amount(&sale, "100").await;

    assert_eq!(recorded.balance.tier_spend.amount, dec("1110"));
    assert_eq!(receipt.balance.tier_spend.amount, dec("1040"));
    assert_eq!(
        (receipt.points_given_back, receipt.points_earned),
        (dec("30"), dec("28"))
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_part_that_points_paid_stays_in_proportion() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, rate("1000", "1")).await;
    let ada = shop.enrols("ada").await;
    shop.sets_points(&[("gift", "1000")]).await;
    ada.records(&ada.sale("1").line(SaleLine::new(1).product("gift"))).await;
    let sale = ada.sale("10000").redeem_points(1000);
    let recorded = ada.records(&sale).await;

    let receipt = ada.returns_amount(&sale, "5000").await;

    assert_eq!(recorded.points_earned, dec("9"));
    assert_eq!(
        (receipt.points_given_back, receipt.points_earned),
        (dec("500"), dec("4"))
    );
    assert_eq!(receipt.points_taken_back, dec("5"));
    assert_eq!(receipt.balance.available, dec("504"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fractions_that_later_sales_used_up_are_taken_back_as_points() {
    let mut program = NewProgram::new("Club", "EUR");
    program.carry_fractions = true;
    let shop = Shop::with_rule(program, rate("30", "1")).await;
    let ada = shop.enrols("ada").await;
    let sales = [ada.sale("10"), ada.sale("10"), ada.sale("10")];
    let mut earned = Vec::new();
    for sale in &sales {
        earned.push(ada.records(sale).await.points_earned);
    }

    let first = ada.returns(&ada.return_of(&sales[0])).await;
    let second = ada.returns_amount(&sales[1], "4").await;
    let third = ada.returns(&ada.return_of(&sales[1])).await;
    let last = ada.returns(&ada.return_of(&sales[2])).await;

    assert_eq!(earned, [dec("0"), dec("0"), dec("1")]);
    assert_eq!(
        (first.points_taken_back, first.carried_after),
        (dec("1"), Some(dec("0.666666")))
    );
    assert_eq!(
        (second.points_taken_back, second.carried_after),
        (dec("0"), Some(dec("0.533333")))
    );
    assert_eq!(
        (third.points_taken_back, third.carried_after),
        (dec("0"), Some(dec("0.333333")))
    );
    assert_eq!((last.points_taken_back, last.carried_after), (dec("0"), Some(dec("0"))));
    assert_eq!(ada.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_limited_rule_gave_can_be_given_again_once_it_came_back() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let limited = NewRule::new(PROGRAM, "Default", rate("1", "1"))
        .max_points_per_day(dec("100"))
        .max_points_per_member(dec("150"));
    shop.creates(&limited).await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("130");
    let first = ada.records(&sale).await;
    let capped = ada.buys("50").await;

    let unlimited = ada.returns_amount(&sale, "30").await;
    let receipt = ada.returns_amount(&sale, "60").await;
    let again = ada.buys("70").await;
    shop.days_pass(1);
    let tomorrow = ada.buys("100").await;

    assert_eq!((first.points_earned, capped.points_earned), (dec("100"), dec("0")));
    assert_eq!(
        (unlimited.points_earned, unlimited.points_taken_back),
        (dec("100"), dec("0"))
    );
    assert_eq!(
        (receipt.points_earned, receipt.points_taken_back),
        (dec("40"), dec("60"))
    );
    assert_eq!(again.points_earned, dec("60"));
    assert_eq!(tomorrow.points_earned, dec("50"));
    let usage = "SELECT CONCAT_WS(' ', day, points) AS value FROM rule_usage ORDER BY day";
    let usage = texts(&mut shop.database().await, usage).await;
    assert_eq!(
        usage,
        ["2026-01-15 100.0000", "2026-01-16 50.0000", "9999-12-31 150.0000"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_wait_are_taken_back_before_any_that_can_be_spent() {
    let mut program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    program.pending_days = 14;
    let shop = Shop::with_rule(program, rate("1", "1")).await;
    let ada = shop.enrols("ada").await;
    ada.buys("50").await;
    shop.days_pass(20);
    let sale = ada.sale("100");
    ada.records(&sale).await;

    let receipt = ada.returns_amount(&sale, "40").await;
    let rest = ada.returns(&ada.return_of(&sale)).await;

    assert_eq!(
        (receipt.balance.available, receipt.balance.pending),
        (dec("50"), dec("60"))
    );
    assert_eq!((rest.balance.available, rest.balance.pending), (dec("50"), dec("0")));
    assert_eq!(rest.balance.next_pending_until, None);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kept_goods_earn_beyond_all_lapses_and_waits_as_the_sale_says() {
    let mut program = NewProgram::new("Club", "EUR").expiry(ExpiryPolicy::days(30));
    program.pending_days = 14;
    program.max_discount_percent = Some(dec("20"));
    let shop = Shop::with_rule(program, rate("1", "1")).await;
    let ada = shop.enrols("ada").await;
    let discounted = SaleLine::new(dec("50")).discount_amount(dec("50"));
    let sale = ada.sale("150").line(discounted).line(SaleLine::new(dec("100")));
    ada.records(&sale).await;
    shop.days_pass(3);

    let receipt = ada.returns(&ada.return_of(&sale).whole_line(0)).await;

    assert_eq!(receipt.points_taken_back, dec("-100"));
    assert_eq!(
        (receipt.balance.available, receipt.balance.pending),
        (dec("0"), dec("100"))
    );
    assert_eq!(
        receipt.balance.next_pending_until,
        Some(instant("2026-01-30T00:00:00Z"))
    );
    assert_eq!(receipt.balance.next_expiry_at, Some(instant("2026-02-15T00:00:00Z")));
    assert_eq!(ada.history().await[0].kind, EntryKind::EarnReversal);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_are_no_returns_are_refused_and_sales_cannot_be_returns() {
    let program = NewProgram::new("Club", "EUR")
        .document_type("CREDIT", DocumentTreatment::Returning)
        .document_type("INVOICE", DocumentTreatment::Issuing)
        .document_type("DRAFT", DocumentTreatment::Ignored);
    let shop = Shop::with_rule(program, rate("1", "1")).await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;

    for document_type in ["INVOICE", "DRAFT"] {
        let refused = ada.return_of(&sale).document(document_type, "1");
        let refused = shop.client.return_sale(&refused).await;
        assert!(
            matches!(refused, Err(Error::DocumentTypeRefused { .. })),
            "{document_type}"
        );
    }
    let taken = ada
        .returns(&ada.return_of(&sale).amount(10).document("CREDIT", "2"))
        .await;
    let unlisted = ada
        .returns(&ada.return_of(&sale).amount(10).document("SLIP", "3"))
        .await;
    let as_sale = ada.tries(&ada.sale("5").document("CREDIT", "4")).await;

    assert_eq!(
        (taken.points_taken_back, unlisted.points_taken_back),
        (dec("10"), dec("10"))
    );
    assert!(matches!(as_sale, Err(Error::DocumentTypeRefused { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_that_did_not_count_come_back_without_moving_anything() {
    let program = NewProgram::new("Club", "EUR").document_type("DRAFT", DocumentTreatment::Ignored);
    let shop = Shop::with_rule(program, rate("1", "1")).await;
    let ada = shop.enrols("ada").await;
    let ignored = ada.sale("100").document("DRAFT", "1");
    let suppressed = ada.sale("100").do_not_earn();
    ada.records(&ignored).await;
    ada.records(&suppressed).await;
    let archived = ProgramUpdate::of(&shop.program().await).state(ProgramState::Paused);
    shop.client.update_program(&archived).await.expect("a program");

    let first = ada.returns(&ada.return_of(&ignored)).await;
    let second = ada.returns(&ada.return_of(&suppressed)).await;

    assert_eq!(
        (first.points_taken_back, first.balance.tier_spend.amount),
        (dec("0"), dec("100"))
    );
    assert_eq!(
        (second.points_taken_back, second.balance.tier_spend.amount),
        (dec("0"), dec("0"))
    );
}
