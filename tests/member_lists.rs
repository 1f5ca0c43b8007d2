//! T5: the members of a program in pages, with what they have.

use std::collections::BTreeSet;

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::{
    Balance, EarnRate, Error, ExpiryPolicy, Member, MemberFilter, NewMember, NewProgram, PageRequest, Tier,
    TierSpendWindow,
};
use tokio::task::JoinSet;

use crate::harness::books::counters;
use crate::harness::{PROGRAM, Shop, dec, wrong_fields};

/// All that a list has, in pages of `size`, and how many pages that took.
async fn all(shop: &Shop, filter: &MemberFilter, size: u32) -> (Vec<(Member, Balance)>, usize) {
    let (mut members, mut pages) = (Vec::new(), 0);
    let mut next = Some(PageRequest::of(size));
    while let Some(request) = next {
        let page = shop.client.list_members(filter, &request).await.expect("a page");
        assert!(page.items.len() <= size as usize);
        members.extend(page.items);
        next = page.next;
        pages += 1;
    }
    (members, pages)
}

fn customers(members: &[(Member, Balance)]) -> BTreeSet<String> {
    let customer = |member: &Member| match &member.identifiers[0] {
        loyalty_sdk::Identifier::CustomerId(id) => id.clone(),
        other => panic!("{other:?}"),
    };
    members.iter().map(|(member, _)| customer(member)).collect()
}

