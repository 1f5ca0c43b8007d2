//! Made-up values for property tests.

use rust_decimal::Decimal;

use super::number::Rounding;

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// The dice of one case.
    pub(crate) fn of_case(case: u64) -> Self {
        Self(case.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        let place = self.below(list.len() as u64);
        list[usize::try_from(place).unwrap()]
    }

    pub(crate) fn cents(&mut self, most: u64) -> Decimal {
        Decimal::new(i64::try_from(self.below(most)).unwrap(), 2)
    }

    pub(crate) fn rounding(&mut self) -> Rounding {
        [Rounding::Floor, Rounding::HalfUp, Rounding::Ceiling, Rounding::None][usize::try_from(self.below(4)).unwrap()]
    }
}
