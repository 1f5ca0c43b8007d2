//! How much of a sale counts: what it earns at the tier it reaches, and what it adds to the spend for tiers. A sale is
//! counted when it is recorded, and what is kept of it again after each return, both times on the same ground.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::account::Attributes;
use super::earning::{self, Earning, Rated};
use super::number::Fraction;
use super::outcome::EarnReason;
use super::program::{ProgramVersion, TierSpendBasis};
use super::redemption::Bought;
use super::rejection::Rejection;
use super::rule_usage::Allowances;
use super::sale::Sale;
use super::tier::Prior;

/// What decides beside the sale itself.
pub(crate) struct Counting<'a> {
    pub(crate) version: &'a ProgramVersion,
    pub(crate) occurred_at: DateTime<Utc>,
    /// Day of the sale in the program's zone.
    pub(crate) day: NaiveDate,
    pub(crate) member: &'a Attributes,
    /// Whether the member took no part any more when the sale was made.
    pub(crate) is_opted_out: bool,
    pub(crate) prior: &'a Prior,
    /// What earlier sales left, where the program keeps it.
    pub(crate) carry: Option<Fraction>,
    /// What limited rules may still give.
    pub(crate) allowances: &'a Allowances,
}

/// What of a sale counts.
pub(crate) struct Counted {
    pub(crate) earning: Earning,
    /// What it adds to the spend that counts towards tiers.
    pub(crate) tier_spend: Decimal,
    /// The tier that the sale reaches.
    pub(crate) tier_id: Option<String>,
}

impl Counting<'_> {
    /// Why the sale does not count at all; `None` when it does.
    pub(crate) fn closed(&self, sale: &Sale) -> Option<EarnReason> {
        let closed = earning::closed(self.version, sale, self.day);
        closed.or(self.is_opted_out.then_some(EarnReason::OptedOut))
    }

    /// What the sale earns at the tier it reaches when points pay `paid` of it, what they bought of its lines included.
    pub(crate) fn count(&self, sale: &Sale, paid: Decimal, bought: &Bought) -> Result<Counted, Rejection> {
        let program = &self.version.program;
        let closed = self.closed(sale);
        let tier_spend = match program.tier_spend_basis {
            _ if closed.is_some() => Decimal::ZERO,
            TierSpendBasis::WholeSale => sale.total,
            TierSpendBasis::WithoutPointsPaidPart => sale.total - paid,
        };
        let reached = self.prior.standing(program, tier_spend);
        let rated = Rated {
            version: self.version,
            sale,
            member: self.member,
            local: program.local_time(self.occurred_at),
            carry: self.carry,
            allowances: self.allowances,
            bought,
            closed,
        };
        Ok(Counted {
            earning: earning::rate(rated, reached.tier, paid)?,
            tier_spend,
            tier_id: reached.tier_id(),
        })
    }
}
