//! Who is calling.

use tonic::metadata::MetadataMap;

use super::Context;
use super::fields::Fields;

/// Header with which a caller says who acts.
const ACTOR: &str = "loyalty-actor";
/// Who acts when the caller does not say, in the development mode.
const DEVELOPMENT: &str = "development";

/// The merchant a call belongs to: everything it reads and writes is this merchant's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) merchant_id: u32,
}

/// In the development mode, which listens on loopback only, everybody is the merchant `default`.
pub(super) fn caller(context: &Context) -> Caller {
    Caller {
        merchant_id: context.merchant_id,
    }
}

/// Who acts, as the header says: what a write keeps of it shows in the history.
pub(super) fn actor(fields: &mut Fields, metadata: &MetadataMap) -> String {
    let Some(header) = metadata.get(ACTOR) else {
        return DEVELOPMENT.to_owned();
    };
    // A header is a text when all of it is printable ASCII, or a tab.
    match header.to_str() {
        Ok("") => DEVELOPMENT.to_owned(),
        Ok(actor) if actor.len() <= 64 && actor.trim() == actor && !actor.contains('\t') => actor.to_owned(),
        _ => {
            fields.wrong(
                ACTOR,
                "must be 1 to 64 printable ASCII characters, no blanks around them",
            );
            String::new()
        }
    }
}
