//! Outcomes of sales, to the wire.

use loyalty_api::v1 as wire;

use super::member::balance;
use super::{decimal, money, timestamp};
use crate::domain::number::Currency;
use crate::domain::outcome::{EarnReason, LineOutcome, PointsTender, RateOutcome, RateSource, SaleOutcome};

/// The outcome of a sale on the wire.
pub(in crate::grpc) fn sale_outcome(outcome: SaleOutcome) -> wire::SaleOutcome {
    let currency = outcome.currency;
    let tenders = outcome.points_tenders.into_iter();
    wire::SaleOutcome {
        // The quote of a sale that would enrol its customer has no member yet.
        member_id: match outcome.member_id.is_nil() {
            true => String::new(),
            false => outcome.member_id.to_string(),
        },
        enrolled: outcome.enrolled,
        program_id: outcome.program_id,
        program_version: outcome.program_version,
        points_earned: decimal(outcome.points_earned),
        points_redeemed: decimal(outcome.points_redeemed),
        rated_amount: money(&currency, outcome.rated_amount),
        points_tenders: tenders.map(|tender| points_tender(tender, &currency)).collect(),
        due: money(&currency, outcome.due),
        balance_before: decimal(outcome.balance_before),
        balance: Some(balance(outcome.balance, &currency)),
        tier_id_before: outcome.tier_id_before.unwrap_or_default(),
        lines: (0..).zip(outcome.lines).map(line_outcome).collect(),
        rates: outcome
            .rates
            .into_iter()
            .map(|rate| rate_outcome(rate, &currency))
            .collect(),
        points_expire_at: outcome.points_expire_at.map(timestamp),
        points_pending_until: outcome.points_pending_until.map(timestamp),
        carried_before: outcome.carry.and_then(|carry| decimal(carry.before.shown())),
        carried_after: outcome.carry.and_then(|carry| decimal(carry.after.shown())),
    }
}

/// A tender line on the wire.
pub(in crate::grpc) fn points_tender(tender: PointsTender, currency: &Currency) -> wire::PointsTender {
    wire::PointsTender {
        points: decimal(tender.points),
        value_per_point: tender.value_per_point.and_then(decimal),
        amount: money(currency, tender.amount),
        expense_account: tender.accounting.expense_account,
        cost_center: tender.accounting.cost_center,
        item: tender.item.map(|item| wire::RedeemedItem {
            reward_id: item.reward_id,
            product_id: item.product_id,
            printed_quantity: item.print_quantity.then(|| decimal(item.quantity)).flatten(),
            quantity: decimal(item.quantity),
            points_per_unit: decimal(item.points_per_unit),
            product_code: item.product_code,
            category: item.category,
            printed_text: item.printed_text,
        }),
        vat_percent: tender.vat_percent.and_then(decimal),
    }
}

pub(super) fn line_outcome((line, outcome): (u32, LineOutcome)) -> wire::LineOutcome {
    wire::LineOutcome {
        line,
        rated_amount: decimal(outcome.rated_amount),
        points: decimal(outcome.points),
        source: outcome.source.map(source),
        reason: reason(outcome.reason).into(),
        campaigns: outcome
            .campaigns
            .into_iter()
            .map(|share| wire::CampaignShare {
                rule_id: share.rule_id,
                points: decimal(share.points),
            })
            .collect(),
        redeem_points: outcome.price.and_then(|price| decimal(price.points)),
        redeemable_quantity: outcome.price.and_then(|price| decimal(price.quantity)),
    }
}

pub(super) fn rate_outcome(outcome: RateOutcome, currency: &Currency) -> wire::RateOutcome {
    wire::RateOutcome {
        source: Some(source(outcome.source)),
        rated_amount: money(currency, outcome.rated_amount),
        points: decimal(outcome.points),
        rounding: decimal(outcome.rounding),
        fixed_points: decimal(outcome.fixed_points),
        capped: decimal(outcome.capped),
        vat_percent: outcome.vat_percent.and_then(decimal),
        reason: reason(outcome.reason).into(),
    }
}

fn source(source: RateSource) -> wire::RateSource {
    use wire::rate_source::Source;
    wire::RateSource {
        source: Some(match source {
            RateSource::Tier(tier_id) => Source::TierId(tier_id),
            RateSource::Rule(rule_id) => Source::RuleId(rule_id),
            RateSource::Products => Source::Products(true),
            RateSource::Carried => Source::Carried(true),
        }),
    }
}

fn reason(reason: EarnReason) -> wire::EarnReason {
    match reason {
        EarnReason::Earned => wire::EarnReason::Earned,
        EarnReason::ProgramDraft => wire::EarnReason::ProgramDraft,
        EarnReason::ProgramPaused => wire::EarnReason::ProgramPaused,
        EarnReason::ProgramArchived => wire::EarnReason::ProgramArchived,
        EarnReason::OutsideValidity => wire::EarnReason::OutsideValidity,
        EarnReason::DocumentIgnored => wire::EarnReason::DocumentIgnored,
        EarnReason::BelowLowestTier => wire::EarnReason::BelowLowestTier,
        EarnReason::NoRate => wire::EarnReason::NoRate,
        EarnReason::LineFlagged => wire::EarnReason::LineFlagged,
        EarnReason::PaidWithPoints => wire::EarnReason::PaidWithPoints,
        EarnReason::EarningSuppressed => wire::EarnReason::EarningSuppressed,
        EarnReason::DiscountCeiling => wire::EarnReason::DiscountCeiling,
        EarnReason::PercentDiscounted => wire::EarnReason::PercentDiscounted,
        EarnReason::ProductNeverEarns => wire::EarnReason::ProductNeverEarns,
        EarnReason::ExcludedProduct => wire::EarnReason::ExcludedProduct,
        EarnReason::NoRuleAssigned => wire::EarnReason::NoRuleAssigned,
        EarnReason::OutsideSchedule => wire::EarnReason::OutsideSchedule,
        EarnReason::OtherTier => wire::EarnReason::OtherTier,
        EarnReason::OtherCustomerGroup => wire::EarnReason::OtherCustomerGroup,
        EarnReason::OtherTerritory => wire::EarnReason::OtherTerritory,
        EarnReason::NotAssigned => wire::EarnReason::NotAssigned,
        EarnReason::BelowMinimumSale => wire::EarnReason::BelowMinimumSale,
        EarnReason::Outranked => wire::EarnReason::Outranked,
        EarnReason::NotStackable => wire::EarnReason::NotStackable,
        EarnReason::OptedOut => wire::EarnReason::OptedOut,
    }
}
