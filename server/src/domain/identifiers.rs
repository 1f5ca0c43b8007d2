//! How many identifiers a member has, and how they change.

use uuid::Uuid;

use super::enrolment::{Identifier, IdentifierKind};
use super::rejection::Rejection;

/// Identifiers that a member is given; only a merger can make them more.
pub(crate) const MOST: usize = 10;

/// Whether one more can be given beside these; why not otherwise.
pub(crate) fn check_one_more(identifiers: &[Identifier], new: &Identifier) -> Result<(), &'static str> {
    let is_customer_id = |identifier: &Identifier| identifier.kind == IdentifierKind::CustomerId;
    if identifiers.len() >= MOST {
        Err("would be more than the 10 that a member has")
    } else if is_customer_id(new) && identifiers.iter().any(is_customer_id) {
        Err("is the second customer id")
    } else if identifiers.contains(new) {
        Err("is there twice")
    } else {
        Ok(())
    }
}

/// Takes away one identifier, gives another that nobody holds, or both; at least one stays. One in the place of another of
/// its kind can always be given.
pub(crate) fn replace(
    identifiers: &mut Vec<Identifier>,
    old: Option<&Identifier>,
    new: Option<&Identifier>,
    holder: Option<Uuid>,
) -> Result<(), Rejection> {
    let mut kept = identifiers.clone();
    if let Some(old) = old {
        let place = kept.iter().position(|identifier| identifier == old);
        let place = place.ok_or_else(|| Rejection::IdentifierNotFound {
            field: "old_identifier".to_owned(),
        })?;
        kept.remove(place);
    }
    if let Some(holder) = holder {
        return Err(Rejection::IdentifierTaken {
            field: "new_identifier".to_owned(),
            member_id: holder.to_string(),
        });
    }
    match new {
        Some(new) => {
            let takes_its_place = old.is_some_and(|old| old.kind == new.kind);
            if !takes_its_place {
                check_one_more(&kept, new).map_err(|description| Rejection::IdentifierLimit {
                    field: "new_identifier".to_owned(),
                    description,
                })?;
            }
            kept.push(new.clone());
        }
        None if kept.is_empty() => {
            return Err(Rejection::IdentifierLimit {
                field: "old_identifier".to_owned(),
                description: "is the last one; a member is known by something",
            });
        }
        None => {}
    }
    kept.sort();
    *identifiers = kept;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a member has, what goes and what comes, and what the member has then or which field is wrong.
    type Case<'a> = (
        &'a [&'a str],
        Option<&'a str>,
        Option<&'a str>,
        Result<&'a [&'a str], &'a str>,
    );

    fn named(names: &[&str]) -> Vec<Identifier> {
        let mut identifiers: Vec<Identifier> = names.iter().map(|name| one(name)).collect();
        identifiers.sort();
        identifiers
    }

    /// A customer id where it begins with `id`, else a card.
    fn one(name: &str) -> Identifier {
        let kind = if name.starts_with("id") {
            IdentifierKind::CustomerId
        } else {
            IdentifierKind::Card
        };
        let value = name.to_owned();
        Identifier { kind, value }
    }

    #[test]
    fn identifiers_change_within_their_limits() {
        let ten = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let nine_and_one = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "new"];
        let cases: &[Case<'_>] = &[
            (&["a"], Some("a"), Some("b"), Ok(&["b"])),
            (&["a"], None, Some("b"), Ok(&["a", "b"])),
            (&["a", "b"], Some("a"), None, Ok(&["b"])),
            (&["a"], Some("a"), None, Err("old_identifier")),
            (&["a"], Some("b"), None, Err("old_identifier")),
            (&["a"], Some("b"), Some("c"), Err("old_identifier")),
            (&["a", "id1"], None, Some("id2"), Err("new_identifier")),
            (&["a", "id1"], Some("a"), Some("id2"), Err("new_identifier")),
            (&["a", "id1"], Some("id1"), Some("id2"), Ok(&["a", "id2"])),
            // As a merger leaves them.
            (&["id1", "id2"], Some("id1"), Some("id3"), Ok(&["id2", "id3"])),
            (&["id1"], Some("id1"), Some("a"), Ok(&["a"])),
            (&ten, None, Some("new"), Err("new_identifier")),
            (&ten, Some("0"), Some("new"), Ok(&nine_and_one)),
        ];

        for (before, old, new, expected) in cases {
            let mut identifiers = named(before);
            let (old, new) = (old.map(one), new.map(one));
            let outcome = replace(&mut identifiers, old.as_ref(), new.as_ref(), None);

            match expected {
                Ok(after) => {
                    assert_eq!(outcome, Ok(()));
                    assert_eq!(identifiers, named(after));
                }
                Err(field) => {
                    let metadata = outcome.unwrap_err().metadata();
                    assert_eq!(metadata, [("field", (*field).to_owned())], "{before:?}");
                    assert_eq!(identifiers, named(before), "a refusal changes nothing");
                }
            }
        }
    }
}
