//! Redemptions without a sale: the same entries and allocations, found and listed by themselves.

use loyalty_sdk::{
    EarnRate, EntryKind, Error, HoldCapture, HoldState, Money, NewHold, NewMember, NewProgram, NewReward,
    OperationResult, PageRequest, ProductUpdate, ProgramState, Redemption, RedemptionFilter, RedemptionPlace,
    RedemptionPolicy, RedemptionReceipt, RedemptionRequest,
};

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth ten cents; a coffee for 15 points and a key of five euro for 40.
async fn shop() -> Shop {
    let policy = RedemptionPolicy::new(dec("0.10")).max_points_per_sale(500);
    let program = NewProgram::new("Club", "EUR").redemption(policy);
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let coffee = ProductUpdate::new("coffee").redeem_points(15);
    shop.client
        .upsert_products(PROGRAM, &[coffee])
        .await
        .expect("a product");
    let key = NewReward::money_off(PROGRAM, "Five off", 40, 5).reward_id("five-off");
    shop.client.create_reward(&key).await.expect("a reward");
    shop
}

async fn ada<'a>(shop: &'a Shop, points: &str) -> ShopMember<'a> {
    let ada = shop.enrols("ada").await;
    ada.buys(points).await;
    ada
}

fn request(member: &ShopMember<'_>) -> RedemptionRequest {
    RedemptionRequest::new("store-1", member.key.clone())
}

