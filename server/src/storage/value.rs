//! Values between rows and the domain.

use chrono::{DateTime, NaiveDateTime, Utc};
use uuid::Uuid;

use super::error::StorageError;

/// Sixteen bytes of a row as an id.
pub(super) fn id(bytes: &[u8]) -> Result<Uuid, StorageError> {
    Uuid::from_slice(bytes).map_err(|_| StorageError::Corrupt("an id that is not 16 bytes long".to_owned()))
}

/// Thirty-two bytes of a row as a hash.
pub(super) fn hash(bytes: Vec<u8>) -> Result<[u8; 32], StorageError> {
    bytes
        .try_into()
        .map_err(|_| StorageError::Corrupt("a hash that is not 32 bytes long".to_owned()))
}

/// A column in UTC as an instant.
pub(super) fn instant(column: NaiveDateTime) -> DateTime<Utc> {
    column.and_utc()
}

/// A stored document as its value.
pub(super) fn document<T: serde::de::DeserializeOwned>(what: &str, text: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|error| StorageError::Corrupt(format!("{what}: {error}")))
}

/// A value as its stored document. The domain's values are plain structs and cannot fail to serialize.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| StorageError::Corrupt(error.to_string()))
}
