//! What a batch loads before it decides: a few statements, however many commands there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::importing::Imports;
use super::members::MemberRecords;
use super::reversing::Reversing;
use super::{Batch, LookUp, adjusting, request_key};
use crate::domain::account::Books;
use crate::domain::enrolment::{Identifier, IdentifierKind};
use crate::domain::quote::Holder;
use crate::domain::rule_usage::ALL_DAYS;
use crate::domain::sale::{MemberKey, Sale};
use crate::domain::tier;
use crate::posting::command::{Named, Needs, Subject};
use crate::posting::{Action, Command, Decision};
use crate::storage::account::{self, AccountKey, Rest};
use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::lot::{self, PageStart};
use crate::storage::program::ProgramKey;
use crate::storage::program_cache::ProgramCache;
use crate::storage::reason::{self, ReasonKey};
use crate::storage::request::{self, RequestResult};
use crate::storage::sale::{self, RecordedSaleKey};
use crate::storage::{entry, hold, member, pending, program, rule_usage};

/// Whose books a command works on, what of them it needs, and when it was received.
pub(super) type Needed = (AccountKey, Needs, DateTime<Utc>);

impl<'a> Batch<'a> {
    /// The accounts are locked first: what is read under their locks cannot be overtaken.
    pub(super) async fn load(
        connection: &mut Connection,
        cache: &'a ProgramCache,
        commands: &[Command],
        look_up: LookUp,
    ) -> Result<Self, StorageError> {
        let mut batch = Self {
            books: BTreeMap::new(),
            rests: HashMap::new(),
            identifiers: HashMap::new(),
            requests: HashMap::new(),
            sales: HashMap::new(),
            imports: Imports::default(),
            reversing: Reversing::default(),
            cache,
            versions: HashMap::new(),
            reasons: HashMap::new(),
            offline_policies: HashMap::new(),
            new_requests: Vec::new(),
            new_sales: Vec::new(),
            records: MemberRecords::default(),
            merged: Vec::new(),
            erasures: Vec::new(),
            told: Vec::new(),
            redemptions: BTreeMap::new(),
            // BEGIN, accounts, requests, versions, rows, COMMIT.
            round_trips: 6,
        };
        batch.load_reversed_sales(connection, commands).await?;
        batch.lock_accounts(connection, commands).await?;
        let remembered = commands.iter().filter(|command| command.is_remembered());
        let requests = request::find(connection, remembered.map(request_key)).await?;
        batch.requests = requests.into_iter().collect();
        batch.load_imports(connection, commands).await?;
        batch.load_sales(connection, commands, look_up).await?;
        batch.load_reversals(connection, commands).await?;
        let needs = batch.needs(commands);
        let mut programs = batch.programs_of(commands);
        batch.add_opt_in_programs(connection, commands, &mut programs).await?;
        batch.versions = cache.current(connection, programs.into_iter()).await?;
        batch.load_lots(connection, &needs).await?;
        batch.load_pending(connection, &needs).await?;
        batch.load_holds(connection, commands, &needs).await?;
        batch.load_spend(connection, &needs).await?;
        batch.load_rule_usage(connection, &needs).await?;
        batch.load_records(connection, commands, &needs).await?;
        batch.load_reasons(connection, commands).await?;
        Ok(batch)
    }

    /// Locks the accounts in the order of their keys. Where one turns out to be merged into another, all are let go and
    /// locked again with that other: no lock is taken out of order.
    async fn lock_accounts(&mut self, connection: &mut Connection, commands: &[Command]) -> Result<(), StorageError> {
        let mut keys: BTreeSet<AccountKey> = BTreeSet::new();
        loop {
            self.identifiers.clear();
            self.load_identifiers(connection, commands).await?;
            keys.extend(self.accounts_of(commands));
            let asked: Vec<AccountKey> = keys.iter().copied().collect();
            let accounts = account::lock(connection, &asked).await?;
            let merged = accounts
                .iter()
                .filter_map(|account| Some((account.merchant_id, account.status.merged_into?)));
            let others: Vec<AccountKey> = merged.filter(|key| !keys.contains(key)).collect();
            if others.is_empty() {
                for account in accounts {
                    let key = (account.merchant_id, account.member_id);
                    self.rests.insert(key, Rest::of(&account));
                    self.books.insert(key, Books::new(account));
                }
                return Ok(());
            }
            keys.extend(others);
            connection::begin_again(connection).await?;
            // ROLLBACK and BEGIN, accounts.
            self.round_trips += 2;
        }
    }