async fn redeems(shop: &Shop, request: RedemptionRequest) -> RedemptionReceipt {
    let redeemed = shop.client.redeem(&request).await;
    redeemed.unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_redeemed_without_a_sale_by_all_ways_at_once() {
    let shop = shop().await;
    shop.changes(|club| club.expense_account("6800").cost_center("cc-1"))
        .await;
    let ada = ada(&shop, "300").await;
    let place = RedemptionPlace::store("store-2")
        .terminal("till-1")
        .cashier("eva")
        .document_number("V-17");
    let asked = RedemptionRequest::new(place.clone(), ada.key.clone())
        .redeem_product("coffee", 2)
        .redeem_reward("five-off", 1)
        .redeem_points(20)
        .redemption(Redemption::amount(3).cost_center("cc-9"));

    let receipt = redeems(&shop, asked).await;

    let redemption = &receipt.redemption;
    let tenders: Vec<_> = redemption.tenders.iter().map(|t| (t.points, t.amount.amount)).collect();
    let expected = [("30", "0"), ("40", "5"), ("20", "2"), ("30", "3")];
    assert_eq!(tenders, expected.map(|(points, amount)| (dec(points), dec(amount))));
    assert_eq!(
        (redemption.points, redemption.amount.clone()),
        (dec("120"), Money::new("EUR", dec("10.00")))
    );
    assert_eq!(redemption.place, place);
    assert_eq!(
        (receipt.balance_before, receipt.balance.available),
        (dec("300"), dec("180"))
    );
    let entries = ada.history().await;
    let told: Vec<_> = entries.iter().take(4).map(|entry| (entry.kind, entry.points)).collect();
    let expected = ["-30", "-20", "-40", "-30"].map(|points| (EntryKind::Redeem, dec(points)));
    assert_eq!(told, expected);
    let newest = &entries[0];
    assert_eq!(newest.reference.as_deref(), Some(redemption.redemption_id.as_str()));
    assert_eq!(
        (newest.expense_account.as_deref(), newest.cost_center.as_deref()),
        (Some("6800"), Some("cc-9"))
    );
    let at = (
        newest.at_store_id.as_deref(),
        newest.terminal_id.as_deref(),
        newest.cashier_id.as_deref(),
    );
    assert_eq!(at, (Some("store-2"), Some("till-1"), Some("eva")));
    assert_eq!(newest.sale_id, None);
    let found = shop.client.get_redemption(&redemption.redemption_id).await;
    assert_eq!(found.as_ref(), Ok(redemption));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_paid_bounds_a_redemption_where_it_is_said() {
    let shop = shop().await;
    let ada = ada(&shop, "1000").await;
    let eur = |amount: &str| Money::new("EUR", dec(amount));

    let too_much = request(&ada).total(eur("10")).due(eur("4")).redeem_points(41);
    let too_much = shop.client.redeem(&too_much).await;
    let clamped = Redemption::points(100).clamped();
    let clamped = request(&ada).total(eur("10")).due(eur("4")).redemption(clamped);
    let clamped = redeems(&shop, clamped).await;
    let unbounded = redeems(&shop, request(&ada).redeem_points(500)).await;
    let beyond = shop.client.redeem(&request(&ada).redeem_points(501)).await;
    let dollars = request(&ada).total(Money::new("USD", 5)).redeem_points(1);
    let dollars = shop.client.redeem(&dollars).await;

    let (amount, due) = (dec("4.1"), dec("4"));
    assert_eq!(too_much.err(), Some(Error::ExceedsDue { amount, due }));
    assert_eq!(
        (clamped.redemption.points, clamped.redemption.amount.amount),
        (dec("40"), dec("4"))
    );
    assert_eq!(unbounded.redemption.amount.amount, dec("50"));
    let (points, max_points) = (dec("501"), dec("500"));
    assert_eq!(beyond.err(), Some(Error::ExceedsMaximumPoints { points, max_points }));
    assert!(matches!(dollars, Err(Error::CurrencyMismatch { .. })), "{dollars:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_that_cannot_be_is_refused_and_writes_nothing() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;

    let nothing = shop.client.redeem(&request(&ada)).await.expect_err("nothing asked");
    let no_store = RedemptionRequest::new("", ada.key.clone()).redeem_points(1);
    let no_store = shop.client.redeem(&no_store).await.expect_err("nowhere");
    let insufficient = shop
        .client
        .redeem(&request(&ada).redeem_points(70).redeem_points(40))
        .await;
    let eve = shop.enrols("eve").await;
    let all_of_nothing = request(&eve).redemption(Redemption::points(10).clamped());
    let all_of_nothing = shop.client.redeem(&all_of_nothing).await;
    shop.changes(|club| club.state(ProgramState::Paused)).await;
    let paused = shop.client.redeem(&request(&ada).redeem_points(1)).await;

    assert_eq!(wrong_fields(&nothing), ["redemptions"]);
    assert_eq!(wrong_fields(&no_store), ["store_id"]);
    let (available, requested) = (dec("30"), dec("40"));
    assert_eq!(
        insufficient.err(),
        Some(Error::InsufficientPoints { available, requested })
    );
    assert!(
        matches!(all_of_nothing, Err(Error::NothingToRedeem { .. })),
        "{all_of_nothing:?}"
    );
    assert!(matches!(paused, Err(Error::RedemptionClosed { .. })), "{paused:?}");
    assert_eq!(ada.movements().await, [dec("100")]);
    let rows = shop.rows().await;
    assert_eq!((rows["redemption"], rows["hold"]), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_redemption_takes_its_points_once_and_its_outcome_can_be_asked() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let client = shop.client.with_request_id("redeem-1");

    let first = client
        .redeem(&request(&ada).redeem_points(30))
        .await
        .expect("a redemption");
    let again = client.redeem(&request(&ada).redeem_points(30)).await.expect("the same");
    let other = client.redeem(&request(&ada).redeem_points(31)).await;
    let operation = shop.client.get_operation("redeem-1").await.expect("an operation");

    assert_eq!(
        (again.replayed, &again.redemption, &again.balance),
        (true, &first.redemption, &first.balance)
    );
    assert!(matches!(other, Err(Error::RequestIdReused { .. })), "{other:?}");
    assert_eq!(
        operation.result,
        OperationResult::Redemption(Box::new(first.redemption))
    );
    assert_eq!(ada.movements().await, ["100", "-30"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn redemptions_and_holds_are_listed_newest_first_by_member_store_and_time() {
    let shop = shop().await;
    let ada = ada(&shop, "300").await;
    let eve = shop.enrols("eve").await;
    eve.buys("300").await;
    for (number, (member, store)) in [(&ada, "north"), (&eve, "north"), (&ada, "south"), (&ada, "north")]
        .into_iter()
        .enumerate()
    {
        let points = i64::try_from(number).expect("a number") + 1;
        let asked = RedemptionRequest::new(store, member.key.clone()).redeem_points(points);
        redeems(&shop, asked.clone()).await;
        let placed = shop.client.place_hold(&NewHold::of(asked)).await.expect("a hold");
        assert_eq!(placed.hold.state, HoldState::Live);
        shop.days_pass(1);
    }
    let all = RedemptionFilter::all;

    let cases = [
        (all(), vec!["4", "3", "2", "1"]),
        (all().member(ada.key.clone()), vec!["4", "3", "1"]),
        (all().store("north"), vec!["4", "2", "1"]),
        (all().member(ada.key.clone()).store("south"), vec!["3"]),
        (
            all()
                .from(instant("2026-01-16T10:00:00Z"))
                .until(instant("2026-01-18T10:00:00Z")),
            vec!["3", "2"],
        ),
        (all().store("west"), vec![]),
    ];
    for (filter, expected) in cases {
        let (mut redeemed, mut held) = (Vec::new(), Vec::new());
        let mut next = Some(PageRequest::of(2));
        while let Some(page) = next {
            let page = shop.client.list_redemptions(&filter, &page).await.expect("a page");
            redeemed.extend(page.items.iter().map(|redemption| redemption.points.to_string()));
            next = page.next;
        }
        let mut next = Some(PageRequest::of(2));
        while let Some(page) = next {
            let page = shop.client.list_holds(&filter, &page).await.expect("a page");
            held.extend(page.items.iter().map(|hold| (hold.points.to_string(), hold.state)));
            next = page.next;
        }
        assert_eq!(redeemed, expected, "{filter:?}");
        let lapsed = expected.iter().map(|points| ((*points).to_owned(), HoldState::Lapsed));
        assert_eq!(held, lapsed.collect::<Vec<_>>(), "{filter:?}");
    }
    let page = PageRequest {
        page_size: 1,
        page_token: "6120".to_owned(),
    };
    let error = shop.client.list_holds(&all(), &page).await.expect_err("no token");
    assert_eq!(wrong_fields(&error), ["page_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_several_programs_says_which() {
    let shop = shop().await;
    ada(&shop, "100").await;
    shop.client
        .create_program(&NewProgram::new("Vip", "EUR").program_id("vip"))
        .await
        .expect("a program");
    let again = NewMember::new("vip").customer_id("ada");
    shop.client.enroll_member(&again).await.expect("a member");
    let ada = || loyalty_sdk::MemberKey::customer_id("ada");

    let ambiguous = RedemptionRequest::new("store-1", ada()).redeem_points(10);
    let ambiguous = shop.client.redeem(&ambiguous).await;
    let said = RedemptionRequest::new("store-1", ada().in_program(PROGRAM)).redeem_points(10);
    let said = redeems(&shop, said).await;
    let hold = NewHold::of(RedemptionRequest::new("store-1", ada().in_program(PROGRAM)).redeem_points(10));
    let hold = shop.client.place_hold(&hold).await.expect("a hold").hold;
    // The hold says which program is meant.
    let captured = HoldCapture::of(&hold.hold_id, "store-1").member(ada());
    let captured = shop.client.capture_hold(&captured).await;

    assert!(matches!(ambiguous, Err(Error::AmbiguousMember { .. })), "{ambiguous:?}");
    assert_eq!(said.redemption.program_id, PROGRAM);
    assert_eq!(captured.expect("a capture").redemption.points, dec("10"));
}
