//! S4: the life of a key: made once, shown once, rotated, expired, revoked.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use loyalty_sdk::{Client, Error};
use loyalty_server::tenants::{NewKey, Role, TenantError};

use crate::harness::keys::{Keys as _, new_key};
use crate::harness::{MERCHANT, Shop, instant};

/// Whether the key is taken. The shop has no such program, which is known only to who is let in.
async fn is_let_in(client: &Client) -> bool {
    match client.get_program("none").await {
        Err(Error::ProgramNotFound { .. }) => true,
        Err(Error::Unauthenticated { .. }) => false,
        other => panic!("{other:?}"),
    }
}

/// How long until the client is refused, looked at every 50 ms.
async fn time_until_refused(client: &Client) -> Duration {
    let began = Instant::now();
    while is_let_in(client).await {
        assert!(began.elapsed() < Duration::from_secs(10), "the key goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_by_all_servers_within_five_seconds() {
    let shop = Shop::with_keys().await;
    let key = shop.tenants().await.key(MERCHANT, Role::Operator).await;
    let first = shop.client_with(&key).await;
    let endpoint = shop
        .another_server(|options| loyalty_server::serve::ServeOptions {
            development: false,
            ..options
        })
        .await;
    let second = Client::builder(endpoint)
        .api_key(&key)
        .connect()
        .await
        .expect("a client");
    assert!(is_let_in(&first).await && is_let_in(&second).await);

    let key_id = key.split('_').nth(1).expect("an id");
    let was_valid = shop.tenants().await.revoke_key(key_id).await.expect("revoked");
    let (first, second) = tokio::join!(time_until_refused(&first), time_until_refused(&second));

    assert!(was_valid);
    assert!(
        first < Duration::from_secs(5) && second < Duration::from_secs(5),
        "{first:?} {second:?}"
    );
    let again = shop.tenants().await.revoke_key(key_id).await;
    assert!(matches!(again, Ok(false)), "{again:?}");
    let rotated = shop.tenants().await.rotate_key(key_id, TimeDelta::zero()).await.err();
    assert!(matches!(rotated, Some(TenantError::Revoked(_))), "{rotated:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_lasts_ends_with_its_key() {
    let shop = Shop::with_keys().await;
    let key = shop.tenants().await.key(MERCHANT, Role::Operator).await;
    let client = shop.client_with(&key).await;
    let (_never_sent, messages) = tokio::sync::mpsc::channel(1);
    let messages = tokio_stream::wrappers::ReceiverStream::new(messages);
    let lasting = tokio::spawn(async move { client.raw_programs().upsert_products(messages).await });
    tokio::time::sleep(Duration::from_millis(200)).await;

    let key_id = key.split('_').nth(1).expect("an id");
    shop.tenants().await.revoke_key(key_id).await.expect("revoked");
    let revoked = Instant::now();
    let ended = lasting.await.expect("a task").expect_err("ended");

    assert_eq!(ended.code(), loyalty_sdk::Code::Unauthenticated, "{ended:?}");
    assert!(revoked.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_the_feed_is_told_no_more_when_the_key_is_revoked() {
    let shop = Shop::with_keys().await;
    shop.opens().await;
    let key = shop.tenants().await.key(MERCHANT, Role::ReadOnly).await;
    let client = shop.client_with(&key).await;
    let mut feed = client.stream_entries(&loyalty_sdk::FeedRequest::default().follow());
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;
    feed.next().await.expect("a batch").expect("a batch");

    let key_id = key.split('_').nth(1).expect("an id");
    shop.tenants().await.revoke_key(key_id).await.expect("revoked");
    let revoked = Instant::now();
    let ended = loop {
        match feed.next().await {
            Ok(_) => assert!(revoked.elapsed() < Duration::from_secs(10), "it goes on"),
            Err(error) => break error,
        }
    };

    assert!(matches!(ended, Error::Unauthenticated { .. }), "{ended:?}");
    assert!(revoked.elapsed() < Duration::from_secs(5), "{:?}", revoked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_secrets_the_last_two_hold_until_the_overlap_is_over() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    let first = tenants
        .create_key(new_key(MERCHANT, Role::Operator))
        .await
        .expect("a key");
    let (id, week) = (first.key_id.clone(), TimeDelta::days(7));

    let second = tenants.rotate_key(&id, week).await.expect("a key");
    let old = shop.client_with(&first.text).await;
    let new = shop.client_with(&second.text).await;
    assert!(is_let_in(&old).await && is_let_in(&new).await);
    let third = tenants.rotate_key(&id, week).await.expect("a key");
    assert!(time_until_refused(&old).await < Duration::from_secs(5));
    assert!(is_let_in(&new).await && is_let_in(&shop.client_with(&third.text).await).await);
    shop.days_pass(7);

    assert!(!is_let_in(&new).await);
    assert!(is_let_in(&shop.client_with(&third.text).await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_holds_until_it_expires() {
    let shop = Shop::with_keys().await;
    let key = NewKey {
        expires_at: Some(instant("2026-02-01T00:00:00Z")),
        ..new_key(MERCHANT, Role::ReadOnly)
    };
    let key = shop.tenants().await.create_key(key).await.expect("a key");
    let client = shop.client_with(&key.text).await;

    shop.it_is("2026-01-31T23:59:59Z");
    let before = is_let_in(&client).await;
    shop.it_is("2026-02-01T00:00:00Z");
    let after = is_let_in(&client).await;

    assert_eq!((before, after), (true, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_very_key_is_taken_and_nothing_tells_which_part_is_wrong() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    tenants.create_merchant("other").await.expect("a merchant");
    let key = tenants.key(MERCHANT, Role::Operator).await;
    let other = tenants.key("other", Role::Operator).await;
    let (mine, theirs): (Vec<&str>, Vec<&str>) = (key.split('_').collect(), other.split('_').collect());
    let last = if key.ends_with('0') { "1" } else { "0" };

    for wrong in [
        format!("lk_{}_{}", mine[1], theirs[2]),
        format!("lk_{}_{}", theirs[1], mine[2]),
        format!("{}{last}", &key[..key.len() - 1]),
        format!("lk_1-ffffffffffff_{}", mine[2]),
        format!("lk_999-{}_{}", &mine[1][2..], mine[2]),
    ] {
        let refused = shop.client_with(&wrong).await.get_program("none").await;

        let Err(Error::Unauthenticated { message }) = refused else {
            panic!("{wrong}: {refused:?}");
        };
        assert_eq!(message, "the API key is not valid");
    }
    for malformed in ["", "lk_", "x", &key.to_uppercase(), &key[..key.len() - 2]] {
        assert!(!is_let_in(&shop.client_with(malformed).await).await, "{malformed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_has_no_key() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    let key = tenants
        .create_key(new_key(MERCHANT, Role::Operator))
        .await
        .expect("a key");
    let rotated = tenants
        .rotate_key(&key.key_id, TimeDelta::days(1))
        .await
        .expect("a key");

    let kept = crate::harness::books::texts(
        &mut shop.database().await,
        "SELECT CONCAT_WS(' ', key_id, name, HEX(secret_hash), HEX(previous_secret_hash)) AS value FROM api_key",
    )
    .await
    .join("\n")
    .to_lowercase();

    assert!(kept.contains(key.key_id.split('-').nth(1).expect("an id")), "{kept}");
    for text in [key.text, rotated.text] {
        let secret = text.split('_').nth(2).expect("a secret");
        assert!(!kept.contains(secret), "{kept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_contradicts_itself_is_not_made() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    tenants.create_store(MERCHANT, "store-1").await.expect("a store");
    tenants
        .create_terminal(MERCHANT, "store-1", "till-1")
        .await
        .expect("a terminal");
    let with = |change: fn(&mut NewKey)| {
        let mut key = new_key(MERCHANT, Role::Terminal);
        key.store_id = Some("store-1".to_owned());
        change(&mut key);
        key
    };

    for (key, words) in [
        (with(|key| key.store_id = None), "needs its store"),
        (
            with(|key| key.store_id = Some("store-9".to_owned())),
            "no store \"store-9\"",
        ),
        (
            with(|key| key.terminal_id = Some("till-9".to_owned())),
            "no terminal \"till-9\"",
        ),
        (with(|key| key.merchant = "nobody".to_owned()), "no merchant \"nobody\""),
        (with(|key| key.name = "José".to_owned()), "printable ASCII"),
        (
            with(|key| key.expires_at = Some(instant("2026-01-15T10:00:00Z"))),
            "expired already",
        ),
    ] {
        let refused = tenants.create_key(key).await.err().map(|error| error.to_string());

        assert!(refused.as_ref().is_some_and(|text| text.contains(words)), "{refused:?}");
    }
    let twice = [
        tenants.create_merchant(MERCHANT).await.err(),
        tenants.create_store(MERCHANT, "store-1").await.err(),
        tenants.create_terminal(MERCHANT, "store-1", "till-1").await.err(),
    ];
    for refused in twice {
        assert!(matches!(refused, Some(TenantError::Exists { .. })), "{refused:?}");
    }
    for code in ["", "Acme", "a b", &"x".repeat(65)] {
        let refused = tenants.create_merchant(code).await.err();
        assert!(
            matches!(refused, Some(TenantError::Malformed { .. })),
            "{code}: {refused:?}"
        );
    }
}

/// Runs a command of the program on the shop's database; its standard output.
fn run(shop: &Shop, arguments: &str) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server-process"));
    command.env("DATABASE_URL", shop.database_url()).env("NO_COLOR", "1");
    let Output { status, stdout, stderr } = command.args(arguments.split(' ')).output().expect("the program runs");
    if status.success() {
        Ok(String::from_utf8(stdout).expect("text"))
    } else {
        Err(String::from_utf8_lossy(&stderr).into_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_make_all_that_a_till_needs_and_show_a_key_once() {
    let shop = Shop::with_keys().await;

    for command in [
        "merchant create corner",
        "store create --merchant corner north",
        "terminal create --merchant corner --store north till-1",
    ] {
        assert_eq!(run(&shop, command), Ok(String::new()), "{command}");
    }
    let key = run(
        &shop,
        "key create --merchant corner --role terminal --store north --terminal till-1",
    )
    .expect("a key");
    let list = run(&shop, "key list --merchant corner").expect("a list");

    let client = shop.client_with(key.trim_end()).await;
    assert!(is_let_in(&client).await);
    let (id, secret) = (
        key.split('_').nth(1).expect("an id"),
        key.trim_end().split('_').nth(2).expect("a secret"),
    );
    let row = list.lines().nth(1).expect("a row");
    assert!(
        row.starts_with(&format!("{id}\tTERMINAL\tterminal north till-1\tnorth\ttill-1\t")),
        "{list}"
    );
    assert!(row.ends_with("\tvalid") && !list.contains(secret), "{list}");
    assert_eq!(run(&shop, "merchant list"), Ok("acme\ncorner\n".to_owned()));
    assert_eq!(run(&shop, "store list --merchant corner"), Ok("north\n".to_owned()));
    assert_eq!(
        run(&shop, "terminal list --merchant corner --store north"),
        Ok("till-1\n".to_owned())
    );

    let rotated = run(&shop, &format!("key rotate {id} --overlap-hours 0")).expect("a key");
    assert!(time_until_refused(&client).await < Duration::from_secs(5));
    assert!(is_let_in(&shop.client_with(rotated.trim_end()).await).await);
    assert_eq!(run(&shop, &format!("key revoke {id}")), Ok(String::new()));
    let list = run(&shop, "key list --merchant corner").expect("a list");
    assert!(list.contains("\trevoked 20"), "{list}");
    for wrong in [
        "key revoke 1-000000000000",
        "key revoke x",
        "store list --merchant nobody",
    ] {
        let refused = run(&shop, wrong).expect_err(wrong);
        assert!(refused.contains("there is no"), "{refused}");
    }
}
