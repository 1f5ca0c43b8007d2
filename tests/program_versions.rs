//! E14: a change of configuration holds for every sale that begins after its call returned, through any server; recorded
//! sales keep their version; and of edits at the same time none is lost.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::{
    Client, ConfigurationFilter, EarnRate, Error, MemberKey, NewRule, PageRequest, ProductUpdate, ProgramState,
    ProgramUpdate, RequestId, RetryPolicy, Rule, RuleUpdate, Sale, SaleLine,
};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::harness::{PROGRAM, Shop, books};

/// Changes that the editor makes while the tills sell.
const EDITS: u32 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_through_one_server_holds_at_once_for_sales_through_another() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    let elsewhere = shop.second_server().await;
    let mut rule = shop.rule().await;

    for points in 2..12 {
        // Both servers know the version before.
        elsewhere.record_sale(&ada.sale("10")).await.expect("a sale");
        let update = RuleUpdate::of(&rule).earn_rate(EarnRate::new(1, points));
        rule = shop.client.update_rule(&update).await.expect("an update");

        let receipt = elsewhere.record_sale(&ada.sale("10")).await.expect("a sale");

        assert_eq!(receipt.program_version, rule.since_version);
        assert_eq!(receipt.points_earned, Decimal::from(10 * points));
    }
    let paused = shop.changes(|club| club.state(ProgramState::Paused)).await;
    let receipt = elsewhere.record_sale(&ada.sale("10")).await.expect("a sale");
    assert_eq!(
        (receipt.program_version, receipt.points_earned),
        (paused.version, Decimal::ZERO)
    );
    let load = [ProductUpdate::new("cake").points(7)];
    let load = shop.client.upsert_products(PROGRAM, &load).await.expect("a load");
    let receipt = elsewhere.record_sale(&ada.sale("10")).await.expect("a sale");
    assert_eq!(receipt.program_version, load.version);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_no_sale_is_rated_by_what_was_replaced_before_it_began() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    let servers = [shop.client.clone(), shop.second_server().await];
    let returned = Arc::new(AtomicU32::new(shop.program().await.version));
    let rates = Arc::new(Mutex::new(BTreeMap::from([(2, 1)])));
    let is_edited = Arc::new(AtomicU32::new(0));

    let mut tills = JoinSet::new();
    for till in 0..8 {
        let (client, key) = (servers[till % 2].clone(), ada.key.clone());
        let (returned, is_edited) = (Arc::clone(&returned), Arc::clone(&is_edited));
        tills.spawn(async move {
            let mut sold = Vec::new();
            while is_edited.load(Ordering::SeqCst) == 0 {
                let known = returned.load(Ordering::SeqCst);
                let sale_id = format!("{till}-{}", sold.len());
                let receipt = client
                    .record_sale(&Sale::new(sale_id, "store-1", key.clone(), "EUR", 10))
                    .await;
                sold.push((known, receipt.expect("a sale")));
            }
            sold
        });
    }
    let mut rule = shop.rule().await;
    for edit in 0..EDITS {
        let editor = &servers[edit as usize % 2];
        let version = if edit % 3 == 2 {
            let product = ProductUpdate::new("cake").points(i64::from(edit));
            editor
                .upsert_products(PROGRAM, &[product])
                .await
                .expect("a load")
                .version
        } else {
            let points = i64::from(edit + 2);
            let update = RuleUpdate::of(&rule).earn_rate(EarnRate::new(1, points));
            // Known before any sale can be rated by it.
            let next = returned.load(Ordering::SeqCst) + 1;
            rates
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(next, points);
            rule = editor.update_rule(&update).await.expect("an update");
            rule.since_version
        };
        returned.store(version, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    is_edited.store(1, Ordering::SeqCst);
    let sold: Vec<_> = tills.join_all().await.into_iter().flatten().collect();

    let rates = rates.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (known, receipt) in &sold {
        let version = receipt.program_version;
        assert!(
            version >= *known,
            "rated by version {version} after {known} had returned"
        );
        let (_, points) = rates.range(..=version).next_back().expect("a rate");
        assert_eq!(receipt.points_earned, Decimal::from(10 * points), "version {version}");
    }
    let versions: std::collections::BTreeSet<u32> = sold.iter().map(|(_, receipt)| receipt.program_version).collect();
    assert!(versions.len() > 5, "the tills sold while it was edited: {versions:?}");
    books::assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_sales_keep_their_version_through_any_server_whatever_changes() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    let elsewhere = shop.second_server().await;
    let sale = ada.sale("100");
    let recorded = ada.records(&sale).await;

    let update = RuleUpdate::of(&shop.rule().await).earn_rate(EarnRate::new(1, 9));
    shop.client.update_rule(&update).await.expect("an update");
    let products = [ProductUpdate::new("cake").points(7)];
    elsewhere.upsert_products(PROGRAM, &products).await.expect("a load");
    shop.changes(|club| club.state(ProgramState::Paused)).await;
    let again = elsewhere.record_sale(&sale).await.expect("the same answer");

    assert!(again.replayed);
    assert_eq!(again.program_version, recorded.program_version);
    assert_eq!(again.points_earned, recorded.points_earned);
    assert_eq!(ada.history().await[0].program_version, recorded.program_version);
    assert_eq!(ada.points().await, recorded.points_earned);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_users_who_edit_the_same_rule_at_once_exactly_one_wins() {
    let shop = Shop::earning("10", "1").await;
    let read = shop.rule().await;
    let offices = [shop.client.clone(), shop.second_server().await];

    let mut edits = JoinSet::new();
    for user in 0..12 {
        let client = offices[user % 2].clone();
        let update = RuleUpdate::of(&read).name(format!("By {user}"));
        edits.spawn(async move { client.update_rule(&update).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) = edits.join_all().await.into_iter().partition(Result::is_ok);

    let stored = shop.rule().await;
    assert_eq!(won, [Ok(stored.clone())]);
    assert_eq!(lost.len(), 11);
    let etag = stored.etag.clone();
    assert!(
        lost.iter()
            .all(|error| *error == Err(Error::EtagMismatch { etag: etag.clone() }))
    );
    assert_eq!(shop.program().await.version, 3);
    let versions = shop
        .client
        .list_rule_versions(PROGRAM, stored.rule_id, &PageRequest::default())
        .await;
    assert_eq!(versions.expect("versions").items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_different_things_at_once_all_win_with_a_version_each() {
    let shop = Shop::earning("10", "1").await;
    let offices = [shop.client.clone(), shop.second_server().await];
    for round in 0..5 {
        let (program, rule) = (shop.program().await, shop.rule().await);
        let name = format!("Round {round}");
        let rename = ProgramUpdate::of(&program).name(&name);
        let reword = RuleUpdate::of(&rule).name(&name);
        let [cake, tea] = ["cake", "tea"].map(|id| [ProductUpdate::new(id).points(round + 1)]);

        let (renamed, reworded, loaded, also_loaded) = tokio::join!(
            offices[0].update_program(&rename),
            offices[1].update_rule(&reword),
            offices[0].upsert_products(PROGRAM, &cake),
            offices[1].upsert_products(PROGRAM, &tea),
        );

        let mut versions = [
            renamed.expect("an update").version,
            reworded.expect("an update").since_version,
            loaded.expect("a load").version,
            also_loaded.expect("a load").version,
        ];
        versions.sort_unstable();
        let next = program.version + 1;
        assert_eq!(versions, [next, next + 1, next + 2, next + 3]);
        let now = shop.program().await;
        assert_eq!((now.name, now.version), (name.clone(), next + 3));
        assert_eq!(shop.rule().await.name, name);
        let page = shop
            .client
            .list_products(PROGRAM, "", &PageRequest::default())
            .await
            .expect("a page");
        let points: Vec<Option<Decimal>> = page.items.iter().map(|product| product.points).collect();
        assert_eq!(points, [Some(Decimal::from(round + 1)); 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_many_rules_at_once_all_win_with_a_version_each() {
    let shop = Shop::earning("10", "1").await;
    let offices = [shop.client.clone(), shop.second_server().await];
    let mut rules = Vec::new();
    for place in 0..8 {
        let product = format!("sku-{place}");
        let rule = NewRule::new(PROGRAM, "Named", EarnRate::new(1, 1)).product(product);
        rules.push(shop.client.create_rule(&rule).await.expect("a rule"));
    }
    let before = shop.program().await.version;

    let mut edits = JoinSet::new();
    for (place, rule) in rules.iter().enumerate() {
        let client = offices[place % 2].clone();
        let points = i64::try_from(place + 2).expect("small");
        let update = RuleUpdate::of(rule).earn_rate(EarnRate::new(1, points));
        edits.spawn(async move { client.update_rule(&update).await });
    }
    let edited: Result<Vec<Rule>, Error> = edits.join_all().await.into_iter().collect();

    let mut versions: Vec<u32> = edited.expect("updates").iter().map(|rule| rule.since_version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (before + 1..=before + 8).collect::<Vec<u32>>());
    let ada = shop.enrols("ada").await;
    for office in &offices {
        let lines = (0..8).map(|place| SaleLine::new(1).product(format!("sku-{place}")));
        let receipt = office
            .record_sale(&lines.fold(ada.sale("8"), Sale::line))
            .await
            .expect("a sale");
        let points: Vec<Decimal> = receipt.lines.iter().map(|line| line.points).collect();
        assert_eq!(points, (2..10).map(Decimal::from).collect::<Vec<_>>());
        assert_eq!(receipt.program_version, before + 8);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_whose_answer_was_lost_is_made_once_however_often_it_is_repeated() {
    let shop = Shop::earning("10", "1").await;
    let rule = shop.rule().await;
    let program = shop.program().await;
    let requests = [(); 3].map(|()| RequestId::generate());
    let edit = |client: Client| {
        let rename = ProgramUpdate::of(&program).name("Coffee club");
        let rate = RuleUpdate::of(&rule).earn_rate(EarnRate::new(5, 1));
        let products = [ProductUpdate::new("cake").points(7)];
        let [first, second, third] = requests.clone().map(|request_id| client.with_request_id(request_id));
        async move {
            tokio::join!(
                async { first.update_program(&rename).await.map(|program| program.version) },
                async { second.update_rule(&rate).await.map(|rule| rule.since_version) },
                async { third.upsert_products(PROGRAM, &products).await.map(|load| load.version) },
            )
        }
    };
    // Nobody gets past the program while this transaction lasts.
    let mut lock = shop.database().await;
    lock.batch_execute("BEGIN; UPDATE program SET version = version")
        .await
        .expect("a lock");

    let hurried = shop.client.with_deadline(Duration::from_millis(300));
    let lost = edit(hurried).await;
    lock.batch_execute("ROLLBACK").await.expect("the end of the lock");
    let elsewhere = shop.second_server().await;
    let repeated = edit(elsewhere).await;
    let again = edit(shop.client.clone()).await;

    for error in [
        lost.0.expect_err("no answer"),
        lost.1.expect_err("none"),
        lost.2.expect_err("none"),
    ] {
        assert!(error.unsettled_request_id().is_some(), "{error}");
    }
    assert_eq!(again, repeated);
    let mut versions = [
        repeated.0.expect("a version"),
        repeated.1.expect("a version"),
        repeated.2.expect("a version"),
    ];
    versions.sort_unstable();
    assert_eq!(versions, [3, 4, 5]);
    assert_eq!(shop.program().await.version, 5);
    let filter = ConfigurationFilter::all().program(PROGRAM);
    let changes = shop
        .client
        .list_configuration_changes(&filter, &PageRequest::default())
        .await;
    assert_eq!(changes.expect("changes").items.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_the_database_cut_off_is_tried_again_and_made_once() {
    let shop = Shop::earning("10", "1").await;
    let client = Client::builder(&shop.endpoint)
        .retry(RetryPolicy::default())
        .connect()
        .await
        .expect("a client");
    let mut database = shop.database().await;

    for round in 0..10_u32 {
        let update = ProgramUpdate::of(&shop.program().await).name(format!("Round {round}"));
        let editing = client.update_program(&update);
        let cutting = async {
            tokio::time::sleep(Duration::from_micros(u64::from(round) * 400)).await;
            for connection in books::connections(&mut database).await {
                // It may be gone already.
                let _ = database.batch_execute(&format!("KILL {connection}")).await;
            }
        };
        let (edited, ()) = tokio::join!(editing, cutting);

        assert_eq!(edited.expect("an update").version, 3 + round);
    }
    let ada = shop.enrols("ada").await;
    let sold = client
        .record_sale(&Sale::new("ticket", "store-1", MemberKey::from(&ada.member), "EUR", 10))
        .await;
    assert_eq!(sold.expect("a sale").program_version, 12);
}

impl Shop {
    /// The default rule of the `club`.
    async fn rule(&self) -> Rule {
        let rules = self.client.list_rules(PROGRAM, &PageRequest::default()).await;
        rules.unwrap_or_else(|error| panic!("{error}")).items.remove(0)
    }
}
