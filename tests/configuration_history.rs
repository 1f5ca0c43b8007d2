//! T9: who changed what of the configuration, when, from what to what.

use std::time::Duration;

use loyalty_sdk::api::{ListConfigurationChangesRequest, UpdateProgramRequest};
use loyalty_sdk::{
    Client, ConfigurationChange, ConfigurationFilter, ConfigurationResource, EarnRate, Error, NewProgram, NewRule,
    OfflinePolicy, Page, PageRequest, ProductUpdate, ProgramUpdate, RequestId, Rounding, RuleUpdate, Selector, Tier,
};
use tonic::Request;

use crate::harness::raw::{assert_names, request_id};
use crate::harness::{PROGRAM, Shop, instant, wrong_fields};

#[tokio::test(flavor = "multi_thread")]
async fn every_change_says_who_when_and_from_what_to_what() {
    let shop = Shop::empty().await;
    let [ana, luis] = ["ana", "luis@shop.example"].map(|actor| shop.client.with_actor(actor));
    let gold = |minimum: i64| Tier::new("gold", "Gold", minimum);
    let new = NewProgram {
        tiers: vec![gold(500)],
        ..NewProgram::new("Club", "EUR").program_id(PROGRAM)
    };
    let created = ana.create_program(&new).await.expect("a program");
    shop.days_pass(1);
    let update = ProgramUpdate::of(&created).name("Coffee club").tiers(&[gold(600)]);
    let renamed = luis
        .with_request_id("rename")
        .update_program(&update)
        .await
        .expect("an update");
    let rule = NewRule::new(PROGRAM, "Default", EarnRate::new(10, 1)).rule_id("base");
    let rule = ana.create_rule(&rule).await.expect("a rule");
    let rate = EarnRate::new(10, 2).rounding(Rounding::HalfUp);
    let rule = ana
        .update_rule(&RuleUpdate::of(&rule).earn_rate(rate))
        .await
        .expect("a rule");
    luis.archive_rule(PROGRAM, "base", rule.etag).await.expect("archived");
    shop.client
        .upsert_products(PROGRAM, &[ProductUpdate::new("cake").points(7)])
        .await
        .expect("a load");
    luis.archive_program(PROGRAM, renamed.etag.as_str())
        .await
        .expect("archived");

    let changes = shop.changes_of(&ConfigurationFilter::all()).await;

    let told: Vec<(u32, &str, ConfigurationResource, &str)> = changes
        .iter()
        .map(|change| {
            let (actor, resource) = (change.actor.as_str(), change.resource);
            (change.version, actor, resource, change.resource_id.as_str())
        })
        .collect();
    let expected = [
        (7, "luis@shop.example", ConfigurationResource::Program, PROGRAM),
        (6, "development", ConfigurationResource::Products, ""),
        (5, "luis@shop.example", ConfigurationResource::Rule, "base"),
        (4, "ana", ConfigurationResource::Rule, "base"),
        (3, "ana", ConfigurationResource::Rule, "base"),
        (2, "luis@shop.example", ConfigurationResource::Program, PROGRAM),
        (1, "ana", ConfigurationResource::Program, PROGRAM),
    ];
    assert_eq!(told, expected);
    assert_eq!(fields(&changes[0]), [["state", "ACTIVE", "ARCHIVED"]]);
    assert_eq!(fields(&changes[1]), [[""; 3]; 0]);
    assert_eq!(changes[1].product_load.map(|load| load.created), Some(1));
    assert_eq!(fields(&changes[2]), [["archived", "false", "true"]]);
    let rate = [
        ["earn_rate.points", "1", "2"],
        ["earn_rate.rounding", "FLOOR", "HALF_UP"],
    ];
    assert_eq!(fields(&changes[3]), rate);
    assert!(fields(&changes[4]).contains(&["earn_rate.amount", "", "10"]));
    let renamed = [
        ["name", "Club", "Coffee club"],
        ["tiers[gold].minimum_spend", "500", "600"],
    ];
    assert_eq!(fields(&changes[5]), renamed);
    assert_eq!(changes[5].request_id, RequestId::from("rename"));
    assert_eq!(changes[5].changed_at, instant("2026-01-16T10:00:00Z"));
    let created = fields(&changes[6]);
    for field in [
        ["name", "", "Club"],
        ["unit", "", "POINTS"],
        ["tiers[gold].minimum_spend", "", "500"],
    ] {
        assert!(created.contains(&field), "{field:?} is not in {created:?}");
    }
    assert_eq!(changes[6].changed_at, instant("2026-01-15T10:00:00Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_lists_the_history_tells_all_or_when_they_are_long_what_differs() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let selector = |brands: &[&str], products: std::ops::Range<u32>| Selector {
        brands: brands.iter().map(|brand| (*brand).to_owned()).collect(),
        product_ids: products.map(|number| format!("{number:064}")).collect(),
        ..Selector::default()
    };
    let mut rule = NewRule::new(PROGRAM, "Named", EarnRate::new(10, 1));
    rule.terms.selector = selector(&["acme"], 0..1_000);
    let rule = shop.client.create_rule(&rule).await.expect("a rule");
    let update = RuleUpdate::of(&rule).selector(&selector(&["acme", "zeta"], 1..1_001));
    shop.client.update_rule(&update).await.expect("an update");

    let changes = shop.changes_of(&ConfigurationFilter::all()).await;

    let (old, new) = (format!("[\"{:064}\"]", 0), format!("[\"{:064}\"]", 1_000));
    let expected = [
        ["selector.product_ids", &old, &new],
        ["selector.brands", r#"["acme"]"#, r#"["acme","zeta"]"#],
    ];
    assert_eq!(fields(&changes[0]), expected);
    let created = fields(&changes[1]);
    let products = created.iter().find(|field| field[0] == "selector.product_ids");
    assert_eq!(products.map(|field| field[2].len()), Some(4_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_found_by_program_resource_actor_and_time() {
    let shop = Shop::empty().await;
    for program in ["club", "vip"] {
        let client = shop.client.with_actor(format!("maker-of-{program}"));
        client
            .create_program(&NewProgram::new("Club", "EUR").program_id(program))
            .await
            .expect("a program");
        shop.days_pass(1);
        let rule = NewRule::new(program, "Default", EarnRate::new(10, 1)).rule_id("base");
        client.create_rule(&rule).await.expect("a rule");
        client
            .upsert_products(program, &[ProductUpdate::new("cake").points(7)])
            .await
            .expect("a load");
    }
    let all = ConfigurationFilter::all;
    let day = |day: u32| instant(&format!("2026-01-{day}T10:00:00Z"));

    let cases = [
        (all().program("club"), vec!["club 3", "club 2", "club 1"]),
        (all().resource(ConfigurationResource::Products), vec!["vip 3", "club 3"]),
        (
            all().program("vip").resource(ConfigurationResource::Rule),
            vec!["vip 2"],
        ),
        (all().rule("club", "base"), vec!["club 2"]),
        (all().rule("club", "other"), vec![]),
        (all().actor("maker-of-vip"), vec!["vip 3", "vip 2", "vip 1"]),
        (all().actor("maker-of-vip").program("club"), vec![]),
        (all().from(day(17)), vec!["vip 3", "vip 2"]),
        (all().until(day(16)), vec!["club 1"]),
        (
            all().program("club").from(day(16)).until(day(17)),
            vec!["club 3", "club 2"],
        ),
        (all().program("nowhere"), vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(names(&shop.changes_of(&filter).await), expected, "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_changes_are_not_shifted_by_new_ones() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    shop.client
        .create_program(&NewProgram::new("Other", "EUR").program_id("other"))
        .await
        .expect("a program");
    for name in ["a", "b", "c"] {
        // All at one instant: then the version decides.
        shop.changes(|club| club.name(name)).await;
    }
    let filter = ConfigurationFilter::all();

    let mut listed = Vec::new();
    let mut next = Some(PageRequest::of(2));
    while let Some(page) = next {
        let page: Page<ConfigurationChange> = shop
            .client
            .list_configuration_changes(&filter, &page)
            .await
            .expect("a page");
        shop.changes(|club| club.name("meanwhile")).await;
        listed.extend(names(&page.items));
        next = page.next;
    }

    assert_eq!(listed, ["club 4", "club 3", "club 2", "other 1", "club 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_early_when_its_changes_are_large() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let tiers = |letter: &str| -> Vec<Tier> {
        let name = letter.repeat(200);
        (0..50)
            .map(|place| Tier::new(format!("{place:064}"), &name, place))
            .collect()
    };
    for round in 0..120 {
        let letter = if round % 2 == 0 { "é" } else { "日" };
        shop.changes(|club| club.tiers(&tiers(letter))).await;
    }

    let (filter, page) = (ConfigurationFilter::all(), PageRequest::of(200));
    let first = shop.client.list_configuration_changes(&filter, &page).await;
    let first = first.expect("a page that a client takes");
    let all = shop.changes_of(&ConfigurationFilter::all()).await;

    assert!(first.items.len() < 121, "{} changes in one page", first.items.len());
    assert!(first.next.is_some());
    let versions: Vec<u32> = all.iter().map(|change| change.version).collect();
    assert_eq!(versions, (1..=121).rev().collect::<Vec<u32>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_repeated_and_empty_changes_are_not_in_the_history() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let read = shop.program().await;
    let update = ProgramUpdate::of(&read).name("Coffee club");
    let client = shop.client.with_request_id("rename");
    client.update_program(&update).await.expect("an update");
    client
        .with_actor("another")
        .update_program(&update)
        .await
        .expect("the same again");
    let products = [ProductUpdate::new("cake").points(7)];
    shop.client.upsert_products(PROGRAM, &products).await.expect("a load");
    shop.client
        .upsert_products(PROGRAM, &products)
        .await
        .expect("nothing new");

    let stale = shop
        .client
        .update_program(&ProgramUpdate::of(&read).name("Stale"))
        .await;

    assert!(matches!(stale, Err(Error::EtagMismatch { .. })), "{stale:?}");
    let changes = shop.changes_of(&ConfigurationFilter::all()).await;
    assert_eq!(names(&changes), ["club 3", "club 2", "club 1"]);
    assert_eq!(changes[1].actor, "development");
    assert_eq!(shop.rows().await["configuration_change"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_program_goes_forward_also_when_clocks_do_not() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    shop.it_is("2026-01-15T09:59:00Z");

    shop.changes(|club| club.name("By a slow clock")).await;

    let changes = shop.changes_of(&ConfigurationFilter::all()).await;
    assert_eq!(names(&changes), ["club 2", "club 1"]);
    assert_eq!(changes[0].changed_at, changes[1].changed_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_is_a_short_printable_text() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let program = shop.program().await;
    let by = async |actor: &[u8]| {
        let mut request = Request::new(UpdateProgramRequest {
            request_id: request_id(),
            program: Some(loyalty_sdk::api::Program {
                program_id: PROGRAM.to_owned(),
                name: "Klub".to_owned(),
                etag: program.etag.clone(),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["name".to_owned()],
            }),
        });
        let header = tonic::metadata::AsciiMetadataValue::try_from(actor).expect("a header");
        request.metadata_mut().insert("loyalty-actor", header);
        shop.client.raw_programs().update_program(request).await.err()
    };

    for actor in ["x".repeat(65).as_bytes(), "Zoë".as_bytes(), b" ana", b"ana\tb"] {
        let what = String::from_utf8_lossy(actor);
        assert_names(&what, &by(actor).await, "loyalty-actor", "INVALID_FIELD");
    }
    let longest = by("x".repeat(64).as_bytes()).await;
    let through_the_sdk = shop.client.with_actor("Zoë\n").archive_program(PROGRAM, "1").await;
    let built = Client::builder(&shop.endpoint)
        .actor("ana")
        .connect()
        .await
        .expect("a client");
    built
        .create_program(&NewProgram::new("Other", "EUR").program_id("other"))
        .await
        .expect("a program");

    assert_eq!(longest.map(|status| status.to_string()), None);
    assert_eq!(
        wrong_fields(&through_the_sdk.expect_err("no header")),
        ["loyalty-actor"]
    );
    let changes = shop.changes_of(&ConfigurationFilter::all().actor("ana")).await;
    assert_eq!(names(&changes), ["other 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_to_ask_is_refused() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let request = ListConfigurationChangesRequest::default;
    let rule = loyalty_sdk::api::ConfigurationResource::Rule.into();

    let cases = [
        (
            "page_size",
            ListConfigurationChangesRequest {
                page_size: 201,
                ..request()
            },
        ),
        (
            "page_token",
            ListConfigurationChangesRequest {
                page_token: "6120".to_owned(),
                ..request()
            },
        ),
        (
            "program_id",
            ListConfigurationChangesRequest {
                program_id: "Not Me".to_owned(),
                ..request()
            },
        ),
        (
            "resource",
            ListConfigurationChangesRequest {
                resource: 99,
                ..request()
            },
        ),
        (
            "actor",
            ListConfigurationChangesRequest {
                actor: "x".repeat(65),
                ..request()
            },
        ),
        (
            "resource_id",
            ListConfigurationChangesRequest {
                resource_id: "base".to_owned(),
                resource: rule,
                ..request()
            },
        ),
        (
            "resource_id",
            ListConfigurationChangesRequest {
                resource_id: "a".to_owned(),
                program_id: "club".to_owned(),
                ..request()
            },
        ),
    ];
    for (field, request) in cases {
        let outcome = shop
            .client
            .raw_programs()
            .list_configuration_changes(request)
            .await
            .err();

        assert_names(field, &outcome, field, "INVALID_FIELD");
    }
    let page = PageRequest {
        page_size: 1,
        page_token: "zz".to_owned(),
    };
    let products = shop.client.list_product_changes(PROGRAM, None, 1..=2, &page).await;
    let versions = shop.client.list_rule_versions(PROGRAM, "base", &page).await;
    assert_eq!(wrong_fields(&products.expect_err("no token")), ["page_token"]);
    assert_eq!(wrong_fields(&versions.expect_err("no token")), ["page_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_expiry_schedule_and_what_tills_may_do_without_a_line_have_a_history_too() {
    let shop = Shop::earning("1", "1").await;
    let [ana, luis] = ["ana", "luis"].map(|actor| shop.client.with_actor(actor));
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3_600));
    let policy = OfflinePolicy::default().redeem_limit(50);
    ana.set_expiry_schedule(hours(24)).await.expect("a schedule");
    // Nothing is different: nothing to tell.
    luis.set_expiry_schedule(hours(24)).await.expect("a schedule");
    let policy = luis.set_offline_policy(&policy).await.expect("a policy");
    luis.set_offline_policy(&policy).await.expect("a policy");
    shop.days_pass(1);
    luis.set_expiry_schedule(None).await.expect("a schedule");

    let all = shop.changes_of(&ConfigurationFilter::all()).await;
    let schedule = ConfigurationFilter::all().resource(ConfigurationResource::ExpirySchedule);
    let of_schedule = shop.changes_of(&schedule).await;
    let offline = ConfigurationFilter::all().resource(ConfigurationResource::OfflinePolicy);
    let of_policy = shop.changes_of(&offline).await;

    let told: Vec<_> = of_schedule
        .iter()
        .map(|change| (change.actor.as_str(), change.changed_at, fields(change)))
        .collect();
    let (day_before, now) = (instant("2026-01-15T10:00:00Z"), shop.now());
    let expected = [
        ("luis", now, vec![["period_seconds", "86400", "0"]]),
        ("ana", day_before, vec![["period_seconds", "3600", "86400"]]),
    ];
    assert_eq!(told, expected);
    let [change] = of_policy.as_slice() else {
        panic!("one change: {of_policy:?}");
    };
    assert_eq!((change.actor.as_str(), &change.program_id), ("luis", &None));
    assert_eq!(fields(change), [["redeem_limit", "", "50"]]);
    let of_merchant = all.iter().filter(|change| change.program_id.is_none());
    let versions: Vec<u32> = of_merchant.map(|change| change.version).collect();
    assert_eq!(versions, [3, 2, 1]);
}

/// Path, old and new value of each field.
fn fields(change: &ConfigurationChange) -> Vec<[&str; 3]> {
    let parts = change.fields.iter();
    parts
        .map(|field| [&*field.path, &*field.old_value, &*field.new_value])
        .collect()
}

/// Program and version of each change.
fn names(changes: &[ConfigurationChange]) -> Vec<String> {
    let name = |change: &ConfigurationChange| {
        let program_id = change.program_id.as_ref().expect("a change of a program");
        format!("{program_id} {}", change.version)
    };
    changes.iter().map(name).collect()
}

impl Shop {
    /// All changes that match, newest first.
    async fn changes_of(&self, filter: &ConfigurationFilter) -> Vec<ConfigurationChange> {
        let mut changes = Vec::new();
        let mut next = Some(PageRequest::of(200));
        while let Some(page) = next {
            let page = self.client.list_configuration_changes(filter, &page).await;
            let page = page.unwrap_or_else(|error| panic!("{error}"));
            changes.extend(page.items);
            next = page.next;
        }
        changes
    }
}
