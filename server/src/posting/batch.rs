//! One batch: load what its commands need, decide them in order, write what they did.

mod adjusting;
mod birthdays;
mod enrolling;
mod erasing;
mod expiry_changing;
mod importing;
mod loading;
mod members;
mod merging;
mod offline;
mod redeeming;
mod reversing;
mod sweeping;
mod writing;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use self::importing::Imports;
use self::members::MemberRecords;
use self::reversing::Reversing;
use super::command::{Named, Subject};
use super::{Action, Command, Decided, Decision};
use crate::domain::account::{Books, Stop};
use crate::domain::answer::{Answer, Refusal, StoredAnswer};
use crate::domain::enrolment::Identifier;
use crate::domain::member::Member;
use crate::domain::member_change::MemberChange;
use crate::domain::offline::OfflinePolicy;
use crate::domain::outcome::SaleOutcome;
use crate::domain::program::ProgramVersion;
use crate::domain::reason::Reason;
use crate::domain::redeeming::RecordedRedemption;
use crate::domain::rejection::Rejection;
use crate::domain::sale::{MemberKey, Sale};
use crate::domain::sale_recording;
use crate::measures::PointsMoved;
use crate::storage::account::{AccountKey, Rest};
use crate::storage::books;
use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::program::ProgramKey;
use crate::storage::program_cache::ProgramCache;
use crate::storage::reason::ReasonKey;
use crate::storage::request::{RequestKey, RequestRecord, RequestResult};
use crate::storage::sale::{RecordedSale, RecordedSaleKey};

/// A committed batch.
pub(super) struct Posted {
    /// One for each command, in order.
    pub(super) decisions: Vec<Decision>,
    pub(super) round_trips: u64,
    /// What its entries did, by program and kind.
    pub(super) points: Vec<PointsMoved>,
}

/// What of earlier writes is looked up before deciding. A sale that comes again comes with its request id, nearly always;
/// one under another request id shows as a duplicate key, or among the refused, and then the batch is decided again with
/// all its sales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookUp {
    Requests,
    RequestsAndSales,
}

/// Decides the commands in order and writes what they did, in one transaction.
pub(super) async fn post(
    connection: &mut Connection,
    cache: &ProgramCache,
    commands: &[Command],
    look_up: LookUp,
) -> Result<Posted, StorageError> {
    connection::begin(connection).await?;
    let mut batch = Batch::load(connection, cache, commands, look_up).await?;
    let mut decisions = Vec::with_capacity(commands.len());
    for command in commands {
        decisions.push(batch.decide(connection, command).await?);
    }
    if look_up == LookUp::Requests {
        batch.check_refused_sales(connection, commands, &decisions).await?;
    }
    batch.write(connection, commands).await?;
    connection::commit(connection).await?;
    Ok(Posted {
        decisions,
        round_trips: batch.round_trips,
        points: batch.points_moved(),
    })
}

/// What the commands of a batch see: the books as loaded, and what the commands before did.
struct Batch<'a> {
    books: BTreeMap<AccountKey, Books>,
    /// What the accounts that were there had beside what sales change.
    rests: HashMap<AccountKey, Rest>,
    /// Who has an identifier: one enrolment for each program.
    identifiers: HashMap<(u32, Identifier), Vec<(String, Uuid)>>,
    requests: HashMap<RequestKey, RequestRecord>,
    sales: HashMap<RecordedSaleKey, RecordedSale>,
    /// Rows of imports that were written before, or are now.
    imports: Imports,
    /// Sales that commands undo, and what came back of them.
    reversing: Reversing<'a>,
    cache: &'a ProgramCache,
    versions: HashMap<ProgramKey, Arc<ProgramVersion>>,
    reasons: HashMap<ReasonKey, Reason>,
    /// Of merchants with sales that were made offline.
    offline_policies: HashMap<u32, OfflinePolicy>,
    new_requests: Vec<RequestKey>,
    new_sales: Vec<(&'a Command, &'a Sale, Arc<SaleOutcome>)>,
    records: MemberRecords,
    /// Members that were merged into another.
    merged: Vec<(AccountKey, Uuid)>,
    /// Statements that overwrite what told of erased persons.
    erasures: Vec<String>,
    /// Members that the answers of requests tell of.
    told: Vec<(AccountKey, String)>,
    /// Redemptions that were made, or of which more came back.
    redemptions: BTreeMap<(u32, Uuid), RecordedRedemption>,
    round_trips: u64,
}

