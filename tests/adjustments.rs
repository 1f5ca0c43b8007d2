//! L6, L5: points that are added or removed by hand, for a reason, and what happens where they were spent.

use loyalty_sdk::{
    Adjustment, AdjustmentReceipt, EarnRate, EntryKind, Error, ExpiryPolicy, NewProgram, NewReason, OperationResult,
    RedemptionPolicy, RequestId, Role, ShortfallPolicy, api,
};

use loyalty_server::tenants;

use crate::harness::books::assert_books_agree;
use crate::harness::keys::Keys as _;
use crate::harness::raw::{assert_names, customer, number, request_id};
use crate::harness::{Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth a euro; the reasons `gift` and `mistake`.
async fn shop(change: impl FnOnce(&mut NewProgram)) -> Shop {
    let mut program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    change(&mut program);
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    shop.creates_reason(NewReason::adding("A gift").reason_id("gift")).await;
    shop.creates_reason(NewReason::removing("Booked by mistake").reason_id("mistake"))
        .await;
    shop
}

impl ShopMember<'_> {
    fn adjustment(&self, reason_id: &str, points: &str) -> Adjustment {
        Adjustment::new(self.key.clone(), reason_id, dec(points))
    }

    async fn is_adjusted(&self, reason_id: &str, points: &str) -> AdjustmentReceipt {
        let adjusted = self.tries_adjustment(&self.adjustment(reason_id, points)).await;
        adjusted.unwrap_or_else(|error| panic!("{reason_id} {points}: {error}"))
    }

    async fn tries_adjustment(&self, adjustment: &Adjustment) -> Result<AdjustmentReceipt, Error> {
        self.shop.client.adjust_points(adjustment).await
    }
}