/// Enrols many at once.
async fn crowd(shop: &Shop, size: usize) {
    let mut enrolments = JoinSet::new();
    for number in 0..size {
        let (client, new) = (
            shop.client.clone(),
            NewMember::new(PROGRAM).customer_id(format!("crowd-{number}")),
        );
        enrolments.spawn(async move { client.enroll_member(&new).await.expect("a member") });
    }
    enrolments.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_member_of_the_program_once_in_order_of_their_ids() {
    let shop = Shop::earning("1", "1").await;
    let other = NewProgram::new("Other", "EUR").program_id("other");
    shop.client.create_program(&other).await.expect("a program");
    let elsewhere = NewMember::new("other").customer_id("elsewhere");
    shop.client.enroll_member(&elsewhere).await.expect("a member");
    crowd(&shop, 23).await;
    let filter = MemberFilter::of(PROGRAM);

    let (whole, _) = all(&shop, &filter, 1_000).await;
    for size in [1, 5, 22, 23, 24] {
        let (paged, pages) = all(&shop, &filter, size).await;
        assert_eq!(paged, whole, "in pages of {size}");
        assert_eq!(pages, 23_usize.div_ceil(size as usize), "in pages of {size}");
    }

    assert_eq!(whole.len(), 23);
    assert!(whole.is_sorted_by_key(|(member, _)| member.member_id.clone()));
    let (first, _) = shop.client.get_member(&whole[0].0).await.expect("the member");
    assert_eq!(first, whole[0].0);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_enrolled_between_two_pages_shift_nothing() {
    let shop = Shop::earning("1", "1").await;
    crowd(&shop, 10).await;
    let filter = MemberFilter::of(PROGRAM);
    let (before, _) = all(&shop, &filter, 100).await;

    let first = shop
        .client
        .list_members(&filter, &PageRequest::of(4))
        .await
        .expect("a page");
    for number in 0..10 {
        shop.enrols(&format!("late-{number}")).await;
    }
    let mut seen = first.items;
    let mut next = first.next;
    while let Some(request) = next {
        let page = shop.client.list_members(&filter, &request).await.expect("a page");
        seen.extend(page.items);
        next = page.next;
    }

    let seen: Vec<_> = seen.into_iter().map(|(member, _)| member.member_id).collect();
    let unique: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(unique.len(), seen.len(), "nobody twice");
    assert!(before.iter().all(|(member, _)| unique.contains(&member.member_id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_chosen_by_tier_group_and_territory() {
    let club = NewProgram::new("Club", "EUR")
        .tier(Tier::new("silver", "Silver", 100))
        .tier(Tier::new("gold", "Gold", 500));
    let shop = Shop::with_rule(club, EarnRate::new(1, 1)).await;
    let people = [
        ("ada", "retail/vip", "south/lima", "600"),
        ("ben", "retail", "south", "600"),
        ("cleo", "retail/vip/black", "southern", "200"),
        ("dora", "", "south/lima", "50"),
    ];
    for (customer, group, territory, spend) in people {
        let new = NewMember::new(PROGRAM)
            .customer_id(customer)
            .customer_group(group)
            .territory(territory);
        let member = shop.client.enroll_member(&new).await.expect("a member");
        let sale = loyalty_sdk::Sale::new(customer, "store-1", &member, "EUR", dec(spend));
        shop.client.record_sale(&sale).await.expect("a receipt");
    }
    let of_all = || MemberFilter::of(PROGRAM);
    let cases = [
        (of_all(), "ada ben cleo dora"),
        (of_all().tier("gold"), "ada ben"),
        (of_all().tier("silver"), "cleo"),
        (of_all().tier("bronze"), ""),
        (of_all().customer_group("retail"), "ada ben cleo"),
        (of_all().customer_group("retail/vip"), "ada cleo"),
        (of_all().territory("south"), "ada ben dora"),
        (of_all().territory("south/lima").customer_group("retail"), "ada"),
        (
            of_all().territory("south").tier("gold").customer_group("retail/vip"),
            "ada",
        ),
    ];

    for (filter, expected) in cases {
        let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
        for size in [1, 2, 50] {
            let (members, _) = all(&shop, &filter, size).await;
            assert_eq!(customers(&members), expected, "{filter:?}");
            assert_eq!(members.len(), expected.len(), "nobody twice: {filter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_tells_the_balances_and_tiers_of_the_moment() {
    let club = NewProgram {
        tier_spend_window: Some(TierSpendWindow::rolling_days(30).downgrade_after(0)),
        ..NewProgram::new("Club", "EUR")
            .expiry(ExpiryPolicy::days(60))
            .tier(Tier::new("bronze", "Bronze", 0))
            .tier(Tier::new("silver", "Silver", 100))
    };
    let shop = Shop::with_rule(club, EarnRate::new(1, 1)).await;
    for customer in ["ada", "ben"] {
        let member = shop.enrols(customer).await;
        for _ in 0..3 {
            member.buys("100").await;
            shop.days_pass(25);
        }
    }

    let (listed, _) = all(&shop, &MemberFilter::of(PROGRAM), 50).await;
    let (silver, _) = all(&shop, &MemberFilter::of(PROGRAM).tier("silver"), 50).await;

    assert_eq!(customers(&silver), BTreeSet::from(["ben".to_owned()]));
    let mut available = BTreeSet::new();
    for (member, balance) in listed {
        let (record, of_record) = shop.client.get_member(&member).await.expect("the member");
        assert_eq!((&member, &balance), (&record, &of_record));
        available.insert(balance.available);
    }
    assert_eq!(
        available,
        BTreeSet::from([dec("0"), dec("200")]),
        "lapsed points do not count"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_is_refused() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let list = async |filter: MemberFilter, size: u32, token: &str| {
        let page = PageRequest {
            page_size: size,
            page_token: token.to_owned(),
        };
        shop.client.list_members(&filter, &page).await
    };
    let club = || MemberFilter::of(PROGRAM);

    let unknown = list(MemberFilter::of("nowhere"), 1, "").await;
    let cases = [
        ("page_size", list(club(), 1_001, "").await),
        ("page_token", list(club(), 1, "next").await),
        ("page_token", list(club(), 1, "636c7562").await),
        ("program_id", list(MemberFilter::of(""), 1, "").await),
        ("customer_group", list(club().customer_group("a//b"), 1, "").await),
        ("territory", list(club().territory("/"), 1, "").await),
        ("tier_id", list(club().tier("x".repeat(65)), 1, "").await),
    ];

    let program_id = "nowhere".into();
    assert_eq!(unknown, Err(Error::ProgramNotFound { program_id }));
    for (field, outcome) in cases {
        assert_eq!(wrong_fields(&outcome.expect_err(field)), [field]);
    }
    let nobody = list(club(), 1_000, "").await.expect("a page");
    assert_eq!((nobody.items, nobody.next), (Vec::new(), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reads_no_more_rows_than_it_has_and_sorts_none() {
    const LIST: &str = include_str!("../server/src/storage/list_members.sql");
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    crowd(&shop, 500).await;
    let mut database = shop.database().await;
    database
        .batch_execute("ANALYZE TABLE account")
        .await
        .expect("statistics");

    // About half of the members lie behind this one.
    let values = ["1", "'club'", "0", "x'80000000000000000000000000000000'", "10"];
    let query = values
        .iter()
        .fold(LIST.to_owned(), |query, value| query.replacen('?', value, 1));
    let counters = counters(&mut database, &query).await;

    let count = |name: &str| counters[name];
    assert_eq!(
        (count("Handler_read_key"), count("Handler_read_next")),
        (1, 9),
        "{counters:?}"
    );
    assert!(
        count("Handler_read_rnd_next") < 500,
        "no row of the table by itself: {counters:?}"
    );
    assert_eq!(count("Sort_rows"), 0, "{counters:?}");
}