impl<'a> Batch<'a> {
    async fn decide(&mut self, connection: &mut Connection, command: &'a Command) -> Result<Decision, StorageError> {
        if let Some(record) = self.requests.get(&request_key(command)) {
            return self.repeat(command, record);
        }
        let result = match &command.action {
            Action::Sweep(member) => return self.sweep(connection, command, member).await,
            Action::Import(member_id, imported) => return Ok(self.import(command, *member_id, imported)),
            Action::GiveBirthdayBonus(member, day) => {
                return self.give_birthday_bonus(connection, command, member, *day).await;
            }
            Action::ChangeExpiry(member, applying) => {
                return self.change_expiry(connection, command, member, applying).await;
            }
            Action::Redeeming(redeeming) => self.redeeming(connection, command, redeeming).await?,
            Action::RecordSale(sale, _) => {
                let decided = self.record_sale(connection, command, sale).await?;
                let (store_id, sale_id) = (sale.store_id.clone(), sale.sale_id.clone());
                decided.map(|decided| (decided, RequestResult::Sale { store_id, sale_id }))
            }
            Action::Enrol(member_id, enrolment) => self.enrol(command, *member_id, enrolment).map(member_answer),
            Action::ChangeMember(changing) => {
                let changed = self.change_member(command, changing);
                if let (Ok(member), MemberChange::Erase) = (&changed, &changing.change) {
                    self.erase(connection, command, member).await?;
                }
                changed.map(member_answer)
            }
            Action::MergeMembers(merging) => self.merge(connection, command, merging).await?.map(member_answer),
            Action::ReverseSale(reversing) => {
                let decided = self.reverse_sale(connection, command, reversing).await?;
                decided.map(|(outcome, replayed)| {
                    let outcome = Box::new(outcome);
                    let kept = RequestResult::Answer(StoredAnswer::Return(outcome.clone()));
                    let answer = Answer::Return(outcome);
                    (Decided { answer, replayed }, kept)
                })
            }
            Action::Adjust(adjusting) => self.adjust(connection, command, adjusting).await?.map(|outcome| {
                let outcome = Box::new(outcome);
                let kept = RequestResult::Answer(StoredAnswer::Adjustment(outcome.clone()));
                (Decided::now(Answer::Adjustment(outcome)), kept)
            }),
        };
        match result {
            Ok((decided, kept)) => {
                self.remember(command, kept);
                Ok(Ok(decided))
            }
            Err(rejection) => {
                let refusal = Refusal::from(&rejection);
                if rejection.is_remembered() {
                    let kept = RequestResult::Answer(StoredAnswer::Refusal(refusal.clone()));
                    self.remember(command, kept);
                }
                Ok(Err(refusal))
            }
        }
    }

