//! What a sale earns: per rate, per line, and why.

use ethnum::I256;
use rust_decimal::Decimal;

use super::number::{self, Rounding, ten_thousandths};
use super::outcome::{EarnReason, LineOutcome, RateOutcome, RateSource};
use super::program::{DocumentTreatment, EarnRate, ProgramState, ProgramVersion, RatedBasis, Tier};
use super::rejection::Rejection;
use super::sale::Sale;

/// Decimals to which the shares of lines are shown.
const SHARE_DECIMALS: u32 = 6;

/// What a sale earns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Earning {
    pub(crate) points: Decimal,
    pub(crate) rated_amount: Decimal,
    pub(crate) lines: Vec<LineOutcome>,
    pub(crate) rates: Vec<RateOutcome>,
}

/// Rates a sale at the tier that it reaches. The part that points paid lowers every rated amount in proportion.
pub(crate) fn rate(
    version: &ProgramVersion,
    sale: &Sale,
    tier: Option<&Tier>,
    points_paid: Decimal,
    counts: Option<EarnReason>,
) -> Result<Earning, Rejection> {
    let program = &version.program;
    let paid = if program.earn_on_points_paid_part {
        Decimal::ZERO
    } else {
        points_paid
    };
    let source = match counts {
        Some(reason) => Err(reason),
        None if sale.total > Decimal::ZERO && paid >= sale.total => Err(EarnReason::PaidWithPoints),
        None => rate_of(version, tier),
    };
    let (rate, source) = match source {
        Ok(found) => found,
        Err(reason) => return Ok(nothing(sale, reason)),
    };

    // A rated amount is the line's amount × kept / total: kept as a fraction until the one division at the end.
    let (kept, total) = (
        ten_thousandths(sale.total - paid),
        ten_thousandths(sale.total).max(I256::ONE),
    );
    let share = Share { rate, kept, total };
    let amounts: Vec<Option<I256>> = earning_amounts(sale, program.rated_basis);
    let sum: I256 = amounts
        .iter()
        .flatten()
        .copied()
        .fold(I256::ZERO, |sum, amount| sum + amount);

    let minor_units = program.currency.minor_units;
    let points = share.points(sum, program.decimals)?;
    let rated_amount = share.rated_amount(sum, minor_units)?;
    let lines = amounts
        .into_iter()
        .map(|amount| share.line(amount, &source))
        .collect::<Result<Vec<_>, _>>()?;
    let shares: Decimal = lines.iter().map(|line| line.points).sum();
    let rates = vec![RateOutcome {
        source,
        rated_amount,
        points,
        rounding: (points - shares).normalize(),
    }];
    Ok(Earning {
        points,
        rated_amount,
        lines,
        rates,
    })
}

/// Why a whole sale does not earn and does not count towards tiers; `None` when it does.
pub(crate) fn closed(version: &ProgramVersion, sale: &Sale, day: chrono::NaiveDate) -> Option<EarnReason> {
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

/// The one rate of the sale: the tier's own, else the program's default rule.
fn rate_of<'a>(version: &'a ProgramVersion, tier: Option<&'a Tier>) -> Result<(&'a EarnRate, RateSource), EarnReason> {
    if tier.is_none() && !version.program.tiers.is_empty() {
        return Err(EarnReason::BelowLowestTier);
    }
    if let Some((tier, rate)) = tier.and_then(|tier| Some((tier, tier.earn_rate.as_ref()?))) {
        return Ok((rate, RateSource::Tier(tier.tier_id.clone())));
    }
    let (rule_id, rule) = version.rules.first().ok_or(EarnReason::NoRate)?;
    Ok((&rule.earn_rate, RateSource::Rule(rule_id.clone())))
}

/// Ten-thousandths of what each line brings to be rated; `None` where it is marked. A sale without lines is one line.
fn earning_amounts(sale: &Sale, basis: RatedBasis) -> Vec<Option<I256>> {
    if sale.lines.is_empty() {
        return vec![Some(ten_thousandths(sale.total))];
    }
    sale.lines
        .iter()
        .map(|line| {
            let amount = match basis {
                RatedBasis::Gross => line.amount,
                RatedBasis::Net => line.amount - line.tax_amount,
            };
            line.flag.is_none().then(|| ten_thousandths(amount))
        })
        .collect()
}

/// The fraction that turns ten-thousandths of money into points.
struct Share<'a> {
    rate: &'a EarnRate,
    kept: I256,
    total: I256,
}

impl Share<'_> {
    /// Points for a sum of amounts: multiplied and divided once, rounded once.
    fn points(&self, amount: I256, decimals: u32) -> Result<Decimal, Rejection> {
        let (numerator, denominator) = self.fraction(amount);
        if self.rate.complete_steps {
            let points = ten_thousandths(self.rate.points);
            let steps = numerator / (denominator * points);
            let unit = I256::from(10_i128.pow(number::SCALE));
            return divide(steps * points, unit, decimals, self.rate.rounding);
        }
        divide(
            numerator,
            denominator * I256::from(10_i128.pow(number::SCALE)),
            decimals,
            self.rate.rounding,
        )
    }

    fn line(&self, amount: Option<I256>, source: &RateSource) -> Result<LineOutcome, Rejection> {
        let Some(amount) = amount else {
            return Ok(no_points(EarnReason::LineFlagged));
        };
        let (numerator, denominator) = self.fraction(amount);
        let unit = I256::from(10_i128.pow(number::SCALE));
        Ok(LineOutcome {
            rated_amount: self.rated_amount(amount, SHARE_DECIMALS)?,
            points: divide(numerator, denominator * unit, SHARE_DECIMALS, Rounding::Floor)?,
            source: Some(source.clone()),
            reason: EarnReason::Earned,
        })
    }

    fn rated_amount(&self, amount: I256, decimals: u32) -> Result<Decimal, Rejection> {
        let unit = I256::from(10_i128.pow(number::SCALE));
        divide(amount * self.kept, self.total * unit, decimals, Rounding::Floor)
    }

    /// Ten-thousandths of points, as numerator and denominator.
    fn fraction(&self, amount: I256) -> (I256, I256) {
        let numerator = amount * self.kept * ten_thousandths(self.rate.points);
        (numerator, self.total * ten_thousandths(self.rate.amount))
    }
}

fn divide(numerator: I256, denominator: I256, decimals: u32, rounding: Rounding) -> Result<Decimal, Rejection> {
    number::divide(numerator, denominator, decimals, rounding).ok_or(Rejection::LedgerRange { field: "points" })
}

fn nothing(sale: &Sale, reason: EarnReason) -> Earning {
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
    }
}

fn no_points(reason: EarnReason) -> LineOutcome {
    LineOutcome {
        rated_amount: Decimal::ZERO,
        points: Decimal::ZERO,
        source: None,
        reason,
    }
}
