//! What happens in a history.

use std::fmt;
use std::ops::Range;

use super::chance::Chance;
use super::opening::Opening;
use super::program::Shape;

/// A history: a program, and what happens to its members in order.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) program: Shape,
    /// What each of the members begins with.
    pub(super) members: Vec<Opening>,
    pub(super) steps: Vec<Numbered>,
}

/// A step keeps its number when others are left out, so that later ones still mean it.
#[derive(Clone, Debug)]
pub(super) struct Numbered {
    pub(super) number: usize,
    pub(super) step: Step,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Time passes.
    Wait {
        minutes: i64,
    },
    Buy(Buy),
    /// A sale is sent once more, with its request id or with another one.
    Repeat {
        number: usize,
        same_request: bool,
    },
    /// Lines of a sale come back, those of them that have not yet; they did so many minutes ago, after the sale.
    Return {
        number: usize,
        lines: Vec<usize>,
        late: i64,
    },
    /// All that is left of a sale comes back.
    ReturnRest {
        number: usize,
    },
    /// A sale is cancelled, perhaps once more.
    Cancel {
        number: usize,
    },
    /// One member turns out to be another.
    Merge {
        member: usize,
        merged: usize,
    },
    /// So many of the smallest units are added (positive) or removed (negative) by hand.
    Adjust {
        member: usize,
        points: i64,
    },
    /// Points are redeemed without a sale.
    Redeem {
        member: usize,
        pay: Pay,
    },
    /// A redemption without a sale, or a captured hold, comes back: so many points, or all that is left.
    Reverse {
        number: usize,
        points: Option<i64>,
    },
    /// Points are set aside.
    Hold {
        member: usize,
        pay: Pay,
        minutes: i64,
    },
    /// A hold is redeemed, all or so many points of it; `early`: the till tells that it was when the hold was placed.
    Capture {
        number: usize,
        points: Option<i64>,
        early: bool,
    },
    Release {
        number: usize,
    },
    /// What has lapsed is written off.
    Sweep,
    /// The program becomes another, as a whole.
    Change(Shape),
    /// Lots go to the expiry that the program has by now; `extend_only`: none to an earlier instant.
    MoveLots {
        extend_only: bool,
    },
}

/// A sale, in cents; it happened `late` minutes ago.
#[derive(Clone, Debug)]
pub(super) struct Buy {
    pub(super) member: usize,
    pub(super) lines: Vec<i64>,
    pub(super) pay: Option<Pay>,
    pub(super) late: i64,
    /// The till had no line.
    pub(super) offline: bool,
}

/// What of a sale points pay.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pay {
    /// So many of the smallest units.
    Points(i64),
    /// So many cents.
    Amount(i64),
    /// As many as possible.
    Most,
}

impl Story {
    pub(super) fn random(chance: &mut Chance) -> Self {
        let program = Shape::random(chance);
        let length = usize::try_from(chance.between(4, 24)).expect("a length");
        let members: usize = chance.pick(&[2, 2, 3]);
        let openings = (0..members).map(|_| Opening::random(chance, &program)).collect();
        let mut steps: Vec<Numbered> = Vec::with_capacity(length);
        for number in 0..length {
            let step = Step::random(chance, &program, members, &steps);
            steps.push(Numbered { number, step });
        }
        Self {
            program,
            members: openings,
            steps,
        }
    }

    pub(super) fn without(&self, left_out: Range<usize>) -> Self {
        let mut shorter = self.clone();
        shorter.steps.drain(left_out);
        shorter
    }
}

