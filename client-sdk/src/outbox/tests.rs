//! The files of an outbox: what they keep, and what damage does.

use std::{fs, path::Path};

use loyalty_api::v1::{self, sync_sales_request::Operation};
use tempfile::TempDir;

use super::{
    error::OutboxError,
    repair, segment,
    store::{Sizes, Store},
};

const SMALL: Sizes = Sizes {
    limit: 1 << 20,
    segment: 400,
};
const LARGE: Sizes = Sizes {
    limit: 1 << 20,
    segment: 1 << 20,
};

fn operation(number: u64) -> v1::SyncSalesRequest {
    let request = v1::ReleaseHoldRequest {
        request_id: format!("request-{number}"),
        hold_id: "0198c0de-0000-7000-8000-000000000000".to_owned(),
        ..v1::ReleaseHoldRequest::default()
    };
    v1::SyncSalesRequest {
        position: 0,
        operation: Some(Operation::ReleaseHold(request)),
    }
}

fn answer(position: u64, status: v1::SyncStatus) -> v1::SyncSalesResponse {
    v1::SyncSalesResponse {
        position,
        status: status.into(),
        ..v1::SyncSalesResponse::default()
    }
}

fn open(directory: &Path, sizes: Sizes) -> Store {
    Store::open(directory, sizes).unwrap_or_else(|error| panic!("{error}"))
}

fn positions(store: &Store) -> Vec<u64> {
    store.waiting.keys().copied().collect()
}

/// An outbox with operations 1 to `last`, closed.
fn filled(last: u64, sizes: Sizes) -> TempDir {
    let directory = TempDir::new().unwrap();
    let mut store = open(directory.path(), sizes);
    for number in 1..=last {
        assert_eq!(store.take(0, operation(number)).unwrap(), number);
    }
    directory
}

#[test]
fn what_was_taken_is_there_when_it_is_opened_again() {
    for sizes in [SMALL, LARGE] {
        let directory = filled(20, sizes);

        let store = open(directory.path(), sizes);

        assert_eq!(positions(&store), (1..=20).collect::<Vec<_>>());
        assert_eq!(store.waiting[&7].message.position, 7);
        assert!(matches!(
            &store.waiting[&7].message.operation,
            Some(Operation::ReleaseHold(request)) if request.request_id == "request-7"
        ));
        assert_eq!(store.cut_off, None);
    }
}

#[test]
fn it_is_open_once() {
    let directory = filled(1, LARGE);
    let store = open(directory.path(), LARGE);

    let second = Store::open(directory.path(), LARGE).err();
    drop(store);

    assert!(matches!(second, Some(OutboxError::Locked { .. })), "{second:?}");
    open(directory.path(), LARGE);
}

#[test]
fn a_last_file_that_ends_anywhere_keeps_what_is_whole_and_says_what_was_cut_off() {
    let directory = filled(5, LARGE);
    let path = segment::path_of(directory.path(), 1);
    let bytes = fs::read(&path).unwrap();
    let whole = |length: usize| {
        let mut at = bytes.len();
        let mut ends = Vec::new();
        // All records but the first are as long as each other.
        let size = (bytes.len() - (16 + 12 + 9)) / 5;
        while at > size {
            ends.push(at);
            at -= size;
        }
        let count = ends.iter().filter(|end| **end <= length).count().min(5);
        u64::try_from(count).unwrap()
    };
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();

        let mut store = open(directory.path(), LARGE);

        let kept = whole(length);
        assert_eq!(positions(&store), (1..=kept).collect::<Vec<_>>(), "{length}");
        let next = store.take(0, operation(99)).unwrap();
        assert_eq!(next, kept + 1, "{length}");
        drop(store);
        let store = open(directory.path(), LARGE);
        assert_eq!(store.waiting.len() as u64, kept + 1, "{length}");
        assert_eq!(store.cut_off, None, "it was cut off the first time");
    }
}

#[test]
fn zeros_behind_the_last_record_are_cut_off_too() {
    let directory = filled(2, LARGE);
    let path = segment::path_of(directory.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 4_096, 0);
    fs::write(&path, &bytes).unwrap();

    let store = open(directory.path(), LARGE);

    assert_eq!(positions(&store), [1, 2]);
    assert_eq!(store.cut_off.as_ref().map(|cut_off| cut_off.bytes), Some(4_096));
}

#[test]
fn no_changed_bit_anywhere_is_guessed_at() {
    let directory = filled(3, LARGE);
    let path = segment::path_of(directory.path(), 1);
    let bytes = fs::read(&path).unwrap();
    for place in (0..bytes.len() * 8).step_by(3) {
        let mut changed = bytes.clone();
        changed[place / 8] ^= 1 << (place % 8);
        fs::write(&path, &changed).unwrap();

        let opened = Store::open(directory.path(), LARGE).err();

        assert!(
            matches!(opened, Some(OutboxError::Damaged { .. })),
            "{place}: {opened:?}"
        );
        assert_eq!(fs::read(&path).unwrap(), changed, "nothing was changed");
    }
}

