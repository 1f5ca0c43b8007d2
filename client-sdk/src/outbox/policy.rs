//! What the till may do without a line, as it last heard it.

use std::{fs, path::Path};

use loyalty_api::v1;
use prost::Message as _;

use super::{
    error::OutboxError,
    segment::{sync_directory, write_new},
};
use crate::offline::OfflinePolicy;

const FILE: &str = "policy";

/// What was written down; `None` when nothing was, or it cannot be read: then it is asked for again.
pub(super) fn read(directory: &Path) -> Option<OfflinePolicy> {
    let bytes = fs::read(directory.join(FILE)).ok()?;
    let (length, message) = bytes.split_first_chunk()?;
    // A file that was cut off says nothing, rather than less than was allowed.
    if u32::from_le_bytes(*length) != u32::try_from(message.len()).ok()? {
        return None;
    }
    OfflinePolicy::from_wire(v1::OfflinePolicy::decode(message).ok()?).ok()
}

/// Writes it down.
pub(super) fn write(directory: &Path, policy: &OfflinePolicy) -> Result<(), OutboxError> {
    let message = policy.to_wire().encode_to_vec();
    let mut bytes = u32::try_from(message.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    bytes.extend(message);
    let (file, new) = (directory.join(FILE), directory.join("policy.new"));
    let replace = || {
        let _ = fs::remove_file(&new);
        write_new(&new, &bytes)?;
        fs::rename(&new, &file)?;
        sync_directory(directory)
    };
    replace().map_err(|source| OutboxError::io(&file, source))
}
