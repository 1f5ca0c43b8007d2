//! Reports: what came and went in a period, and what is owed.

use std::io::{self, Write};
use std::ops::AddAssign;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    csv::write_line,
    id::{MemberId, ProgramId},
    wire::open_enum,
};

/// Which period of a program is reported. Reports go by the time of recording, so that a closed month stays closed; only a
/// lapse counts at its own instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPeriod {
    /// The program.
    pub program_id: ProgramId,
    /// The first instant of the period; `None`: from the beginning.
    pub recorded_from: Option<DateTime<Utc>>,
    /// The instant behind the period, not ahead of now; `None`: now.
    pub recorded_until: Option<DateTime<Utc>>,
}

impl ReportPeriod {
    /// All there is of a program until now.
    pub fn of_program(program_id: impl Into<ProgramId>) -> Self {
        Self {
            program_id: program_id.into(),
            recorded_from: None,
            recorded_until: None,
        }
    }

    /// The same from this instant on.
    pub fn from(mut self, instant: DateTime<Utc>) -> Self {
        self.recorded_from = Some(instant);
        self
    }

    /// The same until before this instant.
    pub fn until(mut self, instant: DateTime<Utc>) -> Self {
        self.recorded_until = Some(instant);
        self
    }
}

/// Points that came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PointsMovement {
    /// Earned by sales and bonuses, less what returns and cancellations took back.
    pub earned: Decimal,
    /// Redeemed, less what came back.
    pub redeemed: Decimal,
    /// Lapsed.
    pub expired: Decimal,
    /// Added (positive) or removed (negative) by hand, for a reason.
    pub adjusted: Decimal,
    /// What members who were merged brought (positive) or left (negative).
    pub merged: Decimal,
    /// What members brought along from another system.
    pub imported: Decimal,
}

impl PointsMovement {
    /// By how much the balance changed: earned − redeemed − expired + adjusted + merged + imported.
    pub fn sum(&self) -> Decimal {
        self.earned - self.redeemed - self.expired + self.adjusted + self.merged + self.imported
    }
}

impl AddAssign for PointsMovement {
    fn add_assign(&mut self, other: Self) {
        self.earned += other.earned;
        self.redeemed += other.redeemed;
        self.expired += other.expired;
        self.adjusted += other.adjusted;
        self.merged += other.merged;
        self.imported += other.imported;
    }
}

/// A member in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberReport {
    /// The member.
    pub member_id: MemberId,
    /// Balance before the period: points less debt.
    pub opening: Decimal,
    /// What came and went.
    pub movement: PointsMovement,
    /// Balance behind the period.
    pub closing: Decimal,
}

impl MemberReport {
    /// Writes the names of the columns of [`write_csv`](Self::write_csv), as a line of CSV.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_csv_header(out: &mut impl Write) -> io::Result<()> {
        let columns = [
            "member_id",
            "opening",
            "earned",
            "redeemed",
            "expired",
            "adjusted",
            "merged",
            "imported",
            "closing",
        ];
        write_line(out, &columns.map(str::to_owned))
    }

    /// Writes the member as a line of CSV, numbers with a decimal point and no grouping.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_csv(&self, out: &mut impl Write) -> io::Result<()> {
        let moved = &self.movement;
        let numbers = [
            self.opening,
            moved.earned,
            moved.redeemed,
            moved.expired,
            moved.adjusted,
            moved.merged,
            moved.imported,
            self.closing,
        ];
        let mut fields = vec![self.member_id.to_string()];
        fields.extend(numbers.map(|number| number.normalize().to_string()));
        write_line(out, &fields)
    }
}

open_enum! {
    /// By what movements are told apart.
    ReportGrouping {
        /// By nothing.
        Unspecified,
        /// By the store where they happened.
        Store,
        /// By the expense account that redemptions are booked to.
        ExpenseAccount,
        /// By the cost center that redemptions are booked to.
        CostCenter,
    }
}

/// All members of a program in a period: opening + earned − redeemed − expired + adjusted + merged + imported = closing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollForward {
    /// How many members.
    pub members: u64,
    /// Their balance before the period.
    pub opening: Decimal,
    /// What came and went.
    pub movement: PointsMovement,
    /// Their balance behind the period.
    pub closing: Decimal,
    /// The movement by what was asked, in order of label: store, expense account or cost center; empty for a movement that
    /// has none, such as a lapse.
    pub groups: Vec<(String, PointsMovement)>,
    /// What has become of the points that were earned in the period.
    pub breakage: Breakage,
}

/// What has become by now of points that came by sales and bonuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breakage {
    /// So many came.
    pub issued: Decimal,
    /// So many of them have lapsed unused: the breakage.
    pub lapsed: Decimal,
    /// So many of them are still there. The rest was used, or taken back.
    pub open: Decimal,
}

/// What a program owes its members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Liability {
    /// How many members.
    pub members: u64,
    /// Points that remained of lots that had not lapsed.
    pub points: Decimal,
    /// What of them could not be spent yet.
    pub pending: Decimal,
    /// What members owed: balances are `points` − `debt`.
    pub debt: Decimal,
    /// What a point paid by the version of the program that ruled then, in the program's currency; `None` when points could
    /// not pay.
    pub value_per_point: Option<Decimal>,
    /// `points` × `value_per_point`, not rounded; `None` when points could not pay.
    pub value: Option<Decimal>,
    /// `points` by when they lapse: within so many days of the instant and not within the days before; `None`: later than
    /// all of these, or never.
    pub ageing: Vec<(Option<u32>, Decimal)>,
}
