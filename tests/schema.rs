//! The migrated database has the tables that the server's code thinks it has, and they keep the rules of
//! `migrations/README.md`.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _};

use crate::harness::Shop;

/// What the server's queries are checked against when it is compiled.
const SCHEMA: &str = include_str!("../server/src/storage/schema.rs");

/// Tables that are written as text and read by hand, so that diesel does not know them; the last is diesel's own.
const WITHOUT_DIESEL: [&str; 2] = ["__diesel_schema_migrations", "lot"];

/// Tables that belong to no merchant.
const OF_NO_MERCHANT: [&str; 4] = [
    "__diesel_schema_migrations",
    "job_lease",
    "migration_lease",
    "server_secret",
];

/// A table of the schema file: its key, and its columns as name and type, in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    key: Vec<String>,
    columns: Vec<(String, String)>,
}

/// A row of four texts.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    a: String,
    #[diesel(sql_type = Text)]
    b: String,
    #[diesel(sql_type = Text)]
    c: String,
    #[diesel(sql_type = Text)]
    d: String,
}

/// What `columns`, four expressions of `source` in `information_schema`, say about this database.
async fn ask(database: &mut AsyncMysqlConnection, columns: [&str; 4], source: &str) -> Vec<Row> {
    let [a, b, c, d] = columns.map(|column| format!("CAST({column} AS CHAR)"));
    let query = format!("SELECT {a} AS a, {b} AS b, {c} AS c, {d} AS d FROM information_schema.{source}");
    diesel::sql_query(query).load(database).await.expect("rows")
}

/// The tables of the schema file.
fn declared() -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for block in SCHEMA.split("diesel::table! {").skip(1) {
        let mut lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
        let (name, key) = lines.next().and_then(|line| line.split_once(" (")).expect("a table");
        let key = key.trim_end_matches(") {").split(", ").map(str::to_owned).collect();
        let columns = lines
            .map_while(|line| line.trim_end_matches(',').split_once(" -> "))
            .map(|(column, kind)| (column.to_owned(), kind.to_owned()))
            .collect();
        tables.insert(name.to_owned(), Table { key, columns });
    }
    tables
}

/// The tables of the database, their types in diesel's words.
async fn migrated(database: &mut AsyncMysqlConnection) -> BTreeMap<String, Table> {
    let columns = ["table_name", "column_name", "column_type", "is_nullable"];
    let source = "columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position";
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in ask(database, columns, source).await {
        let kind = kind(&row.c);
        let kind = if row.d == "YES" {
            format!("Nullable<{kind}>")
        } else {
            kind
        };
        tables.entry(row.a).or_default().columns.push((row.b, kind));
    }
    let columns = ["table_name", "column_name", "index_name", "seq_in_index"];
    let source =
        "statistics WHERE table_schema = DATABASE() AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index";
    for row in ask(database, columns, source).await {
        tables.entry(row.a).or_default().key.push(row.b);
    }
    tables
}

