//! Whether the database keeps what it has committed when its machine fails.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct Settings {
    #[diesel(sql_type = Nullable<Text>)]
    flush_log: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    log_bin: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    sync_binlog: Option<String>,
}

/// The settings that are too weak, as `name=value`.
pub(crate) async fn weaknesses(connection: &mut Connection) -> Result<Vec<String>, StorageError> {
    const ASK: &str = "SELECT CAST(@@GLOBAL.innodb_flush_log_at_trx_commit AS CHAR) AS flush_log, \
        CAST(@@GLOBAL.log_bin AS CHAR) AS log_bin, CAST(@@GLOBAL.sync_binlog AS CHAR) AS sync_binlog";
    let settings: Settings = diesel::sql_query(ASK).get_result(connection).await?;
    let is = |value: &Option<String>, wanted: &str| value.as_deref() == Some(wanted);
    let mut weaknesses = Vec::new();
    if !is(&settings.flush_log, "1") {
        weaknesses.push(format!(
            "innodb_flush_log_at_trx_commit={}",
            settings.flush_log.unwrap_or_default()
        ));
    }
    if is(&settings.log_bin, "1") && !is(&settings.sync_binlog, "1") {
        weaknesses.push(format!("sync_binlog={}", settings.sync_binlog.unwrap_or_default()));
    }
    Ok(weaknesses)
}
