//! T6: all points of a member lapse who does nothing for long enough, to the second, whether a job writes it down or not.

mod books;
mod coming_back;

use std::time::Duration;

use loyalty_sdk::{
    Activity, Adjustment, DateTime, EarnRate, EntryKind, Error, ExpiryPeriod, ExpiryPolicy, HoldCapture, HoldId,
    InactivityPolicy, NewHold, NewProgram, NewReason, RedemptionPolicy, RedemptionRequest, Utc,
};

use crate::harness::books::assert_books_agree;
use crate::harness::{Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth a euro, that lapses when its member does nothing for 30 days. It is 15 January.
async fn shop_of(change: impl FnOnce(NewProgram) -> NewProgram) -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .inactivity(InactivityPolicy::days(30))
        .redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(change(program), EarnRate::new(1, 1)).await;
    let gift = NewReason::adding("Gift").reason_id("gift");
    shop.client.create_reason(&gift).await.expect("a reason");
    shop
}

async fn shop() -> Shop {
    shop_of(|program| program).await
}

/// Points that can be spent, and when the next ones lapse.
async fn has(member: &ShopMember<'_>) -> (String, Option<DateTime<Utc>>) {
    let balance = member.balance().await;
    (balance.available.to_string(), balance.next_expiry_at)
}

fn points(available: &str, next_expiry_at: Option<&str>) -> (String, Option<DateTime<Utc>>) {
    (available.to_owned(), next_expiry_at.map(instant))
}

