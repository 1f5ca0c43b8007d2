//! The rows of sales as text, as the server writes them, with a recorded sale as the sample.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{TimeDelta, Utc};
use mysql_async::prelude::Queryable as _;
use uuid::Uuid;

use crate::Failure;
use crate::members::{Dice, Members};
use crate::server::Server;

/// The rows belong to a merchant of their own, so that the books of the others stay right.
pub(crate) const MERCHANT: u32 = 1_000_000;

const OPEN_ACCOUNTS: &str = "INSERT INTO account (merchant_id, member_id, program_id, last_sequence, points, held, \
    debt, pending, tier_spend, lifetime_earned, lifetime_redeemed, lifetime_expired, recorded_at, customer_group, territory) \
    SELECT 1000000, member_id, program_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, recorded_at, '', '' FROM account";

const MEMBERS: &str = "SELECT LOWER(HEX(member_id)) FROM identifier WHERE kind = 1 ORDER BY value";

const SAMPLE: &str = "SELECT LOWER(HEX(content_hash)), document, outcome FROM sale LIMIT 1";

const ENTRY: &str = "INSERT INTO entry (merchant_id, member_id, sequence, kind, points, balance_after, tier_spend, \
    store_id, sale_id, document_type, document_number, program_version, lot_expires_at, expense_account, cost_center, \
    occurred_at, recorded_at) VALUES";
const LOT: &str = "INSERT INTO lot (merchant_id, member_id, expires_at, sequence, points, remaining) VALUES";
const SALE: &str = "INSERT INTO sale (merchant_id, store_id, sale_id, member_id, content_hash, program_version, \
    occurred_at, recorded_at, document, outcome) VALUES";
const REQUEST: &str = "INSERT INTO request (merchant_id, request_id, content_hash, recorded_at, store_id, sale_id, \
    answer) VALUES";
const ACCOUNT: &str = "INSERT INTO account (merchant_id, member_id, program_id, last_sequence, points, held, debt, \
    pending, pending_until, first_open_lot_expires_at, first_open_lot_sequence, hold_lapses_at, sweep_at, tier_id, tier_spend, lifetime_earned, \
    lifetime_redeemed, lifetime_expired, carry, recorded_at, customer_group, territory, assigned_rule_id) VALUES";
const ACCOUNT_CHANGES: &str = " ON DUPLICATE KEY UPDATE last_sequence = VALUES(last_sequence), \
    points = VALUES(points), held = VALUES(held), debt = VALUES(debt), \
    pending = VALUES(pending), pending_until = VALUES(pending_until), \
    first_open_lot_expires_at = VALUES(first_open_lot_expires_at), \
    first_open_lot_sequence = VALUES(first_open_lot_sequence), hold_lapses_at = VALUES(hold_lapses_at), \
    sweep_at = VALUES(sweep_at), \
    tier_id = VALUES(tier_id), tier_spend = VALUES(tier_spend), lifetime_earned = VALUES(lifetime_earned), \
    lifetime_redeemed = VALUES(lifetime_redeemed), lifetime_expired = VALUES(lifetime_expired), \
    carry = VALUES(carry), \
    recorded_at = VALUES(recorded_at), customer_group = VALUES(customer_group), territory = VALUES(territory), \
    assigned_rule_id = VALUES(assigned_rule_id)";
const POSTING_BATCH: &str = "INSERT INTO posting_batch (merchant_id, batch_id, recorded_at, touched) VALUES";

/// The members that one connection writes for: every `of`-th. Two connections never want the same account, as two
/// writers of the server never do, unless there is only one member.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) place: u64,
    pub(crate) of: u64,
}

/// Where the rows come from.
pub(crate) struct Rows {
    /// Ids in hex, in the order in which sales draw them.
    members: Vec<String>,
    /// Columns of a sale that the server recorded.
    content_hash: String,
    document: String,
    outcome: String,
    /// The next sequence, unique over all members: rising within each is all that the tables see.
    next: AtomicU64,
}

