//! Whatever comes back of a sale, and in however many pieces: the books are where a sale of the kept goods would have left
//! them. Tried on thousands of made-up programs, histories and chains of returns.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeZone, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Making, Recorded};
use crate::domain::account::{Account, Books};
use crate::domain::dice::Dice;
use crate::domain::earning::made_up;
use crate::domain::entry::{EntryKind, Occasion};
use crate::domain::lot::LotKey;
use crate::domain::number::{Fraction, cut};
use crate::domain::outcome::{Accounting, SaleOutcome};
use crate::domain::product::Products;
use crate::domain::program::{
    ExpiryEnd, ExpiryPeriod, ExpiryPolicy, ProgramVersion, Tier, TierDowngrade, TierSpendBasis, TierSpendWindow,
};
use crate::domain::rule_usage::ALL_DAYS;
use crate::domain::sale::{RedemptionAsk, Sale, SaleLine, SaleRedemption};
use crate::domain::sale_recording::{self, balance_at};
use crate::domain::sale_return::{Place, Returned, ReturnedLine, SaleName, SaleReturn, SaleReversal};
use crate::domain::sale_state::SaleState;

const CASES: u64 = 4_000;
/// No other line of a made-up sale has it.
const FOR_POINTS: &str = "for-points";
const PRICE: Decimal = Decimal::from_parts(7, 0, 0, false, 0);

/// All that must be the same, whichever way the books got there.
#[derive(Debug, PartialEq)]
struct Standing {
    available: Decimal,
    pending: Decimal,
    debt: Decimal,
    /// What remains, by when it lapses.
    lots: BTreeMap<DateTime<Utc>, Decimal>,
    tier_spend: Decimal,
    spend_by_day: BTreeMap<NaiveDate, Decimal>,
    tier_id: Option<String>,
    lifetime: [Decimal; 3],
    carry: Fraction,
    rule_usage: Vec<(NaiveDate, String, Decimal)>,
}

fn standing(books: &Books, version: &ProgramVersion, at: DateTime<Utc>) -> Standing {
    let mut books = books.clone();
    books.settle_pending(at).unwrap();
    books.expire_lapsed(1, at).unwrap();
    let balance = balance_at(&books, version, at).unwrap();
    let mut lots: BTreeMap<DateTime<Utc>, Decimal> = BTreeMap::new();
    for (LotKey { expires_at, .. }, remaining) in books.open_lots() {
        *lots.entry(expires_at).or_default() += remaining;
    }
    let account = &books.account;
    let mut spend_by_day = books.spend_by_day.clone().unwrap_or_default();
    spend_by_day.retain(|_, spend| !spend.is_zero());
    let usage = books.rule_usage.changed();
    Standing {
        available: balance.available,
        pending: balance.pending,
        debt: account.debt,
        lots,
        tier_spend: account.tier_spend,
        spend_by_day,
        tier_id: balance.tier_id,
        lifetime: [
            account.lifetime_earned,
            account.lifetime_redeemed,
            account.lifetime_expired,
        ],
        carry: account.carry,
        rule_usage: usage
            .filter(|(_, _, points)| !points.is_zero())
            .map(|(day, rule_id, points)| (day, rule_id.to_owned(), points))
            .collect(),
    }
}

