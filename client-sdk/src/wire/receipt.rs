//! Outcomes of sales on the wire.

use loyalty_api::v1::{self, rate_source::Source};

use super::{decimal, instant, money, optional_decimal, optional_instant, optional_text, present};
use crate::{
    error::Error,
    member::Balance,
    receipt::{
        CampaignShare, EarnReason, LineOutcome, PointsTender, QuoteToken, RateOutcome, RateSource, Receipt,
        RedeemedItem,
    },
};

impl Receipt {
    pub(crate) fn from_wire(outcome: v1::SaleOutcome, replayed: bool) -> Result<Self, Error> {
        let tenders = outcome.points_tenders.into_iter();
        let lines = outcome.lines.into_iter();
        let rates = outcome.rates.into_iter();
        Ok(Self {
            member_id: outcome.member_id.into(),
            enrolled: outcome.enrolled,
            program_id: outcome.program_id.into(),
            program_version: outcome.program_version,
            points_earned: decimal("outcome.points_earned", outcome.points_earned)?,
            points_redeemed: decimal("outcome.points_redeemed", outcome.points_redeemed)?,
            rated_amount: money("outcome.rated_amount", outcome.rated_amount)?,
            points_tenders: tenders.map(PointsTender::from_wire).collect::<Result<_, _>>()?,
            due: money("outcome.due", outcome.due)?,
            balance_before: decimal("outcome.balance_before", outcome.balance_before)?,
            balance: Balance::from_wire(present("outcome.balance", outcome.balance)?)?,
            tier_id_before: optional_text(outcome.tier_id_before),
            lines: lines.map(LineOutcome::from_wire).collect::<Result<_, _>>()?,
            rates: rates.map(RateOutcome::from_wire).collect::<Result<_, _>>()?,
            points_expire_at: optional_instant("outcome.points_expire_at", outcome.points_expire_at)?,
            points_pending_until: optional_instant("outcome.points_pending_until", outcome.points_pending_until)?,
            carried_before: optional_decimal("outcome.carried_before", outcome.carried_before)?,
            carried_after: optional_decimal("outcome.carried_after", outcome.carried_after)?,
            replayed,
            text: None,
            quote: None,
        })
    }
}

impl PointsTender {
    pub(crate) fn from_wire(tender: v1::PointsTender) -> Result<Self, Error> {
        Ok(Self {
            points: decimal("points_tender.points", tender.points)?,
            value_per_point: optional_decimal("points_tender.value_per_point", tender.value_per_point)?,
            amount: money("points_tender.amount", tender.amount)?,
            expense_account: optional_text(tender.expense_account),
            cost_center: optional_text(tender.cost_center),
            item: tender.item.map(RedeemedItem::from_wire).transpose()?,
            vat_percent: optional_decimal("points_tender.vat_percent", tender.vat_percent)?,
        })
    }
}

impl RedeemedItem {
    fn from_wire(item: v1::RedeemedItem) -> Result<Self, Error> {
        Ok(Self {
            reward_id: optional_text(item.reward_id),
            product_id: optional_text(item.product_id),
            quantity: decimal("item.quantity", item.quantity)?,
            points_per_unit: decimal("item.points_per_unit", item.points_per_unit)?,
            product_code: optional_text(item.product_code),
            category: optional_text(item.category),
            printed_text: optional_text(item.printed_text),
            printed_quantity: optional_decimal("item.printed_quantity", item.printed_quantity)?,
        })
    }
}

impl LineOutcome {
    pub(super) fn from_wire(line: v1::LineOutcome) -> Result<Self, Error> {
        Ok(Self {
            line: line.line,
            rated_amount: decimal("line.rated_amount", line.rated_amount)?,
            points: decimal("line.points", line.points)?,
            source: line.source.map(RateSource::from_wire),
            reason: EarnReason::from_number(line.reason),
            campaigns: line
                .campaigns
                .into_iter()
                .map(|share| {
                    Ok(CampaignShare {
                        rule_id: share.rule_id.into(),
                        points: decimal("campaign.points", share.points)?,
                    })
                })
                .collect::<Result<_, Error>>()?,
            redeem_points: optional_decimal("line.redeem_points", line.redeem_points)?,
            redeemable_quantity: optional_decimal("line.redeemable_quantity", line.redeemable_quantity)?,
        })
    }
}

impl RateOutcome {
    pub(super) fn from_wire(rate: v1::RateOutcome) -> Result<Self, Error> {
        Ok(Self {
            source: RateSource::from_wire(present("rate.source", rate.source)?),
            rated_amount: money("rate.rated_amount", rate.rated_amount)?,
            points: decimal("rate.points", rate.points)?,
            rounding: decimal("rate.rounding", rate.rounding)?,
            fixed_points: decimal("rate.fixed_points", rate.fixed_points)?,
            capped: decimal("rate.capped", rate.capped)?,
            vat_percent: optional_decimal("rate.vat_percent", rate.vat_percent)?,
            reason: EarnReason::from_number(rate.reason),
        })
    }
}

impl RateSource {
    fn from_wire(source: v1::RateSource) -> Self {
        match source.source {
            Some(Source::TierId(tier_id)) => Self::Tier(tier_id),
            Some(Source::RuleId(rule_id)) => Self::Rule(rule_id.into()),
            Some(Source::Products(_)) => Self::Products,
            Some(Source::Carried(_)) => Self::Carried,
            None => Self::Unknown,
        }
    }
}

impl QuoteToken {
    pub(crate) fn from_wire(token: String, expires_at: Option<prost_types::Timestamp>) -> Result<Self, Error> {
        Ok(Self {
            token,
            expires_at: instant("quote_expires_at", expires_at)?,
        })
    }
}
