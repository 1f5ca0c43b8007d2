//! Exact arithmetic on points and money. Values are decimals of at most four places; products and quotients go through
//! 256-bit integers, so that nothing is rounded but where a rule says so, and then once.

use ethnum::I256;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Decimals of every stored number of points or money: `DECIMAL(19,4)`.
pub(crate) const SCALE: u32 = 4;

/// What every number of points or money in the books stays below: 10^15, since `DECIMAL(19,4)` has 15 digits before the
/// point.
pub(crate) const LEDGER_LIMIT: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// How a number is brought to the allowed decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rounding {
    /// Down.
    #[default]
    Floor,
    /// To the nearest, halves up.
    HalfUp,
    /// Up.
    Ceiling,
    /// Cut at the ledger's four decimals instead of the asked ones.
    None,
}

/// A currency: ISO 4217 code and decimals of its minor unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Currency {
    pub(crate) code: String,
    pub(crate) minor_units: u32,
}

/// A non-negative number as a whole count of ten-thousandths. Digits past the fourth are not there by construction:
/// the edge refuses them.
pub(crate) fn ten_thousandths(value: Decimal) -> I256 {
    let mut scaled = value;
    scaled.rescale(SCALE);
    I256::from(scaled.mantissa())
}

/// A non-negative number of at most six decimals, such as a quantity, as a whole count of millionths.
pub(crate) fn millionths(value: Decimal) -> I256 {
    let mut scaled = value;
    scaled.rescale(6);
    I256::from(scaled.mantissa())
}

/// `numerator / denominator` brought to `decimals` by `rounding`; `None` where the result leaves the ledger's range.
/// Both are non-negative, the denominator above 0.
pub(crate) fn divide(numerator: I256, denominator: I256, decimals: u32, rounding: Rounding) -> Option<Decimal> {
    let (decimals, rounding) = match rounding {
        Rounding::None => (SCALE, Rounding::Floor),
        other => (decimals, other),
    };
    let scaled = numerator.checked_mul(I256::from(10_i128.pow(decimals)))?;
    let (quotient, remainder) = quotient_and_remainder(scaled, denominator);
    let up = match rounding {
        Rounding::Floor | Rounding::None => false,
        Rounding::HalfUp => remainder >= denominator - remainder,
        Rounding::Ceiling => remainder > 0,
    };
    let rounded = if up { quotient + 1 } else { quotient };

    let value = Decimal::try_from_i128_with_scale(i128::try_from(rounded).ok()?, decimals).ok()?;
    (value < LEDGER_LIMIT).then(|| value.normalize())
}

/// Nearly all numbers fit into 128 bits, which divide many times faster.
fn quotient_and_remainder(numerator: I256, denominator: I256) -> (I256, I256) {
    match (i128::try_from(numerator), i128::try_from(denominator)) {
        (Ok(numerator), Ok(denominator)) => (I256::from(numerator / denominator), I256::from(numerator % denominator)),
        _ => (numerator / denominator, numerator % denominator),
    }
}

/// An exact fraction, for sums of quotients that are rounded once at the end. Its text is `1/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Fraction {
    numerator: I256,
    /// Above 0.
    denominator: I256,
}

impl Fraction {
    pub(crate) const ZERO: Self = Self {
        numerator: I256::ZERO,
        denominator: I256::ONE,
    };

    /// `numerator / denominator`, which is above 0, in lowest terms.
    pub(crate) fn new(numerator: I256, denominator: I256) -> Self {
        let divisor = greatest_common_divisor(numerator.abs(), denominator);
        Self {
            numerator: numerator / divisor,
            denominator: denominator / divisor,
        }
    }

