//! What holds for any program, ask and ticket, tried on thousands of made-up ones.

use rust_decimal::Decimal;

use super::{Left, Redeemed, Terms, redeem};
use crate::domain::dice::Dice;
use crate::domain::number::{self, Rounding};
use crate::domain::outcome::Accounting;
use crate::domain::product::{ProductPoints, Products};
use crate::domain::program::{ProgramVersion, RedemptionLimits, RedemptionPolicy};
use crate::domain::rejection::Rejection;
use crate::domain::reward::{Reward, Rewards};
use crate::domain::sale::{RedemptionAsk, SaleLine, SaleRedemption};

const CASES: u64 = 20_000;

/// A made-up program and ticket.
struct Scene {
    version: ProgramVersion,
    lines: Vec<SaleLine>,
    total: Decimal,
    left: Left,
}

impl Scene {
    fn new(dice: &mut Dice) -> Self {
        let version = version(dice);
        let lines: Vec<SaleLine> = (0..dice.below(4)).map(|_| line(dice)).collect();
        let total = lines.iter().map(|line| line.amount).sum::<Decimal>() + dice.cents(20_000);
        let due = total - dice.cents(5_000).min(total);
        let available = Decimal::new(i64::try_from(dice.below(200_000)).unwrap(), version.program.decimals);
        let left = Left::of_sale(&version, total, due, available);
        Self {
            version,
            lines,
            total,
            left,
        }
    }

    fn terms(&self) -> Terms<'_> {
        let policy = self.version.program.redemption.as_ref();
        Terms {
            version: &self.version,
            value_per_point: policy.and_then(|policy| policy.value_per_point),
            lines: &self.lines,
            field: "redemptions",
        }
    }

    fn policy(&self) -> &RedemptionPolicy {
        self.version.program.redemption.as_ref().unwrap()
    }

    fn rate(&self) -> Decimal {
        self.policy().value_per_point.unwrap()
    }

    fn redeem(&self, asks: &[SaleRedemption]) -> Result<Redeemed, Rejection> {
        redeem(self.terms(), asks, self.left)
    }
}

pub(in crate::domain) fn version(dice: &mut Dice) -> ProgramVersion {
    let decimals = u32::try_from(dice.below(3)).unwrap();
    let mut program: crate::domain::program::Program = serde_json::from_value(serde_json::json!({
        "name": "Club", "state": "active", "unit": "points", "time_zone": "UTC", "decimals": decimals,
        "currency": { "code": "EUR", "minor_units": 2 },
    }))
    .unwrap();
    let limit = |dice: &mut Dice, most: u64| {
        let points = Decimal::from(1 + dice.below(most));
        dice.one_in(4).then_some(points)
    };
    program.redemption = Some(RedemptionPolicy {
        value_per_point: Some(Decimal::new(i64::try_from(1 + dice.below(30_000)).unwrap(), 4)),
        points_rounding: [Rounding::Floor, Rounding::HalfUp, Rounding::Ceiling]
            [usize::try_from(dice.below(3)).unwrap()],
        same_sale_points_can_pay: false,
        cover_remainder: dice.one_in(4),
        limits: RedemptionLimits {
            minimum_points: limit(dice, 50),
            points_step: limit(dice, 40),
            max_points_per_sale: limit(dice, 2_000).map(|most| most + Decimal::from(50)),
            max_percent_of_sale: limit(dice, 100),
        },
        reminder_points: None,
        vat_percent: None,
        print_quantity: false,
    });
    let mut products = Products::new(1);
    for product_id in ["p1", "p2"] {
        let points = ProductPoints {
            points: None,
            redeem_points: Some(Decimal::new(i64::try_from(1 + dice.below(5_000)).unwrap(), decimals)),
        };
        assert!(products.push(product_id, points));
    }
    let reward: Reward = serde_json::from_value(serde_json::json!({
        "name": "Off", "gives": { "money_off": dice.cents(3_000) + Decimal::ONE }, "points": Decimal::from(1 + dice.below(900)),
    }))
    .unwrap();
    ProgramVersion {
        program_id: "club".into(),
        version: 1,
        program,
        rules: Default::default(),
        rewards: Rewards::new(vec![("off".to_owned(), reward)]).into(),
        products: products.into(),
    }
}

fn line(dice: &mut Dice) -> SaleLine {
    SaleLine {
        product_id: dice.of(&["p1", "p2", "p3"]).to_owned(),
        quantity: Decimal::new(i64::try_from(1 + dice.below(60)).unwrap(), 1),
        ..SaleLine::whole(dice.cents(5_000))
    }
}

pub(in crate::domain) fn ask(dice: &mut Dice, decimals: u32) -> SaleRedemption {
    let ask = match dice.below(4) {
        0 => RedemptionAsk::Points(Decimal::new(i64::try_from(1 + dice.below(90_000)).unwrap(), decimals)),
        1 => RedemptionAsk::Amount(dice.cents(20_000) + Decimal::new(1, 2)),
        2 => RedemptionAsk::Product {
            product_id: dice.of(&["p1", "p2"]).to_owned(),
            quantity: Decimal::new(i64::try_from(1 + dice.below(80)).unwrap(), 1),
        },
        _ => RedemptionAsk::Reward {
            reward_id: "off".to_owned(),
            quantity: Decimal::from(1 + dice.below(5)),
        },
    };
    of(ask, dice.one_in(2))
}

fn of(ask: RedemptionAsk, clamp: bool) -> SaleRedemption {
    SaleRedemption {
        ask,
        clamp,
        accounting: Accounting::default(),
    }
}

