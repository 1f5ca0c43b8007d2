//! One batch: load what its commands need, decide them in order, write what they did.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

use super::{Action, Command, Decided, Decision};
use crate::domain::account::{Account, Books, Stop};
use crate::domain::answer::{Answer, Refusal, StoredAnswer};
use crate::domain::enrolment::{Enrolment, Identifier, Member};
use crate::domain::outcome::SaleOutcome;
use crate::domain::program::{ProgramState, ProgramVersion};
use crate::domain::rejection::Rejection;
use crate::domain::sale::Sale;
use crate::domain::{sale_recording, tier};
use crate::storage::account::{self, AccountKey};
use crate::storage::books;
use crate::storage::connection::{self, Connection};
use crate::storage::entry::{self, EntryRows};
use crate::storage::error::StorageError;
use crate::storage::lot::{self, AllocationRows, LotRows, PageStart};
use crate::storage::member::{self, MemberRows};
use crate::storage::posting_batch::{self, Touched};
use crate::storage::program::ProgramKey;
use crate::storage::program_cache::ProgramCache;
use crate::storage::request::{self, RequestKey, RequestRecord, RequestResult, RequestRows};
use crate::storage::sale::{self, NewSale, RecordedSale, RecordedSaleKey, SaleRows};
use crate::storage::statement;

/// A committed batch.
pub(super) struct Posted {
    /// One for each command, in order.
    pub(super) decisions: Vec<Decision>,
    pub(super) round_trips: u64,
}

/// Decides the commands in order and writes what they did, in one transaction.
pub(super) async fn post(
    connection: &mut Connection,
    cache: &ProgramCache,
    commands: &[Command],
) -> Result<Posted, StorageError> {
    connection::begin(connection).await?;
    let mut batch = Batch::load(connection, cache, commands).await?;
    let mut decisions = Vec::with_capacity(commands.len());
    for command in commands {
        decisions.push(batch.decide(connection, command).await?);
    }
    batch.write(connection, commands).await?;
    connection::commit(connection).await?;
    Ok(Posted {
        decisions,
        round_trips: batch.round_trips,
    })
}

/// What the commands of a batch see: the books as loaded, and what the commands before did.
struct Batch<'a> {
    books: BTreeMap<AccountKey, Books>,
    requests: HashMap<RequestKey, RequestRecord>,
    sales: HashMap<RecordedSaleKey, RecordedSale>,
    versions: HashMap<ProgramKey, Arc<ProgramVersion>>,
    identifiers: HashMap<(u32, String, Identifier), Uuid>,
    new_requests: Vec<RequestKey>,
    new_sales: Vec<(&'a Command, &'a Sale, SaleOutcome)>,
    new_members: Vec<(u32, Member)>,
    round_trips: u64,
}

impl<'a> Batch<'a> {
    /// The accounts come first: what is read under their locks cannot be overtaken.
    async fn load(
        connection: &mut Connection,
        cache: &ProgramCache,
        commands: &[Command],
    ) -> Result<Self, StorageError> {
        let accounts: BTreeSet<AccountKey> = commands.iter().map(account_key).collect();
        let accounts = account::lock(connection, &accounts.into_iter().collect::<Vec<_>>()).await?;
        let books: BTreeMap<AccountKey, Books> = accounts
            .into_iter()
            .map(|account| ((account.merchant_id, account.member_id), Books::new(account)))
            .collect();
        let requests = request::find(connection, commands.iter().map(request_key)).await?;
        let sales = sale::find(connection, commands.iter().filter_map(sale_key)).await?;
        let programs = programs_of(&books, commands);
        let versions = cache.current(connection, programs.into_iter()).await?;
        let mut batch = Self {
            books,
            requests: requests.into_iter().collect(),
            sales: sales.into_iter().collect(),
            versions,
            identifiers: HashMap::new(),
            new_requests: Vec::new(),
            new_sales: Vec::new(),
            new_members: Vec::new(),
            // BEGIN, accounts, requests, sales, versions, rows, COMMIT.
            round_trips: 7,
        };
        batch.load_identifiers(connection, commands).await?;
        batch.load_lots(connection, commands).await?;
        batch.load_spend(connection, commands).await?;
        Ok(batch)
    }