    /// Who has the identifiers that name members or are to be enrolled.
    async fn load_identifiers(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
    ) -> Result<(), StorageError> {
        let mut asked: BTreeMap<(u32, IdentifierKind, &str), BTreeSet<String>> = BTreeMap::new();
        for command in commands {
            let mut ask = |program_id, identifier: Identifier| {
                let values = asked
                    .entry((command.merchant_id, identifier.kind, program_id))
                    .or_default();
                values.insert(identifier.value);
            };
            match command.action.subject() {
                Subject::Member(named) => {
                    let identifiers = named.key.identifier().into_iter();
                    identifiers.for_each(|it| ask(named.program_id, it));
                }
                Subject::New(enrolment) => {
                    let identifiers = enrolment.identifiers.iter().cloned();
                    identifiers.for_each(|it| ask(enrolment.program_id.as_str(), it));
                }
                Subject::Sale(_) => {}
            }
            if let Action::ChangeMember(changing) = &command.action {
                let new = changing.change.new_identifier().cloned();
                new.into_iter().for_each(|it| ask("", it));
            }
        }
        for ((merchant_id, kind, program_id), values) in asked {
            self.round_trips += 1;
            let values = values.into_iter().collect();
            for (value, program_id, member_id) in
                member::find_identifiers(connection, merchant_id, kind, program_id, values).await?
            {
                let holders = self
                    .identifiers
                    .entry((merchant_id, Identifier { kind, value }))
                    .or_default();
                let holder = (program_id, member_id);
                // Of any program, and of the one that another command names.
                if !holders.contains(&holder) {
                    holders.push(holder);
                }
            }
        }
        Ok(())
    }

    /// Every account that a command may turn out to mean, in the order of their keys.
    fn accounts_of(&self, commands: &[Command]) -> Vec<AccountKey> {
        let mut accounts = BTreeSet::new();
        for (command, named) in named(commands) {
            match (named.key, named.key.identifier()) {
                (MemberKey::MemberId(member_id), _) => {
                    accounts.insert((command.merchant_id, *member_id));
                }
                (_, Some(identifier)) => {
                    let holders = self
                        .identifiers
                        .get(&(command.merchant_id, identifier))
                        .into_iter()
                        .flatten();
                    accounts.extend(holders.map(|(_, member_id)| (command.merchant_id, *member_id)));
                }
                (_, None) => {}
            }
        }
        for command in commands {
            if let Action::MergeMembers(merging) = &command.action {
                accounts.insert((command.merchant_id, merging.merged_id));
            }
        }
        // Who was told what a sale would do may have been merged into another since.
        for (command, sale) in sales(commands) {
            if let Some(Holder::Member(member_id)) = sale.quote.as_ref().map(|quote| quote.holder) {
                accounts.insert((command.merchant_id, member_id));
            }
        }
        accounts.extend(self.reversing.accounts());
        accounts.into_iter().collect()
    }

    /// The sales that earlier requests of the batch recorded, or, where a duplicate showed, whatever is there under the
    /// ids of its sales.
    async fn load_sales(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
        look_up: LookUp,
    ) -> Result<(), StorageError> {
        let by_request = self
            .requests
            .iter()
            .filter_map(|((merchant_id, _), record)| match &record.result {
                RequestResult::Sale { store_id, sale_id } => Some((*merchant_id, store_id.clone(), sale_id.clone())),
                RequestResult::Answer(_) => None,
            });
        let mut keys: BTreeSet<RecordedSaleKey> = by_request.collect();
        if look_up == LookUp::RequestsAndSales {
            keys.extend(sales(commands).map(|(c, sale)| (c.merchant_id, sale.store_id.clone(), sale.sale_id.clone())));
        }
        if !keys.is_empty() {
            self.round_trips += 1;
            self.sales = sale::find(connection, keys.into_iter()).await?.into_iter().collect();
        }
        Ok(())
    }

    /// A sale that was refused writes no row that could show as a duplicate: it may have been recorded before, and then it
    /// gets its answer.
    pub(super) async fn check_refused_sales(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
        decisions: &[Decision],
    ) -> Result<(), StorageError> {
        let refused: BTreeSet<RecordedSaleKey> = commands
            .iter()
            .zip(decisions)
            .filter(|(_, decision)| decision.is_err())
            .flat_map(|(command, _)| sales(std::slice::from_ref(command)))
            .map(|(command, sale)| (command.merchant_id, sale.store_id.clone(), sale.sale_id.clone()))
            .filter(|key| !self.sales.contains_key(key))
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        self.round_trips += 1;
        match sale::find(connection, refused.into_iter()).await?.first() {
            Some(((_, _, sale_id), _)) => Err(StorageError::Duplicate(format!("sale {sale_id} was recorded before"))),
            None => Ok(()),
        }
    }

