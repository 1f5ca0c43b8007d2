//! How much of a sale's price was discounted, exactly.

use ethnum::I256;
use rust_decimal::Decimal;

use crate::domain::number::Fraction;
use crate::domain::sale::{Sale, SaleLine};

/// Decimals of quantities and of prices that only inform.
const SCALE: u32 = 6;

/// Whether all discounts of the sale, as a share of its price before them, are above `percent`. Exact; a sale whose
/// percentages are so many and so odd that their sum leaves 256 bits is taken to be above none.
pub(super) fn is_above(sale: &Sale, percent: Decimal) -> bool {
    let ceiling = Fraction::new(scaled(percent), unit());
    let hundred = Fraction::new(I256::from(100), I256::ONE);
    // Above the ceiling is: 100 × discounts − ceiling × price before them > 0. Lines of one percentage are summed first.
    let mut excess = Fraction::ZERO;
    for line in &sale.lines {
        let (discount, before) = discount_and_price(line);
        let part = hundred.times(discount).zip(ceiling.times(before));
        let part = part.and_then(|(discount, allowed)| discount.plus(allowed.times(minus_one())?));
        match part.and_then(|part| excess.plus(part)) {
            Some(sum) => excess = sum,
            None => return false,
        }
    }
    excess.is_positive()
}

/// What was taken off a line and what it cost before: by the amount that the POS names, else by the percentage, else by
/// the unit price.
fn discount_and_price(line: &SaleLine) -> (Fraction, Fraction) {
    let amount = scaled(line.amount);
    let fraction = |number: I256| Fraction::new(number, unit());
    if let Some(discount) = line.discount_amount {
        return (fraction(scaled(discount)), fraction(scaled(discount) + amount));
    }
    let listed = line
        .unit_price
        .map(|price| Fraction::new(scaled(price) * scaled(line.quantity), unit() * unit()));
    if let Some(percent) = line.discount_percent.filter(|percent| *percent > Decimal::ZERO) {
        let (off, left) = (scaled(percent), scaled(Decimal::ONE_HUNDRED - percent));
        if left > 0 {
            let hundred = scaled(Decimal::ONE_HUNDRED);
            return (
                Fraction::new(amount * off, left * unit()),
                Fraction::new(amount * hundred, left * unit()),
            );
        }
        // Given away: only the unit price tells what it would have cost.
        let price = listed.unwrap_or(Fraction::ZERO);
        return (price, price);
    }
    let paid = fraction(amount);
    let reduction = listed.and_then(|price| paid.times(minus_one())?.plus(price));
    match (listed, reduction) {
        (Some(price), Some(reduction)) if reduction.is_positive() => (reduction, price),
        _ => (Fraction::ZERO, paid),
    }
}

fn scaled(value: Decimal) -> I256 {
    let mut value = value;
    value.rescale(SCALE);
    I256::from(value.mantissa())
}

fn unit() -> I256 {
    I256::from(10_i128.pow(SCALE))
}

fn minus_one() -> Fraction {
    Fraction::new(I256::from(-1), I256::ONE)
}