fn program(dice: &mut Dice, redeems: bool) -> ProgramVersion {
    // Points and cents on the same grid: what of a redemption stays is then a redemption that can be asked for.
    let decimals = if redeems {
        2
    } else {
        u32::try_from(dice.below(4)).unwrap()
    };
    let mut rules = made_up::rules(dice);
    for (_, rule) in &mut rules {
        if dice.one_in(4) {
            rule.max_points_per_day = Some(Decimal::from(1 + dice.below(40)));
        }
        if dice.one_in(5) {
            rule.max_points_per_member = Some(Decimal::from(1 + dice.below(90)));
        }
    }
    let mut version = made_up::version(rules, decimals);
    let mut products = Products::new(1);
    for product_id in [FOR_POINTS, "never", "p3"] {
        let mut points = version.products.get(product_id).unwrap_or_default();
        if product_id == FOR_POINTS {
            points.redeem_points = Some(PRICE);
        }
        assert!(products.push(product_id, points));
    }
    version.products = products.into();
    let program = &mut version.program;
    program.carry_fractions = dice.one_in(3);
    program.pending_days = if dice.one_in(4) { 14 } else { 0 };
    program.exclude_percent_discounted_lines = dice.one_in(4);
    program.max_discount_percent = dice.one_in(3).then(|| Decimal::from(dice.below(30)));
    program.expiry = dice.one_in(2).then(|| ExpiryPolicy {
        period: ExpiryPeriod::Days(1 + u32::try_from(dice.below(40)).unwrap()),
        end: ExpiryEnd::AsPeriod,
    });
    let policy = serde_json::json!({ "value_per_point": "1", "points_rounding": "floor" });
    program.redemption = Some(serde_json::from_value(policy).unwrap());
    if dice.one_in(3) {
        program.tier_spend_basis = TierSpendBasis::WithoutPointsPaidPart;
    }
    program.tier_spend_window = match dice.below(4) {
        0 => TierSpendWindow::RollingDays {
            days: 10,
            downgrade: TierDowngrade::Never,
        },
        1 => TierSpendWindow::RollingDays {
            days: 10,
            downgrade: TierDowngrade::AfterWindow { grace_days: 3 },
        },
        _ => TierSpendWindow::Lifetime,
    };
    if dice.one_in(2) {
        let minimums = [
            Decimal::ZERO,
            Decimal::from(50 + dice.below(100)),
            Decimal::from(200 + dice.below(100)),
        ];
        program.tiers = minimums
            .into_iter()
            .enumerate()
            .map(|(number, minimum_spend)| Tier {
                tier_id: format!("t{number}"),
                name: String::new(),
                minimum_spend,
                earn_rate: None,
                value_per_point: None,
            })
            .collect();
    }
    version
}

fn sale(dice: &mut Dice, number: u64, at: DateTime<Utc>) -> Sale {
    let mut lines: Vec<SaleLine> = (0..=dice.below(4)).map(|_| made_up::line(dice)).collect();
    for line in &mut lines {
        match dice.below(6) {
            0 => line.discount_percent = Some(Decimal::from(dice.below(60))),
            1 => line.discount_amount = Some(dice.cents(3_000)),
            2 => line.unit_price = Some(dice.cents(9_000)),
            _ => {}
        }
    }
    let mut sale = made_up::sale(lines);
    if dice.one_in(5) {
        sale.lines = Vec::new();
    }
    sale.sale_id = number.to_string();
    sale.occurred_at = Some(at);
    sale
}

/// Units of the product that points can buy, and points that pay.
fn redeeming(units: Decimal, points: Decimal) -> Vec<SaleRedemption> {
    let product = RedemptionAsk::Product {
        product_id: FOR_POINTS.to_owned(),
        quantity: units,
    };
    let asks = [(units, product), (points, RedemptionAsk::Points(points))];
    let asks = asks.into_iter().filter(|(size, _)| *size > Decimal::ZERO);
    asks.map(|(_, ask)| SaleRedemption {
        ask,
        clamp: false,
        accounting: Accounting::default(),
    })
    .collect()
}

/// A sale that points pay a part of, and mostly one of its lines.
fn redeeming_sale(dice: &mut Dice, before: &Books, now: DateTime<Utc>) -> Sale {
    let mut sold = sale(dice, 1, now);
    let mut available = cut(before.available(now).unwrap(), 2);
    let mut due = sold.total;
    let mut units = Decimal::ZERO;
    if let Some(line) = sold.lines.first_mut().filter(|_| dice.one_in(2)) {
        line.product_id = FOR_POINTS.to_owned();
        units = Decimal::from(1 + dice.below(4))
            .min(line.quantity)
            .min((available / PRICE).floor());
        available -= units.max(Decimal::ZERO) * PRICE;
        due -= line.amount;
    }
    let points = part(dice, available.min(due).max(Decimal::ZERO));
    sold.redemptions = redeeming(units, points);
    sold
}

fn returned(dice: &mut Dice, recorded: &Recorded<'_>) -> Option<Returned> {
    let kept = recorded.kept().unwrap();
    if kept.is_nothing() {
        return None;
    }
    let open: Vec<(usize, Decimal)> = kept
        .lines()
        .iter()
        .enumerate()
        .filter(|(_, line)| line.quantity > Decimal::ZERO)
        .map(|(place, line)| (place, line.quantity))
        .collect();
    Some(match dice.below(8) {
        0 => Returned::Rest,
        1..=3 if kept.total() > Decimal::ZERO => {
            let most = u64::try_from((kept.total() * Decimal::ONE_HUNDRED).trunc()).unwrap();
            let cents = 1 + dice.below(most);
            Returned::Amount(Decimal::new(i64::try_from(cents).unwrap(), 2).min(kept.total()))
        }
        _ => {
            let (place, quantity) = open[usize::try_from(dice.below(open.len() as u64)).unwrap()];
            let quantity = match dice.below(3) {
                0 => None,
                1 => Some(quantity.min(Decimal::ONE)),
                _ => Some(quantity.min(Decimal::new(1 + i64::try_from(dice.below(300)).unwrap(), 2))),
            };
            let line = u32::try_from(place).unwrap();
            Returned::Lines(vec![ReturnedLine { line, quantity }])
        }
    })
}