impl Step {
    fn random(chance: &mut Chance, program: &Shape, members: usize, before: &[Numbered]) -> Self {
        let numbers = |is_one: fn(&Self) -> bool| -> Vec<usize> {
            let ones = before.iter().filter(|step| is_one(&step.step));
            ones.map(|step| step.number).collect()
        };
        let sales = numbers(|step| matches!(step, Self::Buy(_)));
        let redemptions = numbers(|step| matches!(step, Self::Redeem { .. } | Self::Capture { .. }));
        let holds = numbers(|step| matches!(step, Self::Hold { .. }));
        let number = chance.between(1, 31);
        let just_before = before.last().map(|last| &last.step);
        if let Some(step) = Self::after(just_before, number, chance, &sales, &redemptions) {
            return step;
        }
        match number {
            1 | 2 => Self::Wait {
                minutes: chance.pick(&[1, 45, 700, 1_440, 4_000, 20_000, 50_000]),
            },
            3 if !sales.is_empty() => Self::Repeat {
                number: chance.pick(&sales),
                same_request: chance.one_in(2),
            },
            4 | 5 if !sales.is_empty() => Self::Return {
                number: chance.pick(&sales),
                lines: chance.pick(&[vec![0], vec![1], vec![0, 1], vec![2], vec![1, 2]]),
                late: if chance.one_in(4) { chance.between(1, 10_000) } else { 0 },
            },
            6 if !sales.is_empty() => Self::ReturnRest {
                number: chance.pick(&sales),
            },
            7 if !sales.is_empty() => Self::Cancel {
                number: chance.pick(&sales),
            },
            8 | 9 => {
                let points = chance.between(1, 200 * 10_i64.pow(program.decimals));
                Self::Adjust {
                    member: member(chance, members),
                    points: if chance.one_in(2) { points } else { -points },
                }
            }
            10 | 11 => Self::Redeem {
                member: member(chance, members),
                pay: without_sale(chance, program),
            },
            12 | 24 if !redemptions.is_empty() => Self::Reverse {
                number: chance.pick(&redemptions),
                points: chance.one_in(2).then(|| some_points(chance, program)),
            },
            13 | 14 => Self::Hold {
                member: member(chance, members),
                pay: without_sale(chance, program),
                minutes: chance.pick(&[1, 15, 60, 1_440, 10_080]),
            },
            15 | 16 if !holds.is_empty() => Self::Capture {
                number: chance.pick(&holds),
                points: chance.one_in(3).then(|| some_points(chance, program)),
                early: chance.one_in(3),
            },
            17 if !holds.is_empty() => Self::Release {
                number: chance.pick(&holds),
            },
            18 if chance.one_in(3) => Self::Sweep,
            19 => {
                let stays = member(chance, members);
                Self::Merge {
                    member: stays,
                    merged: (stays + 1 + member(chance, members - 1)) % members,
                }
            }
            20..=22 => Self::Change(program.changed(chance)),
            23 => Self::MoveLots {
                extend_only: chance.one_in(3),
            },
            _ => Self::Buy(Buy::random(chance, program, members)),
        }
    }

    /// What would be rare by chance: lots that go elsewhere, and points of them that come back.
    fn after(
        just_before: Option<&Self>,
        number: i64,
        chance: &mut Chance,
        sales: &[usize],
        redemptions: &[usize],
    ) -> Option<Self> {
        match (just_before?, number) {
            (Self::Change(_), _) if chance.one_in(2) => Some(Self::MoveLots {
                extend_only: chance.one_in(3),
            }),
            (Self::MoveLots { .. }, 1..=12) if !redemptions.is_empty() => Some(Self::Reverse {
                number: chance.pick(redemptions),
                points: None,
            }),
            (Self::MoveLots { .. }, 13..=18) if !sales.is_empty() => Some(Self::ReturnRest {
                number: chance.pick(sales),
            }),
            _ => None,
        }
    }
}

impl Buy {
    fn random(chance: &mut Chance, program: &Shape, members: usize) -> Self {
        let lines: Vec<i64> = (0..chance.between(1, 3)).map(|_| chance.between(0, 30_000)).collect();
        let total: i64 = lines.iter().sum();
        let pay = match chance.between(1, 6) {
            1 => Some(Pay::Points(some_points(chance, program))),
            2 => Some(Pay::Amount(chance.between(1, total.max(1)))),
            3 => Some(Pay::Most),
            _ => None,
        };
        let (late, offline) = match chance.between(1, 8) {
            1 => (chance.between(1, 40_000), false),
            // Also one after the other, but not in order.
            2 | 3 => (chance.pick(&[0, 5, 60, 3_000, 40_000]), true),
            _ => (0, false),
        };
        Self {
            member: member(chance, members),
            lines,
            pay,
            late,
            offline,
        }
    }
}

fn member(chance: &mut Chance, members: usize) -> usize {
    usize::try_from(chance.between(0, members as i64 - 1)).expect("a member")
}

fn some_points(chance: &mut Chance, program: &Shape) -> i64 {
    let most = chance.pick(&[2, 10, 60]);
    chance.between(1, most * 10_i64.pow(program.decimals))
}

fn without_sale(chance: &mut Chance, program: &Shape) -> Pay {
    match chance.one_in(3) {
        true => Pay::Amount(chance.between(1, 20_000)),
        false => Pay::Points(some_points(chance, program)),
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:#?}", self.program)?;
        for (member, opening) in self.members.iter().enumerate() {
            writeln!(f, "member {member}: {opening:?}")?;
        }
        for Numbered { number, step } in &self.steps {
            writeln!(f, "{number:>3}: {step:?}")?;
        }
        Ok(())
    }
}
