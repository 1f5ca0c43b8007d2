//! What a sale earns: one base for every line, campaigns on top, and why. `server/docs/rating.md` says it for people.

mod discount;
#[cfg(test)]
pub(crate) mod made_up;
mod matching;
#[cfg(test)]
mod properties;

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime};
use ethnum::I256;
use rust_decimal::Decimal;

use super::account::Attributes;
use super::number::{self, Fraction, Rounding, ten_thousandths};
use super::outcome::{CampaignShare, EarnReason, LineOutcome, RateOutcome, RateSource};
use super::program::{DocumentTreatment, EarnRate, ExpiryPolicy, ProgramState, ProgramVersion, Tier};
use super::redemption::Bought;
use super::rejection::Rejection;
use super::rule::set::Place;
use super::rule::{Rule, RuleEffect};
use super::rule_usage::Allowances;
use super::sale::Sale;
use crate::domain::earning::matching::{Base, Matched, Met};

/// Decimals to which the shares of lines are shown.
const SHARE_DECIMALS: u32 = 6;
/// More points than the ledger holds.
const TOO_MANY: Rejection = Rejection::LedgerRange { field: "points" };
/// Rules that are named though they did not apply; a sale that meets more of them is not explained by a longer list.
const MOST_REASONS: usize = 100;

/// What a sale earns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Earning {
    pub(crate) points: Decimal,
    pub(crate) rated_amount: Decimal,
    pub(crate) lines: Vec<LineOutcome>,
    pub(crate) rates: Vec<RateOutcome>,
    /// The fraction that is left for the next sale, where the program keeps it.
    pub(crate) carry: Option<Fraction>,
}

/// A sale about to be rated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rated<'a> {
    pub(crate) version: &'a ProgramVersion,
    pub(crate) sale: &'a Sale,
    pub(crate) member: &'a Attributes,
    /// The time of the sale in the program's zone.
    pub(crate) local: NaiveDateTime,
    /// The fraction that earlier sales left, where the program keeps it.
    pub(crate) carry: Option<Fraction>,
    /// What rules that are limited per day or member may still give.
    pub(crate) allowances: &'a Allowances,
    /// What of its lines points bought.
    pub(crate) bought: &'a Bought,
    /// Why the whole of it does not earn, if it does not.
    pub(crate) closed: Option<EarnReason>,
}

/// Rates a sale at the tier that it reaches. Of what points paid, that which they bought of lines does not earn; the rest
/// lowers everything in proportion.
pub(crate) fn rate(mut rated: Rated<'_>, tier: Option<&Tier>, points_paid: Decimal) -> Result<Earning, Rejection> {
    let Rated { version, sale, .. } = rated;
    let program = &version.program;
    let paid = if program.earn_on_points_paid_part {
        rated.bought = Bought::NOTHING;
        Decimal::ZERO
    } else {
        points_paid
    };
    if let Some(reason) = not_at_all(rated, tier, paid) {
        return Ok(nothing(rated, reason));
    }
    let matched = matching::matched(rated, tier);
    let bought = rated.bought.amount();
    let kept = Kept::new(sale.total - bought, paid - bought);
    let decimals = program.decimals;

    let shares = Shares::new(&matched, kept)?;
    let mut rates = Vec::new();
    let (mut rated_sum, mut dropped) = (I256::ZERO, Fraction::ZERO);
    for (group, base) in matched.bases.iter().enumerate() {
        let sum = matched.sums.get(group).copied().unwrap_or_default();
        let mut outcome = RateOutcome {
            source: base.source.clone(),
            rated_amount: Decimal::ZERO,
            points: Decimal::ZERO,
            rounding: Decimal::ZERO,
            fixed_points: Decimal::ZERO,
            capped: Decimal::ZERO,
            vat_percent: base.rate.and_then(|rate| rate.vat_percent),
            reason: EarnReason::Earned,
        };
        let rounding = base.rate.map_or(Rounding::Floor, |rate| rate.rounding);
        let exact = kept.exact(base.rate, sum);
        let points = exact.rounded(decimals, rounding).ok_or(TOO_MANY)?;
        if base.rate.is_some() {
            rated_sum += sum;
            outcome.rated_amount = kept.amount(sum, program.currency.minor_units)?;
        }
        outcome.rounding = points - shares.of_base(group);
        finish(&mut outcome, points, base.rule, rated.allowances);
        if rated.carry.is_some() {
            dropped = dropped.plus(left(exact, &outcome)?).ok_or(TOO_MANY)?.bounded();
        }
        rates.push(outcome);
    }
    for (place, campaign) in &matched.campaigns {
        let Some((rule_id, rule)) = version.rules.at(*place) else {
            continue;
        };
        let (exact, mut outcome) = campaign_outcome(rule_id, rule, campaign, &matched, &shares, kept, decimals)?;
        let points = outcome.points;
        finish(&mut outcome, points, Some(rule), rated.allowances);
        if rated.carry.is_some() {
            dropped = dropped.plus(left(exact, &outcome)?).ok_or(TOO_MANY)?.bounded();
        }
        rates.push(outcome);
    }
    let mut carry = rated.carry;
    if let Some(carried) = &mut carry {
        let sum = carried.plus(dropped).ok_or(TOO_MANY)?;
        let points = sum.rounded(decimals, Rounding::Floor).ok_or(TOO_MANY)?;
        *carried = sum.less(points).ok_or(TOO_MANY)?.bounded();
        if points > Decimal::ZERO {
            rates.push(carried_outcome(points));
        }
    }
    let applied: Decimal = rates.iter().map(|rate| rate.points).sum();
    rates.extend(not_applied(version, &matched));
    Ok(Earning {
        points: applied,
        rated_amount: kept.amount(rated_sum, program.currency.minor_units)?,
        lines: shares.lines,
        rates,
        carry,
    })
}

