//! E16: members get a bonus for their birthday, once, whichever server looks and however often.

use std::time::Duration;

use chrono::NaiveDate;
use loyalty_sdk::{
    BirthdayBonus, EarnRate, EntryKind, Error, ExpiryPolicy, MemberUpdate, NewMember, NewProgram, ProgramState,
    RedemptionPolicy,
};
use loyalty_server::serve::ServeOptions;
use tokio::task::JoinSet;

use crate::harness::books::{assert_books_agree, count, counters};
use crate::harness::{PROGRAM, Shop, ShopMember, day, dec, instant, wrong_fields};

/// Longer than anything takes here; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that looks for scheduled work all the time.
fn scheduled(options: ServeOptions) -> ServeOptions {
    ServeOptions {
        schedule: Some(Duration::from_millis(10)),
        ..options
    }
}

/// Ten points for a birthday. It is ten o'clock on 15 January.
async fn shop_of(change: impl FnOnce(NewProgram) -> NewProgram) -> Shop {
    let shop = Shop::serving(scheduled).await;
    let program = NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .expiry(ExpiryPolicy::days(30))
        .birthday_bonus(BirthdayBonus::points(10))
        .redemption(RedemptionPolicy::new(1));
    shop.client.create_program(&change(program)).await.expect("a program");
    let rule = loyalty_sdk::NewRule::new(PROGRAM, "Default", EarnRate::new(1, 1));
    shop.creates(&rule).await;
    shop
}

async fn shop() -> Shop {
    shop_of(|program| program).await
}

