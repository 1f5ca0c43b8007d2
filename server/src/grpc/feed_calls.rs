//! StreamEntries.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use loyalty_api::v1 as wire;
use prost::Message;
use tonic::Status;

use super::auth::caller;
use super::feed_cursor::FeedCursor;
use super::fields::Fields;
use super::streaming::{Outlet, Told};
use super::{Context, convert, status};
use crate::domain::chain::{Head, SHARDS};
use crate::storage::connection::Connection;
use crate::storage::entry_runs::{self, Stretch};
use crate::storage::error::StorageError;
use crate::storage::feed::{self, Place};

/// Entries of a message.
const MOST: usize = 256;
/// Bytes of entries after which a message ends: well below the 4 MB that clients take by default.
const MESSAGE_BYTES: usize = 1 << 20;

/// Checks what is asked, and starts to tell.
pub(super) async fn stream_entries(
    context: &Arc<Context>,
    request: wire::StreamEntriesRequest,
) -> Result<Told<wire::StreamEntriesResponse>, Status> {
    let merchant_id = caller(context).merchant_id;
    let mut fields = Fields::default();
    let cursor = FeedCursor::parse(merchant_id, &request.cursor).unwrap_or_else(|| {
        fields.wrong("cursor", "is not a cursor of this feed");
        FeedCursor::default()
    });
    let shards = shards(&mut fields, &request.shards);
    fields.finish(())?;
    let heads = heads(context, merchant_id).await?;
    let mut fields = Fields::default();
    if cursor.is_ahead_of(|shard| head(&heads, shard)) {
        fields.wrong(
            "cursor",
            "is ahead of the feed: the ledger is older than what this cursor has seen",
        );
    }
    fields.finish(())?;

    let feed = Feed {
        context: Arc::clone(context),
        merchant_id,
        shards,
        cursor,
    };
    context.streams.start(|outlet| feed.tell(outlet, heads, request.follow))
}

/// One caller's way through the feed.
struct Feed {
    context: Arc<Context>,
    merchant_id: u32,
    shards: Vec<u8>,
    cursor: FeedCursor,
}

impl Feed {
    /// Tells everything up to `heads`, and whatever comes after if the caller follows.
    async fn tell(
        mut self,
        mut outlet: Outlet<wire::StreamEntriesResponse>,
        mut heads: HashMap<u8, Head>,
        follow: bool,
    ) -> Result<(), Status> {
        let options = self.context.streams.options;
        let mut told = Instant::now();
        loop {
            while self.tell_round(&mut outlet, &heads).await? {
                told = Instant::now();
            }
            if !follow {
                return Ok(());
            }
            if told.elapsed() >= options.heartbeat {
                told = Instant::now();
                outlet.send(self.message(Vec::new(), None)).await?;
            }
            outlet.pause(options.interval()).await?;
            heads = self::heads(&self.context, self.merchant_id).await?;
        }
    }

    /// Tells a message of every shard that has something to tell; whether any had.
    async fn tell_round(
        &mut self,
        outlet: &mut Outlet<wire::StreamEntriesResponse>,
        heads: &HashMap<u8, Head>,
    ) -> Result<bool, Status> {
        let mut has_told = false;
        for shard in self.shards.clone() {
            let (after, until) = (self.cursor.position(shard), head(heads, shard).position);
            if after >= until {
                continue;
            }
            let (entries, last) = self.read(shard, after, until).await?;
            self.cursor.advance(shard, last.position);
            let link = wire::ChainLink {
                shard: shard.into(),
                position: last.position,
                hash: last.hash.to_vec(),
            };
            outlet.send(self.message(entries, Some(link))).await?;
            has_told = true;
        }
        Ok(has_told)
    }

    /// The next entries of a shard, as many as a message holds, and the place of the last.
    async fn read(&self, shard: u8, after: u64, until: u64) -> Result<(Vec<wire::Entry>, Place), Status> {
        let merchant_id = self.merchant_id;
        let most = usize::try_from(until.saturating_sub(after)).map_or(MOST, |count| count.min(MOST));
        let read = self
            .context
            .database
            .run(move |connection| Box::pin(async move { page(connection, merchant_id, shard, after, most).await }));
        let page = read.await.map_err(|error| status::storage(&error))?;
        let (mut entries, mut last, mut bytes) = (Vec::with_capacity(page.len()), None, 0);
        for (place, entry) in page {
            bytes += entry.encoded_len();
            if bytes > MESSAGE_BYTES && last.is_some() {
                break;
            }
            entries.push(entry);
            last = Some(place);
        }
        Ok((entries, last.ok_or_else(status::internal)?))
    }

    fn message(&self, entries: Vec<wire::Entry>, link: Option<wire::ChainLink>) -> wire::StreamEntriesResponse {
        wire::StreamEntriesResponse {
            entries,
            cursor: self.cursor.text(self.merchant_id),
            link,
        }
    }
}

/// Up to `most` places of a shard behind a position, of which some are there, with their entries.
async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    shard: u8,
    after: u64,
    most: usize,
) -> Result<Vec<(Place, wire::Entry)>, StorageError> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let places = feed::page(connection, merchant_id, shard, after, limit).await?;
    let stretches: Vec<Stretch> = places
        .iter()
        .map(|place| Stretch {
            member_id: place.member_id,
            first: place.sequence,
            last: place.sequence,
        })
        .collect();
    let mut entries = entry_runs::load(connection, merchant_id, &stretches).await?.entries;
    let (mut told, mut position) = (Vec::with_capacity(places.len()), after);
    for place in places {
        let found = entries.remove(&(place.member_id, place.sequence));
        // Neither is anything to pass over in silence: somebody has meddled with the ledger, as its verification will say.
        if place.position != position + 1 {
            return Err(missing("position", shard, position + 1));
        }
        position = place.position;
        let Some(entry) = found else {
            return Err(missing("entry of position", shard, position));
        };
        let (entry, allocations) = entry.read()?;
        let entry = convert::entry::entry(place.member_id, &entry, &allocations);
        told.push((place, entry));
    }
    if told.is_empty() {
        return Err(missing("position", shard, position + 1));
    }
    Ok(told)
}

fn missing(what: &str, shard: u8, position: u64) -> StorageError {
    StorageError::Corrupt(format!("the {what} {position} of shard {shard} of the feed is missing"))
}

async fn heads(context: &Context, merchant_id: u32) -> Result<HashMap<u8, Head>, Status> {
    let heads = context
        .database
        .run(move |connection| Box::pin(async move { feed::heads(connection, merchant_id).await }));
    heads.await.map_err(|error| status::storage(&error))
}

fn head(heads: &HashMap<u8, Head>, shard: u8) -> Head {
    heads.get(&shard).copied().unwrap_or(Head::NONE)
}

/// The shards asked for; all when none is named.
fn shards(fields: &mut Fields, asked: &[u32]) -> Vec<u8> {
    if asked.is_empty() {
        return (0..SHARDS).collect();
    }
    let mut shards = Vec::new();
    if !fields.at_most("shards", asked, SHARDS.into()) {
        return shards;
    }
    for (place, number) in asked.iter().enumerate() {
        match u8::try_from(*number).ok().filter(|shard| *shard < SHARDS) {
            Some(shard) if !shards.contains(&shard) => shards.push(shard),
            Some(_) => fields.wrong(format!("shards[{place}]"), "is there twice"),
            None => fields.wrong(format!("shards[{place}]"), format!("must be below {SHARDS}")),
        }
    }
    shards
}