fn kind(column_type: &str) -> String {
    // MariaDB shows the display width of integers: int(10) unsigned.
    let base: String = column_type.chars().take_while(char::is_ascii_lowercase).collect();
    let diesel = match base.as_str() {
        "tinyint" => "TinyInt",
        "smallint" => "SmallInt",
        "int" => "Integer",
        "bigint" => "BigInt",
        "varchar" | "char" | "text" | "mediumtext" => "Text",
        "binary" | "varbinary" | "blob" | "mediumblob" => "Binary",
        "date" => "Date",
        "datetime" => "Datetime",
        "timestamp" => "Timestamp",
        "decimal" => "Numeric",
        _ => column_type,
    };
    if column_type.contains("unsigned") {
        format!("Unsigned<{diesel}>")
    } else {
        diesel.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_has_exactly_the_tables_and_columns_that_the_code_declares() {
    let shop = Shop::empty().await;

    let mut migrated = migrated(&mut shop.database().await).await;

    let undeclared: Vec<(String, Table)> = migrated
        .extract_if(.., |name, _| WITHOUT_DIESEL.contains(&name.as_str()))
        .collect();
    assert_eq!(undeclared.len(), WITHOUT_DIESEL.len(), "{undeclared:?}");
    let declared = declared();
    assert!(declared.len() >= 12, "the schema file is read: {declared:?}");
    for (name, table) in &declared {
        assert_eq!(migrated.get(name), Some(table), "{name}");
    }
    let names: (Vec<_>, Vec<_>) = (migrated.keys().collect(), declared.keys().collect());
    assert_eq!(names.0, names.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_leads_with_the_merchant() {
    let shop = Shop::empty().await;

    let tables = migrated(&mut shop.database().await).await;

    for (name, table) in tables {
        let first = table.key.as_slice().first();
        let of_merchant = first.is_some_and(|column| column == "merchant_id");
        assert!(first.is_some(), "{name} has a primary key");
        assert_eq!(
            of_merchant,
            !OF_NO_MERCHANT.contains(&name.as_str()),
            "{name}: {:?}",
            table.key
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_compared_byte_by_byte_in_tables_that_survive_a_crash() {
    let shop = Shop::empty().await;
    let mut database = shop.database().await;

    let columns = ["table_name", "engine", "table_collation", "table_type"];
    let tables = ask(&mut database, columns, "tables WHERE table_schema = DATABASE()").await;
    let columns = ["table_name", "column_name", "collation_name", "data_type"];
    let source = "columns WHERE table_schema = DATABASE() AND collation_name IS NOT NULL";
    let texts = ask(&mut database, columns, source).await;

    for table in tables {
        let expected = ("InnoDB", "utf8mb4_bin", "BASE TABLE");
        assert_eq!(
            (table.b.as_str(), table.c.as_str(), table.d.as_str()),
            expected,
            "{}",
            table.a
        );
    }
    assert!(!texts.is_empty());
    for text in texts {
        assert!(
            ["utf8mb4_bin", "ascii_bin"].contains(&text.c.as_str()),
            "{}.{}: {}",
            text.a,
            text.b,
            text.c
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_ties_rows_of_different_accounts_to_one_database() {
    let shop = Shop::empty().await;
    let mut database = shop.database().await;

    let columns = ["table_name", "column_name", "extra", "data_type"];
    let source = "columns WHERE table_schema = DATABASE() AND extra LIKE '%auto_increment%'";
    let counted = ask(&mut database, columns, source).await;
    let columns = ["table_name", "constraint_name", "constraint_type", "constraint_schema"];
    let source = "table_constraints WHERE constraint_schema = DATABASE() AND constraint_type = 'FOREIGN KEY'";
    let foreign_keys = ask(&mut database, columns, source).await;

    let names = |rows: Vec<Row>| {
        rows.into_iter()
            .map(|row| format!("{}.{}", row.a, row.b))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(counted), Vec::<String>::new());
    assert_eq!(names(foreign_keys), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn money_and_instants_have_the_precision_of_the_ledger() {
    let shop = Shop::empty().await;

    let columns = ["table_name", "column_name", "column_type", "data_type"];
    let source = "columns WHERE table_schema = DATABASE() AND data_type IN ('decimal', 'datetime', 'timestamp', 'double', \
                  'float') AND table_name <> '__diesel_schema_migrations'";
    let precise = ask(&mut shop.database().await, columns, source).await;

    assert!(precise.len() > 20);
    for column in precise {
        assert!(
            ["decimal(19,4)", "datetime(6)"].contains(&column.c.as_str()),
            "{}.{}: {}",
            column.a,
            column.b,
            column.c
        );
    }
}

/// What is wrong with a statement of a migration that older servers are to live with; none: it only adds.
fn what_it_breaks(statement: &str) -> Option<String> {
    // Says a comment anew, and nothing else.
    const HARMLESS: [&str; 1] = ["MODIFY COLUMN state TINYINT UNSIGNED NOT NULL DEFAULT 0 COMMENT '…'"];
    // A table of its own, and rows for what was added.
    if ["CREATE TABLE ", "INSERT INTO ", "UPDATE "]
        .iter()
        .any(|start| statement.starts_with(start))
    {
        return None;
    }
    let change = statement
        .strip_prefix("ALTER TABLE ")
        .and_then(|rest| rest.split_once(' '));
    let Some((_, clauses)) = change else {
        return Some(statement.to_owned());
    };
    let (mut depth, mut parts) = (0_i32, vec![String::new()]);
    for letter in clauses.chars() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        match parts.last_mut() {
            Some(part) if letter != ',' || depth > 0 => part.push(letter),
            _ => parts.push(String::new()),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).find(|part| {
        let has_value_of_old_servers = part.contains(" DEFAULT ") || !part.contains("NOT NULL");
        let adds_column = part.starts_with("ADD COLUMN ") && has_value_of_old_servers && !part.contains(" UNIQUE");
        !adds_column && !part.starts_with("ADD KEY ") && !HARMLESS.contains(&part.as_str())
    })
}

/// The statements of a file, with single spaces, without comments and with nothing in their texts.
fn statements(sql: &str) -> Vec<String> {
    let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let code = lines.collect::<Vec<_>>().join(" ");
    let parts = code.split('\'').enumerate();
    let bare: String = parts
        .map(|(number, part)| if number % 2 == 0 { part } else { "'…'" })
        .collect();
    let statements = bare
        .split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "));
    statements.filter(|statement| !statement.is_empty()).collect()
}

#[test]
fn a_migration_only_adds_so_that_older_servers_go_on_while_it_runs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the migrations") {
        let file = entry.expect("an entry").path().join("up.sql");
        let Ok(sql) = std::fs::read_to_string(&file) else {
            continue;
        };
        for statement in statements(&sql) {
            assert_eq!(what_it_breaks(&statement), None, "{}", file.display());
            count += 1;
        }
    }
    assert!(count > 40, "{count} statements");
}

#[test]
fn what_an_older_server_cannot_live_with_is_noticed() {
    let breaking = [
        "DROP TABLE sale",
        "RENAME TABLE sale TO sold",
        "DELETE FROM sale",
        "TRUNCATE TABLE sale",
        "ALTER TABLE sale DROP COLUMN total",
        "ALTER TABLE sale DROP KEY sale_time",
        "ALTER TABLE sale RENAME COLUMN total TO amount",
        "ALTER TABLE sale CHANGE total amount DECIMAL(19,4) NULL",
        "ALTER TABLE sale MODIFY COLUMN sale_id VARCHAR(32) NULL",
        "ALTER TABLE sale ADD COLUMN a INT NULL, DROP COLUMN b",
        "ALTER TABLE sale ADD COLUMN a INT NOT NULL",
        "ALTER TABLE sale ADD COLUMN a INT NULL UNIQUE",
        "ALTER TABLE sale ADD UNIQUE KEY one (merchant_id, total)",
        "ALTER TABLE sale ADD CONSTRAINT few CHECK (total > 0)",
        "CREATE UNIQUE INDEX one ON sale (total)",
        "CREATE TRIGGER t BEFORE INSERT ON sale FOR EACH ROW SET NEW.total = 0",
    ];
    let adding = [
        "CREATE TABLE a (b INT NOT NULL)",
        "ALTER TABLE sale ADD COLUMN a DECIMAL(19,4) NULL COMMENT 'so; and so', ADD COLUMN b INT NOT NULL DEFAULT 0, ADD KEY c (a, b)",
        "UPDATE sale SET a = 1",
    ];

    for sql in breaking {
        assert!(what_it_breaks(&statements(sql)[0]).is_some(), "{sql}");
    }
    for sql in adding {
        assert_eq!(what_it_breaks(&statements(sql)[0]), None, "{sql}");
    }
}
