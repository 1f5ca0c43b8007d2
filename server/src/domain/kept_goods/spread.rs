//! An amount that comes back without saying what for, spread over lines.

use ethnum::I256;
use rust_decimal::Decimal;

use super::{FINE, Share, part};
use crate::domain::number::{Rounding, millionths};
use crate::domain::rejection::Rejection;
use crate::domain::sale::SaleLine;

/// What is left of lines when `amount` comes back, which is at most what they cost: every line gives its share of it, to
/// the smallest unit of the currency, and of its quantity in the same proportion.
pub(super) fn without(lines: &[SaleLine], amount: Decimal, minor_units: u32) -> Result<Vec<SaleLine>, Rejection> {
    let costs: Vec<i128> = lines.iter().map(|line| units(line.amount, minor_units)).collect();
    let total: i128 = costs.iter().sum();
    let shares = shares(&costs, units(amount, minor_units));
    let left_of_all = Share {
        part: I256::from(total - units(amount, minor_units)),
        whole: I256::from(total.max(1)),
    };
    let left = lines.iter().zip(costs.iter().zip(shares)).map(|(line, (cost, share))| {
        if share == 0 && *cost > 0 {
            return Ok(line.clone());
        }
        let left = match cost {
            0 => left_of_all,
            cost => Share {
                part: I256::from(cost - share),
                whole: I256::from(*cost),
            },
        };
        let quantity = left.of(millionths(line.quantity), FINE, FINE, Rounding::Ceiling)?;
        let amount = Decimal::from_i128_with_scale(cost - share, minor_units).normalize();
        part(line, quantity, amount, left, minor_units)
    });
    left.collect()
}

fn units(amount: Decimal, minor_units: u32) -> i128 {
    let mut amount = amount;
    amount.rescale(minor_units);
    amount.mantissa()
}

/// Divides `amount`, at most the sum of `costs`, among them in proportion: unit by unit, each to the one whose next half
/// unit is due first, the first of several. So a larger amount never gives any of them less, and many small amounts come
/// to the same as their sum. Costs are below 10^15, so that products stay far below 10^38.
fn shares(costs: &[i128], amount: i128) -> Vec<i128> {
    let total: i128 = costs.iter().sum();
    let mut shares: Vec<i128> = costs
        .iter()
        .map(|cost| (2 * amount * cost + total) / (2 * total).max(1))
        .collect();
    let mut missing = amount - shares.iter().sum::<i128>();
    while missing != 0 {
        // When unit `number` of a cost is due, compared crosswise: (2 × number − 1) ÷ cost.
        let due = |place: usize, number: i128| (2 * number - 1, costs[place]);
        let earlier = |a: (i128, i128), b: (i128, i128)| a.0 * b.1 < b.0 * a.1;
        let mut chosen: Option<(usize, (i128, i128))> = None;
        for place in (0..costs.len()).filter(|place| costs[*place] > 0) {
            let candidate = match missing > 0 {
                true if shares[place] < costs[place] => due(place, shares[place] + 1),
                false if shares[place] > 0 => due(place, shares[place]),
                _ => continue,
            };
            let is_better = match chosen {
                None => true,
                Some((_, best)) if missing > 0 => earlier(candidate, best),
                Some((_, best)) => !earlier(candidate, best),
            };
            if is_better {
                chosen = Some((place, candidate));
            }
        }
        let Some((place, _)) = chosen else { break };
        let step = missing.signum();
        shares[place] += step;
        missing -= step;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn every_cost_gives_its_share_and_all_of_them_the_amount() {
        assert_eq!(shares(&[100, 100, 100], 100), [34, 33, 33]);
        assert_eq!(shares(&[100, 0, 50], 75), [50, 0, 25]);
        assert_eq!(shares(&[7, 5, 3], 15), [7, 5, 3]);
        assert_eq!(shares(&[7, 5, 3], 0), [0, 0, 0]);
        assert_eq!(shares(&[0, 0], 0), [0, 0]);
    }

    #[test]
    fn a_larger_amount_never_gives_any_of_them_less() {
        let costs = [1_999, 1, 40, 350, 350, 0, 77];
        let total = costs.iter().sum();
        let mut before = vec![0; costs.len()];
        for amount in 0..=total {
            let now = shares(&costs, amount);
            assert_eq!(now.iter().sum::<i128>(), amount);
            assert!(now.iter().zip(&before).all(|(now, before)| now >= before), "{amount}");
            assert!(now.iter().zip(&costs).all(|(now, cost)| now <= cost), "{amount}");
            before = now;
        }
    }
}
