//! Lists of members, read from an index in the order of their ids.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, Text, TinyInt, Unsigned};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::member_status::OPEN;
use super::value::id;

/// A test explains it: it reads a stretch of its index, and sorts nothing.
const STRETCH: &str = include_str!("list_members.sql");

/// What of a member a list is chosen by before more of it is read.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) member_id: Uuid,
    pub(crate) customer_group: String,
    pub(crate) territory: String,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct ListedRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    customer_group: String,
    #[diesel(sql_type = Text)]
    territory: String,
}

/// The next `length` members of a program behind `after` (nil: from the first), by rising id; fewer when there are no
/// more.
pub(crate) async fn stretch(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    after: Uuid,
    length: usize,
) -> Result<Vec<Listed>, StorageError> {
    let rows: Vec<ListedRow> = diesel::sql_query(STRETCH)
        .bind::<Unsigned<Integer>, _>(merchant_id)
        .bind::<Text, _>(program_id)
        .bind::<Unsigned<TinyInt>, _>(OPEN)
        .bind::<Binary, _>(after.as_bytes().to_vec())
        .bind::<BigInt, _>(i64::try_from(length).unwrap_or(i64::MAX))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Listed {
                member_id: id(&row.member_id)?,
                customer_group: row.customer_group,
                territory: row.territory,
            })
        })
        .collect()
}