    fn programs_of(&self, commands: &[Command]) -> BTreeSet<ProgramKey> {
        let accounts = self.books.values().map(|books| &books.account);
        let of_accounts = accounts.map(|account| (account.merchant_id, account.program_id.clone()));
        let named = commands.iter().filter_map(|command| {
            let program_id = match command.action.subject() {
                Subject::Member(named) => named.program_id,
                Subject::New(enrolment) => &enrolment.program_id,
                Subject::Sale(_) => "",
            };
            (!program_id.is_empty()).then(|| (command.merchant_id, program_id.into()))
        });
        of_accounts.chain(named).collect()
    }

    /// The programs that may enrol the customers of sales who are no members.
    async fn add_opt_in_programs(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
        programs: &mut BTreeSet<ProgramKey>,
    ) -> Result<(), StorageError> {
        let is_unknown = |(command, sale): &(&Command, &Sale)| {
            sale.member.identifier().is_some() && self.account_of(command.merchant_id, Named::in_sale(sale)).is_err()
        };
        let merchants = sales(commands)
            .filter(is_unknown)
            .map(|(command, _)| command.merchant_id);
        for merchant_id in merchants.collect::<BTreeSet<_>>() {
            self.round_trips += 1;
            programs.extend(program::with_auto_opt_in(connection, merchant_id).await?);
        }
        Ok(())
    }

    fn needs(&self, commands: &[Command]) -> Vec<Needed> {
        commands
            .iter()
            .filter_map(|command| {
                let key = self.subject_of(command)?;
                Some((key, command.action.needs(command.now), command.now))
            })
            .collect()
    }

    /// The reasons that adjustments name.
    async fn load_reasons(&mut self, connection: &mut Connection, commands: &[Command]) -> Result<(), StorageError> {
        let keys: BTreeSet<ReasonKey> = commands.iter().filter_map(adjusting::reason_of).collect();
        if !keys.is_empty() {
            self.round_trips += 1;
            self.reasons = reason::find_all(connection, keys).await?;
        }
        Ok(())
    }

    /// The first page of open lots of every account that a command takes from or whose lots have lapsed.
    async fn load_lots(&mut self, connection: &mut Connection, needs: &[Needed]) -> Result<(), StorageError> {
        let mut starts: BTreeMap<AccountKey, PageStart> = BTreeMap::new();
        for (key, needs, now) in needs.iter().copied() {
            let Some(books) = self.books.get(&key) else { continue };
            let Some(first) = books.account.first_open_lot else {
                continue;
            };
            if needs.lots || books.has_lapsed_lots(now) {
                let start = PageStart {
                    account: key,
                    lot: first,
                    behind: false,
                };
                starts.insert(key, start);
            }
        }
        if starts.is_empty() {
            return Ok(());
        }
        self.round_trips += 1;
        let starts: Vec<PageStart> = starts.into_values().collect();
        let mut pages = lot::open_pages(connection, &starts).await?;
        for start in starts {
            let page = pages.remove(&start.account).unwrap_or_default();
            let was_last = page.len() < lot::PAGE;
            if let Some(books) = self.books.get_mut(&start.account) {
                books.learn_lots(page, was_last);
            }
        }
        Ok(())
    }

