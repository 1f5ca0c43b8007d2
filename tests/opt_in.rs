//! Customers become members by their first sale, in the program that is for them; new members get a bonus.

use loyalty_sdk::{
    Customer, EarnRate, EnrolmentPolicy, EntryKind, Error, MemberKey, NewMember, NewProgram, NewRule, ProgramState,
    Receipt, RedemptionPolicy, Sale,
};
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, dec, instant};

/// A program that earns one point per 10 euro, under these terms.
async fn adds(shop: &Shop, program_id: &str, enrolment: EnrolmentPolicy) {
    let program = NewProgram::new(program_id, "EUR")
        .program_id(program_id)
        .enrolment(enrolment);
    shop.client.create_program(&program).await.expect("a program");
    shop.creates(&NewRule::new(program_id, "Default", EarnRate::new(10, 1)))
        .await;
}

async fn shop_with(programs: impl IntoIterator<Item = (&str, EnrolmentPolicy)>) -> Shop {
    let shop = Shop::empty().await;
    for (program_id, enrolment) in programs {
        adds(&shop, program_id, enrolment).await;
    }
    shop
}

fn sale(shop: &Shop, customer_id: &str, total: &str) -> Sale {
    let member = MemberKey::customer_id(customer_id);
    Sale::new(shop.next_sale_id(), "store-1", member, "EUR", dec(total))
}

fn customer(group: &str, territory: &str) -> Customer {
    Customer::new("Ada").customer_group(group).territory(territory)
}

