//! The decision of a return and of a cancellation.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Batch;
use crate::domain::account::Books;
use crate::domain::program::ProgramVersion;
use crate::domain::rejection::Rejection;
use crate::domain::return_outcome::ReturnOutcome;
use crate::domain::reversing::Making;
use crate::domain::sale::MemberKey;
use crate::domain::sale::Sale;
use crate::domain::sale_return::{SaleName, SaleReversal};
use crate::domain::sale_state::SaleState;
use crate::posting::command::{ReversingSale, Subject};
use crate::posting::{Action, Command};
use crate::storage::account::AccountKey;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::sale::{self, RecordedSaleKey, SaleRecord};
use crate::storage::sale_history;
use crate::storage::sale_reversal::{self, NewReversal, RecordedReversal, ReturnKey, ReversalRows, Reversals};

/// The sales that the commands of a batch undo.
#[derive(Default)]
pub(super) struct Reversing<'a> {
    sales: HashMap<RecordedSaleKey, SaleRecord>,
    /// What came back of them, by earlier commands of the batch too.
    reversals: BTreeMap<RecordedSaleKey, Reversals>,
    /// The returns of the commands that were recorded before.
    returns: HashMap<ReturnKey, RecordedReversal>,
    new: Vec<Reversed<'a>>,
}

/// What a command of the batch did.
struct Reversed<'a> {
    command: &'a Command,
    reversing: &'a ReversingSale,
    number: u32,
    state: SaleState,
    outcome: ReturnOutcome,
}

impl Reversing<'_> {
    /// The accounts of the sales.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountKey> {
        self.sales.iter().map(|(key, record)| (key.0, record.member_id))
    }

    pub(super) fn account_of(&self, merchant_id: u32, sale: &SaleName) -> Option<AccountKey> {
        let record = self.sales.get(&sale_key(merchant_id, sale))?;
        Some((merchant_id, record.member_id))
    }

    /// The rows of what the batch did.
    pub(super) fn rows(&self) -> Result<Vec<String>, StorageError> {
        let mut rows = ReversalRows::new();
        for Reversed {
            command,
            reversing,
            number,
            state,
            outcome,
        } in &self.new
        {
            rows.push(&NewReversal {
                sale: sale_key(command.merchant_id, reversing.reversal.sale()),
                number: *number,
                store_id: &reversing.reversal.place().store_id,
                return_id: reversing.reversal.return_id(),
                content_hash: command.content_hash,
                document: &reversing.document,
                state,
                outcome,
                recorded_at: command.now,
            })?;
        }
        Ok(rows.finish())
    }
}

impl<'a> Batch<'a> {
    /// The sales that commands undo: rows that never change, so that they may be read before anything is locked.
    pub(super) async fn load_reversed_sales(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
    ) -> Result<(), StorageError> {
        let keys: BTreeSet<RecordedSaleKey> = commands
            .iter()
            .filter_map(|command| match command.action.subject() {
                Subject::Sale(sale) => Some(sale_key(command.merchant_id, sale)),
                Subject::Member(_) | Subject::New(_) => None,
            })
            .collect();
        if !keys.is_empty() {
            self.round_trips += 1;
            let found = sale::records(connection, keys.into_iter()).await?;
            self.reversing.sales = found.into_iter().collect();
        }
        Ok(())
    }

    /// What came back of the sales before, and what is recorded under the ids of the returns.
    pub(super) async fn load_reversals(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
    ) -> Result<(), StorageError> {
        if !self.reversing.sales.is_empty() {
            self.round_trips += 1;
            let keys = self.reversing.sales.keys().cloned();
            self.reversing.reversals = sale_reversal::of_sales(connection, keys).await?;
        }
        let returns: BTreeSet<ReturnKey> = commands
            .iter()
            .filter_map(|command| match &command.action {
                Action::ReverseSale(reversing) => return_key(command, &reversing.reversal),
                _ => None,
            })
            .collect();
        if !returns.is_empty() {
            self.round_trips += 1;
            let found = sale_reversal::find_returns(connection, returns.into_iter()).await?;
            self.reversing.returns = found.into_iter().collect();
        }
        Ok(())
    }

