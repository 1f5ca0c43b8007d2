//! The client for programs without an async runtime, its iterators, and entries as CSV.

use std::thread;

use loyalty_sdk::blocking::{Client, Outbox};
use loyalty_sdk::{CsvWriter, EntryKind, Error, FeedRequest, MemberKey, ReportPeriod, Sale, VerifyRequest};
use loyalty_server::serve::ServeOptions;
use tempfile::TempDir;

use crate::harness::feed::quick;
use crate::harness::{Shop, dec};

async fn shop() -> Shop {
    let shop = Shop::serving(|options: ServeOptions| quick(options)).await;
    shop.opens().await;
    shop.enrols("ada").await;
    shop
}

fn ada() -> MemberKey {
    MemberKey::customer_id("ada")
}

fn sale(number: u32) -> Sale {
    Sale::new(format!("{number:03}"), "store-1", ada(), "EUR", 1)
}

/// What a thread of no runtime does.
fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn_blocking(move || thread::spawn(work).join().expect("no panic"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_without_a_runtime_sells_and_reads_all_of_a_history() {
    let shop = shop().await;
    let endpoint = shop.endpoint.clone();

    let till = elsewhere(move || {
        let client = Client::connect(endpoint)?;
        for number in 0..230 {
            client.record_sale(&sale(number))?;
        }
        let entries: Vec<_> = client.entries(ada()).collect::<Result<_, Error>>()?;
        let mut fed = 0;
        for batch in client.stream_entries(&FeedRequest::default().follow()) {
            fed += batch?.entries.len();
            if fed >= 230 {
                break;
            }
        }
        let verified = client
            .verify_ledger(&VerifyRequest::default())
            .collect::<Result<Vec<_>, Error>>()?;
        let report: Vec<_> = client
            .report_members(&ReportPeriod::of_program("club"))
            .collect::<Result<_, Error>>()?;
        assert_eq!(report.concat().len(), 1, "ada is the only member");
        let refused = client.get_balance(MemberKey::customer_id("nobody"));
        Ok::<_, Error>((entries, fed, verified, refused, client.get_balance(ada())?))
    });
    let (entries, fed, verified, refused, balance) = till.await.expect("a thread").expect("answers");

    assert_eq!(entries.len(), 230);
    assert!(
        entries.windows(2).all(|pair| pair[0].sequence == pair[1].sequence + 1),
        "newest first"
    );
    assert_eq!(fed, 230);
    assert!(verified.iter().all(|part| part.drifts.is_empty()));
    assert!(matches!(refused, Err(Error::MemberNotFound { .. })), "{refused:?}");
    assert_eq!(balance.balance.available, dec("230"));
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_a_runtime_it_waits_too_and_can_be_dropped_there() {
    let shop = shop().await;

    let client = Client::connect(&shop.endpoint).expect("a client");
    let receipt = client.record_sale(&sale(1)).expect("a receipt");
    drop(client);

    assert_eq!(receipt.points_earned, dec("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_outbox_delivers() {
    let shop = shop().await;
    let (endpoint, home) = (shop.endpoint.clone(), TempDir::new().expect("a directory"));
    let directory = home.path().to_owned();
    let now = shop.now();

    let till = elsewhere(move || {
        let client = Client::connect(endpoint).expect("a client");
        let outbox = Outbox::open(directory, &client).expect("an outbox");
        outbox.put(sale(1).occurred_at(now)).expect("put");
        let unsent = outbox.state().unsent;
        (unsent, outbox.deliver().expect("delivered").applied)
    });

    assert_eq!(till.await.expect("a thread"), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_become_csv() {
    let shop = shop().await;
    let mut sale = sale(1);
    sale.document_number = "A,1 \"x\"".to_owned();
    shop.client.record_sale(&sale).await.expect("a receipt");
    let entries = shop
        .client
        .list_entries(ada(), &loyalty_sdk::PageRequest::default())
        .await
        .expect("a page");

    let mut csv = CsvWriter::new(Vec::new()).expect("memory");
    csv.entries(&entries.items).expect("memory");
    let text = String::from_utf8(csv.finish().expect("memory")).expect("text");

    assert_eq!(entries.items[0].kind, EntryKind::Earn);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].starts_with("member_id,sequence,kind,points,balance_after,occurred_at,"),
        "{text}"
    );
    assert!(lines[1].contains(",1,EARN,1,1,2026-01-15T10:00:00Z,"), "{text}");
    assert!(lines[1].contains(",store-1,001,,\"A,1 \"\"x\"\"\","), "{text}");
    assert!(lines[1].ends_with(",1:1:"), "{text}");
}
