//! Table `server_secret`: what all servers of a database know and tell nobody.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::server_secret;

/// What seals the tokens of quotes.
pub(crate) const QUOTES: &str = "quotes";

/// The secret of this name; `made` becomes it where there is none.
pub(crate) async fn ensure(
    connection: &mut Connection,
    name: &str,
    made: [u8; 32],
    now: DateTime<Utc>,
) -> Result<[u8; 32], StorageError> {
    loop {
        let found: Option<Vec<u8>> = server_secret::table
            .filter(server_secret::name.eq(name))
            .select(server_secret::secret)
            .first(connection)
            .await
            .optional()?;
        if let Some(secret) = found {
            return secret
                .try_into()
                .map_err(|_| StorageError::Corrupt(format!("the secret of {name} is not 32 bytes long")));
        }
        let inserted = diesel::insert_into(server_secret::table)
            .values((
                server_secret::name.eq(name),
                server_secret::secret.eq(made.to_vec()),
                server_secret::created_at.eq(now.naive_utc()),
            ))
            .execute(connection)
            .await
            .map_err(StorageError::from);
        match inserted {
            // Another server made it at the same moment: look again.
            Err(StorageError::Duplicate(_)) | Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
}