impl Shop {
    async fn enrols_born(&self, customer_id: &str, born: &str) -> ShopMember<'_> {
        let member = NewMember::new(PROGRAM).customer_id(customer_id).birth_date(day(born));
        let member = self.client.enroll_member(&member).await.expect("a member");
        ShopMember::new(self, loyalty_sdk::MemberKey::customer_id(customer_id), member)
    }

    /// It becomes `text`, and the servers have looked for birthdays.
    async fn it_becomes(&self, text: &str) {
        self.it_is(text);
        self.looks().await;
    }

    /// Waits until the time to look has been moved on.
    async fn looks(&self) {
        let now = self.now().naive_utc();
        let waiting = format!("SELECT COUNT(*) AS n FROM program WHERE birthdays_due_at <= '{now}'");
        let mut database = self.database().await;
        let started = std::time::Instant::now();
        while count(&mut database, &waiting).await > 0 {
            assert!(started.elapsed() < PATIENCE, "nobody looks");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn bonuses(member: &ShopMember<'_>) -> usize {
    let history = member.history().await;
    history
        .iter()
        .filter(|entry| entry.kind == EntryKind::BirthdayBonus)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birthday_brings_points_from_its_first_second_in_the_programs_zone() {
    let shop = shop_of(|program| program.time_zone("America/Lima")).await;
    let ada = shop.enrols_born("ada", "1990-03-10").await;
    let bob = shop.enrols_born("bob", "1990-03-11").await;

    shop.it_becomes("2026-03-10T04:59:59Z").await;
    let before = ada.points().await;
    shop.it_becomes("2026-03-10T06:00:00Z").await;

    assert_eq!(before, dec("0"));
    assert_eq!((ada.points().await, bob.points().await), (dec("10"), dec("0")));
    let entry = &ada.history().await[0];
    assert_eq!((entry.kind, entry.points), (EntryKind::BirthdayBonus, dec("10")));
    assert_eq!(entry.occurred_at, instant("2026-03-10T05:00:00Z"));
    // Through the 30th day after the tenth, as all points.
    assert_eq!(entry.lots[0].expires_at, Some(instant("2026-04-10T05:00:00Z")));
    assert_eq!(ada.balance().await.next_expiry_at, entry.lots[0].expires_at);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_comes_once_however_often_it_is_looked_and_again_a_year_later() {
    let shop = shop().await;
    let ada = shop.enrols_born("ada", "1990-03-10").await;

    for text in [
        "2026-03-10T00:00:00Z",
        "2026-03-10T12:00:00Z",
        "2026-03-11T12:00:00Z",
        "2026-03-16T12:00:00Z",
    ] {
        shop.it_becomes(text).await;
        assert_eq!(bonuses(&ada).await, 1, "{text}");
    }
    shop.it_becomes("2027-03-09T23:59:59Z").await;
    assert_eq!(bonuses(&ada).await, 1);
    shop.it_becomes("2027-03-10T01:00:00Z").await;

    assert_eq!(bonuses(&ada).await, 2);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_born_on_the_29th_of_february_has_it_on_the_28th_in_other_years() {
    let shop = shop().await;
    let leapling = shop.enrols_born("leapling", "2000-02-29").await;
    let other = shop.enrols_born("other", "2000-02-28").await;

    shop.it_becomes("2027-02-28T10:00:00Z").await;
    let common_year = (bonuses(&leapling).await, bonuses(&other).await);
    shop.it_becomes("2028-02-28T10:00:00Z").await;
    let leap_year = (bonuses(&leapling).await, bonuses(&other).await);
    shop.it_becomes("2028-02-29T10:00:00Z").await;

    assert_eq!((common_year, leap_year), ((1, 1), (1, 2)));
    assert_eq!((bonuses(&leapling).await, bonuses(&other).await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_date_that_is_changed_brings_no_second_bonus() {
    let shop = shop().await;
    let mut ada = shop.enrols_born("ada", "1990-03-10").await;
    shop.it_becomes("2026-03-10T10:00:00Z").await;
    let born = async |member: &mut ShopMember<'_>, born: &str| {
        let update = MemberUpdate::of(&member.member).birth_date(Some(day(born)));
        member.member = shop.client.update_member(&update).await.expect("a member");
    };

    born(&mut ada, "1990-05-20").await;
    shop.it_becomes("2026-05-20T10:00:00Z").await;
    born(&mut ada, "1990-12-31").await;
    shop.it_becomes("2026-12-31T10:00:00Z").await;
    let in_the_year = bonuses(&ada).await;
    born(&mut ada, "1990-01-04").await;
    shop.it_becomes("2027-01-04T10:00:00Z").await;

    assert_eq!(in_the_year, 1);
    assert_eq!(bonuses(&ada).await, 2, "300 days after the last one");
    born(&mut ada, "1990-06-01").await;
    shop.it_becomes("2027-06-01T10:00:00Z").await;
    assert_eq!(bonuses(&ada).await, 2);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_part_gets_nothing_and_who_is_blocked_does() {
    let shop = shop().await;
    let mut members = Vec::new();
    for name in ["plain", "out", "blocked", "erased", "merged", "into"] {
        members.push(shop.enrols_born(name, "1990-03-10").await);
    }
    let [plain, out, blocked, erased, merged, into] = &members[..] else {
        panic!("six members")
    };
    shop.client.opt_out_member(&out.member, "").await.expect("opted out");
    shop.client
        .block_member(&blocked.member, "stolen card")
        .await
        .expect("blocked");
    shop.client.erase_member(&erased.member).await.expect("erased");
    shop.client
        .merge_members(&into.member, &merged.member, "")
        .await
        .expect("merged");

    shop.it_becomes("2026-03-10T10:00:00Z").await;

    let mut given = Vec::new();
    for member in [plain, out, blocked, into] {
        given.push(bonuses(member).await);
    }
    assert_eq!(given, [1, 0, 1, 1]);
    let all = "SELECT COUNT(*) AS n FROM entry WHERE kind = 8";
    assert_eq!(count(&mut shop.database().await, all).await, 3);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_are_merged_after_one_had_the_bonus_nobody_gets_it_again() {
    let shop = shop().await;
    let [had, ada] = [
        shop.enrols_born("had", "1990-03-10").await,
        shop.enrols_born("ada", "1990-03-12").await,
    ];
    shop.it_becomes("2026-03-10T10:00:00Z").await;
    shop.client
        .merge_members(&ada.member, &had.member, "")
        .await
        .expect("merged");

    shop.it_becomes("2026-03-12T10:00:00Z").await;

    assert_eq!((bonuses(&ada).await, ada.points().await), (0, dec("10")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_up_to_six_days_late_with_the_time_of_the_day_itself() {
    let shop = shop_of(|program| program.state(ProgramState::Paused)).await;
    let [ada, bob] = [
        shop.enrols_born("ada", "1990-03-10").await,
        shop.enrols_born("bob", "1990-03-09").await,
    ];
    shop.it_becomes("2026-03-10T10:00:00Z").await;
    assert_eq!(bonuses(&ada).await, 0, "the program is paused");

    shop.it_is("2026-03-16T10:00:00Z");
    shop.changes(|club| club.state(ProgramState::Active)).await;
    shop.looks().await;
    let late = shop.enrols_born("late", "1980-03-14").await;
    shop.it_becomes("2026-03-16T11:00:00Z").await;

    assert_eq!((bonuses(&ada).await, bonuses(&bob).await), (1, 0));
    assert_eq!(
        ada.balance().await.next_expiry_at,
        Some(instant("2026-04-10T00:00:00Z"))
    );
    assert_eq!(bonuses(&late).await, 1, "who comes within these days");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bonus_has_an_expiry_of_its_own_where_the_program_says_so_and_repays_what_is_owed() {
    let shop = shop_of(|mut program| {
        program.birthday_bonus = Some(BirthdayBonus::points(10).expiry(ExpiryPolicy::days(5)));
        program
    })
    .await;
    let ada = shop.enrols_born("ada", "1990-01-20").await;
    let sale = ada.sale("4.00");
    ada.records(&sale).await;
    ada.records(&ada.sale("4.00").do_not_earn().redeem_points(4)).await;
    ada.cancels(&sale).await;

    shop.it_becomes("2026-01-20T10:00:00Z").await;

    assert_eq!(ada.points().await, dec("6"));
    assert_eq!(
        ada.balance().await.next_expiry_at,
        Some(instant("2026-01-26T00:00:00Z"))
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_servers_and_a_crowd_make_one_bonus_each() {
    let shop = shop().await;
    for _ in 0..2 {
        shop.another_server(scheduled).await;
    }
    let mut enrolments = JoinSet::new();
    for number in 0..700_u32 {
        let client = shop.client.clone();
        let born = NaiveDate::from_yo_opt(1990, 60 + number % 7).expect("a day");
        let member = NewMember::new(PROGRAM)
            .customer_id(format!("customer-{number}"))
            .birth_date(born);
        enrolments.spawn(async move { client.enroll_member(&member).await });
    }
    for enrolled in enrolments.join_all().await {
        enrolled.expect("a member");
    }

    // The 66th day of the year, and the six before it.
    shop.it_becomes("2026-03-07T10:00:00Z").await;
    shop.it_becomes("2026-03-07T12:00:00Z").await;

    let mut database = shop.database().await;
    let all = "SELECT COUNT(*) AS n FROM entry WHERE kind = 8";
    assert_eq!(count(&mut database, all).await, 700);
    let members = "SELECT COUNT(*) AS n FROM account WHERE points = 10";
    assert_eq!(count(&mut database, members).await, 700);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_reads_the_members_of_a_birthday_and_no_others() {
    let shop = Shop::empty().await;
    let program = NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .birthday_bonus(BirthdayBonus::points(10));
    shop.client.create_program(&program).await.expect("a program");
    for number in 0..60_u32 {
        let born = NaiveDate::from_yo_opt(1990, 1 + number).expect("a day");
        let member = NewMember::new(PROGRAM)
            .customer_id(format!("customer-{number}"))
            .birth_date(born);
        shop.client.enroll_member(&member).await.expect("a member");
    }

    let look = include_str!("../server/src/storage/born_members.sql");
    let values = ["1", "'club'", "215", "x''", "'2025-01-01'", "100"];
    let look = values
        .iter()
        .fold(look.to_owned(), |text, value| text.replacen('?', value, 1));
    let read = counters(&mut shop.database().await, &look).await;

    let rows: u64 = read
        .iter()
        .filter(|(name, _)| name.starts_with("Handler_read"))
        .map(|(_, count)| count)
        .sum();
    assert!(rows <= 5, "{read:?}");
    assert_eq!(read["Sort_rows"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_that_is_none_is_refused() {
    let shop = Shop::empty().await;
    for (bonus, field) in [
        (BirthdayBonus::points(0), "program.birthday_bonus.points"),
        (
            BirthdayBonus::points(1).expiry(ExpiryPolicy::days(0)),
            "program.birthday_bonus.expiry.days",
        ),
    ] {
        let program = NewProgram::new("Club", "EUR").birthday_bonus(bonus);
        let refused = shop.client.create_program(&program).await;

        assert_eq!(wrong_fields(&refused.expect_err("a refusal")), [field], "{bonus:?}");
    }
    let half = BirthdayBonus::points(dec("0.5"));
    let program = NewProgram::new("Club", "EUR").birthday_bonus(half);
    let refused = shop.client.create_program(&program).await;
    let (field, decimals) = ("program.birthday_bonus.points".to_owned(), 0);
    assert_eq!(refused.err(), Some(Error::TooManyDecimals { field, decimals }));
}
