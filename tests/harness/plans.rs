//! What the server asks of the database is read by keys: every statement that it sends is taken from the database's own
//! log and explained.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};

use super::books::texts;

/// Arguments of a database that logs.
pub(crate) const LOGGING: [&str; 2] = ["--general-log=1", "--log-output=TABLE"];

/// Forgets what was logged: the migrations may go through tables.
pub(crate) async fn forget_log(database: &mut AsyncMysqlConnection) {
    let forget = database.batch_execute("TRUNCATE TABLE mysql.general_log").await;
    forget.expect("an empty log");
}

/// Explains what was asked of these tables since the log was forgotten; each of them must have been asked something. Statements
/// with one of the texts `may_sort`: a few rows.
pub(crate) async fn assert_by_key(database: &mut AsyncMysqlConnection, tables: &[&str], may_sort: &[&str]) {
    let shapes = statements(database, tables).await;
    let analyze = format!("ANALYZE TABLE {}", tables.join(", "));
    database.batch_execute(&analyze).await.expect("statistics");
    let mut explained = BTreeMap::new();
    for statements in shapes.values() {
        let (steps, statement) = plan(database, statements).await;
        for step in steps {
            let by_key = step.is_by_key();
            let key = step.key.clone().unwrap_or_default();
            let extra = step.extra.clone().unwrap_or_default();
            let Some(table) = step.table.filter(|table| !table.starts_with('<')) else {
                continue;
            };
            let access = step.access.unwrap_or_default();
            assert!(by_key, "{table}, {access}, {extra}: {statement:.300}");
            let sorts = extra.contains("filesort") || extra.contains("temporary");
            assert!(
                !sorts || may_sort.iter().any(|text| statement.contains(text)),
                "{table} by {key}, {extra}: {statement}"
            );
            *explained.entry(table).or_insert(0) += 1;
        }
    }
    for table in tables {
        assert!(
            explained.contains_key(*table),
            "nothing was asked of {table}: {explained:?}"
        );
    }
}

/// A step of a plan.
#[derive(Debug, QueryableByName)]
struct Step {
    #[diesel(sql_type = Nullable<Text>)]
    table: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "type")]
    access: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "Extra")]
    extra: Option<String>,
}

/// The statements of a text in the log, which has binary values as they are: those become hex. A semicolon within quotes is
/// part of a value, and so is a quote behind which no statement goes on.
fn apart(text: &[u8]) -> Vec<String> {
    let (mut statements, mut statement) = (Vec::new(), String::new());
    let mut value: Option<Vec<u8>> = None;
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (&mut value, byte) {
            (Some(quoted), b'\'') if matches!(bytes.peek(), None | Some(b',' | b')' | b' ' | b';')) => {
                match quoted.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
                    true => statement.push_str(&format!("'{}'", String::from_utf8_lossy(quoted).replace('\\', "\\\\"))),
                    false => statement.push_str(&format!("x'{}'", hex(quoted))),
                }
                value = None;
            }
            (Some(quoted), b'\\') => quoted.push(match bytes.next() {
                Some(b'0') => 0,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'Z') => 0x1a,
                Some(other) => other,
                None => b'\\',
            }),
            (Some(quoted), byte) => quoted.push(byte),
            (None, b'\'') => value = Some(Vec::new()),
            (None, b';') => statements.push(std::mem::take(&mut statement)),
            (None, byte) => statement.push(char::from(byte)),
        }
    }
    statements.push(statement);
    statements
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Statements of one shape that are kept.
const OF_A_SHAPE: usize = 20;

/// Some statements of every shape that the server has sent, those that differ only in their values: the log has binary
/// values as they are, so that not quite every statement in it can be read.
async fn statements(database: &mut AsyncMysqlConnection, tables: &[&str]) -> BTreeMap<String, Vec<String>> {
    let log = "SELECT HEX(argument) AS value FROM mysql.general_log WHERE command_type IN ('Execute', 'Query')";
    let mut shapes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in texts(database, log).await {
        let bytes: Vec<u8> = (0..text.len() / 2)
            .map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).expect("hex"))
            .collect();
        for statement in apart(&bytes) {
            // Explaining a statement that locks would wait for whoever has the lock.
            let statement = statement.trim().trim_end_matches(" FOR UPDATE");
            let shape = statement
                .split(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '\''])
                .next();
            let reads = ["SELECT", "(SELECT", "UPDATE", "DELETE"];
            let name =
                |table: &&str| statement.contains(&format!("{table} ")) || statement.contains(&format!("`{table}`"));
            if reads.iter().any(|verb| statement.starts_with(verb)) && tables.iter().any(name) {
                let of_shape = shapes.entry(shape.unwrap_or_default().to_owned()).or_default();
                if of_shape.len() < OF_A_SHAPE {
                    of_shape.push(statement.to_owned());
                }
            }
        }
    }
    shapes
}

impl Step {
    fn is_by_key(&self) -> bool {
        let by_key = ["const", "eq_ref", "ref", "range"];
        self.key.is_some() && self.access.as_deref().is_some_and(|access| by_key.contains(&access))
    }
}

/// The plan of one of these statements, and the statement: of one that goes by a key, for to ask for every row of a small
/// table a key is of no use; else of any that can be read.
async fn plan<'a>(database: &mut AsyncMysqlConnection, statements: &'a [String]) -> (Vec<Step>, &'a str) {
    let (mut other, mut unread) = (None, None);
    for statement in statements {
        let plan: Result<Vec<Step>, _> = diesel::sql_query(format!("EXPLAIN FORMAT=TRADITIONAL {statement}"))
            .load(database)
            .await;
        match plan {
            Ok(plan) if plan.iter().all(Step::is_by_key) => return (plan, statement),
            Ok(plan) => other = Some((plan, statement.as_str())),
            Err(error) => unread = Some(format!("{error}: {statement:.300}")),
        }
    }
    other.unwrap_or_else(|| panic!("{unread:?}"))
}

#[test]
fn a_quote_within_a_binary_value_does_not_end_it() {
    let text = b"SELECT 1 WHERE id = '\xE04U'\xBF;' AND name IN ('ada', '');DELETE FROM t WHERE id = x'00'";

    let statements = apart(text);

    let expected = [
        "SELECT 1 WHERE id = x'e0345527bf3b' AND name IN ('ada', '')",
        "DELETE FROM t WHERE id = x'00'",
    ];
    assert_eq!(statements, expected);
}
