//! O1: what a till puts into its outbox is delivered exactly once, in its order, through kills, without a line, and with
//! full or damaged disks.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use loyalty_sdk::{
    Client, EarnRate, Error, MemberKey, NewMember, NewProgram, OfflinePolicy, Outbox, OutboxError, PageRequest,
    QueuedOperation, RedemptionPolicy, RetryPolicy, Sale, SaleReturn, ShortfallPolicy, SyncAnswer, SyncStatus,
};
use tempfile::TempDir;

use crate::harness::books::assert_books_agree;
use crate::harness::program::kill;
use crate::harness::{PROGRAM, Shop, dec, instant};

/// Of the offline day.
const SALES: u32 = 1_000;
const KILLS: u32 = 20;

fn till(endpoint: &str, directory: &Path, command: &str, number: u32) -> Command {
    let mut till = Command::new(env!("CARGO_BIN_EXE_till-process"));
    till.arg(endpoint).arg(directory).arg(command).arg(number.to_string());
    till.stdout(Stdio::piped());
    till
}

/// The lines that a till said until it ended, or was killed a moment after so many of them.
fn lines(mut till: Command, killed_after: Option<(usize, Duration)>) -> Vec<String> {
    let mut child: Child = till.spawn().expect("a till");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut lines = Vec::new();
    let mut line = String::new();
    while out.read_line(&mut line).expect("a line") > 0 {
        lines.push(line.trim().to_owned());
        line.clear();
        if let Some((count, moment)) = killed_after
            && lines.len() == count
        {
            std::thread::sleep(moment);
            kill("-KILL", child.id());
        }
    }
    child.wait().expect("its end");
    lines
}

/// The numbers that follow a word.
fn numbers(lines: &[String], word: &str) -> Vec<u32> {
    let told = lines
        .iter()
        .filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
    told.filter_map(|rest| rest.split(' ').next()?.parse().ok()).collect()
}

/// A client that gives up soon.
async fn hasty(endpoint: &str) -> Client {
    let retry = RetryPolicy::default()
        .attempts(2)
        .backoff(Duration::from_millis(10), Duration::from_millis(20));
    let client = Client::builder(endpoint).retry(retry).connect();
    client.await.expect("a client")
}

fn sale(id: &str, total: i64) -> Sale {
    let sale = Sale::new(id, "store-1", MemberKey::customer_id("ada"), "EUR", total);
    sale.occurred_at(instant("2026-01-15T09:30:00Z"))
}

