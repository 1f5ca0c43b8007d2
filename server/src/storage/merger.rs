//! What a merger moves beside the books and the records: rows that say whose they are.

use uuid::Uuid;

use super::account::AccountKey;

/// Redemptions and holds of the merged member are the other's, and so are members who were merged into the merged one
/// before. All literals are integers and hex.
pub(crate) fn statements(from: AccountKey, into: Uuid) -> [String; 3] {
    let (merchant_id, from, into) = (from.0, from.1.simple(), into.simple());
    let moved = |table: &str, column: &str| {
        format!("UPDATE {table} SET {column} = x'{into}' WHERE merchant_id = {merchant_id} AND {column} = x'{from}'")
    };
    [
        moved("redemption", "member_id"),
        moved("hold", "member_id"),
        moved("account", "merged_into"),
    ]
}