impl ShopMember<'_> {
    fn asking(&self) -> RedemptionRequest {
        RedemptionRequest::new("store-1", self.key.clone())
    }

    async fn spends(&self, points: i64) {
        let redeemed = self.shop.client.redeem(&self.asking().redeem_points(points)).await;
        redeemed.unwrap_or_else(|error| panic!("{error}"));
    }

    async fn holds_for(&self, points: i64, days: u64) -> HoldId {
        let hold = NewHold::of(self.asking().redeem_points(points)).time_limit(Duration::from_hours(24 * days));
        let placed = self.shop.client.place_hold(&hold).await;
        placed.unwrap_or_else(|error| panic!("{error}")).hold.hold_id
    }

    async fn is_presented(&self, points: &str) {
        let gift = Adjustment::new(self.key.clone(), "gift", dec(points));
        self.shop.client.adjust_points(&gift).await.expect("a gift");
    }

    /// Kind and points of the newest entries, oldest of them first.
    async fn newest(&self, count: usize) -> Vec<(EntryKind, String)> {
        let mut history = self.history().await;
        history.truncate(count);
        let told = history.iter().rev();
        told.map(|entry| (entry.kind, entry.points.to_string())).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_a_member_who_does_nothing_are_gone_from_one_second_to_the_next() {
    let shop = shop_of(|program| program.time_zone("America/Lima")).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.it_is("2026-02-01T15:00:00Z");
    let receipt = ada.buys("5.00").await;

    // The 30th day after the first of February is the third of March, to its end in Lima.
    let lapse = "2026-03-04T05:00:00Z";
    assert_eq!(receipt.points_expire_at, None, "they have no time of their own");
    assert_eq!(receipt.balance.next_expiry_at, Some(instant(lapse)));
    shop.it_is("2026-03-04T04:59:59.999999Z");
    assert_eq!(has(&ada).await, points("15", Some(lapse)));
    shop.it_is(lapse);
    assert_eq!(has(&ada).await, points("0", None));
    let refused = ada.tries(&ada.sale("1.00").redeem_points(1)).await;
    let (available, requested) = (dec("0"), dec("1"));
    assert_eq!(refused, Err(Error::InsufficientPoints { available, requested }));
    assert_eq!(ada.history().await.len(), 2, "a look writes nothing");
    shop.days_pass(3);

    let back = ada.buys("2.00").await;

    assert_eq!((back.balance_before, back.balance.available), (dec("0"), dec("2")));
    assert_eq!(back.balance.next_expiry_at, Some(instant("2026-04-07T05:00:00Z")));
    let history = ada.history().await;
    assert_eq!((history[1].kind, history[1].points), (EntryKind::Expire, dec("-15")));
    assert_eq!(history[1].occurred_at, instant(lapse));
    assert_eq!(history[1].lots.len(), 2);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_earlier_counts_a_lots_own_time_or_the_members() {
    let shop = shop_of(|program| program.expiry(ExpiryPolicy::days(40))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    assert_eq!(has(&ada).await, points("10", Some("2026-02-15T00:00:00Z")));
    shop.days_pass(20);
    ada.buys("5.00").await;

    assert_eq!(has(&ada).await, points("15", Some("2026-02-25T00:00:00Z")));
    shop.it_is("2026-02-25T00:00:00Z");
    assert_eq!(has(&ada).await, points("5", Some("2026-03-07T00:00:00Z")));
    shop.it_is("2026-03-07T00:00:00Z");
    assert_eq!(has(&ada).await, points("0", None));
    let run = shop.client.run_expiry().await.expect("a run");

    assert_eq!((run.members, run.lots, run.points), (1, 2, dec("15")));
    let lapses = [
        (EntryKind::Expire, "-10".to_owned()),
        (EntryKind::Expire, "-5".to_owned()),
    ];
    assert_eq!(ada.newest(2).await, lapses);
    let history = ada.history().await;
    let instants = [history[1].occurred_at, history[0].occurred_at];
    assert_eq!(instants, ["2026-02-25T00:00:00Z", "2026-03-07T00:00:00Z"].map(instant));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_what_keeps_points() {
    let shop = shop().await;
    let deed = [
        "earns nothing",
        "earns",
        "pays with points",
        "redeems",
        "captures",
        "is given",
        "returns",
    ];
    // With the sale that gave them the points lapse on 15 February; with what is done on 25 January, on the 25th.
    for (activity, keeps) in [
        (None, [false, true, true, true, true, false, false]),
        (
            Some(Activity::EarningAndRedeeming),
            [false, true, true, true, true, false, false],
        ),
        (
            Some(Activity::Earning),
            [false, true, false, false, false, false, false],
        ),
        (Some(Activity::AnySale), [true, true, true, true, true, false, false]),
    ] {
        for (deed, keeps) in deed.into_iter().zip(keeps) {
            shop.it_is("2026-01-15T10:00:00Z");
            let mut policy = InactivityPolicy::days(30);
            policy.activity = activity;
            let program = NewProgram::new("Club", "EUR").inactivity(policy);
            let program = program.redemption(RedemptionPolicy::new(1));
            let ada = shop.member_of(program, EarnRate::new(1, 1)).await;
            let first = ada.sale("50.00");
            ada.records(&first).await;
            let hold = ada.holds_for(1, 7).await;
            shop.days_pass(6);
            shop.it_is("2026-01-22T09:00:00Z");
            match deed {
                "earns nothing" => drop(ada.records(&ada.sale("1.00").do_not_earn()).await),
                "earns" => drop(ada.buys("1.00").await),
                "pays with points" => drop(ada.records(&ada.sale("1.00").do_not_earn().redeem_points(1)).await),
                "redeems" => ada.spends(1).await,
                "captures" => {
                    let capture = HoldCapture::of(&hold, "store-1");
                    shop.client.capture_hold(&capture).await.expect("a redemption");
                }
                "is given" => ada.is_presented("1").await,
                _ => drop(ada.returns_amount(&first, "1.00").await),
            }

            let (_, next) = has(&ada).await;

            let lapse = if keeps {
                "2026-02-22T00:00:00Z"
            } else {
                "2026-02-15T00:00:00Z"
            };
            assert_eq!(next, Some(instant(lapse)), "{activity:?}: {deed}");
        }
    }
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_come_to_a_member_who_has_none_have_all_the_time() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    shop.days_pass(100);

    ada.is_presented("7").await;
    let given = has(&ada).await;
    shop.days_pass(20);
    ada.is_presented("3").await;
    let more = has(&ada).await;
    shop.days_pass(20);
    let lapsed = has(&ada).await;
    ada.is_presented("5").await;

    assert_eq!(given, points("7", Some("2026-05-26T00:00:00Z")));
    assert_eq!(more, points("10", Some("2026-05-26T00:00:00Z")), "a gift keeps nothing");
    assert_eq!(lapsed, points("0", None));
    assert_eq!(has(&ada).await, points("5", Some("2026-07-05T00:00:00Z")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_setting_takes_no_time_from_points_that_are_there() {
    let shop = Shop::with_rule(
        NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1)),
        EarnRate::new(1, 1),
    )
    .await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;

    shop.changes(|club| club.inactivity(Some(InactivityPolicy::days(30))))
        .await;
    assert_eq!(has(&ada).await, points("10", None));
    ada.buys("1.00").await;
    assert_eq!(has(&ada).await, points("11", None), "they came before the setting");
    ada.spends(11).await;
    ada.buys("3.00").await;
    assert_eq!(
        has(&ada).await,
        points("3", Some("2026-02-15T00:00:00Z")),
        "these did not"
    );
    shop.changes(|club| club.inactivity(Some(InactivityPolicy::months(6))))
        .await;
    ada.buys("1.00").await;
    assert_eq!(has(&ada).await, points("4", Some("2026-07-15T00:00:00Z")), "more time");
    shop.changes(|club| club.inactivity(Some(InactivityPolicy::days(1))))
        .await;
    ada.buys("1.00").await;
    assert_eq!(
        has(&ada).await,
        points("5", Some("2026-07-15T00:00:00Z")),
        "no less time"
    );
    shop.changes(|club| club.inactivity(None)).await;
    assert_eq!(has(&ada).await, points("5", Some("2026-07-15T00:00:00Z")));
    ada.buys("1.00").await;

    assert_eq!(has(&ada).await, points("6", None));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_is_no_time_is_refused() {
    let shop = shop().await;
    let mut no_period = InactivityPolicy::days(1);
    no_period.period = ExpiryPeriod::Yearly { month: 12, day: 31 };
    for (policy, field) in [
        (no_period, "program.inactivity"),
        (InactivityPolicy::days(0), "program.inactivity.days"),
        (InactivityPolicy::days(36_601), "program.inactivity.days"),
        (InactivityPolicy::months(1_201), "program.inactivity.months"),
        (
            InactivityPolicy::days(1).activity(Activity::Other(9)),
            "program.inactivity.activity",
        ),
    ] {
        let program = NewProgram::new("Other", "EUR").inactivity(policy);
        let refused = shop.client.create_program(&program).await;

        let refused = refused.expect_err("a refusal");
        assert_eq!(wrong_fields(&refused), [field], "{policy:?}");
    }
}
