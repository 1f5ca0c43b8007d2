//! T1: a program is changed by field mask and etag: of several editors one wins, and a repeated change is made once.

use loyalty_sdk::{
    Decimal, EarnRate, Error, ExpiryPolicy, NewProgram, NewReward, NewRule, ProgramState, ProgramUpdate,
    RedemptionPolicy, RequestId, RewardUpdate, RuleUpdate, Tier, api,
};
use prost_types::FieldMask;
use tokio::task::JoinSet;

use crate::harness::{PROGRAM, Shop, day, dec, instant, wrong_fields};

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_its_mask_names_and_nothing_else() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR").expiry(ExpiryPolicy::days(30))).await;
    let before = shop.program().await;
    shop.days_pass(1);

    let answer = update(&shop, &before.etag, &["name"], |program| {
        program.name = "Coffee club".to_owned();
        program.valid_until = "2030-01-01".to_owned();
        program.state = api::ProgramState::Paused.into();
    });
    answer.await.expect("an update");

    let after = shop.program().await;
    assert_ne!(after.etag, before.etag);
    let expected = loyalty_sdk::Program {
        name: "Coffee club".to_owned(),
        version: 2,
        etag: after.etag.clone(),
        updated_at: instant("2026-01-16T10:00:00Z"),
        ..before
    };
    assert_eq!(after, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_update_is_refused_with_the_current_etag() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let stale = shop.program().await;
    let current = shop.changes(|club| club.name("First")).await;

    let update = shop
        .client
        .update_program(&ProgramUpdate::of(&stale).name("Second"))
        .await;
    let archive = shop.client.archive_program(PROGRAM, stale.etag.as_str()).await;
    let invented = shop.client.archive_program(PROGRAM, "no etag of ours").await;

    let mismatch = Err(Error::EtagMismatch {
        etag: current.etag.clone(),
    });
    assert_eq!(update, mismatch);
    assert_eq!(archive, mismatch);
    assert_eq!(invented, mismatch);
    assert_eq!(shop.program().await, current);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_never_change_or_do_not_exist_cannot_be_in_a_mask() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let before = shop.program().await;

    for path in [
        "currency_code",
        "unit",
        "decimals",
        "program_id",
        "version",
        "etag",
        "created_at",
        "Name",
        "tiers.name",
        "",
    ] {
        let error = update(&shop, &before.etag, &["name", path], |program| {
            program.name = "Klub".to_owned()
        })
        .await;

        let error = error.expect_err(path);
        assert_eq!(error.code(), tonic::Code::InvalidArgument, "{path}");
        assert!(
            error.message().contains(path) && error.message().starts_with("update_mask"),
            "{error}"
        );
    }
    let nothing = shop.client.update_program(&ProgramUpdate::of(&before)).await;

    assert_eq!(wrong_fields(&nothing.expect_err("names no field")), ["update_mask"]);
    assert_eq!(shop.program().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_users_who_edit_the_same_program_at_once_exactly_one_wins() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let read = shop.program().await;
    let offices = [shop.client.clone(), shop.second_server().await];

    let mut edits = JoinSet::new();
    for user in 0..12 {
        let (client, update) = (
            offices[user % 2].clone(),
            ProgramUpdate::of(&read).name(format!("By {user}")),
        );
        edits.spawn(async move { client.update_program(&update).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) = edits.join_all().await.into_iter().partition(Result::is_ok);

    let stored = shop.program().await;
    assert_eq!(won, [Ok(stored.clone())]);
    assert_eq!(lost.len(), 11);
    for error in lost {
        assert_eq!(
            error,
            Err(Error::EtagMismatch {
                etag: stored.etag.clone()
            })
        );
    }
    assert_eq!(stored.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_change_gives_the_same_answer_and_makes_one_version() {
    let shop = Shop::empty().await;
    let [create, rename, archive] = [(); 3].map(|()| RequestId::generate());
    let new = NewProgram::new("Club", "EUR").program_id(PROGRAM);
    let created = shop
        .client
        .with_request_id(&create)
        .create_program(&new)
        .await
        .expect("a program");
    let update = ProgramUpdate::of(&created).name("Coffee club");
    let renamed = shop
        .client
        .with_request_id(&rename)
        .update_program(&update)
        .await
        .expect("an update");
    shop.days_pass(1);

    let created_again = shop.client.with_request_id(&create).create_program(&new).await;
    let renamed_again = shop.client.with_request_id(&rename).update_program(&update).await;
    let other_update = ProgramUpdate::of(&created).name("Tea club");
    let reused = shop.client.with_request_id(&rename).update_program(&other_update).await;
    let archived = shop
        .client
        .with_request_id(&archive)
        .archive_program(PROGRAM, renamed.etag.as_str())
        .await;
    let archived_again = shop
        .client
        .with_request_id(&archive)
        .archive_program(PROGRAM, renamed.etag.as_str())
        .await;

    assert_eq!(created_again, Ok(created));
    assert_eq!(renamed_again, Ok(renamed));
    assert_eq!(reused, Err(Error::RequestIdReused { request_id: rename }));
    assert_eq!(archived_again, archived);
    assert_eq!(shop.program().await.version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_stays_refused_under_its_request_id() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let stale = ProgramUpdate::of(&shop.program().await).name("Stale");
    let current = shop.changes(|club| club.name("Current")).await;
    let client = shop.client.with_request_id("edit-1");

    let first = client.update_program(&stale).await;
    shop.changes(|club| club.name("Newer")).await;
    let again = client.update_program(&stale).await;

    assert_eq!(first, Err(Error::EtagMismatch { etag: current.etag }));
    assert_eq!(again, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_cannot_make_a_good_program_a_bad_one() {
    let program = NewProgram {
        valid_from: Some(day("2026-02-01")),
        ..NewProgram::new("Club", "EUR")
    };
    let shop = Shop::with_program(program).await;
    let before = shop.program().await;
    let update = || ProgramUpdate::of(&before);
    let silver = |id: &str| Tier::new(id, "Silver", 100);

    let cases = [
        ("program.state", update().state(ProgramState::Archived)),
        ("program.state", update().state(ProgramState::Other(99))),
        ("program.valid_until", update().valid_until(Some(day("2026-01-31")))),
        ("program.tiers", update().tiers(&[silver("a"), silver("b")])),
        (
            "program.tiers.value_per_point",
            update().tiers(&[silver("a").value_per_point(Decimal::TWO)]),
        ),
        ("program.time_zone", update().time_zone("Mars/Olympus")),
        (
            "program.redemption.value_per_point",
            update().redemption(Some(RedemptionPolicy::new(dec("-1")))),
        ),
    ];
    for (field, update) in cases {
        let error = shop.client.update_program(&update).await.expect_err(field);

        assert_eq!(wrong_fields(&error), [field]);
    }
    assert_eq!(shop.client.get_program(PROGRAM).await, Ok(before));
}

/// An update with a mask as a caller without the SDK would send it.
async fn update(
    shop: &Shop,
    etag: &str,
    paths: &[&str],
    change: impl FnOnce(&mut api::Program),
) -> Result<(), tonic::Status> {
    let mut program = api::Program {
        program_id: PROGRAM.to_owned(),
        etag: etag.to_owned(),
        ..api::Program::default()
    };
    change(&mut program);
    let request = api::UpdateProgramRequest {
        request_id: RequestId::generate().to_string(),
        program: Some(program),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        }),
    };
    shop.client.raw_programs().update_program(request).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_to_what_is_there_already_makes_no_version() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let rule = shop.creates(&NewRule::new(PROGRAM, "Base", EarnRate::new(10, 1))).await;
    let reward = NewReward::money_off(PROGRAM, "Five off", 150, 5);
    let reward = shop.client.create_reward(&reward).await.expect("a reward");
    let (program, changes) = (shop.program().await, shop.changes_made().await);
    shop.days_pass(1);

    let same_program = ProgramUpdate::of(&program).name("Club").valid_until(None);
    let same_program = shop.client.update_program(&same_program).await;
    let same_rule = RuleUpdate::of(&rule).earn_rate(EarnRate::new(dec("10.00"), dec("1.0")));
    let same_rule = shop.client.update_rule(&same_rule).await;
    let same_reward = RewardUpdate::of(&reward).points(dec("150.0")).position(0);
    let same_reward = shop.client.update_reward(&same_reward).await;
    let stale = shop
        .client
        .update_program(
            &ProgramUpdate::of(&loyalty_sdk::Program {
                etag: "7".to_owned(),
                ..program.clone()
            })
            .name("Club"),
        )
        .await;

    assert_eq!(same_program, Ok(program.clone()));
    assert_eq!(same_rule, Ok(rule));
    assert_eq!(same_reward, Ok(reward));
    assert!(matches!(stale, Err(Error::EtagMismatch { .. })), "{stale:?}");
    assert_eq!(shop.program().await, program);
    assert_eq!(shop.changes_made().await, changes);
}
