//! What of a sale is not returned, as the sale it would have been. It is always reckoned from what the sale was and from
//! all that came back, never from one return to the next, so that small returns add up to the large one.

mod spread;

use ethnum::I256;
use rust_decimal::Decimal;

use super::number::{self, Rounding, millionths, ten_thousandths};
use super::rejection::Rejection;
use super::sale::{Sale, SaleLine};
use super::sale_return::{Returned, ReturnedLine};

/// Decimals of quantities and of discounts.
const FINE: u32 = 6;

/// The kept goods of a sale, line by line, in the places of the sale's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptGoods<'a> {
    sale: &'a Sale,
    minor_units: u32,
    /// What returns by lines are reckoned from: the lines of the sale, or what a return by amount left of them.
    base: Vec<SaleLine>,
    /// What returns by lines left of `base`.
    by_lines: Vec<SaleLine>,
    /// What came back by amount since: spread over `by_lines`.
    spread: Decimal,
    lines: Vec<SaleLine>,
}

impl<'a> KeptGoods<'a> {
    /// All of a sale. `minor_units` are the decimals of its currency.
    pub(crate) fn all_of(sale: &'a Sale, minor_units: u32) -> Self {
        let lines = match sale.lines.is_empty() {
            true => vec![SaleLine::whole(sale.total)],
            false => sale.lines.clone(),
        };
        Self {
            sale,
            minor_units,
            base: lines.clone(),
            by_lines: lines.clone(),
            spread: Decimal::ZERO,
            lines,
        }
    }

    /// What is kept of each line; of one that is returned a quantity and an amount of 0.
    pub(crate) fn lines(&self) -> &[SaleLine] {
        &self.lines
    }

    /// What the kept goods cost.
    pub(crate) fn total(&self) -> Decimal {
        self.lines.iter().map(|line| line.amount).sum()
    }

    /// Whether everything is returned.
    pub(crate) fn is_nothing(&self) -> bool {
        self.lines.iter().all(|line| line.quantity.is_zero())
    }

    /// The sale as it would have been with the kept goods alone, and the places that its lines have in the whole sale.
    pub(crate) fn sale(&self) -> (Sale, Vec<usize>) {
        let places = (0..self.lines.len()).filter(|place| !self.lines[*place].quantity.is_zero());
        let places: Vec<usize> = places.collect();
        let lines = if self.sale.lines.is_empty() && self.lines == self.base {
            Vec::new()
        } else {
            places.iter().map(|place| self.lines[*place].clone()).collect()
        };
        let sale = Sale {
            lines,
            total: self.total(),
            ..self.sale.clone()
        };
        (sale, places)
    }

    /// What is left when more comes back.
    pub(crate) fn less(mut self, returned: &Returned) -> Result<Self, Rejection> {
        if self.is_nothing() {
            return Err(self.nothing_left());
        }
        match returned {
            Returned::Lines(lines) => self.take_lines(lines)?,
            Returned::Amount(amount) => self.take_amount(*amount)?,
            Returned::Rest => self.lines = self.lines.iter().map(nothing_of).collect(),
        }
        Ok(self)
    }

    fn take_lines(&mut self, returned: &[ReturnedLine]) -> Result<(), Rejection> {
        if !self.spread.is_zero() {
            self.base.clone_from(&self.lines);
            self.spread = Decimal::ZERO;
        }
        self.by_lines.clone_from(&self.lines);
        for (number, ReturnedLine { line, quantity }) in returned.iter().enumerate() {
            let place = usize::try_from(*line).unwrap_or(usize::MAX);
            let left = self.by_lines.get(place).map_or(Decimal::ZERO, |line| line.quantity);
            let back = quantity.unwrap_or(left);
            if back > left || left.is_zero() {
                return Err(Rejection::ReturnExceedsSold {
                    field: format!("sale_return.lines[{number}].quantity"),
                    requested: quantity.unwrap_or(Decimal::ONE),
                    left: left.normalize(),
                });
            }
            if let (Some(kept), Some(base)) = (self.by_lines.get_mut(place), self.base.get(place)) {
                *kept = part_by_quantity(base, left - back, self.minor_units)?;
            }
        }
        self.lines.clone_from(&self.by_lines);
        Ok(())
    }