/// Sales in the order of the ledger, by customer.
async fn sales_of(shop: &Shop, customer: &str) -> Vec<String> {
    let mut sales = Vec::new();
    let mut next = Some(PageRequest::of(200));
    while let Some(page) = next {
        let page = shop.client.list_entries(MemberKey::customer_id(customer), &page).await;
        let page = page.expect("a page");
        sales.extend(page.items.into_iter().filter_map(|entry| entry.sale_id));
        next = page.next;
    }
    sales.reverse();
    sales
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_day_with_kills_at_any_moment_is_delivered_once_and_in_order() {
    let mut shop = Shop::earning("1", "1").await;
    for number in 0..5 {
        shop.enrols(&format!("customer-{number}")).await;
    }
    shop.begins_to_close().await.expect("closed");
    let home = TempDir::new().expect("a directory");
    let (outbox, endpoint) = (home.path().join("outbox"), shop.endpoint.clone());
    let mut dice = u64::from(std::process::id());
    let mut moment = |most: usize| {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let lines = usize::try_from(dice >> 40).unwrap_or_default() % most + 1;
        Some((lines, Duration::from_micros((dice >> 33) % 1_500)))
    };

    let mut safe = Vec::new();
    let mut kills = 0;
    for _ in 0..KILLS - 5 {
        let said = lines(till(&endpoint, &outbox, "record", SALES), moment(45));
        kills += 1;
        safe.extend(numbers(&said, "put"));
    }
    let killed_at = safe.last().copied();
    safe.extend(numbers(&lines(till(&endpoint, &outbox, "record", SALES), None), "put"));
    shop.opens_again().await;
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    while kills < KILLS {
        let said = lines(till(&endpoint, &outbox, "deliver", 30), moment(150));
        kills += 1;
        *told.entry("Applied").or_default() += numbers(&said, "Applied").len();
    }
    let said = lines(till(&endpoint, &outbox, "deliver", 30), None);

    assert!(
        killed_at < Some(SALES),
        "it was killed in the middle of its day: {killed_at:?}"
    );
    assert_eq!(said.last().map(String::as_str), Some("done"), "{said:?}");
    assert!(safe.windows(2).all(|pair| pair[0] < pair[1]), "no sale was made twice");
    for customer in 0..5_u32 {
        let sold = sales_of(&shop, &format!("customer-{customer}")).await;
        let expected: Vec<String> = (1..=SALES)
            .filter(|number| number % 5 == customer)
            .map(|number| format!("{number:06}"))
            .collect();
        assert_eq!(sold, expected, "customer {customer}");
    }
    let empty = Outbox::open(&outbox, shop.client.clone()).expect("an outbox");
    assert_eq!((empty.state().unsent, empty.state().refused), (0, 0));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_what_was_safe_stays_so() {
    let shop = Shop::earning("1", "1").await;
    for number in 0..5 {
        shop.enrols(&format!("customer-{number}")).await;
    }
    let home = TempDir::new().expect("a directory");
    let outbox = home.path().join("outbox");
    // The system lets no file of the till grow beyond 8 KiB, in place of a disk that is full.
    let mut limited = Command::new("bash");
    limited.args([
        "-c",
        "trap '' XFSZ; ulimit -f 8; exec \"$@\"",
        "till",
        env!("CARGO_BIN_EXE_till-process"),
    ]);
    limited.arg("http://127.0.0.1:9").arg(&outbox).args(["record", "1000"]);
    limited.stdout(Stdio::piped());

    let said = lines(limited, None);
    let put = numbers(&said, "put");
    let after = lines(till(&shop.endpoint, &outbox, "deliver", 30), None);

    assert!((10..900).contains(&put.len()), "{said:?}");
    let full = said.last().expect("a line");
    assert_eq!(*full, format!("full {} the disk is full", put.len() + 1));
    assert_eq!(numbers(&after, "Applied").len(), put.len(), "{after:?}");
    assert_eq!(after.last().map(String::as_str), Some("done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_told_and_can_be_repaired() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    for number in 1..=5 {
        outbox.put(sale(&number.to_string(), 1)).await.expect("put");
    }
    drop(outbox);
    let file = home.path().join(format!("{:020}.outbox", 1));
    let mut bytes = fs::read(&file).expect("a file");
    let place = bytes.len() - 3;
    bytes[place] ^= 0x10;
    fs::write(&file, &bytes).expect("written");

    let refused = Outbox::open(home.path(), shop.client.clone()).expect_err("damage");
    let set_aside = Outbox::repair(home.path()).expect("repaired");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    let delivered = outbox.deliver().await.expect("delivered");

    assert!(matches!(refused, OutboxError::Damaged { .. }), "{refused}");
    assert_eq!(set_aside.len(), 1);
    assert_eq!(delivered.applied, 4);
    assert_eq!(ada.points().await, dec("4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_stays_until_somebody_has_seen_to_it_and_keeps_nothing_else() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    let put = outbox
        .put(NewMember::new(PROGRAM).customer_id("ada"))
        .await
        .expect("put");
    outbox.put(sale("1", 10)).await.expect("put");
    outbox
        .put(SaleReturn::new("r1", "store-1", "1").amount(4).occurred_at(shop.now()))
        .await
        .expect("put");
    assert_eq!(outbox.unsent()[1].what, "sale 1 of store-1");
    assert_eq!(outbox.state().unsent, 3);

    let mut statuses = Vec::new();
    let delivered = outbox.deliver_with(|outcome| statuses.push(outcome.status)).await;
    drop(outbox);
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    let refused = outbox.refused().expect("refusals");
    let forgotten = outbox.forget_refusal(put.position).await.expect("forgotten");

    let delivered = delivered.expect("delivered");
    assert_eq!((delivered.applied, delivered.refused), (2, 1));
    assert_eq!(
        statuses,
        [SyncStatus::Refused, SyncStatus::Applied, SyncStatus::Applied]
    );
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].entry.request_id, put.request_id);
    assert!(
        matches!(&refused[0].outcome.answer, SyncAnswer::Refused(error) if matches!(**error, Error::IdentifierTaken { .. })),
        "{refused:?}"
    );
    assert!(forgotten);
    assert_eq!(outbox.state().refused, 0);
    assert_eq!(ada.points().await, dec("6"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_line_everything_waits_and_says_since_when() {
    let mut shop = Shop::earning("1", "1").await;
    shop.enrols("ada").await;
    shop.begins_to_close().await.expect("closed");
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), hasty(&shop.endpoint).await).expect("an outbox");
    let before = chrono::Utc::now();
    outbox.put(sale("1", 10)).await.expect("put");

    let failed = outbox.deliver().await.expect_err("nobody there");
    let second = Outbox::open(home.path(), shop.client.clone()).expect_err("locked");
    let state = outbox.state();
    shop.opens_again().await;
    let delivered = outbox.deliver().await.expect("delivered");

    assert!(
        matches!(&failed, OutboxError::Delivery(Error::Unavailable(_))),
        "{failed}"
    );
    assert!(matches!(second, OutboxError::Locked { .. }), "{second}");
    assert_eq!(state.unsent, 1);
    assert!(state.oldest_at.expect("an instant") >= before - chrono::TimeDelta::milliseconds(1));
    assert_eq!(delivered.applied, 1);
    assert_eq!(outbox.state().oldest_at, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_redeemed_offline_as_far_as_the_merchant_lets_tills_do_so() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");

    let unsaid = outbox.put(sale("1", 50).redeem_points(1)).await.expect_err("a refusal");
    let policy = OfflinePolicy::default().redeem_limit(30);
    shop.client.set_offline_policy(&policy).await.expect("a policy");
    outbox.refresh_policy().await.expect("the policy");
    drop(outbox);
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    outbox.put(sale("2", 50).redeem_points(20)).await.expect("put");
    let too_many = outbox
        .put(sale("3", 50).redeem_points(11))
        .await
        .expect_err("a refusal");
    let by_amount = outbox.put(sale("4", 50).redeem_amount(1)).await.expect_err("a refusal");
    outbox.put(sale("5", 50).redeem_points(10)).await.expect("put");
    let delivered = outbox.deliver().await.expect("delivered");
    outbox
        .put(sale("6", 50).redeem_points(30))
        .await
        .expect("put, since all before is delivered");

    let left = |error: &OutboxError| match error {
        OutboxError::RedeemLimit { left, .. } => *left,
        other => panic!("{other}"),
    };
    assert_eq!((left(&unsaid), left(&too_many)), (dec("0"), dec("10")));
    assert!(matches!(by_amount, OutboxError::RedeemsUnknownPoints), "{by_amount}");
    assert_eq!((delivered.applied, delivered.refused), (2, 0));
    assert_eq!(ada.points().await, dec("140"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_till_took_offline_is_honoured_and_what_is_missing_the_program_decides() {
    let cases = [
        (ShortfallPolicy::AllowNegative, SyncStatus::Applied, "20", "-5"),
        (ShortfallPolicy::ClampToZero, SyncStatus::Applied, "15", "0"),
        (ShortfallPolicy::Refuse, SyncStatus::Refused, "0", "15"),
    ];
    for (policy, status, taken, left) in cases {
        let program = NewProgram::new("Club", "EUR")
            .redemption(RedemptionPolicy::new(1))
            .shortfall_policy(policy);
        let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
        let ada = shop.enrols("ada").await;
        ada.buys("40").await;
        let limit = OfflinePolicy::default().redeem_limit(20);
        shop.client.set_offline_policy(&limit).await.expect("a policy");
        // Another till takes 25 of the 40 meanwhile.
        let elsewhere = ada.sale("25").do_not_earn().redeem_points(25);
        ada.records(&elsewhere).await;
        let offline = sale("offline", 20).do_not_earn().redeem_points(20);
        let offline = offline.offline_at(instant("2026-01-15T09:30:00Z"));

        let queue = [QueuedOperation::new(offline.clone())];
        let outcome = shop.client.sync_sales(&queue).await.expect("outcomes").remove(0);

        assert_eq!(outcome.status, status, "{policy:?}: {outcome:?}");
        let redeemed = match &outcome.answer {
            SyncAnswer::Sale(receipt) => receipt.points_redeemed,
            _ => dec("0"),
        };
        assert_eq!((redeemed, ada.points().await), (dec(taken), dec(left)), "{policy:?}");
        assert_books_agree(&shop).await;
        if status == SyncStatus::Applied {
            ada.cancels(&offline).await;
            assert_eq!(ada.points().await, dec("15"), "{policy:?}: all of it is undone");
            assert_books_agree(&shop).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_nothing_is_honoured_that_is_not_there() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("5").await;
    let limit = OfflinePolicy::default().redeem_limit(20);
    shop.client.set_offline_policy(&limit).await.expect("a policy");

    let offline = sale("offline", 50)
        .redeem_points(21)
        .offline_at(instant("2026-01-15T09:30:00Z"));
    let refused = ada.tries(&offline).await.expect_err("a refusal");
    let online = ada
        .tries(&sale("online", 50).redeem_points(6))
        .await
        .expect_err("a refusal");

    assert!(matches!(refused, Error::InsufficientPoints { .. }), "{refused}");
    assert!(matches!(online, Error::InsufficientPoints { .. }), "{online}");
    assert_eq!(ada.points().await, dec("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_set_aside_lets_those_behind_it_go_on() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    for number in 1..=3 {
        outbox.put(sale(&number.to_string(), 10)).await.expect("put");
    }

    let aside = outbox
        .set_aside_first()
        .await
        .expect("set aside")
        .expect("an operation");
    drop(outbox);
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    let delivered = outbox.deliver().await.expect("delivered");
    let nothing = outbox.set_aside_first().await.expect("nothing waits");

    assert_eq!((aside.position, delivered.applied), (1, 2));
    assert_eq!(nothing, None);
    let refused = outbox.refused().expect("refusals");
    assert!(
        matches!(&refused[0].outcome.answer, SyncAnswer::Refused(error) if error.to_string().contains("set aside")),
        "{refused:?}"
    );
    assert_eq!(ada.points().await, dec("20"));
}