/// Why a whole sale does not earn whatever the rules say; `None` when it may.
pub(crate) fn closed(version: &ProgramVersion, sale: &Sale, day: NaiveDate) -> Option<EarnReason> {
    let program = &version.program;
    match program.state {
        ProgramState::Draft => return Some(EarnReason::ProgramDraft),
        ProgramState::Paused => return Some(EarnReason::ProgramPaused),
        ProgramState::Archived => return Some(EarnReason::ProgramArchived),
        ProgramState::Active => {}
    }
    if program.treatment(&sale.document_type) != DocumentTreatment::Issuing {
        return Some(EarnReason::DocumentIgnored);
    }
    let started = program.valid_from.is_none_or(|first| day >= first);
    let ended = program.valid_until.is_some_and(|last| day > last);
    (!started || ended).then_some(EarnReason::OutsideValidity)
}

/// The rule that the member's record names, where it is in force.
pub(crate) fn assigned<'a>(version: &'a ProgramVersion, member: &Attributes) -> Option<(Place, &'a Rule)> {
    let place = version.rules.find(member.assigned_rule_id.as_deref()?)?;
    let (_, rule) = version.rules.at(place)?;
    Some((place, rule))
}

/// Money that one point pays for a member: by the assigned rule, else the tier, else the program; `None` when points
/// cannot pay.
pub(crate) fn value_per_point(version: &ProgramVersion, member: &Attributes, tier: Option<&Tier>) -> Option<Decimal> {
    let policy = version.program.redemption.as_ref()?;
    let assigned = assigned(version, member).and_then(|(_, rule)| rule.value_per_point);
    let of_tier = tier.and_then(|tier| tier.value_per_point);
    assigned.or(of_tier).or(policy.value_per_point)
}

/// When points of a member lapse: by the assigned rule, else the program.
pub(crate) fn expiry<'a>(version: &'a ProgramVersion, member: &Attributes) -> Option<&'a ExpiryPolicy> {
    let assigned = assigned(version, member).and_then(|(_, rule)| rule.expiry.as_ref());
    assigned.or(version.program.expiry.as_ref())
}

fn not_at_all(rated: Rated<'_>, tier: Option<&Tier>, paid: Decimal) -> Option<EarnReason> {
    let Rated { version, sale, .. } = rated;
    let program = &version.program;
    if let Some(reason) = rated.closed {
        return Some(reason);
    }
    if sale.do_not_earn {
        return Some(EarnReason::EarningSuppressed);
    }
    if sale.total > Decimal::ZERO && paid >= sale.total {
        return Some(EarnReason::PaidWithPoints);
    }
    if tier.is_none() && !program.tiers.is_empty() {
        return Some(EarnReason::BelowLowestTier);
    }
    let assigned = assigned(version, rated.member).and_then(|(_, rule)| rule.max_discount_percent);
    let ceiling = assigned.or(program.max_discount_percent);
    ceiling
        .is_some_and(|percent| discount::is_above(sale, percent))
        .then_some(EarnReason::DiscountCeiling)
}

