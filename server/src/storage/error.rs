//! What can go wrong with the database, sorted by what to do about it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of the database; never a refusal of the business.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The server cannot be reached, or the connection broke. What a COMMIT in flight did is unknown.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The transaction lost against another and can be tried again at once.
    #[error("the transaction has to be tried again: {0}")]
    Conflict(String),
    /// A row of this key is there already: another transaction was faster.
    #[error("duplicate key: {0}")]
    Duplicate(String),
    /// The server is read-only, full, or refuses for another reason that passes.
    #[error("the database refuses for now: {0}")]
    Refused(String),
    /// A stored value cannot be read.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// Anything else: a fault of this program or of the schema.
    #[error("{0}")]
    Fault(String),
}

impl StorageError {
    /// Whether the same work can succeed when it is done again.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Conflict(_) | Self::Duplicate(_) | Self::Refused(_) => true,
            Self::Corrupt(_) | Self::Fault(_) => false,
        }
    }
}

impl From<DieselError> for StorageError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, information) => of_message(&kind, information.message()),
            DieselError::DeserializationError(error) => Self::Corrupt(error.to_string()),
            DieselError::BrokenTransactionManager => Self::Unavailable("broken transaction".to_owned()),
            other => Self::Fault(other.to_string()),
        }
    }
}

impl From<diesel::ConnectionError> for StorageError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// diesel-async passes on the server's text but not its number, so the text decides. `tests` provoke each.
fn of_message(kind: &DatabaseErrorKind, message: &str) -> StorageError {
    const CONFLICTS: [&str; 4] = [
        "Deadlock found",                     // 1213
        "Lock wait timeout exceeded",         // 1205
        "Record has changed since last read", // 1020, MariaDB
        "try restarting transaction",         // 1213 and 1205 in other wordings
    ];
    const REFUSALS: [&str; 5] = [
        "read-only",            // 1290 --read-only and --super-read-only, 1792
        "READ ONLY",            // 1836
        "is full",              // 1114 table is full, 1021 disk is full
        "Too many connections", // 1040
        "is being shut down",   // 1053
    ];
    const LOST: [&str; 9] = [
        "Server has gone away",
        "Lost connection",
        "closed",
        "Connection reset",
        "Broken pipe",
        "Input/output error",
        "Server shutdown in progress",
        "Connection was killed",
        "Connection refused",
    ];
    let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    let message = without_values(message);
    match kind {
        DatabaseErrorKind::UniqueViolation => StorageError::Duplicate(message),
        DatabaseErrorKind::SerializationFailure => StorageError::Conflict(message),
        DatabaseErrorKind::ReadOnlyTransaction => StorageError::Refused(message),
        DatabaseErrorKind::ClosedConnection => StorageError::Unavailable(message),
        _ if says(&CONFLICTS) => StorageError::Conflict(message),
        _ if says(&REFUSALS) => StorageError::Refused(message),
        _ if says(&LOST) => StorageError::Unavailable(message),
        _ => StorageError::Fault(message),
    }
}

/// The database's text without the values that it quotes, which may be a member's: names of keys and columns stay.
fn without_values(message: &str) -> String {
    const NAMES: [&str; 8] = [
        "key ",
        "table ",
        "Table ",
        "column ",
        "Column ",
        "user ",
        "database ",
        "option ",
    ];
    const AFTER_VALUES: [&str; 3] = ["' for key ", "' for column ", "' at line "];
    let mut from = 0;
    while let Some(quote) = message[from..].find('\'').map(|place| from + place) {
        let is_name = NAMES.iter().any(|name| message[..quote].ends_with(name));
        let end = message[quote + 1..].find('\'').map(|place| quote + 1 + place);
        match (is_name, end) {
            (true, Some(end)) => from = end + 1,
            (true, None) => break,
            (false, _) => {
                // A value can hold quotes: the last of these words is the server's own.
                let rest = AFTER_VALUES
                    .iter()
                    .filter_map(|after| message[quote..].rfind(after))
                    .max();
                let rest = rest.map_or("'", |place| &message[quote + place..]);
                return format!("{}'…{rest}", &message[..quote]);
            }
        }
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_says_is_passed_on_without_values() {
        let cases = [
            (
                "Duplicate entry '1-ada@example.com' for key 'member_identifier.PRIMARY'",
                "Duplicate entry '…' for key 'member_identifier.PRIMARY'",
            ),
            (
                "Duplicate entry 'it's' for key 'it's' for key 'x'",
                "Duplicate entry '…' for key 'x'",
            ),
            (
                "You have an error in your SQL syntax; check the manual for the right syntax to use near 'ada' at line 1",
                "You have an error in your SQL syntax; check the manual for the right syntax to use near '…' at line 1",
            ),
            (
                "Incorrect string value: '\\xF0ada' for column 'db'.'t'.'c' at row 1",
                "Incorrect string value: '…' for column 'db'.'t'.'c' at row 1",
            ),
            (
                "Unknown column 'points' in 'field list'",
                "Unknown column 'points' in '…'",
            ),
            ("The value 'ada", "The value '…'"),
            ("Lost connection", "Lost connection"),
        ];

        for (said, passed_on) in cases {
            assert_eq!(without_values(said), passed_on);
        }
    }
}
