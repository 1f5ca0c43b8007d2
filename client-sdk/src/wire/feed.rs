//! The feed on the wire.

use loyalty_api::v1;

use crate::{
    entry::Entry,
    error::Error,
    feed::{ChainLink, FeedBatch, FeedCursor, FeedRequest},
};

impl FeedRequest {
    pub(crate) fn to_wire(&self) -> v1::StreamEntriesRequest {
        v1::StreamEntriesRequest {
            cursor: self
                .cursor
                .as_ref()
                .map(|cursor| cursor.as_str().to_owned())
                .unwrap_or_default(),
            shards: self.shards.clone(),
            follow: self.follow,
        }
    }
}

impl FeedBatch {
    pub(crate) fn from_wire(message: v1::StreamEntriesResponse) -> Result<Self, Error> {
        let entries = message.entries.into_iter().map(Entry::from_wire);
        Ok(Self {
            entries: entries.collect::<Result<_, _>>()?,
            cursor: FeedCursor::new(message.cursor),
            link: message.link.map(ChainLink::from_wire),
        })
    }
}

impl ChainLink {
    pub(crate) fn from_wire(link: v1::ChainLink) -> Self {
        Self {
            shard: link.shard,
            position: link.position,
            hash: link.hash,
        }
    }

    pub(crate) fn into_wire(self) -> v1::ChainLink {
        v1::ChainLink {
            shard: self.shard,
            position: self.position,
            hash: self.hash,
        }
    }
}