/// What a campaign gives: its factor less one of what the bases give to its lines, exactly, rounded once; or its bonus.
fn campaign_outcome(
    rule_id: &str,
    rule: &Rule,
    campaign: &Met,
    matched: &Matched<'_>,
    shares: &Shares,
    kept: Kept,
    decimals: u32,
) -> Result<(Fraction, RateOutcome), Rejection> {
    let mut exact = Fraction::ZERO;
    let mut outcome = RateOutcome {
        source: RateSource::Rule(rule_id.to_owned()),
        rated_amount: Decimal::ZERO,
        points: Decimal::ZERO,
        rounding: Decimal::ZERO,
        fixed_points: Decimal::ZERO,
        capped: Decimal::ZERO,
        vat_percent: None,
        reason: EarnReason::Earned,
    };
    match &rule.effect {
        RuleEffect::Multiplier { factor, rounding } => {
            for (group, sum) in &campaign.sums {
                let rate = matched.bases.get(*group).and_then(|base| base.rate);
                exact = exact.plus(kept.exact(rate, *sum)).ok_or(TOO_MANY)?;
            }
            exact = exact.times(more(*factor)).ok_or(TOO_MANY)?;
            let points = exact.rounded(decimals, *rounding).ok_or(TOO_MANY)?;
            outcome.rounding = points - shares.of_campaign(rule_id);
            outcome.points = points;
        }
        RuleEffect::Bonus(points) => {
            outcome.fixed_points = *points;
            outcome.points = *points;
        }
        RuleEffect::EarnRate(_) | RuleEffect::NoPoints => {}
    }
    Ok((exact, outcome))
}

/// The fraction that rounding down left over; what is rounded up or cut off by a ceiling leaves none.
fn left(exact: Fraction, outcome: &RateOutcome) -> Result<Fraction, Rejection> {
    let dropped = exact.less(outcome.points + outcome.capped).ok_or(TOO_MANY)?;
    let is_left = dropped.is_positive() && outcome.capped.is_zero();
    Ok(if is_left { dropped.bounded() } else { Fraction::ZERO })
}

/// Points of fractions that added up.
fn carried_outcome(points: Decimal) -> RateOutcome {
    RateOutcome {
        source: RateSource::Carried,
        rated_amount: Decimal::ZERO,
        points,
        rounding: Decimal::ZERO,
        fixed_points: points,
        capped: Decimal::ZERO,
        vat_percent: None,
        reason: EarnReason::Earned,
    }
}

/// The points, as far as the rule's limits per sale, day and member let them.
fn finish(outcome: &mut RateOutcome, points: Decimal, rule: Option<&Rule>, allowances: &Allowances) {
    let per_sale = rule.and_then(|rule| rule.max_points_per_sale);
    let allowance = match &outcome.source {
        RateSource::Rule(rule_id) => allowances.get(rule_id).copied(),
        _ => None,
    };
    let limits = per_sale.into_iter().chain(allowance);
    outcome.points = limits.fold(points, Decimal::min).normalize();
    outcome.capped = (points - outcome.points).normalize();
    outcome.rounding = outcome.rounding.normalize();
}

/// The rules that the sale met and that gave nothing, with the reason.
fn not_applied<'a>(version: &'a ProgramVersion, matched: &'a Matched<'_>) -> impl Iterator<Item = RateOutcome> + 'a {
    matched.reasons.iter().take(MOST_REASONS).filter_map(|(place, reason)| {
        let (rule_id, _) = version.rules.at(*place)?;
        Some(RateOutcome {
            source: RateSource::Rule(rule_id.clone()),
            rated_amount: Decimal::ZERO,
            points: Decimal::ZERO,
            rounding: Decimal::ZERO,
            fixed_points: Decimal::ZERO,
            capped: Decimal::ZERO,
            vat_percent: None,
            reason: *reason,
        })
    })
}

/// The factor less one.
fn more(factor: Decimal) -> Fraction {
    let unit = I256::from(10_i128.pow(number::SCALE));
    Fraction::new(ten_thousandths(factor - Decimal::ONE), unit)
}

/// The share of the sale that points did not pay.
#[derive(Clone, Copy)]
struct Kept {
    kept: I256,
    total: I256,
}

impl Kept {
    fn new(total: Decimal, paid: Decimal) -> Self {
        if paid.is_zero() {
            return Self {
                kept: I256::ONE,
                total: I256::ONE,
            };
        }
        Self {
            kept: ten_thousandths(total - paid),
            total: ten_thousandths(total).max(I256::ONE),
        }
    }

