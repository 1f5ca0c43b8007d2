//! The rules of the repository, held by a machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Rooms of the server in the order in which imports may point: down, never up.
const ROOMS: [(&str, &[&str]); 7] = [
    (
        "process",
        &[
            "main",
            "backup",
            "commands",
            "config",
            "serve",
            "embedded",
            "gathered",
            "listener",
            "metrics",
            "process",
            "telemetry",
            "tenants",
            "tls",
        ],
    ),
    ("grpc", &["grpc"]),
    ("jobs", &["jobs"]),
    ("posting", &["posting"]),
    ("storage", &["storage"]),
    ("measures", &["measures"]),
    ("domain", &["domain"]),
];

/// Crates that only these rooms may know.
const CRATES: [(&str, &[&str]); 26] = [
    ("diesel", &["storage"]),
    ("diesel_async", &["storage"]),
    ("mysql_async", &["storage"]),
    ("loyalty_api", &["grpc", "process"]),
    ("prost_types", &["grpc"]),
    ("prost_reflect", &["grpc"]),
    ("tonic", &["grpc", "process"]),
    ("tonic_types", &["grpc", "process"]),
    ("tonic_health", &["process"]),
    ("tonic_reflection", &["process"]),
    ("tracing_opentelemetry", &["measures", "process"]),
    ("tracing_subscriber", &["process"]),
    ("clap", &["process"]),
    ("getrandom", &["process"]),
    ("http_body", &["grpc"]),
    ("hyper", &["process"]),
    ("hyper_util", &["process"]),
    ("opentelemetry", &["measures", "process"]),
    ("opentelemetry_otlp", &["process"]),
    ("opentelemetry_sdk", &["measures", "process"]),
    ("prometheus_client", &["measures", "process"]),
    ("subtle", &["storage"]),
    ("tokio_rustls", &["process"]),
    ("tonic_web", &["grpc"]),
    ("tower", &["grpc"]),
    ("tower_http", &["grpc"]),
];

/// All that the domain may know: values, and nothing that reads a clock, rolls dice, waits, or talks.
const DOMAIN_CRATES: [&str; 11] = [
    "chrono",
    "chrono_tz",
    "crate",
    "ethnum",
    "hmac",
    "rust_decimal",
    "serde",
    "sha2",
    "std",
    "super",
    "uuid",
];

const LINES_MAX: usize = 500;

/// Files that are one list, which grows with the contract: no part of it is read without the others.
const LISTS: &[&str] = &["client-sdk/src/error.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the repository")
}