#[test]
fn a_file_that_is_missing_or_short_in_the_middle_is_damage() {
    let directory = filled(30, SMALL);
    let middle = segment::path_of(directory.path(), 2);
    let bytes = fs::read(&middle).unwrap();
    assert!(segment::numbers(directory.path()).unwrap().len() > 3);

    fs::write(&middle, &bytes[..bytes.len() - 1]).unwrap();
    let short = Store::open(directory.path(), SMALL).err();
    fs::remove_file(&middle).unwrap();
    let missing = Store::open(directory.path(), SMALL).err();

    assert!(matches!(short, Some(OutboxError::Damaged { .. })), "{short:?}");
    assert!(matches!(missing, Some(OutboxError::Damaged { .. })), "{missing:?}");
}

#[test]
fn repaired_it_has_all_that_can_be_read_and_keeps_the_rest_aside() {
    let directory = filled(30, SMALL);
    let middle = segment::path_of(directory.path(), 2);
    let mut bytes = fs::read(&middle).unwrap();
    let place = bytes.len() - 5;
    bytes[place] ^= 1;
    fs::write(&middle, &bytes).unwrap();

    let set_aside = repair::repair(directory.path()).unwrap();

    assert_eq!(set_aside.len(), 1);
    let kept = fs::read(&set_aside[0].file).unwrap();
    assert!(bytes.ends_with(&kept), "as it was");
    let mut store = open(directory.path(), SMALL);
    let lost: Vec<u64> = (1..=30)
        .filter(|position| !store.waiting.contains_key(position))
        .collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(store.take(0, operation(31)).unwrap(), 31);
    drop(store);
    assert_eq!(open(directory.path(), SMALL).waiting.len(), 30);
    assert_eq!(
        repair::repair(directory.path()).unwrap(),
        [],
        "there is nothing more to repair"
    );
}

#[test]
fn repaired_it_goes_on_where_a_whole_file_is_gone() {
    let directory = filled(30, SMALL);
    fs::remove_file(segment::path_of(directory.path(), 2)).unwrap();

    let set_aside = repair::repair(directory.path()).unwrap();

    assert_eq!(set_aside, []);
    let store = open(directory.path(), SMALL);
    assert!((20..30).contains(&store.waiting.len()), "{}", store.waiting.len());
    assert_eq!(store.waiting.keys().next_back(), Some(&30));
}

#[test]
fn files_of_which_all_is_answered_are_removed_and_refusals_move_on() {
    let directory = filled(40, SMALL);
    let mut store = open(directory.path(), SMALL);
    let before = store.bytes();

    for position in 1..=40 {
        let status = match position {
            3 | 20 => v1::SyncStatus::Refused,
            _ => v1::SyncStatus::Applied,
        };
        store.answered(answer(position, status)).unwrap();
        if position % 7 == 0 {
            store.settle().unwrap();
        }
    }
    store.settle().unwrap();

    assert!(store.bytes() < before / 4, "{} of {before}", store.bytes());
    assert!(store.waiting.is_empty());
    drop(store);
    let mut store = open(directory.path(), SMALL);
    assert_eq!(store.refused.keys().copied().collect::<Vec<_>>(), [3, 20]);
    assert!(store.waiting.is_empty());
    assert!(store.forget(3).unwrap());
    assert!(!store.forget(3).unwrap());
    drop(store);
    let mut store = open(directory.path(), SMALL);
    assert_eq!(store.refused.keys().copied().collect::<Vec<_>>(), [20]);
    assert_eq!(store.take(0, operation(41)).unwrap(), 41);
}

#[test]
fn an_answer_that_was_not_written_down_is_asked_for_again() {
    let directory = filled(10, SMALL);
    let mut store = open(directory.path(), SMALL);
    for position in 1..=6 {
        store.answered(answer(position, v1::SyncStatus::Applied)).unwrap();
        if position == 4 {
            store.settle().unwrap();
        }
    }
    drop(store);

    let store = open(directory.path(), SMALL);

    assert_eq!(positions(&store), [5, 6, 7, 8, 9, 10]);
}

#[test]
fn it_takes_no_more_than_its_limit_and_goes_on_when_there_is_room() {
    let sizes = Sizes {
        limit: 4_000,
        segment: 400,
    };
    let directory = TempDir::new().unwrap();
    let mut store = open(directory.path(), sizes);
    let mut taken = 0;
    let full = loop {
        match store.take(0, operation(taken)) {
            Ok(position) => taken = position,
            Err(error) => break error,
        }
    };

    assert!(matches!(full, OutboxError::Full { limit: 4_000, .. }), "{full}");
    assert!(taken > 20, "{taken}");
    for position in 1..=taken / 2 {
        store.answered(answer(position, v1::SyncStatus::Applied)).unwrap();
    }
    store.settle().unwrap();
    assert_eq!(store.take(0, operation(0)).unwrap(), taken + 1);
}

#[test]
fn an_operation_that_no_server_takes_is_refused_at_once() {
    let directory = TempDir::new().unwrap();
    let mut store = open(directory.path(), LARGE);
    let mut large = operation(1);
    if let Some(Operation::ReleaseHold(request)) = &mut large.operation {
        request.hold_id = "x".repeat(3 << 20);
    }

    let refused = store.take(0, large);

    assert!(matches!(refused, Err(OutboxError::TooLarge { .. })), "{refused:?}");
    assert!(store.waiting.is_empty());
}
