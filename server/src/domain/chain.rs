//! The hash chain over the ledger: what entries look like in bytes, and how each is tied to the one before.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Chains of a merchant, each of a fixed share of its members: so many consumers can divide a feed among them, and a
/// cursor over all of them is still short. The number is part of what is stored; it must never change.
pub(crate) const SHARDS: u8 = 16;

/// The form in which entries are tied today: a link is the hash of the hash before, the source, and the hash of what the
/// entry says. In form 1 it was of what the entry says itself.
pub(crate) const FORM: u8 = 2;

/// The form of what an entry says. A field that is added later is left out where it is empty, so that the entries before
/// it keep their hash; a new number is needed only where what is there already is put differently.
const CONTENT_FORM: u8 = 1;

pub(crate) type Hash = [u8; 32];

/// The hash before the first position of a chain.
pub(crate) const GENESIS: Hash = [0; 32];

/// Whether a batch of the server said that it had posted the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Announced,
    /// Nothing but the entry itself was there: it was inserted by somebody else, or the word of its batch was deleted.
    Found,
}

/// The newest link of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// 0 without any.
    pub(crate) position: u64,
    pub(crate) hash: Hash,
}

impl Head {
    /// The head of a chain without links.
    pub(crate) const NONE: Self = Self {
        position: 0,
        hash: GENESIS,
    };

    /// The head when one more entry is tied to it, of which this is the hash.
    pub(crate) fn then(&self, source: Source, content: &Hash) -> Self {
        Self {
            position: self.position.saturating_add(1),
            hash: link(&self.hash, source, content),
        }
    }
}

/// The chain of a member: by the last byte of its id, which is random in every version of UUIDs that ids are made of.
pub(crate) fn shard_of(member_id: Uuid) -> u8 {
    let [.., last] = member_id.into_bytes();
    last % SHARDS
}

/// The link of an entry of this hash behind the hash before.
fn link(before: &Hash, source: Source, content: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update([match source {
        Source::Announced => 1,
        Source::Found => 2,
    }]);
    hash.update(content);
    hash.finalize().into()
}

/// The link of an entry behind the hash before, in a form; `None` for one that there is not.
pub(crate) fn link_in_form(form: u8, before: &Hash, source: Source, content: &Content) -> Option<Hash> {
    match form {
        1 => Some(link(before, source, &content.0)),
        FORM => Some(link(before, source, &content.hash())),
        _ => None,
    }
}

/// An entry in bytes: fields as a tag, the length and the value, those that are empty left out. Nothing but the same
/// fields with the same values gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content(Vec<u8>);

impl Content {
    /// No fields yet.
    pub(crate) fn new() -> Self {
        Self(vec![CONTENT_FORM])
    }

    pub(crate) fn hash(&self) -> Hash {
        Sha256::digest(&self.0).into()
    }

    pub(crate) fn bytes(&mut self, tag: u8, value: &[u8]) -> &mut Self {
        self.0.push(tag);
        // Values are columns, of which the longest has some hundred bytes.
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn number(&mut self, tag: u8, value: impl Into<u64>) -> &mut Self {
        self.bytes(tag, &value.into().to_be_bytes())
    }

    /// The same for 1 and 1.0000, and for 0 and −0.
    pub(crate) fn decimal(&mut self, tag: u8, value: Decimal) -> &mut Self {
        match value.is_zero() {
            true => self.bytes(tag, b"0"),
            false => self.bytes(tag, value.normalize().to_string().as_bytes()),
        }
    }

    pub(crate) fn instant(&mut self, tag: u8, value: DateTime<Utc>) -> &mut Self {
        self.bytes(tag, &value.timestamp_micros().to_be_bytes())
    }

    /// A text, or nothing where there is none. An empty text is one.
    pub(crate) fn text(&mut self, tag: u8, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.bytes(tag, value.as_bytes()),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(write: impl Fn(&mut Content) -> &mut Content) -> Content {
        let mut content = Content::new();
        write(&mut content);
        content
    }

    #[test]
    fn the_form_of_an_entry_is_written_down_for_good() {
        let written = content(|content| {
            content
                .number(1, 258_u32)
                .decimal(2, Decimal::new(15_000, 4))
                .instant(3, DateTime::UNIX_EPOCH)
                .text(4, Some("né"))
                .text(5, None)
                .text(6, Some(""))
        });

        let mut expected = vec![1, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2, 2, 0, 0, 0, 3];
        expected.extend(b"1.5");
        expected.extend([3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3]);
        expected.extend("né".bytes());
        expected.extend([6, 0, 0, 0, 0]);
        assert_eq!(written.0, expected);
    }

    #[test]
    fn a_link_depends_on_everything_before_it() {
        let (one, other) = (
            content(|content| content.number(1, 1_u8)),
            content(|content| content.number(1, 2_u8)),
        );
        let (first, second) = (one.hash(), other.hash());
        let links = [
            Head::NONE.then(Source::Announced, &first),
            Head::NONE.then(Source::Announced, &second),
            Head::NONE.then(Source::Found, &first),
            Head::NONE
                .then(Source::Announced, &first)
                .then(Source::Announced, &first),
            Head::NONE
                .then(Source::Announced, &second)
                .then(Source::Announced, &first),
        ];

        let hashes: std::collections::BTreeSet<Hash> = links.iter().map(|head| head.hash).collect();

        assert_eq!(hashes.len(), links.len());
        assert_eq!(links.map(|head| head.position), [1, 1, 1, 2, 2]);
        // By `printf` and sha256sum: 32 zero bytes, 01, then form 01, tag 01, length 8, and 1 in eight bytes; in form 2 what
        // follows the 01 is hashed first.
        let in_form = |form| link_in_form(form, &GENESIS, Source::Announced, &one).map(hex::encode);
        assert_eq!(
            in_form(1).as_deref(),
            Some("39715cfaae8234ebab1c94c9436629bf1d85faef94648b7d724de653cac9157d")
        );
        assert_eq!(
            in_form(2).as_deref(),
            Some("6ea8f8e08bb88dfeb3ec4d31db05e11db45bc307b48d2bb5d5ce837fb5cfe0a5")
        );
        assert_eq!(in_form(2), Some(hex::encode(links[0].hash)));
        assert_eq!(in_form(3), None);
    }

    #[test]
    fn members_are_spread_over_all_shards() {
        let shards: std::collections::BTreeSet<u8> = (0..256_u128).map(|id| shard_of(Uuid::from_u128(id))).collect();

        assert_eq!(shards, (0..SHARDS).collect());
        assert_eq!(shard_of(Uuid::from_u128(0x0f1e)), 14);
    }
}
