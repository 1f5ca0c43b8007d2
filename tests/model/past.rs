//! What members had at instants that are over, asked at the end.

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_sdk::ReportPeriod;
use rust_decimal::Decimal;

use super::books::Balance;
use super::play::{Person, Stage, points, units};
use super::program::Shape;

/// An instant, and what each member had then.
pub(super) struct Past {
    at: DateTime<Utc>,
    people: Vec<Had>,
    /// What a point paid then.
    value: Decimal,
}

/// What a member had.
#[derive(Debug, PartialEq, Eq)]
struct Had {
    balance: Balance,
    all: i64,
    debt: i64,
    redeemed: i64,
    adjusted: i64,
}

impl Past {
    /// A second after the last thing that happened at `now`.
    pub(super) fn of(people: &[Person], program: &Shape, now: DateTime<Utc>) -> Self {
        let at = now + TimeDelta::seconds(1);
        let had = people.iter().map(|person| {
            let mut books = person.books.clone();
            books.lapse(at);
            Had {
                balance: books.balance(program, at),
                all: books.all(),
                debt: books.debt,
                redeemed: books.redeemed,
                adjusted: books.adjusted,
            }
        });
        Self {
            at,
            people: had.collect(),
            value: program.value_per_point(),
        }
    }

    /// What was owed then in all, the balances of the instant, and the report up to it.
    pub(super) async fn check(&self, stage: &Stage<'_>) -> Result<(), String> {
        self.check_liability(stage).await?;
        let until = ReportPeriod::of_program(stage.program_id.clone()).until(self.at);
        let mut reports = stage.shop.client.report_members(&until);
        let mut reported = Vec::new();
        while let Some(part) = reports.next().await.map_err(|error| error.to_string())? {
            reported.extend(part);
        }
        for (place, (person, had)) in stage.people.iter().zip(&self.people).enumerate() {
            let zero = loyalty_sdk::PointsMovement::default();
            let report = reported.iter().find(|report| report.member_id == person.member_id);
            let (moved, closing) =
                report.map_or((zero, Default::default()), |report| (report.movement, report.closing));
            if moved.sum() != closing {
                return Err(format!("{moved:?} is reported to end as {closing}"));
            }
            // Whoever asks for a merged member is told of the other.
            if stage.who(place) != place {
                let told =
                    [closing, moved.redeemed, moved.adjusted].map(|points| units(points, stage.program.decimals));
                if told != [had.all, had.redeemed, had.adjusted].map(Some) {
                    let at = self.at;
                    return Err(format!("of {at} the server reports {report:?}, the model {had:?}"));
                }
                continue;
            }
            let summary = stage
                .shop
                .client
                .summarize_balance(person.key.clone(), Some(self.at), 0);
            let summary = summary.await.map_err(|error| error.to_string())?;
            let told = [
                summary.available,
                summary.pending,
                summary.held,
                summary.debt,
                closing,
                moved.redeemed,
                moved.adjusted,
            ];
            let told: Option<Vec<i64>> = told
                .map(|points| units(points, stage.program.decimals))
                .into_iter()
                .collect();
            if told.as_deref() != Some(&had.numbers()) || summary.balance != closing {
                let at = self.at;
                return Err(format!(
                    "of {at} the server says {summary:?} and {report:?}, the model {had:?}"
                ));
            }
        }
        Ok(())
    }

    async fn check_liability(&self, stage: &Stage<'_>) -> Result<(), String> {
        let client = &stage.shop.client;
        let owed = client
            .get_liability(stage.program_id.clone(), Some(self.at), |_| {})
            .await;
        let owed = owed.map_err(|error| error.to_string())?;
        let all: i64 = self.people.iter().map(|had| had.all).sum();
        let all = points(stage.program, all);
        match owed.points - owed.debt == all && owed.value == Some(owed.points * self.value) {
            true => Ok(()),
            false => Err(format!(
                "of {} the server owes {owed:?}, the model {all} of {} each",
                self.at, self.value
            )),
        }
    }
}

impl Had {
    fn numbers(&self) -> [i64; 7] {
        let Balance {
            available,
            pending,
            held,
            ..
        } = self.balance;
        [
            available,
            pending,
            held,
            self.debt,
            self.all,
            self.redeemed,
            self.adjusted,
        ]
    }
}
