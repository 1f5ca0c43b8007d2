//! Tiers of a program, and the spend that reaches them.

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::decimal;
use super::program::{BILLION, MILLION, earn_rate, earn_rate_to_wire, value_per_point};
use crate::domain::program::{Tier, TierDowngrade, TierSpendBasis, TierSpendWindow};
use crate::grpc::fields::{Bounds, Fields};

const MOST_TIERS: usize = 50;

/// All tiers of a program.
pub(super) fn tiers(fields: &mut Fields, given: Vec<wire::Tier>) -> Vec<Tier> {
    if !fields.at_most("program.tiers", &given, MOST_TIERS) {
        return Vec::new();
    }
    let spend = Bounds::up_to(BILLION * MILLION / Decimal::ONE_THOUSAND, 4);
    given
        .into_iter()
        .enumerate()
        .map(|(place, given)| {
            let field = |name: &str| format!("program.tiers[{place}].{name}");
            Tier {
                tier_id: fields.slug(&field("tier_id"), given.tier_id),
                name: fields.text(&field("name"), given.name, 1, 200),
                minimum_spend: fields.required_decimal(&field("minimum_spend"), given.minimum_spend, spend),
                earn_rate: given.earn_rate.map(|rate| earn_rate(fields, &field("earn_rate"), rate)),
                value_per_point: value_per_point(fields, &field("value_per_point"), given.value_per_point),
            }
        })
        .collect()
}

/// What of a sale counts towards tiers.
pub(super) fn tier_spend_basis(fields: &mut Fields, number: i32) -> TierSpendBasis {
    match fields.choice("program.tier_spend_basis", number) {
        Some(wire::TierSpendBasis::WithoutPointsPaidPart) => TierSpendBasis::WithoutPointsPaidPart,
        Some(wire::TierSpendBasis::WholeSale | wire::TierSpendBasis::Unspecified) | None => TierSpendBasis::WholeSale,
    }
}

/// The stretch of time over which spend is added up.
pub(super) fn tier_spend_window(fields: &mut Fields, given: Option<wire::TierSpendWindow>) -> TierSpendWindow {
    use wire::tier_spend_window::Window;
    let Some(given) = given else {
        return TierSpendWindow::Lifetime;
    };
    let downgrade = match fields.choice("program.tier_spend_window.downgrade", given.downgrade) {
        Some(wire::TierDowngrade::AfterWindow) => {
            if given.grace_days > 3_660 {
                fields.wrong("program.tier_spend_window.grace_days", "must be at most 3660");
            }
            TierDowngrade::AfterWindow {
                grace_days: given.grace_days,
            }
        }
        Some(wire::TierDowngrade::Never | wire::TierDowngrade::Unspecified) | None => {
            if given.grace_days != 0 {
                fields.wrong(
                    "program.tier_spend_window.grace_days",
                    "has a meaning with AFTER_WINDOW only",
                );
            }
            TierDowngrade::Never
        }
    };
    match given.window {
        Some(Window::RollingDays(days)) => {
            if days == 0 || days > 3_660 {
                fields.wrong("program.tier_spend_window.rolling_days", "must be 1 to 3660");
            }
            TierSpendWindow::RollingDays { days, downgrade }
        }
        Some(Window::CalendarYear(true)) => TierSpendWindow::CalendarYear { downgrade },
        Some(Window::CalendarYear(false)) | None => {
            fields.wrong(
                "program.tier_spend_window",
                "names neither rolling_days nor calendar_year",
            );
            TierSpendWindow::Lifetime
        }
    }
}

/// A tier on the wire.
pub(super) fn tier_to_wire(tier: &Tier) -> wire::Tier {
    wire::Tier {
        tier_id: tier.tier_id.clone(),
        name: tier.name.clone(),
        minimum_spend: decimal(tier.minimum_spend),
        earn_rate: tier.earn_rate.as_ref().map(earn_rate_to_wire),
        value_per_point: tier.value_per_point.and_then(decimal),
    }
}

/// The stretch of time over which spend is added up, on the wire.
pub(super) fn window_to_wire(window: TierSpendWindow) -> Option<wire::TierSpendWindow> {
    use wire::tier_spend_window::Window;
    let (window, downgrade) = match window {
        TierSpendWindow::Lifetime => return None,
        TierSpendWindow::RollingDays { days, downgrade } => (Window::RollingDays(days), downgrade),
        TierSpendWindow::CalendarYear { downgrade } => (Window::CalendarYear(true), downgrade),
    };
    let (downgrade, grace_days) = match downgrade {
        TierDowngrade::Never => (wire::TierDowngrade::Never, 0),
        TierDowngrade::AfterWindow { grace_days } => (wire::TierDowngrade::AfterWindow, grace_days),
    };
    Some(wire::TierSpendWindow {
        window: Some(window),
        downgrade: downgrade.into(),
        grace_days,
    })
}
