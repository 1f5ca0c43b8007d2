//! The files with which systemd runs the service are what systemd takes, keep the service in bounds, and are those that
//! the operations page explains.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::program::directory;

const FILES: [&str; 3] = ["loyalty.service", "loyalty-backup.service", "loyalty-backup.timer"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/systemd")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The settings of a section, in order; a line that is none fails.
fn settings(name: &str, section: &str) -> Vec<(String, String)> {
    let (mut current, mut found) = (String::new(), Vec::new());
    for line in text(name)
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(title) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            title.clone_into(&mut current);
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
        if current == section {
            found.push((key.to_owned(), value.to_owned()));
        }
    }
    found
}

#[test]
fn the_service_has_no_rights_and_only_its_own_folder() {
    for name in ["loyalty.service", "loyalty-backup.service"] {
        let service = settings(name, "Service");
        let is_set = |key: &str, value: &str| service.iter().any(|(k, v)| k == key && v == value);

        for (key, value) in [
            ("User", "loyalty"),
            ("NoNewPrivileges", "yes"),
            ("CapabilityBoundingSet", ""),
            ("ProtectSystem", "strict"),
            ("ProtectHome", "yes"),
            ("PrivateDevices", "yes"),
            ("StateDirectoryMode", "0700"),
            ("UMask", "0077"),
            ("SystemCallFilter", "@system-service"),
            ("Environment", "LOYALTY_DATA_DIR=/var/lib/loyalty/data"),
        ] {
            assert!(is_set(key, value), "{name}: {key}={value}");
        }
    }
}

#[test]
fn the_service_drains_before_its_database_is_stopped_and_comes_back_when_it_ends() {
    let service = settings("loyalty.service", "Service");
    let value = |key: &str| {
        let setting = service.iter().find(|(k, _)| k == key);
        setting
            .map(|(_, value)| value.as_str())
            .unwrap_or_else(|| panic!("no {key}"))
    };

    assert_eq!(value("KillMode"), "mixed");
    assert_eq!(value("Restart"), "always");
    // 30 s for calls, 10 s for what is left, and the database.
    assert!(value("TimeoutStopSec").parse::<u32>().expect("seconds") >= 60);
    // Connections, and files of the private database.
    assert!(value("LimitNOFILE").parse::<u32>().expect("a number") > 2 * 4_096);
}

#[test]
fn systemd_takes_the_files_as_they_are() {
    // A machine without it runs no such files; there the tests above hold them.
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return;
    }
    let directory = directory();
    for name in FILES {
        // It looks whether the program is there.
        let here = text(name).replace("/usr/local/bin/loyalty-server", env!("CARGO_BIN_EXE_server-process"));
        std::fs::write(directory.path().join(name), here).expect("a file");
    }

    let mut command = Command::new("systemd-analyze");
    command
        .arg("verify")
        .args(FILES.map(|name| directory.path().join(name)));
    let verified = command.output().expect("it runs");

    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let about_ours: Vec<&str> = said.lines().filter(|line| line.contains("loyalty")).collect();
    assert!(verified.status.success() && about_ours.is_empty(), "{said}");
}

#[test]
fn the_page_names_every_file() {
    let page = include_str!("../server/docs/installing.md");

    for name in FILES {
        assert!(page.contains(name), "{name}");
    }
}
