//! Two members who turn out to be one customer: the books of the one go into those of the other, as moves of the ledger.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::{Books, Estate, LotsMissing, LotsMoved, Stop};
use super::entry::{Occasion, Origin, said};
use super::member::Member;
use super::member_status::MemberStatus;
use super::program::{Program, ProgramVersion};
use super::rejection::Rejection;
use super::sale_recording::balance_at;

/// Who merges, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Merging<'a> {
    pub(crate) actor: &'a str,
    /// Not before either of the books was changed.
    pub(crate) at: DateTime<Utc>,
}

/// Refuses members who cannot be merged: both are somebody's, and of one program.
pub(crate) fn check(from: &Books, into: &Books) -> Result<(), Rejection> {
    for books in [into, from] {
        let account = &books.account;
        account.status.check_known()?;
        if let Some(merged_into) = account.status.merged_into {
            return Err(Rejection::MemberMerged {
                member_id: account.member_id.to_string(),
                merged_into: merged_into.to_string(),
            });
        }
    }
    if from.account.program_id != into.account.program_id {
        return Err(Rejection::MergeAcrossPrograms {
            program_id: into.account.program_id.to_string(),
            merged_program_id: from.account.program_id.to_string(),
        });
    }
    Ok(())
}

impl Merging<'_> {
    /// Ends the books of the merged member. Live holds end, and what has lapsed is written off there.
    pub(crate) fn leave(
        self,
        from: &mut Books,
        into: Uuid,
        version: &ProgramVersion,
        spend: BTreeMap<NaiveDate, (DateTime<Utc>, Decimal)>,
    ) -> Result<Estate, LotsMissing> {
        from.settle_pending(self.at)?;
        from.release_holds(self.at)?;
        from.expire_lapsed(version.version, self.at)?;
        let estate = from.move_out(spend, &self.occasion(version, into))?;
        from.account.status.merged_into = Some(into);
        Ok(estate)
    }

    /// Goes on with what the merged member left, whose tier was `tier_id`. Answers where lots went.
    pub(crate) fn enter(
        self,
        into: &mut Books,
        from: Uuid,
        version: &ProgramVersion,
        estate: &Estate,
        tier_id: Option<&str>,
    ) -> Result<LotsMoved, Stop> {
        into.settle_pending(self.at)?;
        into.expire_lapsed(version.version, self.at)?;
        let moved = into.move_in(estate, &self.occasion(version, from))?;
        // Counts where a tier once reached stays; else what both spent decides.
        let kept = into.account.tier_id.as_deref();
        into.account.tier_id = higher(&version.program, kept, tier_id).map(str::to_owned);
        into.account.tier_id = balance_at(into, version, self.at)?.tier_id;
        Ok(moved)
    }

    fn occasion(self, version: &ProgramVersion, other: Uuid) -> Occasion {
        Occasion {
            origin: Origin {
                reference: said(&other.to_string()),
                actor: said(self.actor),
                ..Origin::default()
            },
            ..Occasion::plain(version.version, self.at, self.at)
        }
    }
}

/// Merges the records: the identifiers move, what is said of the member who stays stays, and what is not is taken from the
/// other. A block of either goes on.
pub(crate) fn merge_records(from: &mut Member, into: &mut Member, now: DateTime<Utc>) {
    into.identifiers.append(&mut from.identifiers);
    into.identifiers.sort();
    let person = std::mem::take(&mut from.person);
    let kept = &mut into.person;
    if kept.name.is_empty() {
        kept.name = person.name;
    }
    if kept.language.is_empty() {
        kept.language = person.language;
    }
    kept.birth_date = kept.birth_date.or(person.birth_date);
    kept.marketing_consent = kept.marketing_consent.or(person.marketing_consent);
    let block = from.status.block.take();
    into.status.block = into.status.block.take().or(block);
    from.status = MemberStatus {
        merged_into: Some(into.member_id),
        ..MemberStatus::default()
    };
    for member in [from, into] {
        member.version += 1;
        member.updated_at = now.max(member.updated_at);
    }
}

fn higher<'a>(program: &Program, one: Option<&'a str>, other: Option<&'a str>) -> Option<&'a str> {
    let rank = |tier_id: Option<&str>| {
        let tier = program.tiers.iter().find(|tier| Some(tier.tier_id.as_str()) == tier_id);
        tier.map(|tier| tier.minimum_spend)
    };
    if rank(other) > rank(one) { other } else { one }
}