    fn take_amount(&mut self, amount: Decimal) -> Result<(), Rejection> {
        let left = self.total();
        if amount > left {
            return Err(Rejection::ReturnExceedsSold {
                field: "sale_return.amount".to_owned(),
                requested: amount,
                left: left.normalize(),
            });
        }
        if amount.normalize().scale() > self.minor_units {
            return Err(Rejection::TooManyDecimals {
                field: "sale_return.amount".to_owned(),
                decimals: self.minor_units,
            });
        }
        self.spread += amount;
        self.lines = spread::without(&self.by_lines, self.spread, self.minor_units)?;
        Ok(())
    }

    fn nothing_left(&self) -> Rejection {
        Rejection::NothingToReturn {
            store_id: self.sale.store_id.clone(),
            sale_id: self.sale.sale_id.clone(),
        }
    }
}

fn nothing_of(line: &SaleLine) -> SaleLine {
    SaleLine {
        quantity: Decimal::ZERO,
        amount: Decimal::ZERO,
        tax_amount: Decimal::ZERO,
        discount_amount: None,
        ..line.clone()
    }
}

/// A line of which `quantity` is left. What comes back is rounded down to the currency, until the last of it takes the
/// rest.
fn part_by_quantity(line: &SaleLine, quantity: Decimal, minor_units: u32) -> Result<SaleLine, Rejection> {
    if quantity == line.quantity {
        return Ok(line.clone());
    }
    let share = Share {
        part: millionths(quantity),
        whole: millionths(line.quantity).max(I256::ONE),
    };
    let amount = share.of(
        ten_thousandths(line.amount),
        number::SCALE,
        minor_units,
        Rounding::Ceiling,
    )?;
    part(line, quantity, amount, share, minor_units)
}

/// A line of which so much is left. What is rounded is rounded to the side of the customer: a little more tax inside the
/// amount and a little less of a discount never cost points that the sale of the kept goods would have earned.
fn part(
    line: &SaleLine,
    quantity: Decimal,
    amount: Decimal,
    share: Share,
    minor_units: u32,
) -> Result<SaleLine, Rejection> {
    if quantity.is_zero() {
        return Ok(nothing_of(line));
    }
    let tax = share.of(
        ten_thousandths(line.tax_amount),
        number::SCALE,
        minor_units,
        Rounding::Ceiling,
    )?;
    let (unit_price, discount_amount) = share.of_discount(line);
    Ok(SaleLine {
        quantity,
        amount,
        tax_amount: tax.min(amount),
        unit_price,
        discount_amount,
        ..line.clone()
    })
}

/// How much of a line is left.
#[derive(Clone, Copy)]
struct Share {
    part: I256,
    /// Above 0.
    whole: I256,
}

impl Share {
    /// The share of a whole count of 10^-`scale`, in `decimals`.
    fn of(self, number: I256, scale: u32, decimals: u32, rounding: Rounding) -> Result<Decimal, Rejection> {
        let unit = I256::from(10_i128.pow(scale));
        number::divide(number * self.part, self.whole * unit, decimals, rounding)
            .ok_or(Rejection::LedgerRange { field: "sale_return" })
    }

    /// Unit price and discount of what is left, so that its discount is the same share of its price. A discount that only
    /// the unit price tells is written down: the rounded amount would tell another.
    fn of_discount(self, line: &SaleLine) -> (Option<Decimal>, Option<Decimal>) {
        if let Some(discount) = line.discount_amount {
            let left = self.of(millionths(discount), FINE, FINE, Rounding::Floor);
            return (line.unit_price, Some(left.unwrap_or(discount)));
        }
        let by_percent = line.discount_percent.is_some_and(|percent| percent > Decimal::ZERO);
        let Some(price) = line.unit_price.filter(|_| !by_percent) else {
            return (line.unit_price, None);
        };
        let reduction = millionths(price) * millionths(line.quantity)
            - ten_thousandths(line.amount) * I256::from(10_i128.pow(2 * FINE - number::SCALE));
        if reduction <= 0 {
            return (None, None);
        }
        match self.of(reduction, 2 * FINE, FINE, Rounding::Floor) {
            Ok(left) => (None, Some(left)),
            Err(_) => (line.unit_price, None),
        }
    }
}

#[cfg(test)]
mod tests;
