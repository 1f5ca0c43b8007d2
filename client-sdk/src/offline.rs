//! What tills may do without a line.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// What tills of a merchant may do without a line: read, changed, and set again.
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn change(client: loyalty_sdk::Client) -> Result<(), loyalty_sdk::Error> {
/// let policy = client.get_offline_policy().await?;
/// let policy = policy.business_time(Duration::from_secs(7 * 24 * 60 * 60)).redeem_limit(50);
/// client.set_offline_policy(&policy).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfflinePolicy {
    /// How old a sale made offline may be when it arrives for the program of its own time to rate it: a second to 366 days,
    /// in whole seconds. One that is older is rated by the program as it is when the sale arrives.
    pub business_time: Duration,
    /// Points that a till may take from one member while it has no line, above 0, at most 4 decimals; `None`: tills do not
    /// redeem offline.
    pub redeem_limit: Option<Decimal>,
    /// Changes with every change of the policy; `0` of a merchant who never set any. A change brings the one it has read.
    pub etag: String,
    /// When it last changed; `None` when it never did.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Default for OfflinePolicy {
    /// 30 days, and no redeeming: what a merchant has who never set any.
    fn default() -> Self {
        Self {
            business_time: Duration::from_secs(30 * 24 * 60 * 60),
            redeem_limit: None,
            etag: "0".to_owned(),
            updated_at: None,
        }
    }
}

impl OfflinePolicy {
    /// Sets how old a sale may be.
    #[must_use]
    pub fn business_time(mut self, business_time: Duration) -> Self {
        self.business_time = business_time;
        self
    }

    /// Lets tills take so many points from a member.
    #[must_use]
    pub fn redeem_limit(mut self, points: impl Into<Decimal>) -> Self {
        self.redeem_limit = Some(points.into());
        self
    }
}
