//! The contract as others use it: the stories that the README names, by clients of other languages, and the programs that
//! the SDK's own README shows.

use std::path::{Path, PathBuf};
use std::process::Command;

use loyalty_sdk::{EarnRate, NewMember, NewProgram, RedemptionPolicy};
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use tempfile::TempDir;

use crate::harness::feed::quick;
use crate::harness::{PROGRAM, Shop, dec};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What a program says that goes well.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

fn address(shop: &Shop) -> &str {
    shop.endpoint.trim_start_matches("http://")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_sales_and_a_queue_play_from_node() {
    let shop = Shop::empty().await;

    let mut story = Command::new(".ci/node");
    story
        .arg("tests/node/two_sales.mjs")
        .arg(address(&shop))
        .current_dir(root());
    let said = said(&mut story);

    assert!(
        said.contains("queue: SYNC_STATUS_APPLIED SYNC_STATUS_REFUSED"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_python_generates_from_the_contract_sells_and_delivers_a_queue() {
    let shop = Shop::empty().await;

    let mut story = Command::new(".ci/python");
    story
        .arg("tests/python/generated_stubs.py")
        .arg(address(&shop))
        .current_dir(root());
    let said = said(&mut story);

    assert!(said.contains("balance: 20"), "{said}");
}

/// The contract's own files, as protoc and the server know them, without what is only for people or follows from the rest.
fn contract(set: &[u8]) -> Vec<FileDescriptorProto> {
    let mut set = FileDescriptorSet::decode(set).expect("a set of descriptors");
    set.file.retain(|file| file.name().starts_with("loyalty/"));
    set.file.sort_by(|one, other| one.name().cmp(other.name()));
    for file in &mut set.file {
        file.source_code_info = None;
        let mut messages: Vec<&mut DescriptorProto> = file.message_type.iter_mut().collect();
        while let Some(message) = messages.pop() {
            for field in &mut message.field {
                field.json_name = None;
            }
            messages.extend(&mut message.nested_type);
        }
    }
    set.file
}

#[test]
fn plain_protoc_makes_of_the_files_what_the_server_serves() {
    let home = TempDir::new().expect("a directory");
    let out = home.path().join("contract.bin");
    let files = std::fs::read_dir(root().join("proto/loyalty/v1")).expect("the contract");
    let files = files.map(|file| file.expect("a file").path().canonicalize().expect("a path"));

    let mut protoc = Command::new(".ci/python");
    protoc.args(["-m", "grpc_tools.protoc"]);
    protoc.arg(format!(
        "-I{}",
        root().join("proto").canonicalize().expect("a path").display()
    ));
    protoc.arg(format!("--descriptor_set_out={}", out.display()));
    said(protoc.args(files).current_dir(root()));

    let made = contract(&std::fs::read(&out).expect("what protoc made"));
    let served = contract(loyalty_api::FILE_DESCRIPTOR_SET);
    assert!(made.len() > 10, "{}", made.len());
    let names = |files: &[FileDescriptorProto]| files.iter().map(|file| file.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&made), names(&served));
    for (made, served) in made.iter().zip(&served) {
        assert!(made == served, "{} is another", made.name());
    }
}

/// The examples, compiled with these tests.
const EXAMPLES: [&str; 6] = [
    env!("CARGO_BIN_EXE_example-till"),
    env!("CARGO_BIN_EXE_example-offline-day"),
    env!("CARGO_BIN_EXE_example-back-office"),
    env!("CARGO_BIN_EXE_example-feed-consumer"),
    env!("CARGO_BIN_EXE_example-nightly-report"),
    env!("CARGO_BIN_EXE_example-quoted-till"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_sdk_play_one_after_the_other() {
    let shop = Shop::serving(quick).await;
    let program = NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .redemption(RedemptionPolicy::new(1));
    shop.client.create_program(&program).await.expect("a program");
    shop.creates(&loyalty_sdk::NewRule::new(PROGRAM, "Default", EarnRate::new(10, 1)))
        .await;
    let ada = NewMember::new(PROGRAM).customer_id("ada").card("7700123");
    shop.client.enroll_member(&ada).await.expect("a member");
    let before = loyalty_sdk::Sale::new("before", "store-1", loyalty_sdk::MemberKey::card("7700123"), "EUR", 150);
    shop.client.record_sale(&before).await.expect("a receipt");
    let home = TempDir::new().expect("a directory");
    // The tills' clocks show the real day: so does the shop's.
    let today = chrono::Utc::now().to_rfc3339();
    shop.it_is(&today);

    let mut said_by = EXAMPLES.iter().map(|example| {
        let mut command = Command::new(example);
        said(command.arg(&shop.endpoint).arg(home.path().join("kept")))
    });
    let mut next = || said_by.next().expect("an example");
    let (till, offline_day, back_office) = (next(), next(), next());

    let report = home.path().join("report.csv");
    let mut nightly = Command::new(EXAMPLES[4]);
    let nightly = said(nightly.arg(&shop.endpoint).arg(&report).arg("2026-01-15"));
    let report = std::fs::read_to_string(report).expect("a report");
    let quoted = said(Command::new(EXAMPLES[5]).arg(&shop.endpoint));

    assert_eq!(nightly, "1 members, 15 points earned, 0 redeemed\n15 points are owed\n");
    assert!(
        report.starts_with("member_id,opening,earned,") && report.contains(",0,15,0,"),
        "{report}"
    );
    assert!(
        quoted.starts_with("you will earn 2 points\nPoints earned:   2\n"),
        "{quoted}"
    );
    assert!(till.contains("Points used:     10 (paid 10.00 EUR)"), "{till}");
    assert!(offline_day.contains("3 delivered, 0 refused"), "{offline_day}");
    assert!(back_office.contains("refund "), "{back_office}");
    let balance = shop.client.get_balance(loyalty_sdk::MemberKey::card("7700123")).await;
    assert!(balance.expect("a balance").balance.available > dec("300"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_consumer_goes_on_where_it_was() {
    let shop = Shop::serving(quick).await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    let home = TempDir::new().expect("a directory");
    let file = home.path().join("entries.csv");
    let consume = || said(Command::new(EXAMPLES[3]).arg(&shop.endpoint).arg(&file));

    let mut told = 0;
    for round in 1..=2 {
        ada.buys("10").await;
        while told < round {
            let said = consume();
            told += said
                .split(' ')
                .next()
                .and_then(|count| count.parse::<usize>().ok())
                .expect("a count");
        }
    }

    let csv = std::fs::read_to_string(&file).expect("a file");
    let sequences: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(sequences, ["1", "2"], "{csv}");
}

#[test]
fn the_readme_shows_the_till_exactly_as_it_is_compiled_and_run() {
    let readme = include_str!("../client-sdk/README.md");
    let till = include_str!("../client-sdk/examples/till.rs");
    let (_, shown) = till.split_once("\n\nuse ").expect("the program behind its heading");

    assert!(readme.contains(&format!("```rust,no_run\nuse {shown}```")), "{readme}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_another_system_come_from_a_file_once() {
    let shop = Shop::serving(quick).await;
    shop.opens().await;
    let home = TempDir::new().expect("a directory");
    let file = home.path().join("members.csv");
    let rows = "customer_id,name,points,lapse\nada,Ada,10,2099-01-01\nbob,Bob,many,\ncyd,Cyd,0.5,\ndee,Dee,7,\n";
    std::fs::write(&file, rows).expect("a file");
    let import = || {
        let mut example = Command::new(env!("CARGO_BIN_EXE_example-import-members"));
        said(example.arg(&shop.endpoint).arg(&file))
    };

    let (first, again) = (import(), import());

    assert!(first.contains("line 3 cannot be read: bob,Bob,many,"), "{first}");
    assert!(first.contains("line 4: "), "{first}");
    assert!(first.contains("2 imported, 0 there before, 1 refused"), "{first}");
    assert!(again.contains("0 imported, 2 there before, 1 refused"), "{again}");
    let dee = shop
        .client
        .get_balance(loyalty_sdk::MemberKey::customer_id("dee"))
        .await;
    assert_eq!(dee.expect("a balance").balance.available, dec("7"));
}