/// Files under `folder` with this ending, build results left out.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
    {
        let name = entry
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if entry.is_dir() && name != "target" && name != ".git" {
            found.extend(files(&entry, ending));
        } else if name.ends_with(ending) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The file without comments and without its unit tests.
fn code(file: &Path) -> String {
    let text = text(file);
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn room_of(module: &str) -> Option<usize> {
    ROOMS.iter().position(|(_, modules)| modules.contains(&module))
}

/// The words that follow `prefix` anywhere in the code.
fn words_after<'a>(code: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(prefix)
        .filter(|(place, _)| !code[..*place].ends_with(is_word))
        .map(|(place, _)| &code[place + prefix.len()..])
        .map(|rest| rest.split(|c| !is_word(c)).next().unwrap_or_default())
        .collect()
}

fn server_files() -> Vec<(PathBuf, usize, String)> {
    let source = root().join("server/src");
    files(&source, ".rs")
        .into_iter()
        .filter(|file| !file.ends_with("src/lib.rs"))
        .map(|file| {
            let inside = file.strip_prefix(&source).expect("inside");
            let first = inside
                .components()
                .next()
                .and_then(|part| part.as_os_str().to_str())
                .unwrap_or_default();
            let module = first.trim_end_matches(".rs");
            let room = room_of(module).unwrap_or_else(|| panic!("{} is in no room", file.display()));
            let code = code(&file);
            (file, room, code)
        })
        .collect()
}

#[test]
fn imports_point_down() {
    for (file, room, code) in server_files() {
        for module in words_after(&code, "crate::") {
            match room_of(module) {
                Some(other) => {
                    assert!(
                        other >= room,
                        "{}: {} points up to {module}",
                        file.display(),
                        ROOMS[room].0
                    );
                }
                // What the library shows at its root belongs to the process.
                None => assert_eq!(room, 0, "{}: crate::{module}", file.display()),
            }
        }
        assert!(
            !code.contains("super::super::"),
            "{}: say where it is from the crate's root",
            file.display()
        );
    }
}

#[test]
fn each_crate_is_known_in_its_rooms_only() {
    for (file, room, code) in server_files() {
        for (name, rooms) in CRATES {
            let used = code.contains(&format!("{name}::")) && {
                let whole = words_before(&code, &format!("{name}::"));
                whole.iter().any(|before| !before.is_alphanumeric() && *before != '_')
            };
            assert!(!used || rooms.contains(&ROOMS[room].0), "{}: {name}", file.display());
        }
    }
}

/// The characters before each occurrence of `text`.
fn words_before(code: &str, text: &str) -> Vec<char> {
    code.match_indices(text)
        .map(|(place, _)| code[..place].chars().next_back().unwrap_or(' '))
        .collect()
}

#[test]
fn the_domain_is_pure() {
    for (file, room, code) in server_files() {
        if ROOMS[room].0 != "domain" {
            continue;
        }
        for line in code
            .lines()
            .map(str::trim_start)
            .filter(|line| line.starts_with("use "))
        {
            let name = line["use ".len()..].split([':', ';']).next().unwrap_or_default();
            assert!(DOMAIN_CRATES.contains(&name), "{}: {line}", file.display());
        }
        for forbidden in [
            "Utc::now",
            "Local::now",
            "new_v4",
            "now_v7",
            "async ",
            ".await",
            "Instant::",
            "SystemTime",
        ] {
            assert!(!code.contains(forbidden), "{}: {forbidden}", file.display());
        }
    }
}

#[test]
fn points_and_money_are_never_floats() {
    for folder in ["server/src", "client-sdk/src", "proto"] {
        for file in files(&root().join(folder), ".rs")
            .into_iter()
            .chain(files(&root().join(folder), ".proto"))
        {
            // Counted for curves, beside the books.
            if file.starts_with(root().join("server/src/measures")) {
                continue;
            }
            let code = code(&file);
            for float in ["f32", "f64", "double ", "float "] {
                assert!(
                    words_before(&code, float)
                        .iter()
                        .all(|c| c.is_alphanumeric() || *c == '_'),
                    "{}: {float}",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn the_sdk_knows_nothing_of_the_server() {
    let manifest = text(&root().join("client-sdk/Cargo.toml"));
    for name in ["loyalty-server", "diesel", "mysql"] {
        assert!(!manifest.contains(name), "client-sdk depends on {name}");
    }
}

#[test]
fn files_stay_readable_and_nothing_is_left_behind() {
    for file in files(&root(), ".rs") {
        let text = text(&file);
        let lines = text.lines().count();
        let is_list = LISTS.iter().any(|list| file.ends_with(list));
        assert!(is_list || lines <= LINES_MAX, "{} has {lines} lines", file.display());
        if file.ends_with("tests/repository.rs") {
            continue;
        }
        for leftover in [
            "todo!(",
            "unimplemented!(",
            "dbg!(",
            "FIXME",
            "XXX",
            "#[ignore",
            "#[allow(",
            "#![allow(",
        ] {
            assert!(!text.contains(leftover), "{}: {leftover}", file.display());
        }
    }
}

#[test]
fn every_table_says_what_a_bare_server_would_get_wrong() {
    for file in files(&root().join("migrations"), "up.sql") {
        let text = text(&file);
        for statement in text.split(';').filter(|statement| statement.contains("CREATE TABLE")) {
            let ending = "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
            assert!(
                statement.trim_end().ends_with(ending),
                "{}: {statement}",
                file.display()
            );
            assert!(statement.contains("PRIMARY KEY ("), "{}: {statement}", file.display());
        }
        for forbidden in ["AUTO_INCREMENT", "FOREIGN KEY", "NOW()", "CURRENT_TIMESTAMP"] {
            assert!(!text.contains(forbidden), "{}: {forbidden}", file.display());
        }
        assert!(
            file.with_file_name("down.sql").exists(),
            "{} has no way back",
            file.display()
        );
    }
}

#[test]
fn no_sql_asks_for_the_time() {
    for (file, _, code) in server_files() {
        for forbidden in ["NOW()", "CURRENT_TIMESTAMP", "GET_LOCK", "now_utc"] {
            assert!(!code.contains(forbidden), "{}: {forbidden}", file.display());
        }
    }
}

#[test]
fn the_top_level_holds_what_belongs_there() {
    let allowed = [
        "Cargo.lock",
        "Cargo.toml",
        "README.md",
        "build.rs",
        "client-sdk",
        "migrations",
        "proto",
        "server",
        "target",
        "tests",
    ];
    for entry in std::fs::read_dir(root()).expect("the repository") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        assert!(
            name.starts_with('.') || allowed.contains(&name.as_str()),
            "{name} does not belong at the top"
        );
    }
}