/// Some of it, mostly not all.
fn part(dice: &mut Dice, most: Decimal) -> Decimal {
    cut(most * Decimal::new(i64::try_from(1 + dice.below(120)).unwrap(), 2), 2).min(most)
}

fn morning(day: u32) -> DateTime<Utc> {
    let first = Utc.with_ymd_and_hms(2026, 1, 1, 9, 0, 0).unwrap();
    first + Days::new(u64::from(day))
}

/// A member with a history of some sales in the days before the 30th.
fn history(dice: &mut Dice, version: &ProgramVersion) -> Books {
    let account = Account::opened(1, Uuid::nil(), "club".into(), morning(0));
    let mut books = Books::new(account);
    if version.program.tier_spend_window != TierSpendWindow::Lifetime {
        books.spend_by_day = Some(BTreeMap::new());
    }
    for _ in 0..dice.below(3) {
        let points = Decimal::from(5 + dice.below(60));
        let lapses_on = morning(u32::try_from(25 + dice.below(40)).unwrap());
        let occasion = Occasion::plain(1, morning(0), morning(0));
        books.credit(EntryKind::SignUpBonus, points, lapses_on, &occasion);
    }
    let mut day = 0;
    for number in 0..dice.below(4) {
        day += 1 + u32::try_from(dice.below(9)).unwrap();
        let earlier = sale(dice, 100 + number, morning(day));
        sale_recording::record(&mut books, version, None, &earlier, morning(day)).unwrap();
    }
    books
}

/// The lots that the tenders took points from.
fn redeemed(books: &Books, outcome: &SaleOutcome) -> Vec<(LotKey, Decimal)> {
    let sequences = &outcome.ground.redeem_sequences;
    let taken = books.new_allocations.iter();
    let taken = taken.filter(|allocation| sequences.contains(&allocation.entry_sequence));
    taken.map(|allocation| (allocation.lot, -allocation.points)).collect()
}

/// Units that stay bought, of the first line, of which the bought ones come back first, and points that stay paid otherwise.
fn kept_redemption(recorded: &Recorded<'_>) -> (Decimal, Decimal) {
    let tenders = recorded.outcome.points_tenders.iter();
    let (mut units, mut points) = (Decimal::ZERO, Decimal::ZERO);
    for (tender, given) in tenders.zip(&recorded.state.given_back) {
        match &tender.item {
            Some(item) => {
                let otherwise = recorded.sale.lines[0].quantity - item.quantity;
                units = recorded.kept().unwrap().lines()[0].quantity - otherwise;
            }
            None => points += tender.points - given,
        }
    }
    (units, points)
}

