//! Cursors of the feed: how far each shard was told, and a checksum that only the same merchant's cursors have.

use super::page_token;
use crate::domain::chain::{Head, SHARDS};

/// The last position that was told of each shard; 0 for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FeedCursor([u64; SHARDS as usize]);

impl FeedCursor {
    /// Reads a cursor that was given to this merchant; an empty one is the start. `None` when it is none.
    pub(super) fn parse(merchant_id: u32, text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let key = page_token::key(text)?;
        let (positions, checksum) = key.rsplit_once(' ')?;
        let mut cursor = Self::default();
        let mut parts = positions.split('.');
        for position in &mut cursor.0 {
            *position = parts.next()?.parse().ok()?;
        }
        let is_whole = parts.next().is_none() && checksum == cursor.checksum(merchant_id);
        is_whole.then_some(cursor)
    }

    pub(super) fn text(&self, merchant_id: u32) -> String {
        page_token::token(&format!("{} {}", self.positions(), self.checksum(merchant_id)))
    }

    pub(super) fn position(&self, shard: u8) -> u64 {
        self.0.get(usize::from(shard)).copied().unwrap_or_default()
    }

    pub(super) fn advance(&mut self, shard: u8, position: u64) {
        if let Some(told) = self.0.get_mut(usize::from(shard)) {
            *told = position;
        }
    }

    /// Whether it has told more than there is.
    pub(super) fn is_ahead_of(&self, head: impl Fn(u8) -> Head) -> bool {
        (0..SHARDS).any(|shard| self.position(shard) > head(shard).position)
    }

    fn positions(&self) -> String {
        let positions: Vec<String> = self.0.iter().map(u64::to_string).collect();
        positions.join(".")
    }

    fn checksum(&self, merchant_id: u32) -> String {
        page_token::checksum(&format!("cursor of merchant {merchant_id}: {}", self.positions()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_by_its_merchant_only_and_only_as_it_was_given() {
        let mut cursor = FeedCursor::default();
        cursor.advance(0, 7);
        cursor.advance(15, u64::MAX);
        let text = cursor.text(1);

        let changed = page_token::key(&text).unwrap().replacen('7', "8", 1);

        assert_eq!(FeedCursor::parse(1, &text), Some(cursor));
        assert_eq!(FeedCursor::parse(1, ""), Some(FeedCursor::default()));
        assert_eq!(FeedCursor::parse(2, &text), None);
        assert_eq!(FeedCursor::parse(1, &page_token::token(&changed)), None);
        for text in ["x", "636c7562", &text[2..], &text[..text.len() - 2]] {
            assert_eq!(FeedCursor::parse(1, text), None, "{text}");
        }
    }

    #[test]
    fn the_longest_cursor_keeps_within_what_the_contract_says() {
        let cursor = FeedCursor([u64::MAX; SHARDS as usize]);

        assert!(cursor.text(1).len() <= 1_000);
    }
}
