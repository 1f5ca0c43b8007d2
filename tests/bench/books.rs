//! After everything: do the books add up?

use mysql_async::prelude::Queryable as _;

use crate::Failure;
use crate::ceiling_rows::MERCHANT;
use crate::server::Server;

/// Every account of the merchants that are not the ceiling's: how many there are, how many differ from their entries
/// (balance, last sequence, a gap in the sequence), and the entries of all.
fn question() -> String {
    format!(
        "SELECT COUNT(*), \
         COALESCE(SUM(account.points - account.debt <> COALESCE(sums.points, 0) \
             OR account.last_sequence <> COALESCE(sums.last_sequence, 0) \
             OR account.last_sequence <> COALESCE(sums.entries, 0)), 0), \
         COALESCE(SUM(sums.entries), 0) \
         FROM account LEFT JOIN (SELECT merchant_id, member_id, SUM(points) AS points, \
             MAX(sequence) AS last_sequence, COUNT(*) AS entries \
             FROM entry WHERE merchant_id < {MERCHANT} GROUP BY merchant_id, member_id) AS sums \
         ON sums.merchant_id = account.merchant_id AND sums.member_id = account.member_id \
         WHERE account.merchant_id < {MERCHANT}"
    )
}

/// Every account equals the sum of its entries, and every sale that was answered is one entry.
pub(crate) async fn audit(server: &Server, members: u64, sales: u64) -> Result<(), Failure> {
    match found(server).await? {
        (accounts, 0, entries) if accounts == members && entries == sales => Ok(()),
        (accounts, wrong, entries) => Err(format!(
            "the books are wrong: {accounts} accounts of {members} members, {wrong} of them differ from their \
             entries, {entries} entries of {sales} answered sales"
        )
        .into()),
    }
}

/// Every account equals the sum of its entries, and nothing is left of a lot that has lapsed.
pub(crate) async fn audit_sweep(server: &Server, members: u64) -> Result<(), Failure> {
    let (accounts, wrong, _) = found(server).await?;
    let mut connection = server.connect_to_database().await?;
    let left = "SELECT COUNT(*) FROM lot WHERE remaining > 0 AND expires_at <= UTC_TIMESTAMP()";
    let left: Option<u64> = connection.query_first(left).await?;
    connection.disconnect().await?;
    match (accounts == members, wrong, left) {
        (true, 0, Some(0)) => Ok(()),
        _ => Err(format!(
            "the books are wrong: {wrong} of {accounts} accounts of {members} members differ, {left:?} lapsed lots are left"
        )
        .into()),
    }
}

async fn found(server: &Server) -> Result<(u64, u64, u64), Failure> {
    let mut connection = server.connect_to_database().await?;
    let found = connection.query_first(question()).await?;
    connection.disconnect().await?;
    found.ok_or_else(|| "the audit found nothing".into())
}
