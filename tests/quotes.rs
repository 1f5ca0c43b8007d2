//! L2: a sale recorded with the token of its quote gets what was quoted though the rules have changed since, until the token
//! expires; a token that is not for it is refused with its own reason.

use loyalty_sdk::{
    Customer, EarnRate, EnrolmentPolicy, Error, ExpiryPolicy, MemberKey, NewMember, NewProgram, NewRule, Outbox,
    ProductUpdate, ProgramState, Receipt, RedemptionPolicy, RuleUpdate, Sale, SaleLine, Schedule, SyncAnswer, Tier,
    Weekday,
};
use loyalty_server::tenants::Role;
use rust_decimal::Decimal;
use tempfile::TempDir;

use crate::harness::books::assert_books_agree;
use crate::harness::keys::Keys as _;
use crate::harness::{MERCHANT, PROGRAM, Shop, dec, instant};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

impl Shop {
    async fn quotes(&self, sale: &Sale) -> Receipt {
        let quote = self.client.quote_sale(sale).await;
        quote.unwrap_or_else(|error| panic!("{}: {error}", sale.sale_id))
    }

    /// The default rule earns `points` per euro from now on.
    async fn earns(&self, points: i64) {
        let rules = self
            .client
            .list_rules(PROGRAM, &loyalty_sdk::PageRequest::default())
            .await;
        let rule = rules.expect("rules").items.remove(0);
        let update = RuleUpdate::of(&rule).earn_rate(EarnRate::new(1, points));
        self.client.update_rule(&update).await.expect("a rule");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_quoted_holds_though_the_rules_have_changed_and_the_program_is_paused() {
    let shop = shop().await;
    let other_server = shop.second_server().await;
    let ada = shop.enrols("ada").await;
    let sale = ada
        .sale("100")
        .line(SaleLine::new(60).product("cake"))
        .line(SaleLine::new(40));
    let quote = shop.quotes(&sale).await;

    shop.earns(5).await;
    shop.sets_points(&[("cake", "7")]).await;
    let without = shop.quotes(&sale).await;
    shop.changes(|update| update.state(ProgramState::Paused)).await;
    let receipt = other_server.record_sale(&sale.clone().with_quote(&quote)).await;
    let receipt = receipt.expect("a receipt");
    let paused = ada.buys("100").await;

    assert_eq!((quote.points_earned, without.points_earned), (dec("100"), dec("207")));
    assert_eq!(receipt.points_earned, dec("100"));
    assert_eq!(receipt.program_version, quote.program_version);
    assert_eq!(receipt.lines, quote.lines);
    assert_eq!(paused.points_earned, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_held_until_it_expires_and_not_a_moment_longer() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let (in_time, late) = (ada.sale("10"), ada.sale("10"));
    let quote = shop.quotes(&in_time).await;
    let expires_at = quote.quote.as_ref().expect("a token").expires_at;
    shop.earns(5).await;
    let refused_once = shop.client.with_request_id("late");

    shop.it_is("2026-01-15T10:14:59Z");
    let held = ada.records(&in_time.with_quote(&quote)).await;
    shop.it_is("2026-01-15T10:15:00Z");
    let refused = refused_once.record_sale(&late.clone().with_quote(&quote)).await;
    let anew = shop.quotes(&late).await;
    let again = refused_once.record_sale(&late.clone().with_quote(&anew)).await;
    let requoted = ada.records(&late.with_quote(&anew)).await;

    assert_eq!(expires_at, instant("2026-01-15T10:15:00Z"));
    assert_eq!(held.points_earned, dec("10"));
    for refused in [refused, again] {
        assert!(
            matches!(&refused, Err(Error::QuoteExpired { expires_at: at }) if *at == expires_at),
            "a refusal is remembered: {refused:?}"
        );
    }
    assert_eq!(requoted.points_earned, dec("50"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_counts_as_made_when_it_was_quoted() {
    let program = NewProgram::new("Club", "EUR").expiry(ExpiryPolicy::days(30));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    let schedule = Schedule {
        weekdays: vec![Weekday::Thursday],
        time_until: Some("12:00:00".parse().expect("a time")),
        ..Schedule::default()
    };
    let happy = NewRule::multiplier(PROGRAM, "Morning", 2).schedule(schedule);
    shop.creates(&happy).await;
    shop.it_is("2026-01-15T11:59:00Z");
    let sale = ada.sale("10");

    let quote = shop.quotes(&sale).await;
    shop.it_is("2026-01-15T12:03:00Z");
    let after = shop.quotes(&sale).await;
    let receipt = ada.records(&sale.clone().with_quote(&quote)).await;
    let recorded = shop.client.get_sale("store-1", &sale.sale_id).await.expect("the sale");

    assert_eq!((quote.points_earned, after.points_earned), (dec("20"), dec("10")));
    assert_eq!(receipt.points_earned, dec("20"));
    assert_eq!(receipt.points_expire_at, quote.points_expire_at);
    assert_eq!(recorded.occurred_at, instant("2026-01-15T11:59:00Z"));
    assert_eq!(recorded.recorded_at, instant("2026-01-15T12:03:00Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_only_at_the_end_may_be_another_and_nothing_else() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let ben = shop.enrols("ben").await;
    let sale = ada.sale("30").line(SaleLine::new(30).product("cake")).redeem_points(10);
    let quote = shop.quotes(&sale).await;
    let quoted = sale.clone().with_quote(&quote);

    let mut refused = Vec::new();
    let spoils: [fn(&mut Sale); 8] = [
        |sale| sale.total = Decimal::from(31),
        |sale| sale.lines[0].product_id = "tart".to_owned(),
        |sale| sale.lines[0].quantity = Some(Decimal::TWO),
        |sale| sale.redemptions.clear(),
        |sale| sale.store_id = "store-2".to_owned(),
        |sale| sale.terminal_id = "till-2".to_owned(),
        |sale| sale.document_type = "INVOICE".to_owned(),
        |sale| sale.do_not_earn = true,
    ];
    for spoil in spoils {
        let mut other = quoted.clone();
        spoil(&mut other);
        if other.total != quoted.total {
            other.lines[0].amount = other.total;
        }
        refused.push(ada.tries(&other).await);
    }
    let others = Sale {
        member: ben.key.clone(),
        ..quoted.clone()
    };
    let others = ada.tries(&others).await;
    let mut late_facts = quoted.tender("CARD", 20).cashier("maria").document("", "F-17");
    late_facts.sale_id = "another-id".to_owned();
    late_facts.occurred_at = Some(instant("2026-01-15T09:59:00Z"));
    let receipt = ada.records(&late_facts).await;

    for refused in refused {
        assert!(matches!(refused, Err(Error::QuoteOfOtherBasket { .. })), "{refused:?}");
    }
    assert!(matches!(others, Err(Error::QuoteOfOtherMember { .. })), "{others:?}");
    assert_eq!(receipt.points_earned, quote.points_earned);
    assert_eq!(receipt.points_redeemed, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_or_foreign_token_is_none() {
    let (shop, elsewhere) = (shop().await, self::shop().await);
    let ada = shop.enrols("ada").await;
    elsewhere.enrols("ada").await;
    let sale = ada.sale("10");
    let token = shop.quotes(&sale).await.quote.expect("a token").token;
    let foreign = elsewhere.quotes(&sale).await.quote.expect("a token").token;
    let rows = shop.rows().await;

    let changed = |place: usize| {
        let mut token = token.clone().into_bytes();
        token[place] = if token[place] == b'0' { b'1' } else { b'0' };
        String::from_utf8(token).expect("text")
    };
    let last = token.len() - 1;
    for wrong in [
        changed(0),
        changed(9),
        changed(60),
        changed(last),
        token[..last - 1].to_owned(),
        format!("{token}00"),
        foreign,
        "no token".to_owned(),
        "ab".repeat(4_000),
    ] {
        let mut sale = sale.clone();
        sale.quote_token = Some(wrong.clone());
        let refused = ada.tries(&sale).await;
        assert!(
            matches!(refused, Err(Error::QuoteTokenInvalid { .. })),
            "{wrong}: {refused:?}"
        );
    }
    assert_eq!(shop.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_merchant_is_refused_as_such() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    tenants.create_merchant("other").await.expect("a merchant");
    let other = shop.client_with(&tenants.key("other", Role::Operator).await).await;
    let acme = shop.client_with(&tenants.key(MERCHANT, Role::Terminal).await).await;
    for client in [&shop.client, &other] {
        let program = NewProgram::new("Club", "EUR").program_id(PROGRAM);
        client.create_program(&program).await.expect("a program");
        let member = NewMember::new(PROGRAM).customer_id("ada");
        client.enroll_member(&member).await.expect("a member");
    }
    let sale = Sale::new("1", "store-1", MemberKey::customer_id("ada"), "EUR", 10);

    let quote = other.quote_sale(&sale).await.expect("a quote");
    let refused = acme.record_sale(&sale.with_quote(&quote)).await;

    assert!(
        matches!(refused, Err(Error::QuoteOfOtherMerchant { .. })),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_sale_is_answered_again_whatever_became_of_its_token() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("10");
    let quote = shop.quotes(&sale).await;
    shop.earns(5).await;
    let quoted = sale.clone().with_quote(&quote);
    let once = shop.client.with_request_id("once");
    let first = once.record_sale(&quoted).await.expect("a receipt");

    shop.days_pass(1);
    let same_request = once.record_sale(&quoted).await.expect("the same");
    let same_sale = ada.records(&quoted).await;
    let without = ada.records(&sale).await;

    assert!(!first.replayed);
    for again in [same_request, same_sale, without] {
        assert!(again.replayed);
        let again = Receipt {
            replayed: false,
            ..again
        };
        assert_eq!(again, first);
    }
    assert_eq!(ada.points().await, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_member_has_and_has_spent_counts_as_it_is_now() {
    let program = NewProgram::new("Club", "EUR")
        .tier(Tier::new("silver", "Silver", 0).earn_rate(EarnRate::new(1, 1)))
        .tier(Tier::new("gold", "Gold", 150).earn_rate(EarnRate::new(1, 2)))
        .redemption(RedemptionPolicy::new(dec("0.10")));
    let shop = Shop::with_program(program).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let (redeeming, earning) = (ada.sale("10").redeem_points(80), ada.sale("10"));
    let (first, second) = (shop.quotes(&redeeming).await, shop.quotes(&earning).await);
    let change = NewRule::multiplier(PROGRAM, "Later", 3);
    shop.creates(&change).await;

    ada.records(&ada.sale("30").redeem_points(50).do_not_earn()).await;
    let short = ada.tries(&redeeming.with_quote(&first)).await;
    ada.records(&ada.sale("20").do_not_earn()).await;
    let gold = ada.records(&earning.with_quote(&second)).await;

    assert!(
        matches!(&short, Err(Error::InsufficientPoints { available, requested })
            if *available == dec("50") && *requested == dec("80")),
        "{short:?}"
    );
    assert_eq!(second.points_earned, dec("10"));
    assert_eq!(
        gold.points_earned,
        dec("20"),
        "gold was reached meanwhile, the campaign was not quoted"
    );
    assert_eq!(gold.tier_id_before.as_deref(), Some("gold"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_limited_rule_gave_meanwhile_is_given() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let bonus = NewRule::bonus(PROGRAM, "Once", 100).max_points_per_member(100);
    let bonus = shop.creates(&bonus).await;
    let sale = ada.sale("10");
    let quote = shop.quotes(&sale).await;
    let update = RuleUpdate::of(&bonus).name("Only once");
    shop.client.update_rule(&update).await.expect("a rule");

    let meanwhile = ada.buys("10").await;
    let receipt = ada.records(&sale.with_quote(&quote)).await;

    assert_eq!((quote.points_earned, meanwhile.points_earned), (dec("110"), dec("110")));
    assert_eq!(receipt.points_earned, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_of_a_quoted_sale_is_counted_on_what_was_quoted() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100").line(SaleLine::new(100).quantity(4));
    let quote = shop.quotes(&sale).await;
    shop.earns(5).await;
    let sale = sale.with_quote(&quote);
    ada.records(&sale).await;

    let quarter = ada.returns(&ada.return_of(&sale).line(0, 1)).await;
    let cancelled = ada.cancels(&sale).await;

    assert_eq!(
        (quarter.points_taken_back, quarter.points_earned),
        (dec("25"), dec("75"))
    );
    assert_eq!(quarter.program_version, quote.program_version);
    assert_eq!(cancelled.points_taken_back, dec("75"));
    assert_eq!(ada.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_would_be_enrolled_gets_what_was_quoted_too() {
    let program = NewProgram::new("Club", "EUR").enrolment(EnrolmentPolicy::auto_opt_in());
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let eve = |id: &str, customer: &str| {
        Sale::new(id, "store-1", MemberKey::customer_id(customer), "EUR", 10).customer(Customer::new("Somebody"))
    };
    let quote = shop.quotes(&eve("1", "eve")).await;
    shop.earns(5).await;

    let others = shop.client.record_sale(&eve("1", "mallory").with_quote(&quote)).await;
    let enrolled = shop.client.record_sale(&eve("1", "eve").with_quote(&quote)).await;
    let enrolled = enrolled.expect("a receipt");
    let again = shop.client.record_sale(&eve("2", "eve").with_quote(&quote)).await;

    assert!(quote.enrolled && enrolled.enrolled);
    assert!(matches!(others, Err(Error::QuoteOfOtherMember { .. })), "{others:?}");
    assert_eq!(enrolled.points_earned, dec("10"));
    assert_eq!(again.expect("a member by now").points_earned, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_that_loses_the_line_after_the_quote_delivers_it_from_its_outbox() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let (in_time, too_late) = (ada.sale("10"), ada.sale("20"));
    let quote = shop.quotes(&in_time).await;
    let of_late = shop.quotes(&too_late).await;
    shop.earns(5).await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    let at = |text: &str| instant(text);
    let in_time = in_time.with_quote(&quote).occurred_at(at("2026-01-15T10:14:00Z"));
    let too_late = too_late.with_quote(&of_late).occurred_at(at("2026-01-15T10:16:00Z"));

    outbox.put(in_time).await.expect("put");
    outbox.put(too_late).await.expect("put");
    shop.it_is("2026-01-15T16:00:00Z");
    let mut outcomes = Vec::new();
    outbox
        .deliver_with(|outcome| outcomes.push(outcome.answer))
        .await
        .expect("delivered");

    let [SyncAnswer::Sale(held), SyncAnswer::Refused(refused)] = &outcomes[..] else {
        panic!("{outcomes:?}");
    };
    assert_eq!(held.points_earned, dec("10"));
    assert!(matches!(**refused, Error::QuoteExpired { .. }), "{refused:?}");
    assert_eq!(ada.points().await, dec("10"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn products_that_points_buy_cost_what_was_quoted() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let cake = |points: i64| [ProductUpdate::new("cake").redeem_points(points)];
    shop.client
        .upsert_products(PROGRAM, &cake(15))
        .await
        .expect("a product");
    let sale = ada
        .sale("5")
        .line(SaleLine::new(5).product("cake"))
        .redeem_product("cake", 1);
    let quote = shop.quotes(&sale).await;
    shop.client
        .upsert_products(PROGRAM, &cake(40))
        .await
        .expect("a product");

    let receipt = ada.records(&sale.with_quote(&quote)).await;

    assert_eq!((quote.points_redeemed, receipt.points_redeemed), (dec("15"), dec("15")));
    assert_eq!(ada.points().await, dec("85"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_a_member_who_was_merged_meanwhile_holds_for_the_other_however_the_sale_names_them() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let stranger = shop.enrols("stranger").await;
    let mut quoted = Vec::new();
    for (place, name) in ["old-by-identifier", "old-by-id", "new"].into_iter().enumerate() {
        let old = shop.enrols(name).await;
        let id = MemberKey::from(&old.member);
        old.buys("10").await;
        let sale = old.sale("100").redeem_points(5);
        let quote = shop.quotes(&sale).await;
        shop.client
            .merge_members(&ada.member, &old.member, "one person")
            .await
            .expect("a merger");
        let member = [old.key.clone(), id, ada.key.clone()][place].clone();
        let of_other = Sale {
            member: stranger.key.clone(),
            ..sale.clone()
        }
        .with_quote(&quote);
        quoted.push((name, of_other, Sale { member, ..sale }.with_quote(&quote)));
    }
    shop.earns(5).await;

    for (name, of_other, sale) in quoted {
        let refused = stranger.tries(&of_other).await;
        let before = ada.points().await;
        let receipt = shop.client.record_sale(&sale).await;
        let receipt = receipt.unwrap_or_else(|error| panic!("{name}: {error}"));

        assert!(
            matches!(refused, Err(Error::QuoteOfOtherMember { .. })),
            "{name}: {refused:?}"
        );
        assert_eq!(receipt.member_id, ada.member.member_id, "{name}");
        assert_eq!(
            (receipt.points_earned, receipt.points_redeemed),
            (dec("99"), dec("5")),
            "{name}"
        );
        assert_eq!(ada.points().await, before + dec("94"), "{name}");
    }
    assert_books_agree(&shop).await;
}
