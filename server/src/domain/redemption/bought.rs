//! What of the lines of a sale was bought with points.

use rust_decimal::Decimal;

use crate::domain::number::{self, Rounding};
use crate::domain::rejection::Rejection;
use crate::domain::sale::SaleLine;

/// What of each line was bought with points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bought {
    /// By place of the line; none behind the last that anything was bought of.
    lines: Vec<BoughtLine>,
}

/// What of a line was bought with points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BoughtLine {
    pub(crate) quantity: Decimal,
    /// The money that it would have cost.
    pub(crate) amount: Decimal,
}

impl BoughtLine {
    /// So many units of a line, and what they would have cost: in proportion, rounded down, until the last unit takes the
    /// rest.
    pub(crate) fn part_of(line: &SaleLine, quantity: Decimal, minor_units: u32) -> Result<Self, Rejection> {
        if quantity.is_zero() {
            return Ok(Self::default());
        }
        let amount = part(line.amount, quantity, line.quantity, minor_units)?;
        Ok(Self { quantity, amount })
    }
}

impl Bought {
    /// What was bought of each line.
    pub(crate) fn of_lines(lines: Vec<BoughtLine>) -> Self {
        Self { lines }
    }

    pub(crate) const NOTHING: &'static Self = &Self { lines: Vec::new() };

    pub(crate) fn of_line(&self, place: usize) -> BoughtLine {
        self.lines.get(place).copied().unwrap_or_default()
    }

    /// The money that all of it would have cost.
    pub(crate) fn amount(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// Buys units of a product from the lines that have it, the first first. Answers the money that they would have
    /// cost, each line's in proportion, cumulative and rounded down until its last unit takes the rest; nothing for a
    /// product that no line has. Refuses more units than the lines have.
    pub(super) fn buy(
        &mut self,
        lines: &[SaleLine],
        product_id: &str,
        quantity: Decimal,
        minor_units: u32,
    ) -> Result<Decimal, Rejection> {
        let (mut missing, mut amount, mut sold) = (quantity, Decimal::ZERO, Decimal::ZERO);
        for (place, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.product_id == product_id)
        {
            sold += line.quantity;
            let before = self.of_line(place);
            let taken = missing.min(line.quantity - before.quantity);
            if taken <= Decimal::ZERO {
                continue;
            }
            missing -= taken;
            let quantity = before.quantity + taken;
            let after = BoughtLine::part_of(line, quantity, minor_units)?;
            amount += after.amount - before.amount;
            if self.lines.len() <= place {
                self.lines.resize(place + 1, BoughtLine::default());
            }
            if let Some(line) = self.lines.get_mut(place) {
                *line = after;
            }
        }
        if !sold.is_zero() && missing > Decimal::ZERO {
            return Err(Rejection::ExceedsSaleLines {
                product_id: product_id.to_owned(),
                quantity: quantity.normalize(),
                available: (quantity - missing).normalize(),
            });
        }
        Ok(amount)
    }
}

/// `quantity / of` of an amount, rounded down.
fn part(amount: Decimal, quantity: Decimal, of: Decimal, minor_units: u32) -> Result<Decimal, Rejection> {
    if quantity == of {
        return Ok(amount);
    }
    let unit = ethnum::I256::from(10_i128.pow(number::SCALE));
    let numerator = number::ten_thousandths(amount) * number::millionths(quantity);
    number::divide(numerator, number::millionths(of) * unit, minor_units, Rounding::Floor)
        .ok_or(Rejection::LedgerRange { field: "redemption" })
}