    /// Points for a sum: of ten-thousandths of money at a rate, multiplied and divided once; without a rate, of points
    /// themselves, in `matching::PRODUCT_UNIT`.
    fn exact(self, rate: Option<&EarnRate>, sum: I256) -> Fraction {
        let unit = I256::from(10_i128.pow(number::SCALE));
        let Some(rate) = rate else {
            return Fraction::new(sum * self.kept, self.total * matching::product_unit());
        };
        let (points, amount) = (ten_thousandths(rate.points), ten_thousandths(rate.amount));
        if rate.complete_steps {
            let steps = sum * self.kept / (self.total * amount);
            return Fraction::new(steps * points, unit);
        }
        Fraction::new(sum * self.kept * points, self.total * amount * unit)
    }

    /// The rated part of a sum of ten-thousandths of money.
    fn amount(self, sum: I256, decimals: u32) -> Result<Decimal, Rejection> {
        let unit = I256::from(10_i128.pow(number::SCALE));
        divide(sum * self.kept, self.total * unit, decimals)
    }

    /// A line's share of the points of its base, cut.
    fn share(self, base: &Base<'_>, amount: I256, factor: I256) -> Result<Decimal, Rejection> {
        let unit = I256::from(10_i128.pow(number::SCALE));
        match base.rate {
            None => divide(
                amount * self.kept * factor,
                self.total * matching::product_unit() * unit,
                SHARE_DECIMALS,
            ),
            Some(rate) => divide(
                amount * self.kept * ten_thousandths(rate.points) * factor,
                self.total * ten_thousandths(rate.amount) * unit * unit,
                SHARE_DECIMALS,
            ),
        }
    }
}

/// The shares of the lines, and their sums by where they come from.
struct Shares {
    lines: Vec<LineOutcome>,
    bases: Vec<Decimal>,
    campaigns: BTreeMap<String, Decimal>,
}

impl Shares {
    fn new(matched: &Matched<'_>, kept: Kept) -> Result<Self, Rejection> {
        let unit = I256::from(10_i128.pow(number::SCALE));
        let mut shares = Self {
            lines: Vec::with_capacity(matched.lines.len()),
            bases: vec![Decimal::ZERO; matched.bases.len()],
            campaigns: BTreeMap::new(),
        };
        for line in &matched.lines {
            let (group, amount) = match line.base {
                Ok(found) => found,
                Err(reason) => {
                    shares.lines.push(no_points(reason));
                    continue;
                }
            };
            let Some(base) = matched.bases.get(group) else {
                continue;
            };
            let own = kept.share(base, amount, unit)?;
            if let Some(sum) = shares.bases.get_mut(group) {
                *sum += own;
            }
            let mut outcome = LineOutcome {
                rated_amount: match base.rate {
                    Some(_) => kept.amount(amount, SHARE_DECIMALS)?,
                    None => Decimal::ZERO,
                },
                points: own,
                source: Some(base.source.clone()),
                reason: EarnReason::Earned,
                campaigns: Vec::new(),
                price: None,
            };
            for (rule_id, factor) in matched.multipliers_of(line) {
                let points = kept.share(base, amount, ten_thousandths(factor - Decimal::ONE))?;
                outcome.points += points;
                *shares.campaigns.entry(rule_id.to_owned()).or_default() += points;
                let rule_id = rule_id.to_owned();
                outcome.campaigns.push(CampaignShare { rule_id, points });
            }
            outcome.points = outcome.points.normalize();
            shares.lines.push(outcome);
        }
        Ok(shares)
    }

    fn of_base(&self, group: usize) -> Decimal {
        self.bases.get(group).copied().unwrap_or_default()
    }

    fn of_campaign(&self, rule_id: &str) -> Decimal {
        self.campaigns.get(rule_id).copied().unwrap_or_default()
    }
}

fn divide(numerator: I256, denominator: I256, decimals: u32) -> Result<Decimal, Rejection> {
    number::divide(numerator, denominator, decimals, Rounding::Floor).ok_or(Rejection::LedgerRange { field: "points" })
}

fn nothing(rated: Rated<'_>, reason: EarnReason) -> Earning {
    let sale = rated.sale;
    let line_count = sale.lines.len().max(1);
    let reason_of = |line: usize| match sale.lines.get(line) {
        Some(line) if line.flag.is_some() => EarnReason::LineFlagged,
        _ => reason,
    };
    Earning {
        points: Decimal::ZERO,
        rated_amount: Decimal::ZERO,
        lines: (0..line_count).map(|line| no_points(reason_of(line))).collect(),
        rates: Vec::new(),
        carry: rated.carry,
    }
}

fn no_points(reason: EarnReason) -> LineOutcome {
    LineOutcome {
        rated_amount: Decimal::ZERO,
        points: Decimal::ZERO,
        source: None,
        reason,
        campaigns: Vec::new(),
        price: None,
    }
}
