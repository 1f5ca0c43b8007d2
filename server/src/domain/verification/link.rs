//! Links of the hash chain, beside the entries that they seal.

use uuid::Uuid;

use super::{Drift, DriftKind};
use crate::domain::chain::{self, Content, FORM, Hash, Head, Source, link_in_form};

/// A link as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct StoredLink {
    pub(crate) shard: u8,
    pub(crate) position: u64,
    pub(crate) member_id: Uuid,
    pub(crate) sequence: u64,
    /// None: no source that there is.
    pub(crate) source: Option<Source>,
    pub(crate) form: u8,
    pub(crate) hash: Hash,
}

/// What is wrong with a link behind the hash `before` (none: it is not known), given what its entry says now (none: the
/// entry is gone).
pub(crate) fn check_link(link: &StoredLink, before: Option<&Hash>, content: Option<&Content>) -> Vec<Drift> {
    let of_link = |kind, field| {
        let drift = Drift::new(kind, field).of_member(link.member_id);
        drift.of_entry(link.sequence).at(link.shard, link.position)
    };
    let wrong = |field| of_link(DriftKind::HashChain, field);
    let mut drifts = Vec::new();
    let shard = chain::shard_of(link.member_id);
    if shard != link.shard {
        drifts.push(wrong("shard").expected(u64::from(shard)).stored(u64::from(link.shard)));
    }
    if !(1..=FORM).contains(&link.form) {
        drifts.push(wrong("form").expected(u64::from(FORM)).stored(u64::from(link.form)));
    }
    if link.source == Some(Source::Found) {
        drifts.push(of_link(DriftKind::Unannounced, "sequence").stored(link.sequence));
    }
    match (link.source, before, content) {
        (None, _, _) => drifts.push(wrong("source")),
        (Some(_), _, None) => drifts.push(wrong("entry").expected(link.hash)),
        (Some(_), None, Some(_)) => {}
        (Some(source), Some(before), Some(content)) => {
            let now = link_in_form(link.form, before, source, content);
            drifts.extend(
                now.filter(|now| *now != link.hash)
                    .map(|now| wrong("entry").expected(link.hash).stored(now)),
            );
        }
    }
    drifts
}

/// Positions of a shard that have no link.
pub(crate) fn missing_links(shard: u8, first: u64, last: u64) -> Drift {
    let missing = if first == last {
        first.to_string()
    } else {
        format!("{first} to {last}")
    };
    let drift = Drift::new(DriftKind::HashChain, "position").at(shard, first);
    drift.expected(missing)
}

/// What is wrong with the head of a shard whose last link is `last`.
pub(crate) fn check_head(shard: u8, last: Head, stored: Option<Head>) -> Option<Drift> {
    let stored = stored.unwrap_or(Head::NONE);
    let text = |head: Head| {
        format!(
            "{} {}",
            head.position,
            super::Said::said(&head.hash).unwrap_or_default()
        )
    };
    let drift = Drift::new(DriftKind::HashChain, "head").at(shard, stored.position);
    (stored != last).then(|| drift.expected(text(stored)).stored(text(last)))
}
