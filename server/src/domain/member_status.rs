//! What a member may do.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rejection::Rejection;

/// What a member may do. It is kept beside the books, since their commands ask it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MemberStatus {
    /// Points cannot be redeemed; what the member earns goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) block: Option<Block>,
    /// Since when the member takes no part: nothing is earned, and what is there can be redeemed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) opted_out_at: Option<DateTime<Utc>>,
    /// The member that this one was merged into, who is meant in its place since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merged_into: Option<Uuid>,
    /// Since when nothing is known of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) erased_at: Option<DateTime<Utc>>,
}

/// Why points cannot be redeemed, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) reason: String,
    pub(crate) blocked_at: DateTime<Utc>,
}

impl MemberStatus {
    /// Whether there is nothing to say.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses where there is nobody any more.
    pub(crate) fn check_known(&self) -> Result<(), Rejection> {
        match self.erased_at {
            Some(erased_at) => Err(Rejection::MemberErased { erased_at }),
            None => Ok(()),
        }
    }

    /// Refuses where points of the member must not be redeemed.
    pub(crate) fn check_redeeming(&self) -> Result<(), Rejection> {
        self.check_known()?;
        match &self.block {
            Some(block) => Err(Rejection::MemberBlocked {
                block_reason: block.reason.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Whether the member took no part any more when something happened in the shop.
    pub(crate) fn is_opted_out(&self, occurred_at: DateTime<Utc>) -> bool {
        self.opted_out_at.is_some_and(|since| occurred_at >= since)
    }
}