    /// Who has the identifiers that are to be enrolled.
    async fn load_identifiers(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
    ) -> Result<(), StorageError> {
        let mut asked: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for command in commands {
            if let Action::Enrol(enrolment) = &command.action {
                for identifier in &enrolment.identifiers {
                    asked
                        .entry((command.merchant_id, identifier.kind))
                        .or_default()
                        .push(identifier.value.clone());
                }
            }
        }
        for ((merchant_id, kind), values) in asked {
            self.round_trips += 1;
            for (value, program_id, member_id) in
                member::find_identifiers(connection, merchant_id, kind, &values).await?
            {
                self.identifiers
                    .insert((merchant_id, program_id, Identifier { kind, value }), member_id);
            }
        }
        Ok(())
    }

    /// The first page of open lots of every account that a command takes from or whose lots have lapsed.
    async fn load_lots(&mut self, connection: &mut Connection, commands: &[Command]) -> Result<(), StorageError> {
        let mut starts: BTreeMap<AccountKey, PageStart> = BTreeMap::new();
        for command in commands {
            let Action::RecordSale(sale) = &command.action else {
                continue;
            };
            let key = account_key(command);
            let Some(books) = self.books.get(&key) else { continue };
            let Some(first) = books.account.first_open_lot else {
                continue;
            };
            if !sale.redemptions.is_empty() || books.has_lapsed_lots(command.now) {
                starts.insert(
                    key,
                    PageStart {
                        account: key,
                        lot: first,
                        behind: false,
                    },
                );
            }
        }
        self.learn_lots(connection, &starts.into_values().collect::<Vec<_>>())
            .await
    }

    async fn learn_lots(&mut self, connection: &mut Connection, starts: &[PageStart]) -> Result<(), StorageError> {
        if starts.is_empty() {
            return Ok(());
        }
        self.round_trips += 1;
        let mut pages = lot::open_pages(connection, starts).await?;
        for start in starts {
            let page = pages.remove(&start.account).unwrap_or_default();
            let was_last = page.len() < lot::PAGE;
            if let Some(books) = self.books.get_mut(&start.account) {
                books.learn_lots(page, was_last);
            }
        }
        Ok(())
    }

    /// Spend by day of every account whose program adds it up over a window.
    async fn load_spend(&mut self, connection: &mut Connection, commands: &[Command]) -> Result<(), StorageError> {
        let mut since: BTreeMap<AccountKey, DateTime<Utc>> = BTreeMap::new();
        for command in commands {
            let Action::RecordSale(sale) = &command.action else {
                continue;
            };
            let key = account_key(command);
            let Some(version) = self.books.get(&key).and_then(|books| self.version_of(key.0, books)) else {
                continue;
            };
            let at = sale_recording::spend_counts_at(sale, command.now);
            if let Some(first) = tier::spend_needed_since(&version.program, at) {
                since
                    .entry(key)
                    .and_modify(|earliest| *earliest = first.min(*earliest))
                    .or_insert(first);
            }
        }
        for (key, since) in since {
            let Some(books) = self.books.get(&key) else { continue };
            let Some(version) = self.version_of(key.0, books) else {
                continue;
            };
            self.round_trips += 1;
            let days =
                entry::spend_by_day(connection, key, since, |instant| version.program.local_date(instant)).await?;
            if let Some(books) = self.books.get_mut(&key) {
                books.spend_by_day = Some(days);
            }
        }
        Ok(())
    }

    async fn decide(&mut self, connection: &mut Connection, command: &'a Command) -> Result<Decision, StorageError> {
        if let Some(record) = self.requests.get(&request_key(command)) {
            return self.repeat(command, record);
        }
        let result = match &command.action {
            Action::RecordSale(sale) => self.record_sale(connection, command, sale).await?,
            Action::Enrol(enrolment) => self.enrol(command, enrolment).map(|member| Decided {
                answer: Answer::Member(member),
                replayed: false,
            }),
        };
        let kept = match (&result, &command.action) {
            (Ok(_), Action::RecordSale(sale)) => Some(RequestResult::Sale {
                store_id: sale.store_id.clone(),
                sale_id: sale.sale_id.clone(),
            }),
            (
                Ok(Decided {
                    answer: Answer::Member(member),
                    ..
                }),
                _,
            ) => Some(RequestResult::Answer(StoredAnswer::Member(member.clone()))),
            (Ok(_), Action::Enrol(_)) => None,
            (Err(rejection), _) => rejection
                .is_remembered()
                .then(|| RequestResult::Answer(StoredAnswer::Refusal(Refusal::from(rejection)))),
        };
        if let Some(result) = kept {
            let key = request_key(command);
            let record = RequestRecord {
                content_hash: command.content_hash,
                recorded_at: command.now,
                result,
            };
            self.requests.insert(key.clone(), record);
            self.new_requests.push(key);
        }
        Ok(result.map_err(|rejection| Refusal::from(&rejection)))
    }

