//! Members who come from another system, with their points, their spend and what they earned before.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

use super::account::{Account, Books, LotsMissing, within_ledger};
use super::enrolment::Enrolment;
use super::entry::{Lifetime, Occasion, Origin, said};
use super::expiry::{self, NEVER};
use super::member_status::{Block, MemberStatus};
use super::program::ProgramVersion;
use super::rejection::Rejection;
use super::{earning, tier};

/// How far ahead an expiry may lie that is brought along: as far as a policy reaches.
const MOST_AHEAD: TimeDelta = TimeDelta::days(36_600);

/// A row of an import on its way into the books.
#[derive(Clone, Debug)]
pub(crate) struct ImportedMember {
    pub(crate) import_id: String,
    pub(crate) row_number: u64,
    pub(crate) enrolment: Enrolment,
    pub(crate) opening: Opening,
    /// Who says so.
    pub(crate) actor: String,
}

/// What a member brings along. Its serialized form is canonical: only what is said is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Opening {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enrolled_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lots: Vec<OpeningLot>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tier_spend: Vec<OpeningSpend>,
    #[serde(skip_serializing_if = "Lifetime::is_zero")]
    pub(crate) lifetime: Lifetime,
    /// Points that the member owes.
    #[serde(skip_serializing_if = "Decimal::is_zero")]
    pub(crate) debt: Decimal,
    /// Why points cannot be redeemed; empty: they can.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) block_reason: String,
    /// Whether the member takes no part.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) opted_out: bool,
}

/// Points that came together and lapse together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OpeningLot {
    pub(crate) points: Decimal,
    /// `None`: when they are imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accrued_at: Option<DateTime<Utc>>,
    pub(crate) expiry: OpeningExpiry,
    /// Until when they cannot be spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending_until: Option<DateTime<Utc>>,
}

/// When points lapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OpeningExpiry {
    /// As the program says of points that came then.
    AsProgram,
    At(DateTime<Utc>),
    Never,
}

/// Spend of a day of the program's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct OpeningSpend {
    pub(crate) day: NaiveDate,
    pub(crate) amount: Decimal,
}

impl ImportedMember {
    /// The books that the member begins with. What has lapsed of them is written off at once.
    pub(crate) fn open(
        &self,
        version: &ProgramVersion,
        merchant_id: u32,
        member_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Books, Rejection> {
        self.opening.check(version, now)?;
        let program = &version.program;
        let mut account = Account::opened(merchant_id, member_id, Arc::clone(&version.program_id), now);
        account.attributes = self.enrolment.attributes.clone();
        account.status = self.opening.status(now);
        let mut books = Books::new(account);
        if tier::spend_needed_since(program, now).is_some() {
            books.spend_by_day = Some(BTreeMap::new());
        }
        // What the member did elsewhere is not known: the time without anything happening begins here.
        books.begin_inactivity(program, now);
        if !self.opening.debt.is_zero() {
            books.bring_debt(self.opening.debt, &self.occasion(version, now, now));
        }
        let policy = earning::expiry(version, &self.enrolment.attributes);
        for lot in &self.opening.lots {
            let accrued_at = lot.accrued_at.unwrap_or(now);
            let expires_at = match lot.expiry {
                OpeningExpiry::AsProgram => expiry::expires_under(policy, program.time_zone, accrued_at),
                OpeningExpiry::At(instant) => instant.min(NEVER),
                OpeningExpiry::Never => NEVER,
            };
            within_ledger("points", books.account.points + lot.points)?;
            let occasion = self.occasion(version, accrued_at, now);
            books.bring_lot(lot.points, expires_at, lot.pending_until, &occasion);
        }
        for spend in &self.opening.tier_spend {
            within_ledger("tier_spend", books.account.tier_spend + spend.amount)?;
            let at = expiry::start_of_day(spend.day, program.time_zone).min(now);
            books.bring_spend(spend.day, spend.amount, &self.occasion(version, at, now));
        }
        books.bring_lifetime(self.opening.lifetime, &self.occasion(version, now, now));
        // Of new books no lot is unknown.
        let unknown = |_: LotsMissing| Rejection::LedgerRange { field: "points" };
        books.expire_lapsed(version.version, now).map_err(unknown)?;
        // What was reached by the spend that came along stays where a tier once reached stays.
        let days = books.spend_by_day.as_ref();
        let reached = days.and_then(|days| tier::highest_reached(program, days));
        let today = program.local_date(now);
        let standing = tier::standing(program, &books.spend(), reached.as_deref(), today);
        books.account.tier_id = standing.tier_id();
        Ok(books)
    }

    fn occasion(&self, version: &ProgramVersion, occurred_at: DateTime<Utc>, now: DateTime<Utc>) -> Occasion {
        Occasion {
            origin: Origin {
                reference: said(&self.import_id),
                actor: said(&self.actor),
                ..Origin::default()
            },
            ..Occasion::plain(version.version, occurred_at, now)
        }
    }
}

impl Opening {
    /// Whether the member may redeem and takes part, from `now` on.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> MemberStatus {
        let block = Block {
            reason: self.block_reason.clone(),
            blocked_at: now,
        };
        MemberStatus {
            block: (!self.block_reason.is_empty()).then_some(block),
            opted_out_at: self.opted_out.then_some(now),
            ..MemberStatus::default()
        }
    }

    /// Refuses what does not fit the program, or lies where it cannot.
    fn check(&self, version: &ProgramVersion, now: DateTime<Utc>) -> Result<(), Rejection> {
        let program = &version.program;
        if self.enrolled_at.is_some_and(|at| at > now) {
            return Err(in_future("enrolled_at".to_owned()));
        }
        for (place, lot) in self.lots.iter().enumerate() {
            if lot.accrued_at.is_some_and(|at| at > now) {
                return Err(in_future(format!("lots[{place}].accrued_at")));
            }
            let expires_at = match lot.expiry {
                OpeningExpiry::At(at) => Some(at),
                OpeningExpiry::AsProgram | OpeningExpiry::Never => None,
            };
            for (name, instant) in [("expires_at", expires_at), ("pending_until", lot.pending_until)] {
                if instant.is_some_and(|at| at > now + MOST_AHEAD) {
                    return Err(Rejection::InvalidField {
                        field: format!("lots[{place}].{name}"),
                        description: format!("lies more than {} days ahead", MOST_AHEAD.num_days()),
                    });
                }
            }
            check_decimals(format!("lots[{place}].points"), lot.points, program.decimals)?;
        }
        for (place, spend) in self.tier_spend.iter().enumerate() {
            if spend.day > program.local_date(now) {
                return Err(in_future(format!("tier_spend[{place}].day")));
            }
            let field = format!("tier_spend[{place}].amount");
            check_decimals(field, spend.amount, program.currency.minor_units)?;
        }
        check_decimals("debt".to_owned(), self.debt, program.decimals)?;
        let Lifetime {
            earned,
            redeemed,
            expired,
        } = self.lifetime;
        for (field, total) in [("earned", earned), ("redeemed", redeemed), ("expired", expired)] {
            check_decimals(format!("lifetime_{field}"), total, program.decimals)?;
        }
        Ok(())
    }
}

fn check_decimals(field: String, value: Decimal, decimals: u32) -> Result<(), Rejection> {
    if value.normalize().scale() > decimals {
        return Err(Rejection::TooManyDecimals { field, decimals });
    }
    Ok(())
}

fn in_future(field: String) -> Rejection {
    Rejection::InvalidField {
        field,
        description: "lies in the future".to_owned(),
    }
}