    /// What is pending of every account that a command takes from, or where some of it came due or lapsed: one statement
    /// for each merchant.
    async fn load_pending(&mut self, connection: &mut Connection, needs: &[Needed]) -> Result<(), StorageError> {
        let mut asked: BTreeMap<u32, BTreeSet<Uuid>> = BTreeMap::new();
        for (key, needs, now) in needs.iter().copied() {
            let Some(books) = self.books.get(&key).filter(|books| books.pending.has_unknown()) else {
                continue;
            };
            if needs.lots || books.has_lapsed_lots(now) || books.has_due_pending(now) {
                asked.entry(key.0).or_default().insert(key.1);
            }
        }
        for (merchant_id, members) in asked {
            self.round_trips += 1;
            let mut found = pending::find(connection, merchant_id, members.iter().copied()).await?;
            for member_id in members {
                if let Some(books) = self.books.get_mut(&(merchant_id, member_id)) {
                    books.pending.learn(found.remove(&member_id).unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    /// The holds of every account that a command takes from, or where some of them or lots lapsed, one statement for each
    /// merchant; and those that commands are about.
    async fn load_holds(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
        needs: &[Needed],
    ) -> Result<(), StorageError> {
        let mut asked: BTreeMap<u32, BTreeSet<Uuid>> = BTreeMap::new();
        for (key, needs, now) in needs.iter().copied() {
            let Some(books) = self.books.get(&key).filter(|books| books.holds.has_unknown()) else {
                continue;
            };
            if needs.lots || books.has_lapsed_lots(now) || books.has_lapsed_holds(now) {
                asked.entry(key.0).or_default().insert(key.1);
            }
        }
        for (merchant_id, members) in asked {
            self.round_trips += 1;
            let mut found = hold::open(connection, merchant_id, members.iter().copied()).await?;
            for member_id in members {
                if let Some(books) = self.books.get_mut(&(merchant_id, member_id)) {
                    books.holds.learn_open(found.remove(&member_id).unwrap_or_default());
                }
            }
        }
        let mut named: BTreeMap<u32, Vec<Uuid>> = BTreeMap::new();
        for command in commands {
            let hold_ids = named.entry(command.merchant_id).or_default();
            hold_ids.extend(command.action.hold_id());
        }
        for (merchant_id, hold_ids) in named.into_iter().filter(|(_, hold_ids)| !hold_ids.is_empty()) {
            self.round_trips += 1;
            for hold in hold::find(connection, merchant_id, &hold_ids).await? {
                let key = self.current((merchant_id, hold.terms.member_id));
                if let Some(books) = self.books.get_mut(&key) {
                    books.holds.learn(hold.of(key.1));
                }
            }
        }
        Ok(())
    }

    /// Spend by day of every account whose program adds it up over a window.
    async fn load_spend(&mut self, connection: &mut Connection, needs: &[Needed]) -> Result<(), StorageError> {
        let mut since: BTreeMap<AccountKey, DateTime<Utc>> = BTreeMap::new();
        for (key, needs, _) in needs.iter().copied() {
            let version = self.books.get(&key).and_then(|books| self.version_of(key.0, books));
            let Some((version, at)) = version.zip(needs.spend_at) else {
                continue;
            };
            if let Some(first) = tier::spend_needed_since(&version.program, at) {
                let earliest = since.entry(key).or_insert(first);
                *earliest = first.min(*earliest);
            }
        }
        for (key, since) in since {
            let Some(version) = self.books.get(&key).and_then(|books| self.version_of(key.0, books)) else {
                continue;
            };
            self.round_trips += 1;
            let day_of = |instant| version.program.local_date(instant);
            let days = entry::spend_by_day(connection, key, since, day_of).await?;
            if let Some(books) = self.books.get_mut(&key) {
                books.spend_by_day = Some(days);
            }
        }
        Ok(())
    }

    /// What limited rules gave, of every account whose program has such rules: one statement for each merchant.
    async fn load_rule_usage(&mut self, connection: &mut Connection, needs: &[Needed]) -> Result<(), StorageError> {
        let mut asked: BTreeMap<u32, UsageAsked> = BTreeMap::new();
        for (key, needs, _) in needs.iter().copied() {
            let version = self.books.get(&key).and_then(|books| self.version_of(key.0, books));
            let version = version.filter(|version| version.rules.count_usage());
            let Some((version, at)) = version.zip(needs.rule_usage_at) else {
                continue;
            };
            let day = version.program.local_date(at);
            let asked = asked.entry(key.0).or_default();
            asked.members.insert(key.1);
            asked.days.extend([day, ALL_DAYS]);
        }
        for (merchant_id, UsageAsked { members, days }) in asked {
            self.round_trips += 1;
            let days: Vec<NaiveDate> = days.into_iter().collect();
            let rows = rule_usage::find(connection, merchant_id, members.into_iter(), &days).await?;
            for (member_id, day, rule_id, points) in rows {
                if let Some(books) = self.books.get_mut(&(merchant_id, member_id)) {
                    books.rule_usage.learn(day, rule_id, points);
                }
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct UsageAsked {
    members: BTreeSet<Uuid>,
    days: BTreeSet<NaiveDate>,
}

fn sales(commands: &[Command]) -> impl Iterator<Item = (&Command, &Sale)> {
    commands
        .iter()
        .filter_map(|command| Some((command, command.action.sale()?)))
}

fn named(commands: &[Command]) -> impl Iterator<Item = (&Command, Named<'_>)> {
    commands.iter().filter_map(|command| match command.action.subject() {
        Subject::Member(named) => Some((command, named)),
        Subject::New(_) | Subject::Sale(_) => None,
    })
}
