//! What points paid of a sale, and what of it stays paid when goods come back.

use ethnum::I256;
use rust_decimal::Decimal;

use super::Recorded;
use crate::domain::kept_goods::KeptGoods;
use crate::domain::number::{self, Rounding, millionths, ten_thousandths};
use crate::domain::outcome::PointsTender;
use crate::domain::redemption::{Bought, BoughtLine};
use crate::domain::rejection::Rejection;
use crate::domain::sale::Sale;

/// What of a sale's tenders comes back.
pub(super) struct Back {
    /// Of each tender, by this return.
    pub(super) points: Vec<Decimal>,
    /// Money that points go on paying.
    pub(super) paid: Decimal,
    /// What of the kept lines they go on having bought, in the places of the sale's lines.
    pub(super) bought: Vec<BoughtLine>,
}

/// What the points of one tender went for.
enum Paid {
    /// A part of all that points did not buy.
    Part,
    /// Units of lines, which they bought.
    Units(Vec<(usize, Decimal)>),
    /// Something beside the sale.
    Beside,
}

/// What stays paid while some goods are kept.
struct Staying {
    bought: Vec<BoughtLine>,
    /// Units that each tender goes on having bought.
    units: Vec<Decimal>,
    /// What the kept goods cost that points did not buy.
    open: Decimal,
}

impl Recorded<'_> {
    /// What comes back of what points paid: of what a tender bought its units, of any other its share of all else that
    /// came back, rounded down, until the last return takes the rest. What was given beside the sale comes back with the
    /// last of it.
    pub(super) fn tenders_back(&self, after: &KeptGoods<'_>) -> Result<Back, Rejection> {
        let (tenders, minor_units) = (&self.outcome.points_tenders, self.outcome.currency.minor_units);
        let paid_for = paid_for(self.sale, tenders);
        let all = KeptGoods::all_of(self.sale, minor_units);
        let (all, staying) = (
            staying(&paid_for, &all, &all, minor_units)?,
            staying(&paid_for, &all, after, minor_units)?,
        );
        let decimals = self.rated.program.decimals;
        let mut points = Vec::with_capacity(tenders.len());
        for (number, (tender, paid_for)) in tenders.iter().zip(&paid_for).enumerate() {
            let units = |staying: &Staying| staying.units.get(number).copied().unwrap_or_default();
            let back = match paid_for {
                _ if after.is_nothing() => tender.points,
                Paid::Part => part_back(tender.points, all.open, staying.open, decimals)?,
                Paid::Units(_) => {
                    let (all, kept) = (units(&all), units(&staying));
                    let back = ten_thousandths(tender.points) * millionths(all - kept);
                    let unit = I256::from(10_i128.pow(number::SCALE));
                    divide(back, millionths(all).max(I256::ONE) * unit, decimals)?
                }
                Paid::Beside => Decimal::ZERO,
            };
            let given = self.state.given_back.get(number).copied().unwrap_or_default();
            points.push((back - given).max(Decimal::ZERO));
        }
        let bought = |staying: &Staying| staying.bought.iter().map(|line| line.amount).sum::<Decimal>();
        let otherwise = self.outcome.points_paid() - bought(&all);
        let back = part_back(otherwise, all.open, staying.open, minor_units)?;
        Ok(Back {
            points,
            paid: bought(&staying) + otherwise - back,
            bought: staying.bought,
        })
    }
}

impl Back {
    /// What points go on having bought of the lines in these places.
    pub(super) fn bought_of(&self, places: &[usize]) -> Bought {
        let lines = places.iter().map(|place| self.bought.get(*place));
        Bought::of_lines(lines.map(|line| line.copied().unwrap_or_default()).collect())
    }
}

/// What the tenders went for: units of a product come out of the lines that have it, the first first.
fn paid_for(sale: &Sale, tenders: &[PointsTender]) -> Vec<Paid> {
    let mut free: Vec<Decimal> = sale.lines.iter().map(|line| line.quantity).collect();
    let mut paid = Vec::with_capacity(tenders.len());
    for tender in tenders {
        let Some(item) = tender.item.as_ref().filter(|item| !item.product_id.is_empty()) else {
            paid.push(Paid::Part);
            continue;
        };
        let has_it = sale.lines.iter().any(|line| line.product_id == item.product_id);
        if !has_it {
            paid.push(Paid::Beside);
            continue;
        }
        let (mut missing, mut units) = (item.quantity, Vec::new());
        for (place, free) in free.iter_mut().enumerate() {
            if sale.lines[place].product_id == item.product_id {
                let taken = missing.min(*free);
                *free -= taken;
                missing -= taken;
                units.push((place, taken));
            }
        }
        paid.push(Paid::Units(units));
    }
    paid
}

/// What stays paid of the tenders. Of a line of which points bought some units these come back first, those of the last
/// tender before others.
fn staying(
    paid_for: &[Paid],
    all: &KeptGoods<'_>,
    kept: &KeptGoods<'_>,
    minor_units: u32,
) -> Result<Staying, Rejection> {
    let mut bought_units = vec![Decimal::ZERO; kept.lines().len()];
    let units_of = |paid: &Paid| match paid {
        Paid::Units(units) => units.clone(),
        Paid::Part | Paid::Beside => Vec::new(),
    };
    for (place, units) in paid_for.iter().flat_map(units_of) {
        bought_units[place] += units;
    }
    let mut left = Vec::with_capacity(bought_units.len());
    let mut bought = Vec::with_capacity(bought_units.len());
    for (place, line) in kept.lines().iter().enumerate() {
        let otherwise = all.lines()[place].quantity - bought_units[place];
        let quantity = (line.quantity - otherwise).max(Decimal::ZERO);
        left.push(quantity);
        bought.push(BoughtLine::part_of(line, quantity, minor_units)?);
    }
    let units = paid_for.iter().map(|paid| {
        let mut sum = Decimal::ZERO;
        for (place, units) in units_of(paid) {
            let stays = units.min(left[place]);
            left[place] -= stays;
            sum += stays;
        }
        sum
    });
    let units = units.collect();
    let open = kept.total() - bought.iter().map(|line| line.amount).sum::<Decimal>();
    Ok(Staying { bought, units, open })
}

/// The part of a value that comes back when of `all` money `kept` is kept, rounded down.
fn part_back(value: Decimal, all: Decimal, kept: Decimal, decimals: u32) -> Result<Decimal, Rejection> {
    let back = ten_thousandths((all - kept).max(Decimal::ZERO));
    let unit = I256::from(10_i128.pow(number::SCALE));
    divide(
        ten_thousandths(value) * back,
        ten_thousandths(all).max(I256::ONE) * unit,
        decimals,
    )
}

fn divide(numerator: I256, denominator: I256, decimals: u32) -> Result<Decimal, Rejection> {
    let quotient = number::divide(numerator, denominator, decimals, Rounding::Floor);
    quotient.ok_or(Rejection::LedgerRange { field: "sale_return" })
}