#[test]
fn any_chain_of_returns_lands_where_a_sale_of_the_kept_goods_would_have_landed() {
    let [mut with_points, mut with_units, mut with_nothing_left, mut with_more] = [0; 4];
    for case in 1..=CASES {
        let mut dice = Dice::of_case(case);
        let redeems = dice.one_in(2);
        let version = program(&mut dice, redeems);
        let before = history(&mut dice, &version);

        let now = morning(30);
        let sold = match redeems {
            true => redeeming_sale(&mut dice, &before, now),
            false => sale(&mut dice, 1, now),
        };
        let mut books = before.clone();
        let outcome = sale_recording::record(&mut books, &version, None, &sold, now).unwrap();
        let redeemed = redeemed(&books, &outcome);

        let mut state = SaleState::of(&outcome);
        let mut chain = Vec::new();
        let mut at = now;
        for number in 0..1 + dice.below(6) {
            let recorded = Recorded {
                sale: &sold,
                outcome: &outcome,
                occurred_at: now,
                returned: &chain,
                state: &state,
                rated: &version,
                redeemed: &redeemed,
                own_lots: &state.own_lots,
                lapsed_before_merger: Decimal::ZERO,
                is_moved: false,
            };
            let Some(returned) = returned(&mut dice, &recorded) else {
                break;
            };
            if dice.one_in(3) {
                at = at + Days::new(dice.below(20));
            }
            let reversal = SaleReversal::Return(SaleReturn {
                return_id: number.to_string(),
                sale: SaleName {
                    store_id: "s".to_owned(),
                    sale_id: "1".to_owned(),
                },
                returned: returned.clone(),
                place: Place::default(),
            });
            let making = Making { actor: "", now: at };
            let (answer, new_state) = recorded.reverse(&mut books, &version, &reversal, making).unwrap();
            assert!(answer.amount >= answer.points_amount, "case {case}: {answer:?}");
            with_more += usize::from(answer.points_taken_back < Decimal::ZERO);
            state = new_state;
            chain.push(returned);
        }

        let recorded = Recorded {
            sale: &sold,
            outcome: &outcome,
            occurred_at: now,
            returned: &chain,
            state: &state,
            rated: &version,
            redeemed: &redeemed,
            own_lots: &state.own_lots,
            lapsed_before_merger: Decimal::ZERO,
            is_moved: false,
        };
        let kept = recorded.kept().unwrap();
        let mut reference = before.clone();
        reference.settle_pending(now).unwrap();
        reference.expire_lapsed(1, now).unwrap();
        if kept.is_nothing() {
            with_nothing_left += 1;
        } else {
            let (mut kept_sale, _) = kept.sale();
            let (units, points) = kept_redemption(&recorded);
            kept_sale.redemptions = redeeming(units, points);
            with_points += usize::from(points > Decimal::ZERO);
            with_units += usize::from(units > Decimal::ZERO);
            let kept_outcome = sale_recording::record(&mut reference, &version, None, &kept_sale, now).unwrap();
            assert_eq!(
                kept_outcome.points_earned, state.points_earned,
                "case {case}: {chain:?}"
            );
        }
        for at in [at, at + Days::new(60)] {
            let (landed, expected) = (standing(&books, &version, at), standing(&reference, &version, at));
            assert_eq!(landed, expected, "case {case}: {chain:?} of {sold:?}");
        }
    }
    assert!(with_points > 300, "{with_points} chains left a part paid with points");
    assert!(
        with_units > 100,
        "{with_units} chains left something bought with points"
    );
    assert!(with_nothing_left > 300, "{with_nothing_left} chains left nothing");
    assert!(with_more > 20, "{with_more} returns earned more");
}

#[test]
fn the_money_and_the_points_of_a_chain_add_up_to_the_sale() {
    for case in 1..=CASES / 4 {
        let mut dice = Dice::of_case(case);
        let version = program(&mut dice, true);
        let before = history(&mut dice, &version);
        let now = morning(30);
        let sold = redeeming_sale(&mut dice, &before, now);
        let mut books = before.clone();
        let outcome = sale_recording::record(&mut books, &version, None, &sold, now).unwrap();
        let redeemed = redeemed(&books, &outcome);

        let (mut state, mut chain) = (SaleState::of(&outcome), Vec::new());
        let [mut amount, mut points_amount, mut given, mut taken] = [Decimal::ZERO; 4];
        loop {
            let recorded = Recorded {
                sale: &sold,
                outcome: &outcome,
                occurred_at: now,
                returned: &chain,
                state: &state,
                rated: &version,
                redeemed: &redeemed,
                own_lots: &state.own_lots,
                lapsed_before_merger: Decimal::ZERO,
                is_moved: false,
            };
            let Some(returned) = returned(&mut dice, &recorded) else {
                break;
            };
            let reversal = SaleReversal::Return(SaleReturn {
                return_id: chain.len().to_string(),
                sale: SaleName {
                    store_id: "s".to_owned(),
                    sale_id: "1".to_owned(),
                },
                returned: returned.clone(),
                place: Place::default(),
            });
            let making = Making { actor: "", now };
            let (answer, new_state) = recorded.reverse(&mut books, &version, &reversal, making).unwrap();
            amount += answer.amount;
            points_amount += answer.points_amount;
            given += answer.points_given_back;
            taken += answer.points_taken_back;
            let lines: Decimal = answer.lines.iter().map(|line| line.returned_amount).sum();
            assert_eq!(lines, answer.amount, "case {case}");
            state = new_state;
            chain.push(returned);
        }

        assert_eq!(amount, sold.total, "case {case}");
        assert_eq!(points_amount, outcome.points_paid(), "case {case}");
        assert_eq!(given, outcome.points_redeemed, "case {case}");
        assert_eq!(taken, outcome.points_earned, "case {case}");
        let usage = books.rule_usage.changed().filter(|(day, ..)| *day != ALL_DAYS);
        let today = usage.filter(|(day, ..)| *day == morning(30).date_naive());
        assert!(today.into_iter().all(|(_, _, points)| points.is_zero()), "case {case}");
    }
}
