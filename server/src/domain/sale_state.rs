//! What a sale comes to, net of what came back of it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::expiry::NEVER;
use super::lot::{LotKey, LotPlace};
use super::number::Fraction;
use super::outcome::{RateOutcome, RateSource, SaleOutcome};
use super::rule_usage::Allowances;

/// Where a sale stands after its newest return. Its serialized form is kept with the return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SaleState {
    /// What the kept goods earn.
    pub(crate) points_earned: Decimal,
    /// What the kept goods add to the spend that counts towards tiers.
    pub(crate) tier_spend: Decimal,
    /// The fraction that the kept goods leave for the next sale, where the program keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) carry: Option<Fraction>,
    /// What rules that are limited per day or member give for the kept goods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) limited: BTreeMap<String, Decimal>,
    /// Points given back of each tender.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) given_back: Vec<Decimal>,
    /// Money that points had paid and that came back as points.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) points_amount: Decimal,
    /// The lots in which its points came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) own_lots: Vec<LotKey>,
    /// Lots in which points of it came after its member had been merged into another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) later_lots: Vec<LotPlace>,
    /// What returns took back that had lapsed before its member was merged into another.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) lapsed_before_merger: Decimal,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_cancelled: bool,
}

impl SaleState {
    /// Of a sale of which nothing came back.
    pub(crate) fn of(outcome: &SaleOutcome) -> Self {
        let own_lot = LotKey {
            expires_at: outcome.points_expire_at.unwrap_or(NEVER),
            sequence: outcome.ground.earn_sequence,
        };
        Self {
            points_earned: outcome.points_earned,
            tier_spend: outcome.ground.tier_spend,
            carry: outcome.carry.map(|carry| carry.after),
            limited: limited(&outcome.allowances, &outcome.rates),
            given_back: vec![Decimal::ZERO; outcome.points_tenders.len()],
            points_amount: Decimal::ZERO,
            own_lots: (outcome.points_earned > Decimal::ZERO)
                .then_some(own_lot)
                .into_iter()
                .collect(),
            later_lots: Vec::new(),
            lapsed_before_merger: Decimal::ZERO,
            is_cancelled: false,
        }
    }
}

/// What the limited rules give.
pub(crate) fn limited(allowances: &Allowances, rates: &[RateOutcome]) -> BTreeMap<String, Decimal> {
    let mut limited = BTreeMap::new();
    for rate in rates {
        if let RateSource::Rule(rule_id) = &rate.source
            && !rate.points.is_zero()
            && allowances.contains_key(rule_id)
        {
            *limited.entry(rule_id.clone()).or_default() += rate.points;
        }
    }
    limited
}