    fn remember(&mut self, command: &Command, result: RequestResult) {
        let key = request_key(command);
        if let RequestResult::Answer(answer) = &result
            && answer.tells_of_person()
        {
            let of_answer = match answer {
                StoredAnswer::Member(member) => Some((command.merchant_id, member.member_id)),
                _ => self.subject_of(command),
            };
            self.told.extend(of_answer.map(|member| (member, key.1.clone())));
        }
        let record = RequestRecord {
            content_hash: command.content_hash,
            recorded_at: command.now,
            result,
        };
        self.requests.insert(key.clone(), record);
        self.new_requests.push(key);
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
                Answer::Sale(Arc::clone(&recorded.outcome))
            }
            RequestResult::Answer(stored) => match stored.clone().into_answer() {
                Ok(answer) => answer,
                Err(refusal) => return Ok(Err(refusal)),
            },
        };
        Ok(Ok(Decided { answer, replayed: true }))
    }

    /// What was decided before is answered again also when its member, by the name it is given, is ambiguous by now.
    async fn record_sale(
        &mut self,
        connection: &mut Connection,
        command: &'a Command,
        sale: &'a Sale,
    ) -> Result<Result<Decided, Rejection>, StorageError> {
        let sale_key = (command.merchant_id, sale.store_id.clone(), sale.sale_id.clone());
        let recorded = self.sales.get(&sale_key);
        if let Some(recorded) = recorded.filter(|recorded| recorded.content_hash == command.content_hash) {
            let answer = Answer::Sale(Arc::clone(&recorded.outcome));
            return Ok(Ok(Decided { answer, replayed: true }));
        }
        let is_recorded = recorded.is_some();
        let key = self.account_of(command.merchant_id, Named::in_sale(sale));
        if is_recorded {
            if let Err(rejection) = key {
                return Ok(Err(rejection));
            }
            let (store_id, sale_id) = (sale.store_id.clone(), sale.sale_id.clone());
            return Ok(Err(Rejection::SaleIdConflict { store_id, sale_id }));
        }
        let mut opted_in = None;
        let key = match key {
            Ok(key) => key,
            Err(Rejection::MemberNotFound { field }) => match self.opt_in(command, sale) {
                Ok(Some(key)) => *opted_in.insert(key),
                Ok(None) => return Ok(Err(Rejection::MemberNotFound { field })),
                Err(rejection) => return Ok(Err(rejection)),
            },
            Err(rejection) => return Ok(Err(rejection)),
        };
        let decided = match self.business_time(connection, key, command, sale).await? {
            Ok(then) => {
                let record = |books: &mut Books, version: &ProgramVersion| {
                    sale_recording::record(books, version, then.as_ref(), sale, command.now)
                };
                self.on_books(connection, key, record).await?
            }
            Err(rejection) => Err(rejection),
        };
        let outcome = match decided {
            Ok(outcome) => Arc::new(SaleOutcome {
                enrolled: opted_in.is_some(),
                ..outcome
            }),
            Err(rejection) => {
                if let Some(key) = opted_in {
                    self.forget_opt_in(key);
                }
                return Ok(Err(rejection));
            }
        };
        let recorded = RecordedSale {
            content_hash: command.content_hash,
            outcome: Arc::clone(&outcome),
        };
        self.sales.insert(sale_key, recorded);
        self.new_sales.push((command, sale, Arc::clone(&outcome)));
        Ok(Ok(Decided::now(Answer::Sale(outcome))))
    }

    /// Decides on the books of an account, with as many of its lots as it takes.
    async fn on_books<T>(
        &mut self,
        connection: &mut Connection,
        key: AccountKey,
        decide: impl Fn(&mut Books, &ProgramVersion) -> Result<T, Stop>,
    ) -> Result<Result<T, Rejection>, StorageError> {
        loop {
            let Some(books) = self.books.get_mut(&key) else {
                return Err(StorageError::Corrupt(format!("an account that vanished: {}", key.1)));
            };
            let program = (key.0, Arc::clone(&books.account.program_id));
            let Some(version) = self.versions.get(&program) else {
                let message = format!("an account of the unknown program {}", program.1);
                return Err(StorageError::Corrupt(message));
            };
            match decide(books, version) {
                Ok(outcome) => return Ok(Ok(outcome)),
                Err(Stop::Rejected(rejection)) => return Ok(Err(rejection)),
                Err(Stop::LotsMissing) => {
                    books::learn_next_page(connection, key, books).await?;
                    self.round_trips += 1;
                }
            }
        }
    }

    /// The account that a request names.
    fn account_of(&self, merchant_id: u32, named: Named<'_>) -> Result<AccountKey, Rejection> {
        let is_of_program = |program_id: &str| named.program_id.is_empty() || program_id == named.program_id;
        let holders: Vec<(&str, Uuid)> = match named.key.identifier() {
            None => self.account_by_id(merchant_id, named.key).into_iter().collect(),
            Some(identifier) => {
                let holders = self.identifiers.get(&(merchant_id, identifier));
                holders
                    .into_iter()
                    .flatten()
                    .map(|(program_id, member_id)| (program_id.as_str(), *member_id))
                    .collect()
            }
        };
        let holders: Vec<_> = holders
            .into_iter()
            .filter(|(program_id, _)| is_of_program(program_id))
            .collect();
        match holders.as_slice() {
            [(_, member_id)] if self.books.contains_key(&(merchant_id, *member_id)) => {
                Ok(self.current((merchant_id, *member_id)))
            }
            [] | [_] if !named.program_id.is_empty() && !self.has_program(merchant_id, named.program_id) => {
                Err(Rejection::ProgramNotFound {
                    program_id: named.program_id.to_owned(),
                })
            }
            [] | [_] => Err(Rejection::MemberNotFound {
                field: named.field.to_owned(),
            }),
            several => Err(Rejection::AmbiguousMember {
                program_ids: several.iter().map(|(program_id, _)| (*program_id).to_owned()).collect(),
            }),
        }
    }

    /// The account that is meant by one: where its member was merged into another, that of the other.
    fn current(&self, key: AccountKey) -> AccountKey {
        let mut current = key;
        while let Some(into) = self
            .books
            .get(&current)
            .and_then(|books| books.account.status.merged_into)
        {
            current.1 = into;
        }
        current
    }

    /// The account that a command works on.
    fn subject_of(&self, command: &Command) -> Option<AccountKey> {
        match command.action.subject() {
            Subject::Member(named) => self.account_of(command.merchant_id, named).ok(),
            Subject::Sale(sale) => Some(self.current(self.reversing.account_of(command.merchant_id, sale)?)),
            Subject::New(_) => None,
        }
    }

    fn account_by_id(&self, merchant_id: u32, member: &MemberKey) -> Option<(&str, Uuid)> {
        let MemberKey::MemberId(member_id) = member else {
            return None;
        };
        let books = self.books.get(&(merchant_id, *member_id))?;
        Some((&books.account.program_id, *member_id))
    }

    fn has_program(&self, merchant_id: u32, program_id: &str) -> bool {
        self.versions.contains_key(&(merchant_id, program_id.into()))
    }

    fn version_of(&self, merchant_id: u32, books: &Books) -> Option<Arc<ProgramVersion>> {
        self.versions
            .get(&(merchant_id, Arc::clone(&books.account.program_id)))
            .cloned()
    }
}

/// The answer about a member, and how it is kept.
fn member_answer(member: Member) -> (Decided, RequestResult) {
    let member = Box::new(member);
    let kept = RequestResult::Answer(StoredAnswer::Member(member.clone()));
    (Decided::now(Answer::Member(member)), kept)
}

fn request_key(command: &Command) -> RequestKey {
    (command.merchant_id, command.request_id.clone())
}