impl Shop {
    async fn creates_reason(&self, reason: NewReason) {
        let created = self.client.create_reason(&reason).await;
        created.unwrap_or_else(|error| panic!("{}: {error}", reason.name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reason_says_whether_points_come_or_go_and_the_entry_says_who_why_and_where() {
    let shop = shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    let office = shop.client.with_actor("maria@office");

    let gift = ada.adjustment("gift", "50").note("a long wait").store("store-9");
    let gift = office
        .adjust_points(&gift.terminal("till-3").cashier("bob"))
        .await
        .expect("a gift");
    let mistake = ada.is_adjusted("mistake", "20").await;

    assert_eq!(
        (gift.points, gift.balance_before, gift.balance.available),
        (dec("50"), dec("0"), dec("50"))
    );
    assert_eq!(
        (mistake.points, mistake.balance_before, mistake.balance.available),
        (dec("-20"), dec("50"), dec("30"))
    );
    let history = ada.history().await;
    let [removed, added] = history.as_slice() else {
        panic!("two entries: {history:?}");
    };
    assert_eq!((added.kind, removed.kind), (EntryKind::Adjust, EntryKind::Adjust));
    assert_eq!((added.balance_after, removed.balance_after), (dec("50"), dec("30")));
    assert_eq!(added.reference.as_deref(), Some(gift.adjustment_id.as_str()));
    assert_eq!(added.actor.as_deref(), Some("maria@office"));
    assert_eq!(added.reason_id.as_ref().map(|id| id.as_str()), Some("gift"));
    assert_eq!(added.note.as_deref(), Some("a long wait"));
    assert_eq!(added.at_store_id.as_deref(), Some("store-9"));
    assert_eq!(
        (added.terminal_id.as_deref(), added.cashier_id.as_deref()),
        (Some("till-3"), Some("bob"))
    );
    assert_eq!(removed.actor.as_deref(), Some("development"));
    assert_eq!((removed.note.as_deref(), removed.at_store_id.as_deref()), (None, None));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_are_added_lapse_as_the_program_says_or_as_the_adjustment_does() {
    let shop = shop(|program| program.expiry = Some(ExpiryPolicy::days(30))).await;
    let ada = shop.enrols("ada").await;
    let own = instant("2026-01-20T12:00:00Z");

    let by_policy = ada.is_adjusted("gift", "50").await;
    let by_hand = ada
        .tries_adjustment(&ada.adjustment("gift", "7").expires_at(own))
        .await
        .expect("a gift");
    shop.it_is("2026-01-20T12:00:00Z");

    assert_eq!(by_policy.points_expire_at, Some(instant("2026-02-15T00:00:00Z")));
    assert_eq!(by_hand.points_expire_at, Some(own));
    assert_eq!(by_hand.balance.next_expiry_at, Some(own));
    assert_eq!(ada.points().await, dec("50"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_of_its_own_lies_ahead_and_belongs_to_points_that_come() {
    let shop = shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    let now = shop.now();

    let past = ada.tries_adjustment(&ada.adjustment("gift", "1").expires_at(now)).await;
    let far = instant("2200-01-01T00:00:00Z");
    let far = ada.tries_adjustment(&ada.adjustment("gift", "1").expires_at(far)).await;
    let soon = instant("2026-02-01T00:00:00Z");
    let removed = ada
        .tries_adjustment(&ada.adjustment("mistake", "1").expires_at(soon))
        .await;

    for outcome in [past, far] {
        let error = outcome.expect_err("out of range");
        assert!(
            matches!(&error, Error::TimeOutOfRange { field, earliest, .. } if field == "expires_at" && *earliest > now),
            "{error}"
        );
    }
    assert_eq!(wrong_fields(&removed.expect_err("refused")), ["expires_at"]);
    assert_eq!(ada.history().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_comes_from_what_lapses_first_and_not_from_what_is_pending() {
    let shop = shop(|program| program.pending_days = 14).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    ada.is_adjusted("gift", "30").await;
    let soon = ada.adjustment("gift", "10").expires_at(instant("2026-03-01T00:00:00Z"));
    ada.tries_adjustment(&soon).await.expect("a gift");

    let removed = ada.is_adjusted("mistake", "35").await;

    assert_eq!(
        (removed.points, removed.balance.available, removed.balance.pending),
        (dec("-35"), dec("5"), dec("100"))
    );
    let history = ada.history().await;
    let taken: Vec<_> = history[0]
        .lots
        .iter()
        .map(|lot| (lot.lot_sequence, lot.points))
        .collect();
    assert_eq!(taken, [(3, dec("-10")), (2, dec("-25"))]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_already_is_owed_and_the_next_points_repay_it() {
    let shop = shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    ada.buys("30").await;

    let removed = ada.is_adjusted("mistake", "50").await;
    let broke = ada.tries(&ada.sale("10").redeem_points(1)).await;
    let repaying = ada.buys("15").await;
    let repaid = ada.is_adjusted("gift", "12").await;

    assert_eq!((removed.points, removed.balance.available), (dec("-50"), dec("-20")));
    assert!(matches!(broke, Err(Error::InsufficientPoints { available, .. }) if available == dec("0")));
    assert_eq!(
        (repaying.points_earned, repaying.balance.available),
        (dec("15"), dec("-5"))
    );
    assert_eq!((repaid.balance_before, repaid.balance.available), (dec("-5"), dec("7")));
    let history = ada.history().await;
    let balances: Vec<_> = history.iter().map(|entry| entry.balance_after).collect();
    assert_eq!(balances, [dec("7"), dec("-5"), dec("-20"), dec("30")]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_clamps_takes_what_is_there_and_one_that_refuses_takes_nothing() {
    let clamping = shop(|program| program.shortfall_policy = ShortfallPolicy::ClampToZero).await;
    let refusing = shop(|program| program.shortfall_policy = ShortfallPolicy::Refuse).await;
    let (ada, bob) = (clamping.enrols("ada").await, refusing.enrols("bob").await);
    ada.buys("30").await;
    bob.buys("30").await;

    let clamped = ada.is_adjusted("mistake", "50").await;
    let nothing = ada.is_adjusted("mistake", "5").await;
    let refused = bob.tries_adjustment(&bob.adjustment("mistake", "50")).await;
    let exactly = bob.is_adjusted("mistake", "30").await;

    assert_eq!((clamped.points, clamped.balance.available), (dec("-30"), dec("0")));
    assert_eq!((nothing.points, nothing.balance.available), (dec("0"), dec("0")));
    assert_eq!(ada.movements().await, [dec("30"), dec("-30"), dec("0")]);
    let short = Error::InsufficientPoints {
        available: dec("30"),
        requested: dec("50"),
    };
    assert_eq!(refused, Err(short));
    assert_eq!((exactly.points, exactly.balance.available), (dec("-30"), dec("0")));
    assert_books_agree(&clamping).await;
    assert_books_agree(&refusing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lapsed_points_are_written_off_before_others_are_removed() {
    let shop = shop(|program| program.expiry = Some(ExpiryPolicy::days(10))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("40").await;
    shop.days_pass(5);
    ada.buys("25").await;
    shop.it_is("2026-01-27T00:00:00Z");

    let removed = ada.is_adjusted("mistake", "30").await;

    assert_eq!(
        (removed.balance_before, removed.balance.available),
        (dec("25"), dec("-5"))
    );
    assert_eq!(ada.movements().await, [dec("40"), dec("25"), dec("-40"), dec("-30")]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_adjustment_leaves_the_books_as_they_were() {
    let shop = shop(|program| {
        program.expiry = Some(ExpiryPolicy::days(10));
        program.shortfall_policy = ShortfallPolicy::Refuse;
    })
    .await;
    let ada = shop.enrols("ada").await;
    ada.buys("40").await;
    shop.days_pass(20);

    let refused = ada.tries_adjustment(&ada.adjustment("mistake", "1")).await;

    assert!(matches!(refused, Err(Error::InsufficientPoints { available, .. }) if available == dec("0")));
    assert_eq!(ada.movements().await, [dec("40")]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_sent_again_is_made_once_and_answered_alike() {
    let shop = shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    let id = RequestId::generate();
    let client = shop.client.with_request_id(&id);
    let adjustment = ada.adjustment("gift", "50");

    let first = client.adjust_points(&adjustment).await.expect("a gift");
    ada.buys("5").await;
    let again = client.adjust_points(&adjustment).await.expect("the same gift");
    let other = client.adjust_points(&ada.adjustment("gift", "51")).await;
    let operation = shop.client.get_operation(&id).await.expect("the operation");

    let replayed = AdjustmentReceipt {
        replayed: true,
        ..first.clone()
    };
    assert!(!first.replayed);
    assert_eq!(again, replayed);
    assert_eq!(other, Err(Error::RequestIdReused { request_id: id }));
    assert_eq!(operation.result, OperationResult::Adjustment(Box::new(replayed)));
    assert_eq!(ada.movements().await, [dec("50"), dec("5")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_remembered_but_not_that_the_reason_was_missing() {
    let shop = shop(|program| program.shortfall_policy = ShortfallPolicy::Refuse).await;
    let ada = shop.enrols("ada").await;
    let short = shop.client.with_request_id(RequestId::generate());
    let missing = shop.client.with_request_id(RequestId::generate());
    let (removing, adding) = (ada.adjustment("mistake", "5"), ada.adjustment("later", "5"));

    let refused = short.adjust_points(&removing).await;
    let unknown = missing.adjust_points(&adding).await;
    ada.buys("10").await;
    shop.creates_reason(NewReason::adding("Later").reason_id("later")).await;
    let still_refused = short.adjust_points(&removing).await;
    let found = missing.adjust_points(&adding).await;

    assert!(matches!(refused, Err(Error::InsufficientPoints { .. })), "{refused:?}");
    assert_eq!(still_refused, refused);
    assert_eq!(
        unknown,
        Err(Error::ReasonNotFound {
            reason_id: "later".into()
        })
    );
    assert_eq!(found.expect("a gift").points, dec("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_limits_what_callers_of_a_role_adjust_at_once() {
    let shop = shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    let reason = NewReason::adding("Goodwill").reason_id("goodwill");
    shop.creates_reason(reason.limit(Role::Terminal, 1).limit(Role::Operator, 100))
        .await;

    let at_the_limit = ada.is_adjusted("goodwill", "100").await;
    let above = ada.tries_adjustment(&ada.adjustment("goodwill", "101")).await;
    let unlimited = ada.is_adjusted("gift", "1000").await;

    assert_eq!(at_the_limit.points, dec("100"));
    assert_eq!(
        above,
        Err(Error::ApprovalLimitExceeded {
            role: "OPERATOR".to_owned(),
            points: dec("101"),
            max_points: dec("100"),
        })
    );
    assert_eq!(unlimited.balance.available, dec("1100"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_adjusts_only_for_reasons_that_say_how_much_and_at_its_own_place() {
    let shop = shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    let reason = NewReason::adding("Goodwill").reason_id("goodwill");
    shop.creates_reason(reason.limit(Role::Terminal, 5)).await;
    let mut tenants = shop.tenants().await;
    let till = tenants.key("default", tenants::Role::Terminal).await;
    let till = shop.client_with(&till).await;
    let office = tenants.key("default", tenants::Role::BackOffice).await;
    let office = shop.client_with(&office).await;

    let unlisted = till.adjust_points(&ada.adjustment("gift", "1")).await;
    let within = till.adjust_points(&ada.adjustment("goodwill", "5")).await;
    let above = till.adjust_points(&ada.adjustment("goodwill", "6")).await;
    let by_office = office.adjust_points(&ada.adjustment("goodwill", "600")).await;

    let limit = |points: &str, max_points: &str| Error::ApprovalLimitExceeded {
        role: "TERMINAL".to_owned(),
        points: dec(points),
        max_points: dec(max_points),
    };
    assert_eq!(unlisted, Err(limit("1", "0")));
    assert_eq!(above, Err(limit("6", "5")));
    assert_eq!(within.expect("an adjustment").points, dec("5"));
    assert_eq!(by_office.expect("an adjustment").points, dec("600"));
    let places: Vec<_> = ada.history().await.into_iter().map(|entry| entry.at_store_id).collect();
    assert_eq!(places, [None, Some("store-1".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn adjustments_need_no_open_program_and_keep_to_its_decimals() {
    let shop = shop(|program| program.decimals = Some(2)).await;
    let ada = shop.enrols("ada").await;
    let etag = shop.program().await.etag;
    shop.client
        .archive_program("club", etag)
        .await
        .expect("an archived program");

    let fine = ada.is_adjusted("gift", "0.25").await;
    let too_fine = ada.tries_adjustment(&ada.adjustment("gift", "0.125")).await;

    assert_eq!(fine.balance.available, dec("0.25"));
    let refusal = Error::TooManyDecimals {
        field: "points".to_owned(),
        decimals: 2,
    };
    assert_eq!(too_fine, Err(refusal));
}

#[tokio::test(flavor = "multi_thread")]
async fn adjustments_do_not_count_as_earned_or_spent() {
    let shop = shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;

    ada.is_adjusted("gift", "50").await;
    ada.is_adjusted("mistake", "20").await;

    let mut database = shop.database().await;
    let lifetime = "SELECT CONCAT_WS(' ', lifetime_earned, lifetime_redeemed, lifetime_expired) AS value FROM account";
    let lifetime = crate::harness::books::texts(&mut database, lifetime).await;
    assert_eq!(lifetime, ["10.0000 0.0000 0.0000"]);
    assert_eq!(ada.balance().await.tier_spend.amount, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_adjustments_name_their_fields_and_write_nothing() {
    let shop = shop(|_| {}).await;
    shop.enrols("ada").await;
    let good = || api::AdjustPointsRequest {
        request_id: request_id(),
        member: customer("ada"),
        reason_id: "gift".to_owned(),
        points: number("5"),
        ..api::AdjustPointsRequest::default()
    };
    type Spoil = fn(&mut api::AdjustPointsRequest);
    let cases: [(&str, Spoil); 13] = [
        ("request_id", |request| request.request_id.clear()),
        ("program_id", |request| request.program_id = "No Slug".to_owned()),
        ("member", |request| request.member = None),
        ("reason_id", |request| request.reason_id.clear()),
        ("reason_id", |request| request.reason_id = "A Gift".to_owned()),
        ("points", |request| request.points = None),
        ("points", |request| request.points = number("0")),
        ("points", |request| request.points = number("-5")),
        ("points", |request| request.points = number("1000000001")),
        ("points", |request| request.points = number("0.00001")),
        ("note", |request| request.note = "x".repeat(201)),
        ("expires_at", |request| {
            request.expires_at = Some(prost_types::Timestamp { seconds: 0, nanos: -1 });
        }),
        ("store_id", |request| request.store_id = "x".repeat(65)),
    ];
    let before = shop.rows().await;

    for (field, spoil) in cases {
        let mut request = good();
        spoil(&mut request);
        let outcome = shop.client.raw_ledger().adjust_points(request).await.err();

        assert_names(field, &outcome, field, "INVALID_FIELD");
    }

    assert_eq!(shop.rows().await, before);
}