    /// The sum; `None` where it leaves 256 bits.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let divisor = greatest_common_divisor(self.denominator, other.denominator);
        let (left, right) = (other.denominator / divisor, self.denominator / divisor);
        let numerator = self
            .numerator
            .checked_mul(left)?
            .checked_add(other.numerator.checked_mul(right)?)?;
        Some(Self::new(numerator, self.denominator.checked_mul(left)?))
    }

    /// The product; `None` where it leaves 256 bits.
    pub(crate) fn times(self, other: Self) -> Option<Self> {
        let numerator = self.numerator.checked_mul(other.numerator)?;
        Some(Self::new(numerator, self.denominator.checked_mul(other.denominator)?))
    }

    /// The fraction less a number of at most four decimals; `None` where it leaves 256 bits.
    pub(crate) fn less(self, value: Decimal) -> Option<Self> {
        let unit = I256::from(10_i128.pow(SCALE));
        self.plus(Self::new(-ten_thousandths(value), unit))
    }

    /// The fraction with a denominator that sums can grow from without end: one beyond 10^15 is cut to twelve decimals.
    /// Rates and prices of everyday life never get there.
    pub(crate) fn bounded(self) -> Self {
        const MOST: i128 = 10_i128.pow(15);
        const UNIT: i128 = 10_i128.pow(12);
        if self.denominator <= MOST {
            return self;
        }
        let whole = quotient_and_remainder(self.numerator, self.denominator);
        let (part, _) = quotient_and_remainder(whole.1 * I256::from(UNIT), self.denominator);
        Self::new(whole.0 * I256::from(UNIT) + part, I256::from(UNIT))
    }

    /// The text of a fraction that is kept; `None` of 0.
    pub(crate) fn text(self) -> Option<String> {
        self.is_positive().then(|| self.into())
    }

    /// Reads a text back; `None` where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (numerator, denominator) = text.split_once('/')?;
        let (numerator, denominator): (i128, i128) = (numerator.parse().ok()?, denominator.parse().ok()?);
        (numerator >= 0 && denominator > 0).then(|| Self::new(numerator.into(), denominator.into()))
    }

    /// The fraction cut at six decimals.
    pub(crate) fn shown(self) -> Decimal {
        divide(self.numerator, self.denominator, 6, Rounding::Floor).unwrap_or_default()
    }

    pub(crate) fn is_positive(self) -> bool {
        self.numerator > 0
    }

    /// The greatest number of so many decimals that is not above it, which may be negative; `None` where it leaves the
    /// ledger's range.
    pub(crate) fn floor(self, decimals: u32) -> Option<Decimal> {
        if self.numerator >= 0 {
            return self.rounded(decimals, Rounding::Floor);
        }
        let magnitude = Self::new(-self.numerator, self.denominator);
        Some(-magnitude.rounded(decimals, Rounding::Ceiling)?)
    }

    /// Brought to `decimals`; `None` where it leaves the ledger's range. The fraction is not negative.
    pub(crate) fn rounded(self, decimals: u32, rounding: Rounding) -> Option<Decimal> {
        divide(self.numerator, self.denominator, decimals, rounding)
    }
}

impl From<Fraction> for String {
    fn from(fraction: Fraction) -> Self {
        format!("{}/{}", fraction.numerator, fraction.denominator)
    }
}

impl TryFrom<String> for Fraction {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no fraction"))
    }
}

fn greatest_common_divisor(a: I256, b: I256) -> I256 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, quotient_and_remainder(a, b).1);
    }
    a.max(I256::ONE)
}

/// `a × b`, brought to `decimals`; `None` where the result leaves the ledger's range.
pub(crate) fn multiply(a: Decimal, b: Decimal, decimals: u32, rounding: Rounding) -> Option<Decimal> {
    let unit = I256::from(10_i128.pow(2 * SCALE));
    divide(ten_thousandths(a) * ten_thousandths(b), unit, decimals, rounding)
}

/// `percent` of `a`, brought to `decimals`; `None` where the result leaves the ledger's range.
pub(crate) fn percent(a: Decimal, percent: Decimal, decimals: u32, rounding: Rounding) -> Option<Decimal> {
    let unit = I256::from(100 * 10_i128.pow(2 * SCALE));
    divide(ten_thousandths(a) * ten_thousandths(percent), unit, decimals, rounding)
}

/// `a` cut to `decimals`, towards zero.
pub(crate) fn cut(a: Decimal, decimals: u32) -> Decimal {
    a.trunc_with_scale(decimals).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_limit_is_what_the_column_holds() {
        assert_eq!(LEDGER_LIMIT, dec("1000000000000000"));
    }

    #[test]
    fn each_rounding_at_each_side_of_a_half() {
        let cases = [
            ("2.4", Rounding::Floor, "2"),
            ("2.6", Rounding::Floor, "2"),
            ("2.4999", Rounding::HalfUp, "2"),
            ("2.5", Rounding::HalfUp, "3"),
            ("2.0001", Rounding::Ceiling, "3"),
            ("2", Rounding::Ceiling, "2"),
            ("2.6", Rounding::None, "2.6"),
        ];
        for (value, rounding, expected) in cases {
            assert_eq!(
                multiply(dec(value), Decimal::ONE, 0, rounding),
                Some(dec(expected)),
                "{value} {rounding:?}"
            );
        }
    }

    #[test]
    fn three_thirds_are_one_and_a_text_reads_back() {
        let third = Fraction::new(I256::ONE, I256::from(3));
        let sum = third.plus(third).unwrap().plus(third).unwrap();

        assert_eq!(sum.less(Decimal::ONE), Some(Fraction::ZERO));
        assert_eq!(third.text().as_deref(), Some("1/3"));
        assert_eq!(Fraction::parse("1/3"), Some(third));
        assert_eq!(Fraction::ZERO.text(), None);
        assert_eq!(Fraction::parse("1/0"), None);
        assert_eq!(Fraction::parse("-1/3"), None);
    }

    #[test]
    fn a_denominator_beyond_all_bounds_is_cut() {
        let odd = Fraction::new(I256::from(2), I256::from(3 * 10_i128.pow(20) + 1));
        assert_eq!(odd.bounded(), Fraction::ZERO);
        let more = odd.plus(Fraction::new(I256::ONE, I256::from(4))).unwrap();
        assert_eq!(more.bounded(), Fraction::new(I256::ONE, I256::from(4)));
    }

    #[test]
    fn the_largest_operands_do_not_overflow_but_are_refused() {
        let large = dec("999999999999999.9999");
        assert_eq!(multiply(large, large, 4, Rounding::Floor), None);
    }
}
