//! A member's books, for those who only look at them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::account::{self, AccountKey};
use super::connection::Connection;
use super::entry;
use super::error::StorageError;
use super::hold;
use super::lot::{self, PageStart};
use super::pending;
use super::program_cache::ProgramCache;
use super::rule_usage;
use crate::domain::account::{Books, LotsMissing};
use crate::domain::program::ProgramVersion;
use crate::domain::rule_usage::ALL_DAYS;
use crate::domain::tier;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Members whose lots are read at once: a page of each is a megabyte.
const PAGES_OF_A_QUESTION: usize = 100;

/// The books of a member and the current version of the program, without any lots yet; `None` when there is no such
/// member. `at` is the earliest instant that will be asked about.
pub(crate) async fn load(
    connection: &mut Connection,
    cache: &ProgramCache,
    key: AccountKey,
    at: DateTime<Utc>,
) -> Result<Option<(Books, Arc<ProgramVersion>)>, StorageError> {
    let Some(account) = account::find(connection, key).await? else {
        return Ok(None);
    };
    let program = (key.0, Arc::clone(&account.program_id));
    let mut versions = cache.current(connection, std::iter::once(program.clone())).await?;
    let Some(version) = versions.remove(&program) else {
        return Err(StorageError::Corrupt(format!(
            "an account of the unknown program {}",
            program.1
        )));
    };
    let mut books = Books::new(account);
    if let Some(since) = tier::spend_needed_since(&version.program, at) {
        let day_of = |instant| version.program.local_date(instant);
        books.spend_by_day = Some(entry::spend_by_day(connection, key, since, day_of).await?);
    }
    if version.rules.count_usage() {
        // A quote may be for a sale of a clock that runs ahead, across midnight.
        let day = version.program.local_date(at);
        let days = [day, day.succ_opt().unwrap_or(day), ALL_DAYS];
        for (_, day, rule_id, points) in rule_usage::find(connection, key.0, std::iter::once(key.1), &days).await? {
            books.rule_usage.learn(day, rule_id, points);
        }
    }
    Ok(Some((books, version)))
}

/// The books of members of one program, by rising id, without any lots yet; those that are none are left out.
pub(crate) async fn load_all(
    connection: &mut Connection,
    version: &ProgramVersion,
    merchant_id: u32,
    member_ids: &[Uuid],
    at: DateTime<Utc>,
) -> Result<Vec<Books>, StorageError> {
    let accounts = account::find_all(connection, merchant_id, member_ids).await?;
    let mut spend = match tier::spend_needed_since(&version.program, at) {
        Some(since) => {
            let day_of = |instant| version.program.local_date(instant);
            Some(entry::spend_by_day_of(connection, merchant_id, member_ids, since, day_of).await?)
        }
        None => None,
    };
    let books = accounts
        .into_iter()
        .filter(|account| account.program_id == version.program_id)
        .map(|account| {
            let member_id = account.member_id;
            let mut books = Books::new(account);
            books.spend_by_day = spend.as_mut().map(|spend| spend.remove(&member_id).unwrap_or_default());
            books
        });
    Ok(books.collect())
}

/// Asks the books again and again, with one more page of lots each time, until they know enough to answer.
pub(crate) async fn ask<T>(
    connection: &mut Connection,
    key: AccountKey,
    books: &mut Books,
    question: impl Fn(&Books) -> Result<T, LotsMissing>,
) -> Result<T, StorageError> {
    loop {
        match question(books) {
            Ok(answer) => return Ok(answer),
            Err(LotsMissing) => learn_next_page(connection, key, books).await?,
        }
    }
}