    /// The answer that this request got before.
    fn repeat(&self, command: &Command, record: &RequestRecord) -> Result<Decision, StorageError> {
        if record.content_hash != command.content_hash {
            let rejection = Rejection::RequestIdReused {
                request_id: command.request_id.clone(),
            };
            return Ok(Err(Refusal::from(&rejection)));
        }
        let answer = match &record.result {
            RequestResult::Sale { store_id, sale_id } => {
                let key = (command.merchant_id, store_id.clone(), sale_id.clone());
                let recorded = self.sales.get(&key);
                let recorded =
                    recorded.ok_or_else(|| StorageError::Corrupt("a request without its sale".to_owned()))?;
                Answer::Sale(recorded.outcome.clone())
            }
            RequestResult::Answer(stored) => match stored.clone().into_answer() {
                Ok(answer) => answer,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        Ok(Ok(Decided { answer, replayed: true }))
    }

    async fn record_sale(
        &mut self,
        connection: &mut Connection,
        command: &'a Command,
        sale: &'a Sale,
    ) -> Result<Result<Decided, Rejection>, StorageError> {
        let key = account_key(command);
        let sale_key = (command.merchant_id, sale.store_id.clone(), sale.sale_id.clone());
        if let Some(recorded) = self.sales.get(&sale_key) {
            if recorded.content_hash == command.content_hash {
                return Ok(Ok(Decided {
                    answer: Answer::Sale(recorded.outcome.clone()),
                    replayed: true,
                }));
            }
            let (store_id, sale_id) = (sale.store_id.clone(), sale.sale_id.clone());
            return Ok(Err(Rejection::SaleIdConflict { store_id, sale_id }));
        }
        loop {
            let Some(books) = self
                .books
                .get_mut(&key)
                .filter(|books| is_of_program(books, &sale.program_id))
            else {
                return Ok(Err(Rejection::MemberNotFound {
                    field: "sale.member".to_owned(),
                }));
            };
            let program = (command.merchant_id, Arc::clone(&books.account.program_id));
            let Some(version) = self.versions.get(&program) else {
                return Err(StorageError::Corrupt(format!(
                    "an account of the unknown program {}",
                    program.1
                )));
            };
            match sale_recording::record(books, version, sale, command.now) {
                Ok(outcome) => {
                    let recorded = RecordedSale {
                        content_hash: command.content_hash,
                        outcome: outcome.clone(),
                    };
                    self.sales.insert(sale_key, recorded);
                    self.new_sales.push((command, sale, outcome.clone()));
                    return Ok(Ok(Decided {
                        answer: Answer::Sale(outcome),
                        replayed: false,
                    }));
                }
                Err(Stop::Rejected(rejection)) => return Ok(Err(rejection)),
                Err(Stop::LotsMissing) => {
                    books::learn_next_page(connection, key, books).await?;
                    self.round_trips += 1;
                }
            }
        }
    }

    fn enrol(&mut self, command: &Command, enrolment: &Enrolment) -> Result<Member, Rejection> {
        let program_id: Arc<str> = enrolment.program_id.as_str().into();
        let Some(version) = self.versions.get(&(command.merchant_id, Arc::clone(&program_id))) else {
            return Err(Rejection::ProgramNotFound {
                program_id: enrolment.program_id.clone(),
            });
        };
        if version.program.state == ProgramState::Archived {
            return Err(Rejection::ProgramArchived {
                program_id: enrolment.program_id.clone(),
            });
        }
        let key = |identifier: &Identifier| (command.merchant_id, enrolment.program_id.clone(), identifier.clone());
        for (place, identifier) in enrolment.identifiers.iter().enumerate() {
            if let Some(holder) = self.identifiers.get(&key(identifier)) {
                let field = format!("identifiers[{place}]");
                return Err(Rejection::IdentifierTaken {
                    field,
                    member_id: holder.to_string(),
                });
            }
        }
        for identifier in &enrolment.identifiers {
            self.identifiers.insert(key(identifier), command.member_id);
        }
        let member = Member {
            member_id: command.member_id,
            program_id: enrolment.program_id.clone(),
            identifiers: enrolment.canonical().identifiers,
            name: enrolment.name.clone(),
            enrolled_at: command.now,
        };
        let account = Account::opened(command.merchant_id, command.member_id, program_id, command.now);
        self.books.insert(account_key(command), Books::new(account));
        self.new_members.push((command.merchant_id, member.clone()));
        Ok(member)
    }

    /// Everything the commands did, in one text. A batch of repetitions writes nothing.
    async fn write(&self, connection: &mut Connection, commands: &[Command]) -> Result<(), StorageError> {
        let is_new = |key: &AccountKey| {
            self.new_members
                .iter()
                .any(|(merchant, m)| (*merchant, m.member_id) == *key)
        };
        let (mut entries, mut lots, mut allocations) = (EntryRows::new(), LotRows::new(), AllocationRows::new());
        let (mut changed, mut touched) = (Vec::new(), Vec::new());
        for (key, books) in &self.books {
            for entry in &books.new_entries {
                entries.push(*key, entry);
            }
            for allocation in &books.new_allocations {
                allocations.push(*key, allocation);
            }
            for (lot_key, lot) in books.touched_lots() {
                lots.push(*key, lot_key, lot);
            }
            if let Some(first) = books.new_entries.first() {
                let entry_count = u32::try_from(books.new_entries.len()).unwrap_or(u32::MAX);
                touched.push(Touched {
                    account: *key,
                    first_sequence: first.sequence,
                    entry_count,
                });
                changed.push(&books.account);
            } else if is_new(key) {
                changed.push(&books.account);
            }
        }
        let mut statements = entries.finish();
        statements.extend(allocations.finish());
        statements.extend(lots.finish());
        statements.extend(self.sale_rows()?);
        statements.extend(self.member_rows());
        statements.extend(account::upsert(changed.into_iter()));
        statements.extend(self.request_rows()?);
        if let Some(last) = commands.last().filter(|_| !touched.is_empty()) {
            statements.extend(posting_batch::insert(batch_id(last.now), last.now, &touched));
        }
        statement::execute(connection, statements).await
    }

    fn sale_rows(&self) -> Result<Vec<String>, StorageError> {
        let mut rows = SaleRows::new();
        for (command, sale, outcome) in &self.new_sales {
            rows.push(&NewSale {
                merchant_id: command.merchant_id,
                member_id: command.member_id,
                sale,
                content_hash: command.content_hash,
                outcome,
                occurred_at: sale.occurred_at.unwrap_or(command.now),
                recorded_at: command.now,
            })?;
        }
        Ok(rows.finish())
    }

    fn member_rows(&self) -> Vec<String> {
        let mut rows = MemberRows::new();
        for (merchant_id, member) in &self.new_members {
            rows.push(*merchant_id, member);
        }
        rows.finish()
    }

    fn request_rows(&self) -> Result<Vec<String>, StorageError> {
        let mut rows = RequestRows::new();
        for key in &self.new_requests {
            if let Some(record) = self.requests.get(key) {
                rows.push(key, record)?;
            }
        }
        Ok(rows.finish())
    }

    fn version_of(&self, merchant_id: u32, books: &Books) -> Option<Arc<ProgramVersion>> {
        self.versions
            .get(&(merchant_id, Arc::clone(&books.account.program_id)))
            .cloned()
    }
}

fn account_key(command: &Command) -> AccountKey {
    (command.merchant_id, command.member_id)
}

fn request_key(command: &Command) -> RequestKey {
    (command.merchant_id, command.request_id.clone())
}

fn sale_key(command: &Command) -> Option<RecordedSaleKey> {
    match &command.action {
        Action::RecordSale(sale) => Some((command.merchant_id, sale.store_id.clone(), sale.sale_id.clone())),
        Action::Enrol(_) => None,
    }
}

fn programs_of(books: &BTreeMap<AccountKey, Books>, commands: &[Command]) -> BTreeSet<ProgramKey> {
    let of_accounts = books
        .values()
        .map(|books| (books.account.merchant_id, Arc::clone(&books.account.program_id)));
    let of_enrolments = commands.iter().filter_map(|command| match &command.action {
        Action::Enrol(enrolment) => Some((command.merchant_id, enrolment.program_id.as_str().into())),
        Action::RecordSale(_) => None,
    });
    of_accounts.chain(of_enrolments).collect()
}

fn is_of_program(books: &Books, program_id: &str) -> bool {
    program_id.is_empty() || *books.account.program_id == *program_id
}

/// Ids that rise with time, so that new rows land side by side.
fn batch_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