    /// What a return or a cancellation did, and whether it had done so before.
    pub(super) async fn reverse_sale(
        &mut self,
        connection: &mut Connection,
        command: &'a Command,
        reversing: &'a ReversingSale,
    ) -> Result<Result<(ReturnOutcome, bool), Rejection>, StorageError> {
        let reversal = &reversing.reversal;
        let returned = return_key(command, reversal).and_then(|key| self.reversing.returns.get(&key));
        if let Some(recorded) = returned {
            let (store_id, return_id) = (&reversal.place().store_id, reversal.return_id());
            return Ok(if recorded.content_hash == command.content_hash {
                Ok((recorded.outcome.clone(), true))
            } else {
                Err(Rejection::ReturnIdConflict {
                    store_id: store_id.clone(),
                    return_id: return_id.unwrap_or_default().to_owned(),
                })
            });
        }
        let key = sale_key(command.merchant_id, reversal.sale());
        let Some(record) = self.sale_record(&key) else {
            let SaleName { store_id, sale_id } = reversal.sale().clone();
            return Ok(Err(Rejection::SaleNotFound { store_id, sale_id }));
        };
        let reversals = self.reversing.reversals.get(&key).cloned().unwrap_or_default();
        if reversal.return_id().is_none() && reversals.cancelled == Some(command.content_hash) {
            let outcome = self.cancellation(connection, &key, reversals.count).await?;
            return Ok(Ok((outcome, true)));
        }
        let number = reversals.count + 1;
        let account = self.current((command.merchant_id, record.member_id));
        let unwritten = self.lots_of_merged();
        let history = {
            let Some(books) = self.books.get_mut(&account) else {
                return Err(StorageError::Corrupt(format!(
                    "an account that vanished: {}",
                    account.1
                )));
            };
            let program = (account.0, books.account.program_id.clone());
            let Some(current) = self.versions.get(&program) else {
                return Err(StorageError::Corrupt(format!(
                    "an account of the unknown program {}",
                    program.1
                )));
            };
            // Allocations, lots, what rules gave, spend: as far as the sale has them.
            self.round_trips += 4;
            let sale = (record, reversals);
            sale_history::load(
                connection,
                self.cache,
                account,
                books,
                sale,
                (current, &unwritten),
                command.now,
            )
            .await?
        };
        let making = Making {
            actor: &reversing.actor,
            now: command.now,
        };
        let reverse =
            |books: &mut Books, version: &ProgramVersion| history.recorded().reverse(books, version, reversal, making);
        let (outcome, state) = match self.on_books(connection, account, reverse).await? {
            Ok(reversed) => reversed,
            Err(rejection) => return Ok(Err(rejection)),
        };
        self.remember_reversal(command, reversing, number, state, outcome.clone());
        Ok(Ok((outcome, false)))
    }

    fn remember_reversal(
        &mut self,
        command: &'a Command,
        reversing: &'a ReversingSale,
        number: u32,
        state: SaleState,
        outcome: ReturnOutcome,
    ) {
        let key = sale_key(command.merchant_id, reversing.reversal.sale());
        let reversals = self.reversing.reversals.entry(key).or_default();
        reversals.count = number;
        reversals.state = Some(state.clone());
        match &reversing.reversal {
            SaleReversal::Return(sale_return) => reversals.returned.push(sale_return.returned.clone()),
            SaleReversal::Cancellation(_) => reversals.cancelled = Some(command.content_hash),
        }
        if let Some(key) = return_key(command, &reversing.reversal) {
            let recorded = RecordedReversal {
                content_hash: command.content_hash,
                outcome: outcome.clone(),
            };
            self.reversing.returns.insert(key, recorded);
        }
        self.reversing.new.push(Reversed {
            command,
            reversing,
            number,
            state,
            outcome,
        });
    }

    /// A sale that was recorded before, or by an earlier command of this batch.
    fn sale_record(&self, key: &RecordedSaleKey) -> Option<SaleRecord> {
        if let Some(record) = self.reversing.sales.get(key) {
            return Some(record.clone());
        }
        let mut new = self.new_sales.iter();
        let (command, sale, outcome) = new.find(|(command, sale, _)| {
            command.merchant_id == key.0 && sale.store_id == key.1 && sale.sale_id == key.2
        })?;
        Some(SaleRecord {
            member_id: outcome.member_id,
            sale: Sale {
                member: MemberKey::MemberId(outcome.member_id),
                customer: None,
                quote: None,
                ..(*sale).clone()
            },
            outcome: outcome.clone(),
            occurred_at: sale.made_at(command.now),
            recorded_at: command.now,
        })
    }

    /// What the cancellation of a sale did, its reversal of this number.
    async fn cancellation(
        &mut self,
        connection: &mut Connection,
        key: &RecordedSaleKey,
        number: u32,
    ) -> Result<ReturnOutcome, StorageError> {
        let is_it = |new: &&Reversed<'_>| {
            new.number == number && sale_key(new.command.merchant_id, new.reversing.reversal.sale()) == *key
        };
        if let Some(new) = self.reversing.new.iter().find(is_it) {
            return Ok(new.outcome.clone());
        }
        self.round_trips += 1;
        let outcome = sale_reversal::outcome(connection, key, number).await?;
        outcome.ok_or_else(|| StorageError::Corrupt("a cancellation that vanished".to_owned()))
    }
}

fn sale_key(merchant_id: u32, sale: &SaleName) -> RecordedSaleKey {
    (merchant_id, sale.store_id.clone(), sale.sale_id.clone())
}

fn return_key(command: &Command, reversal: &SaleReversal) -> Option<ReturnKey> {
    let return_id = reversal.return_id()?.to_owned();
    Some((command.merchant_id, reversal.place().store_id.clone(), return_id))
}