fn for_many(mut property: impl FnMut(&mut Dice, Scene)) {
    for case in 1..=CASES {
        let mut dice = Dice(case.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let scene = Scene::new(&mut dice);
        property(&mut dice, scene);
    }
}

#[test]
fn points_that_become_money_and_points_again_are_never_more() {
    let mut tried = 0;
    for_many(|dice, scene| {
        let decimals = scene.version.program.decimals;
        let points = Decimal::new(i64::try_from(1 + dice.below(90_000)).unwrap(), decimals);
        let Ok(paid) = scene.redeem(&[of(RedemptionAsk::Points(points), false)]) else {
            return;
        };
        let exact = points * scene.rate();
        // What is covered beyond the worth is less than a cent, and only where it settles all that is due.
        if paid.paid() > exact {
            assert!(scene.policy().cover_remainder && paid.paid() == scene.left.due);
            assert!(paid.paid() - exact < Decimal::new(1, 2));
            return;
        }
        assert!(exact - paid.paid() < Decimal::new(1, 2));
        let rounding = scene.policy().points_rounding;
        let (money, rate) = (
            number::ten_thousandths(paid.paid()),
            number::ten_thousandths(scene.rate()),
        );
        let again = number::divide(money, rate, decimals, rounding).unwrap();
        assert!(
            again <= points,
            "{points} points pay {}, which takes {again}",
            paid.paid()
        );
        tried += 1;
    });
    assert!(tried > 500, "{tried}");
}

#[test]
fn an_amount_is_paid_exactly_for_points_in_the_stated_rounding() {
    let mut tried = 0;
    for_many(|dice, scene| {
        let amount = dice.cents(20_000) + Decimal::new(1, 2);
        let Ok(redeemed) = scene.redeem(&[of(RedemptionAsk::Amount(amount), false)]) else {
            return;
        };
        assert_eq!(redeemed.paid(), amount);
        let unit = Decimal::new(1, scene.version.program.decimals);
        let (points, exact) = (redeemed.points(), amount / scene.rate());
        let (least, most) = match scene.policy().points_rounding {
            Rounding::Floor => (exact - unit, exact),
            Rounding::Ceiling => (exact, exact + unit),
            _ => (exact - unit / Decimal::TWO, exact + unit / Decimal::TWO),
        };
        assert!(points >= least && points <= most, "{points} points for {exact}");
        tried += 1;
    });
    assert!(tried > 500, "{tried}");
}

#[test]
fn nothing_is_taken_beyond_what_is_there_due_and_allowed() {
    let mut taken = 0;
    for_many(|dice, scene| {
        let decimals = scene.version.program.decimals;
        let asks: Vec<SaleRedemption> = (0..1 + dice.below(4)).map(|_| ask(dice, decimals)).collect();
        let Ok(redeemed) = scene.redeem(&asks) else {
            return;
        };
        let limits = &scene.policy().limits;
        assert!(redeemed.points() <= scene.left.available);
        assert!(redeemed.paid() <= scene.left.due);
        let share = limits
            .max_percent_of_sale
            .map(|percent| scene.total * percent / Decimal::ONE_HUNDRED);
        assert!(share.is_none_or(|share| redeemed.paid() <= share));
        assert!(limits.max_points_per_sale.is_none_or(|most| redeemed.points() <= most));
        for tender in &redeemed.tenders {
            assert!(tender.points > Decimal::ZERO && tender.points.scale() <= decimals);
            match &tender.item {
                Some(item) => assert!(tender.points >= item.quantity * item.points_per_unit),
                None => {
                    assert!(limits.minimum_points.is_none_or(|least| tender.points >= least));
                    assert!(limits.points_step.is_none_or(|step| (tender.points % step).is_zero()));
                }
            }
            taken += 1;
        }
        for (place, line) in scene.lines.iter().enumerate() {
            let bought = redeemed.bought.of_line(place);
            assert!(bought.quantity <= line.quantity && bought.amount <= line.amount);
            assert_eq!(
                bought.quantity == line.quantity,
                bought.amount == line.amount && !bought.quantity.is_zero()
            );
        }
    });
    assert!(taken > 1_000, "{taken}");
}

#[test]
fn what_is_taken_instead_of_a_refusal_is_what_would_not_be_refused() {
    for_many(|dice, scene| {
        let asked = SaleRedemption {
            clamp: true,
            ..ask(dice, scene.version.program.decimals)
        };
        let possible = scene.redeem(std::slice::from_ref(&asked)).unwrap();
        let Some(tender) = possible.tenders.first() else {
            return;
        };
        let again = match (&asked.ask, &tender.item) {
            (RedemptionAsk::Product { product_id, .. }, Some(item)) => RedemptionAsk::Product {
                product_id: product_id.clone(),
                quantity: item.quantity,
            },
            (RedemptionAsk::Reward { reward_id, .. }, Some(item)) => RedemptionAsk::Reward {
                reward_id: reward_id.clone(),
                quantity: item.quantity,
            },
            // An amount for which points are too few is paid by what they are worth.
            (RedemptionAsk::Amount(_), None) if costs(&scene, tender.amount) == Some(tender.points) => {
                RedemptionAsk::Amount(tender.amount)
            }
            _ => RedemptionAsk::Points(tender.points),
        };
        let again = scene.redeem(&[of(again, false)]).unwrap();
        let tenders = again.tenders.first().unwrap();
        assert_eq!(tenders.points, tender.points);
        assert!(tenders.amount >= tender.amount, "{asked:?}: {tender:?}");
    });
}

/// Points that an amount takes; `None` where it is refused.
fn costs(scene: &Scene, amount: Decimal) -> Option<Decimal> {
    let redeemed = scene.redeem(&[of(RedemptionAsk::Amount(amount), false)]).ok()?;
    Some(redeemed.points())
}
