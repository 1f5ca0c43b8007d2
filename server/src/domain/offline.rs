//! Sales that tills made without a line: what rates them when they arrive.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::program::{Program, ProgramVersion, TierSpendWindow};
use super::tier::{self, Spend};

/// How far back the time of a sale decides, of a merchant who has said nothing: as long as requests are remembered at
/// least.
pub(crate) const BUSINESS_TIME_SECONDS: u32 = 30 * 24 * 60 * 60;

/// What tills of a merchant may do without a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfflinePolicy {
    /// How old a sale may be that is rated as of its own time.
    pub(crate) business_time_seconds: u32,
    /// Points that a till may take from a member; `None`: it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redeem_limit: Option<Decimal>,
}

impl Default for OfflinePolicy {
    fn default() -> Self {
        Self {
            business_time_seconds: BUSINESS_TIME_SECONDS,
            redeem_limit: None,
        }
    }
}

impl OfflinePolicy {
    /// Whether what occurred at this instant is rated as of then. What a till's clock puts ahead of the server is no
    /// business of the past.
    pub(crate) fn reaches(&self, occurred_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        occurred_at <= now && now - occurred_at <= TimeDelta::seconds(self.business_time_seconds.into())
    }
}

/// What ruled when a sale was made that arrives later.
#[derive(Clone, Debug)]
pub(crate) struct BusinessTime {
    pub(crate) version: Arc<ProgramVersion>,
    /// What the member had spent.
    pub(crate) spend: Spend,
    /// The tier that the member had reached, where it stays.
    pub(crate) kept_tier_id: Option<String>,
    /// Points that the till may have taken though others took them too; `None`: it may not redeem.
    pub(crate) redeem_limit: Option<Decimal>,
}

impl BusinessTime {
    /// As of `at`. `moves` are what the member's spend moved by, and when, since `moves_needed_since`; `total` is all that
    /// the member spent until now, `kept` the tier reached by now.
    pub(crate) fn of(
        version: Arc<ProgramVersion>,
        redeem_limit: Option<Decimal>,
        moves: &[(DateTime<Utc>, Decimal)],
        total: Decimal,
        kept: Option<&str>,
        at: DateTime<Utc>,
    ) -> Self {
        let program = &version.program;
        let later = moves.iter().filter(|(moved_at, _)| *moved_at > at);
        let later: Decimal = later.map(|(_, amount)| amount).sum();
        if program.tier_spend_window == TierSpendWindow::Lifetime {
            let spend = Spend::Lifetime(total - later);
            return Self {
                version,
                spend,
                kept_tier_id: None,
                redeem_limit,
            };
        }
        let mut days: BTreeMap<NaiveDate, Decimal> = BTreeMap::new();
        for (moved_at, amount) in moves.iter().filter(|(moved_at, _)| *moved_at <= at) {
            *days.entry(program.local_date(*moved_at)).or_default() += amount;
        }
        // What later sales reached was not reached yet; without any, nothing was reached since.
        let kept_tier_id = match later.is_zero() {
            true => kept.map(str::to_owned),
            false => tier::highest_reached(program, &days),
        };
        Self {
            version,
            spend: Spend::ByDay(days),
            kept_tier_id,
            redeem_limit,
        }
    }
}

/// Since when moves of spend have to be known for `BusinessTime::of`.
pub(crate) fn moves_needed_since(program: &Program, at: DateTime<Utc>) -> DateTime<Utc> {
    match tier::spend_needed_since(program, at) {
        Some(_) if tier::never_downgrades(program.tier_spend_window) => DateTime::UNIX_EPOCH,
        Some(since) => since,
        None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn version(window: serde_json::Value) -> Arc<ProgramVersion> {
        let program = serde_json::json!({
            "name": "Club", "state": "active", "unit": "points", "time_zone": "UTC", "decimals": 0,
            "currency": { "code": "EUR", "minor_units": 2 }, "tier_spend_window": window,
            "tiers": [{ "tier_id": "silver", "name": "Silver", "minimum_spend": "100" },
                      { "tier_id": "gold", "name": "Gold", "minimum_spend": "500" }],
        });
        Arc::new(ProgramVersion {
            program_id: "club".into(),
            version: 1,
            program: serde_json::from_value(program).unwrap(),
            rules: Arc::default(),
            rewards: Arc::default(),
            products: Arc::default(),
        })
    }

    #[test]
    fn a_policy_reaches_back_to_its_bound_and_never_ahead() {
        let policy = OfflinePolicy {
            business_time_seconds: 3_600,
            redeem_limit: None,
        };
        let now = at("2026-01-15T10:00:00Z");
        let cases = [
            ("2026-01-15T08:59:59Z", false),
            ("2026-01-15T09:00:00Z", true),
            ("2026-01-15T10:00:00Z", true),
            ("2026-01-15T10:00:01Z", false),
        ];
        for (occurred_at, expected) in cases {
            assert_eq!(policy.reaches(at(occurred_at), now), expected, "{occurred_at}");
        }
    }

    #[test]
    fn what_was_spent_later_was_not_spent_yet() {
        let lifetime = version(serde_json::json!("lifetime"));
        let moves = [
            (at("2026-01-10T10:00:00Z"), Decimal::from(150)),
            (at("2026-01-12T10:00:00Z"), Decimal::from(400)),
        ];

        let then = BusinessTime::of(
            lifetime,
            None,
            &moves,
            Decimal::from(600),
            Some("gold"),
            at("2026-01-11T00:00:00Z"),
        );

        assert_eq!(then.spend, Spend::Lifetime(Decimal::from(200)));
        assert_eq!(then.kept_tier_id, None);
    }
}
