//! When points lapse.

use chrono::{Datelike, NaiveDate};
use loyalty_api::v1 as wire;
use loyalty_api::v1::expiry_policy::Period;

use crate::domain::inactivity::{Activity, InactivityPolicy};
use crate::domain::program::{ExpiryEnd, ExpiryPeriod, ExpiryPolicy};
use crate::grpc::fields::Fields;

/// A year that has every day.
const LEAP_YEAR: i32 = 2000;

/// A policy; `None` when the field is empty or wrong.
pub(super) fn expiry(fields: &mut Fields, at: &str, given: Option<wire::ExpiryPolicy>) -> Option<ExpiryPolicy> {
    let given = given?;
    let end = match fields.choice(&format!("{at}.end"), given.end) {
        Some(wire::ExpiryEnd::StartOfDay) => ExpiryEnd::StartOfDay,
        Some(wire::ExpiryEnd::EndOfDay) => ExpiryEnd::EndOfDay,
        Some(wire::ExpiryEnd::EndOfMonth) => ExpiryEnd::EndOfMonth,
        Some(wire::ExpiryEnd::EndOfQuarter) => ExpiryEnd::EndOfQuarter,
        Some(wire::ExpiryEnd::EndOfYear) => ExpiryEnd::EndOfYear,
        Some(wire::ExpiryEnd::Unspecified) | None => ExpiryEnd::AsPeriod,
    };
    let period = match given.period {
        Some(Period::Days(number)) => days(fields, at, number),
        Some(Period::Months(number)) => months(fields, at, number),
        Some(Period::Yearly(text)) => yearly(fields, &format!("{at}.yearly"), &text)?,
        None => {
            fields.wrong(at, "names no period");
            return None;
        }
    };
    Some(ExpiryPolicy { period, end })
}

/// What is said about members who do nothing; `None` when the field is empty or wrong.
pub(super) fn inactivity(
    fields: &mut Fields,
    at: &str,
    given: Option<wire::InactivityPolicy>,
) -> Option<InactivityPolicy> {
    let given = given?;
    let activity = match fields.choice(&format!("{at}.activity"), given.activity) {
        Some(wire::Activity::Earning) => Activity::Earning,
        Some(wire::Activity::AnySale) => Activity::AnySale,
        Some(wire::Activity::Unspecified | wire::Activity::EarningAndRedeeming) | None => Activity::default(),
    };
    let period = match given.period {
        Some(wire::inactivity_policy::Period::Days(number)) => days(fields, at, number),
        Some(wire::inactivity_policy::Period::Months(number)) => months(fields, at, number),
        None => {
            fields.wrong(at, "names no period");
            return None;
        }
    };
    Some(InactivityPolicy { period, activity })
}

fn days(fields: &mut Fields, at: &str, number: u32) -> ExpiryPeriod {
    if number == 0 || number > 36_600 {
        fields.wrong(format!("{at}.days"), "must be 1 to 36600");
    }
    ExpiryPeriod::Days(number)
}

fn months(fields: &mut Fields, at: &str, number: u32) -> ExpiryPeriod {
    if number == 0 || number > 1_200 {
        fields.wrong(format!("{at}.months"), "must be 1 to 1200");
    }
    ExpiryPeriod::Months(number)
}

fn yearly(fields: &mut Fields, field: &str, text: &str) -> Option<ExpiryPeriod> {
    let day = NaiveDate::parse_from_str(&format!("{LEAP_YEAR}-{text}"), "%Y-%m-%d")
        .ok()
        .filter(|_| text.len() == 5);
    if day.is_none() {
        fields.wrong(field, "must be a day of the year as MM-DD");
    }
    let day = day?;
    Some(ExpiryPeriod::Yearly {
        month: day.month(),
        day: day.day(),
    })
}

/// A policy on the wire.
pub(super) fn expiry_to_wire(policy: ExpiryPolicy) -> wire::ExpiryPolicy {
    let period = match policy.period {
        ExpiryPeriod::Days(days) => Period::Days(days),
        ExpiryPeriod::Months(months) => Period::Months(months),
        ExpiryPeriod::Yearly { month, day } => Period::Yearly(format!("{month:02}-{day:02}")),
    };
    let end = match policy.end {
        ExpiryEnd::AsPeriod => wire::ExpiryEnd::Unspecified,
        ExpiryEnd::StartOfDay => wire::ExpiryEnd::StartOfDay,
        ExpiryEnd::EndOfDay => wire::ExpiryEnd::EndOfDay,
        ExpiryEnd::EndOfMonth => wire::ExpiryEnd::EndOfMonth,
        ExpiryEnd::EndOfQuarter => wire::ExpiryEnd::EndOfQuarter,
        ExpiryEnd::EndOfYear => wire::ExpiryEnd::EndOfYear,
    };
    wire::ExpiryPolicy {
        period: Some(period),
        end: end.into(),
    }
}

/// What is said about members who do nothing, on the wire; nothing where the period is none of it.
pub(super) fn inactivity_to_wire(policy: InactivityPolicy) -> wire::InactivityPolicy {
    let period = match policy.period {
        ExpiryPeriod::Days(days) => Some(wire::inactivity_policy::Period::Days(days)),
        ExpiryPeriod::Months(months) => Some(wire::inactivity_policy::Period::Months(months)),
        ExpiryPeriod::Yearly { .. } => None,
    };
    let activity = match policy.activity {
        Activity::EarningAndRedeeming => wire::Activity::EarningAndRedeeming,
        Activity::Earning => wire::Activity::Earning,
        Activity::AnySale => wire::Activity::AnySale,
    };
    wire::InactivityPolicy {
        period,
        activity: activity.into(),
    }
}