impl Rows {
    /// Opens the accounts, and takes a recorded sale as the sample.
    pub(crate) async fn prepare(server: &Server) -> Result<Arc<Self>, Failure> {
        let mut connection = server.connect_to_database().await?;
        let members = connection.query(MEMBERS).await?;
        let sample: Option<(String, String, String)> = connection.query_first(SAMPLE).await?;
        connection.query_drop(OPEN_ACCOUNTS).await?;
        connection.disconnect().await?;
        let (content_hash, document, outcome) = sample.ok_or("no sale was recorded")?;
        if [&document, &outcome].iter().any(|text| text.contains(['\'', '\\'])) {
            return Err("the sample would need quoting".into());
        }
        Ok(Arc::new(Self {
            members,
            content_hash,
            document,
            outcome,
            next: AtomicU64::new(1),
        }))
    }

    /// How many members there are.
    pub(crate) fn members(&self) -> u64 {
        self.members.len() as u64
    }

    /// A seed that no other writer has had.
    pub(crate) fn seed(&self, share: Share) -> u64 {
        self.next.load(Ordering::Relaxed) + share.place
    }

    /// A transaction as text: so many sales of members whom the share has.
    pub(crate) fn transaction(
        &self,
        members: &Members,
        dice: &mut Dice,
        share: Share,
        rows: u64,
    ) -> Result<String, Failure> {
        let mut drawn = Vec::new();
        while (drawn.len() as u64) < rows {
            let member = members.draw(dice);
            if member % share.of == share.place {
                let id = self.members.get(usize::try_from(member)?).ok_or("an unknown member")?;
                drawn.push((id, member));
            }
        }
        drawn.sort_unstable();
        let first = self.next.fetch_add(rows, Ordering::Relaxed);
        let now = Utc::now();
        let instant = now.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
        let lapses = (now + TimeDelta::days(366)).format("%Y-%m-%d 22:00:00").to_string();

        let (mut entries, mut lots) = (ENTRY.to_owned(), LOT.to_owned());
        let (mut sales, mut requests) = (SALE.to_owned(), REQUEST.to_owned());
        let (hash, document, outcome) = (&self.content_hash, &self.document, &self.outcome);
        let mut comma = ' ';
        for (sequence, (id, member)) in (first..).zip(&drawn) {
            let (store, sale) = (member % 50, format!("ticket-{sequence:09}"));
            write!(
                entries,
                "{comma}({MERCHANT},x'{id}',{sequence},1,35,{sequence},35.9,'store-{store:02}','{sale}','TICKET',\
                 'T{sequence:09}',3,'{lapses}',NULL,NULL,'{instant}','{instant}')"
            )?;
            write!(lots, "{comma}({MERCHANT},x'{id}','{lapses}',{sequence},35,35)")?;
            write!(
                sales,
                "{comma}({MERCHANT},'store-{store:02}','{sale}',x'{id}',x'{hash}',3,'{instant}','{instant}',\
                 '{document}','{outcome}')"
            )?;
            write!(
                requests,
                "{comma}({MERCHANT},'{}',x'{hash}','{instant}','store-{store:02}','{sale}',NULL)",
                Uuid::now_v7()
            )?;
            comma = ',';
        }
        let (accounts, touched) = changed_accounts(&drawn, first, &instant, &lapses)?;
        let batch = Uuid::now_v7().simple();
        Ok(format!(
            "BEGIN;{entries};{lots};{sales};{requests};{POSTING_BATCH} ({MERCHANT},x'{batch}','{instant}',\
             x'{touched}');{accounts}{ACCOUNT_CHANGES};COMMIT"
        ))
    }
}

/// The accounts after the sales, and what the sales touched, in hex.
fn changed_accounts(
    drawn: &[(&String, u64)],
    first: u64,
    instant: &str,
    lapses: &str,
) -> Result<(String, String), Failure> {
    let (mut accounts, mut touched) = (ACCOUNT.to_owned(), String::new());
    let (mut comma, mut next) = (' ', first);
    for same in drawn.chunk_by(|one, other| one.0 == other.0) {
        let (id, count) = (same[0].0, same.len() as u64);
        let last = next + count - 1;
        write!(
            accounts,
            "{comma}({MERCHANT},x'{id}','bench',{last},{last},0,0,0,NULL,'{lapses}',{last},NULL,'{lapses}','silver',{last},{last},0,0,\
             NULL,'{instant}','','',NULL)"
        )?;
        write!(touched, "{id}{next:016x}{count:08x}")?;
        comma = ',';
        next += count;
    }
    Ok((accounts, touched))
}
