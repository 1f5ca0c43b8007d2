//! The feed: all entries of a merchant, for those who follow the ledger.

use crate::entry::Entry;

/// Which part of the feed is asked. The default asks for all entries there are, from the first on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedRequest {
    /// Where to go on; `None`: from the first entry on.
    pub cursor: Option<FeedCursor>,
    /// Shards to tell, each 0 to 15 and at most once; empty: all.
    pub shards: Vec<u32>,
    /// Whether to wait for more when everything is told.
    pub follow: bool,
}

impl FeedRequest {
    /// Everything behind a cursor.
    #[must_use]
    pub fn after(cursor: FeedCursor) -> Self {
        Self {
            cursor: Some(cursor),
            ..Self::default()
        }
    }

    /// The same of these shards only, each 0 to 15: so that several consumers can divide the work. A member belongs to
    /// one shard.
    #[must_use]
    pub fn shards(mut self, shards: impl IntoIterator<Item = u32>) -> Self {
        self.shards = shards.into_iter().collect();
        self
    }

    /// The same, without an end: it waits for more.
    #[must_use]
    pub fn follow(mut self) -> Self {
        self.follow = true;
        self
    }
}

/// How far a consumer of the feed has come: an opaque text of up to 1,000 characters, which stays valid for good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedCursor(String);

impl FeedCursor {
    /// A cursor that was kept as text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text to keep.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Some entries of one shard, or a sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedBatch {
    /// In the order of their shard: those of a member by sequence. Empty: nothing was new for some time.
    pub entries: Vec<Entry>,
    /// Where to go on when these have been dealt with. Whoever keeps it in one transaction with what is made of the
    /// entries deals with each of them exactly once.
    pub cursor: FeedCursor,
    /// The link of the hash chain that the last of the entries is; `None` without entries. Kept somewhere else it proves
    /// later that nothing up to there was changed.
    pub link: Option<ChainLink>,
}

/// A place of the feed and its hash, which depends on everything before it in its shard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChainLink {
    /// The shard, 0 to 15.
    pub shard: u32,
    /// The position in the shard, from 1 without gaps.
    pub position: u64,
    /// SHA-256, 32 bytes.
    pub hash: Vec<u8>,
}