async fn records(shop: &Shop, sale: &Sale) -> Receipt {
    let receipt = shop.client.record_sale(sale).await;
    receipt.unwrap_or_else(|error| panic!("{}: {error}", sale.sale_id))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sale_enrols_its_customer_and_earns_at_once() {
    let shop = shop_with([(PROGRAM, EnrolmentPolicy::auto_opt_in())]).await;
    let first = sale(&shop, "ada", "100").customer(customer("retail/vip", "south/lima"));

    let receipt = records(&shop, &first).await;
    let second = records(&shop, &sale(&shop, "ada", "50")).await;

    assert!(receipt.enrolled);
    assert_eq!(receipt.points_earned, dec("10"));
    assert_eq!((second.enrolled, second.member_id), (false, receipt.member_id.clone()));
    assert_eq!(second.balance.available, dec("15"));
    let member = shop
        .client
        .lookup_member(MemberKey::customer_id("ada"))
        .await
        .expect("a member")
        .0;
    assert_eq!(
        (Some(member.name.as_str()), member.program_id.as_str()),
        (Some("Ada"), PROGRAM)
    );
    assert_eq!(member.customer_group.as_deref(), Some("retail/vip"));
    assert_eq!(member.territory.as_deref(), Some("south/lima"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_is_the_one_for_the_group_and_territory_of_the_customer() {
    let shop = shop_with([
        ("south", EnrolmentPolicy::auto_opt_in().territory("south")),
        (
            "vip",
            EnrolmentPolicy::auto_opt_in()
                .customer_group("retail/vip")
                .territory("north"),
        ),
        ("by-hand", EnrolmentPolicy::default()),
    ])
    .await;
    let program_of = async |customer_id: &str, customer| {
        let sale = sale(&shop, customer_id, "10").customer(customer);
        shop.client
            .record_sale(&sale)
            .await
            .map(|receipt| receipt.program_id.to_string())
    };

    assert_eq!(
        program_of("a", customer("", "south/lima")).await.ok().as_deref(),
        Some("south")
    );
    assert_eq!(
        program_of("b", customer("retail/vip/gold", "north"))
            .await
            .ok()
            .as_deref(),
        Some("vip")
    );
    assert!(matches!(
        program_of("c", customer("retail", "north")).await,
        Err(Error::MemberNotFound { .. })
    ));
    assert!(matches!(
        program_of("d", customer("", "southern")).await,
        Err(Error::MemberNotFound { .. })
    ));
    assert!(matches!(
        program_of("e", Customer::default()).await,
        Err(Error::MemberNotFound { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_programs_the_one_with_the_highest_priority_wins_and_equals_are_named() {
    let shop = shop_with([
        ("low", EnrolmentPolicy::auto_opt_in().priority(1)),
        ("first", EnrolmentPolicy::auto_opt_in().priority(5).territory("north")),
        (
            "second",
            EnrolmentPolicy::auto_opt_in().priority(5).territory("north/city"),
        ),
    ])
    .await;

    let one = records(&shop, &sale(&shop, "a", "10").customer(customer("", "north"))).await;
    let both = sale(&shop, "b", "10").customer(customer("", "north/city"));
    let refused = shop.client.record_sale(&both).await;
    let quoted = shop.client.quote_sale(&both).await;
    let named = records(&shop, &both.clone().program("low")).await;

    assert_eq!(one.program_id.as_str(), "first");
    for refused in [refused, quoted] {
        let Err(Error::AmbiguousOptIn { program_ids }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(
            program_ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
            ["first", "second"]
        );
    }
    assert_eq!((named.program_id.as_str(), named.enrolled), ("low", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_equal_priorities_is_not_remembered() {
    let shop = shop_with([
        ("first", EnrolmentPolicy::auto_opt_in()),
        ("second", EnrolmentPolicy::auto_opt_in()),
    ])
    .await;
    let sale = sale(&shop, "ada", "10");
    let client = shop.client.with_request_id("once");
    let refused = client.record_sale(&sale).await;
    let second = shop.client.get_program("second").await.expect("the program");
    let update = loyalty_sdk::ProgramUpdate::of(&second).enrolment(&EnrolmentPolicy::default());
    shop.client.update_program(&update).await.expect("a change");

    let receipt = client.record_sale(&sale).await.expect("a sale");

    assert!(matches!(refused, Err(Error::AmbiguousOptIn { .. })));
    assert_eq!(receipt.program_id.as_str(), "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_program_that_is_open_in_the_currency_of_the_sale_enrols() {
    let shop = shop_with([(PROGRAM, EnrolmentPolicy::auto_opt_in())]).await;
    let mut dollars = sale(&shop, "a", "10");
    dollars.currency_code = "USD".to_owned();
    let other_currency = shop.client.record_sale(&dollars).await;
    shop.changes(|program| program.valid_from(instant("2026-02-01T00:00:00Z").date_naive().into()))
        .await;
    let too_early = shop.client.record_sale(&sale(&shop, "a", "10")).await;
    shop.changes(|program| program.valid_from(None).state(ProgramState::Paused))
        .await;
    let paused = shop.client.record_sale(&sale(&shop, "a", "10")).await;
    shop.changes(|program| program.state(ProgramState::Active)).await;
    let open = shop.client.record_sale(&sale(&shop, "a", "10")).await;

    for refused in [other_currency, too_early, paused] {
        assert!(matches!(refused, Err(Error::MemberNotFound { .. })), "{refused:?}");
    }
    assert!(open.is_ok_and(|receipt| receipt.enrolled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_another_program_is_not_enrolled_again_unless_the_sale_names_the_program() {
    let shop = shop_with([("old", EnrolmentPolicy::default())]).await;
    let member = NewMember::new("old").customer_id("ada");
    shop.client.enroll_member(&member).await.expect("a member");
    adds(&shop, "new", EnrolmentPolicy::auto_opt_in()).await;

    let unnamed = records(&shop, &sale(&shop, "ada", "10")).await;
    let named = records(&shop, &sale(&shop, "ada", "10").program("new")).await;
    let by_hand = shop.client.record_sale(&sale(&shop, "bob", "10").program("old")).await;

    assert_eq!((unnamed.program_id.as_str(), unnamed.enrolled), ("old", false));
    assert_eq!((named.program_id.as_str(), named.enrolled), ("new", true));
    assert!(matches!(by_hand, Err(Error::MemberNotFound { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_is_refused_enrols_nobody() {
    let shop = Shop::empty().await;
    let program = NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .redemption(RedemptionPolicy::new(1))
        .enrolment(EnrolmentPolicy::auto_opt_in());
    shop.client.create_program(&program).await.expect("a program");

    let refused = shop
        .client
        .record_sale(&sale(&shop, "ada", "10").redeem_points(5))
        .await;
    let found = shop.client.lookup_member(MemberKey::customer_id("ada")).await;

    assert!(matches!(refused, Err(Error::InsufficientPoints { .. })));
    assert!(matches!(found, Err(Error::MemberNotFound { .. })));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_says_what_the_first_sale_would_earn_and_enrols_nobody() {
    let bonus = EnrolmentPolicy::auto_opt_in().sign_up_bonus(5);
    let shop = shop_with([(PROGRAM, bonus)]).await;
    let sale = sale(&shop, "ada", "100");

    let quote = shop.client.quote_sale(&sale).await.expect("a quote");
    let found = shop.client.lookup_member(MemberKey::customer_id("ada")).await;
    let receipt = records(&shop, &sale).await;

    assert!(matches!(found, Err(Error::MemberNotFound { .. })));
    assert!(quote.enrolled && quote.member_id.as_str().is_empty());
    assert_eq!(quote.balance.available, dec("15"));
    assert_eq!(
        (quote.points_earned, quote.balance_before),
        (receipt.points_earned, receipt.balance_before)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_that_meet_a_new_customer_at_once_enrol_it_once() {
    let shop = shop_with([(PROGRAM, EnrolmentPolicy::auto_opt_in().sign_up_bonus(3))]).await;
    let other_server = shop.second_server().await;
    let mut records = JoinSet::new();
    for number in 0..20 {
        let client = if number % 2 == 0 {
            shop.client.clone()
        } else {
            other_server.clone()
        };
        let sale = sale(&shop, "ada", "10");
        records.spawn(async move { client.record_sale(&sale).await.expect("a sale") });
    }

    let receipts = records.join_all().await;

    assert_eq!(receipts.iter().filter(|receipt| receipt.enrolled).count(), 1);
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt.member_id == receipts[0].member_id)
    );
    let balance = shop
        .client
        .get_balance(MemberKey::customer_id("ada"))
        .await
        .expect("a balance");
    assert_eq!(balance.balance.available, dec("23"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sale_comes_again_and_is_answered_as_before() {
    let shop = shop_with([(PROGRAM, EnrolmentPolicy::auto_opt_in())]).await;
    let sale = sale(&shop, "ada", "10").customer(customer("", ""));
    let first = records(&shop, &sale).await;

    let again = records(&shop, &sale).await;

    assert!(again.replayed && again.enrolled);
    assert_eq!(again.member_id, first.member_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_customer_is_not_kept_with_the_sale() {
    let shop = shop_with([(PROGRAM, EnrolmentPolicy::auto_opt_in())]).await;
    let sale = sale(&shop, "ada", "10").customer(Customer::new("Augusta King").territory("london"));
    records(&shop, &sale).await;

    let mut database = shop.database().await;
    let query = "SELECT CONCAT(document, outcome) AS value FROM sale";
    let kept = crate::harness::books::texts(&mut database, query).await;

    assert_eq!(kept.len(), 1);
    assert!(!kept[0].contains("Augusta"), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_member_gets_the_bonus_once_and_it_lapses_as_points_do() {
    let shop = Shop::empty().await;
    let program = NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .expiry(loyalty_sdk::ExpiryPolicy::days(30))
        .enrolment(EnrolmentPolicy::default().sign_up_bonus(50));
    shop.client.create_program(&program).await.expect("a program");

    let ada = shop.enrols("ada").await;
    let at_once = ada.points().await;
    let history = ada.history().await;
    shop.days_pass(31);

    assert_eq!(at_once, dec("50"));
    assert_eq!(history.len(), 1);
    assert_eq!(
        (history[0].kind, history[0].points),
        (EntryKind::SignUpBonus, dec("50"))
    );
    assert_eq!(history[0].lots[0].expires_at, Some(instant("2026-02-15T00:00:00Z")));
    assert_eq!(ada.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_pays_for_the_sale_that_enrols_and_a_paused_program_gives_none() {
    let shop = Shop::empty().await;
    let program = NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .redemption(RedemptionPolicy::new(1))
        .enrolment(EnrolmentPolicy::auto_opt_in().sign_up_bonus(50));
    shop.client.create_program(&program).await.expect("a program");

    let receipt = records(&shop, &sale(&shop, "ada", "60").redeem_points(50)).await;
    shop.changes(|program| program.state(ProgramState::Paused)).await;
    let bob = shop.enrols("bob").await;

    assert_eq!(
        (receipt.points_redeemed, receipt.balance_before),
        (dec("50"), dec("50"))
    );
    assert_eq!(receipt.due.amount, dec("10"));
    assert_eq!(bob.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolment_by_hand_asks_for_group_and_territory_too() {
    let shop = shop_with([(
        PROGRAM,
        EnrolmentPolicy::default().customer_group("staff").territory("south"),
    )])
    .await;
    let enrols = async |customer_id: &str, group: &str, territory: &str| {
        let mut member = NewMember::new(PROGRAM).customer_id(customer_id);
        member.customer_group = Some(group.to_owned());
        member.territory = Some(territory.to_owned());
        shop.client.enroll_member(&member).await
    };

    let inside = enrols("a", "staff/sales", "south").await;
    let group = enrols("b", "retail", "south").await;
    let territory = enrols("c", "staff", "north").await;

    assert!(inside.is_ok());
    assert!(matches!(group, Err(Error::NotEligible { field, .. }) if field == "customer_group"));
    assert!(matches!(territory, Err(Error::NotEligible { field, .. }) if field == "territory"));
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_and_customers_that_cannot_be_right_are_refused_by_field() {
    let shop = shop_with([(PROGRAM, EnrolmentPolicy::auto_opt_in())]).await;
    let creates = async |enrolment: EnrolmentPolicy| {
        let program = NewProgram::new("Other", "EUR").enrolment(enrolment);
        shop.client.create_program(&program).await.err()
    };
    let by_id = records(&shop, &sale(&shop, "ada", "10")).await.member_id;
    let mut known = sale(&shop, "ada", "10").customer(Customer::new("Ada"));
    known.member = MemberKey::from(by_id);

    let cases = [
        (
            "program.enrolment.territories[0]",
            creates(EnrolmentPolicy::default().territory("a//b")).await,
        ),
        (
            "program.enrolment.sign_up_bonus",
            creates(EnrolmentPolicy::default().sign_up_bonus(0)).await,
        ),
        (
            "program.enrolment.sign_up_bonus",
            creates(EnrolmentPolicy::default().sign_up_bonus(dec("0.5"))).await,
        ),
        (
            "program.enrolment.auto_opt_in_priority",
            creates(EnrolmentPolicy::default().priority(1)).await,
        ),
        (
            "program.enrolment.auto_opt_in_priority",
            creates(EnrolmentPolicy::auto_opt_in().priority(1_000_001)).await,
        ),
        ("sale.customer", shop.client.record_sale(&known).await.err()),
        ("sale.customer.territory", {
            let sale = sale(&shop, "x", "10").customer(customer("", "/x"));
            shop.client.record_sale(&sale).await.err()
        }),
    ];

    for (field, error) in cases {
        let named = match &error {
            Some(Error::InvalidFields(fields)) => fields[0].field.as_str(),
            Some(Error::TooManyDecimals { field, .. }) => field,
            other => panic!("{field}: {other:?}"),
        };
        assert_eq!(named, field);
    }
}