/// Asks the books of many members, each with one more page of lots a turn as long as it needs them.
pub(crate) async fn ask_all<T>(
    connection: &mut Connection,
    books: &mut [Books],
    question: impl Fn(&Books) -> Result<T, LotsMissing>,
) -> Result<Vec<T>, StorageError> {
    loop {
        let mut answers = Vec::with_capacity(books.len());
        let mut asking = Vec::new();
        for books in &mut *books {
            match question(books) {
                Ok(answer) => answers.push(answer),
                Err(LotsMissing) => asking.push(books),
            }
        }
        if asking.is_empty() {
            return Ok(answers);
        }
        let (unknown, asking): (Vec<_>, Vec<_>) = asking.into_iter().partition(|books| books.pending.has_unknown());
        learn_pending(connection, unknown).await?;
        let (unknown, mut asking): (Vec<_>, Vec<_>) = asking.into_iter().partition(|books| books.holds.has_unknown());
        learn_holds(connection, unknown).await?;
        for asking in asking.chunks_mut(PAGES_OF_A_QUESTION) {
            let starts = asking.iter().map(|books| next_page(key_of(books), books));
            let starts: Vec<PageStart> = starts.collect::<Result<_, _>>()?;
            let mut pages = lot::open_pages(connection, &starts).await?;
            for books in asking {
                let page = pages.remove(&key_of(books)).unwrap_or_default();
                let was_last = page.len() < lot::PAGE;
                books.learn_lots(page, was_last);
            }
        }
    }
}

/// Loads what is pending of many members.
async fn learn_pending(connection: &mut Connection, unknown: Vec<&mut Books>) -> Result<(), StorageError> {
    let mut members: BTreeMap<u32, Vec<Uuid>> = BTreeMap::new();
    for books in &unknown {
        let (merchant_id, member_id) = key_of(books);
        members.entry(merchant_id).or_default().push(member_id);
    }
    let mut found = HashMap::new();
    for (merchant_id, members) in members {
        for (member_id, lots) in pending::find(connection, merchant_id, members.into_iter()).await? {
            found.insert((merchant_id, member_id), lots);
        }
    }
    for books in unknown {
        books.pending.learn(found.remove(&key_of(books)).unwrap_or_default());
    }
    Ok(())
}

/// Loads what is held of many members.
async fn learn_holds(connection: &mut Connection, unknown: Vec<&mut Books>) -> Result<(), StorageError> {
    let mut members: BTreeMap<u32, Vec<Uuid>> = BTreeMap::new();
    for books in &unknown {
        let (merchant_id, member_id) = key_of(books);
        members.entry(merchant_id).or_default().push(member_id);
    }
    let mut found = HashMap::new();
    for (merchant_id, members) in members {
        for (member_id, holds) in hold::open(connection, merchant_id, members.into_iter()).await? {
            found.insert((merchant_id, member_id), holds);
        }
    }
    for books in unknown {
        books.holds.learn_open(found.remove(&key_of(books)).unwrap_or_default());
    }
    Ok(())
}

/// Loads what is pending, if that is not known, else what is held, else the next page of open lots.
pub(crate) async fn learn_next_page(
    connection: &mut Connection,
    key: AccountKey,
    books: &mut Books,
) -> Result<(), StorageError> {
    if books.pending.has_unknown() {
        let mut found = pending::find(connection, key.0, std::iter::once(key.1)).await?;
        books.pending.learn(found.remove(&key.1).unwrap_or_default());
        return Ok(());
    }
    if books.holds.has_unknown() {
        let mut found = hold::open(connection, key.0, std::iter::once(key.1)).await?;
        books.holds.learn_open(found.remove(&key.1).unwrap_or_default());
        return Ok(());
    }
    let start = next_page(key, books)?;
    let page = lot::open_pages(connection, &[start])
        .await?
        .remove(&key)
        .unwrap_or_default();
    let was_last = page.len() < lot::PAGE;
    books.learn_lots(page, was_last);
    Ok(())
}

fn key_of(books: &Books) -> AccountKey {
    (books.account.merchant_id, books.account.member_id)
}

/// Where the next page of open lots starts. Books that know all their lots and still miss some have drifted.
fn next_page(key: AccountKey, books: &Books) -> Result<PageStart, StorageError> {
    let (lot, behind) = match (books.lots_known_to(), books.account.first_open_lot) {
        (Some(last), _) => (last, true),
        (None, Some(first)) if !books.knows_all_lots() => (first, false),
        _ => {
            return Err(StorageError::Corrupt(format!(
                "the lots of member {} do not add up to its points",
                key.1
            )));
        }
    };
    Ok(PageStart {
        account: key,
        lot,
        behind,
    })
}
