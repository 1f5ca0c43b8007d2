//! Who changed members, when and why.

use chrono::{DateTime, Utc};

use crate::{id::RequestId, wire::open_enum};

/// A change of a member. What was said of the customer is not in it; it stays when the customer is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberChange {
    /// Number of the change among the member's, rising from 2: enrolment made the first version of the record.
    pub version: u32,
    /// What was done.
    pub kind: MemberChangeKind,
    /// When.
    pub changed_at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
    /// Why, as the call said; may be empty.
    pub reason: String,
    /// The request id of the call that did it.
    pub request_id: RequestId,
}

open_enum! {
    /// What can be done to a member.
    MemberChangeKind {
        /// What is known of the customer was changed.
        Updated,
        /// Points were kept from being redeemed.
        Blocked,
        /// Points were let be redeemed again.
        Unblocked,
        /// An identifier was replaced, added or removed.
        IdentifierReplaced,
        /// The member opted out.
        OptedOut,
        /// The member opted in again.
        OptedIn,
        /// The member was merged into another.
        Merged,
        /// Another member was merged into this one.
        TookIn,
        /// The person was erased.
        Erased,
    }
}
