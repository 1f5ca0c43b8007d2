//! The ids that calls take and give, as types of their own so that one cannot stand in for another.

use std::fmt;

use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self(text.clone())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.0 == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.0 == *text
            }
        }
    };
}

id! {
    /// Name of a program, unique per merchant: 1 to 64 of `a-z 0-9 - _ .`.
    ProgramId
}
id! {
    /// Name of a rule, unique in its program: 1 to 64 of `a-z 0-9 - _ .`.
    RuleId
}
id! {
    /// Name of a reward, unique in its program: 1 to 64 of `a-z 0-9 - _ .`.
    RewardId
}
id! {
    /// Name of a hold: a UUID made by the server.
    HoldId
}
id! {
    /// Name of a redemption: a UUID made by the server.
    RedemptionId
}
id! {
    /// Name of a reason for adjustments, unique per merchant: 1 to 64 of `a-z 0-9 - _ .`.
    ReasonId
}
id! {
    /// Name of an adjustment: a UUID made by the server.
    AdjustmentId
}
id! {
    /// Name of a product, as the lines of sales bring it: 1 to 64 characters.
    ProductId
}
id! {
    /// Name of a member: a UUID made by the server.
    MemberId
}
id! {
    /// What makes a write safe to repeat: 1 to 64 printable ASCII characters, unique per merchant.
    RequestId
}

impl RequestId {
    /// A new id that no other write has: a UUIDv7, so that ids sort by the time they were made.
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string())
    }
}
