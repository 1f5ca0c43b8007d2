//! What a POS vendor gets with the SDK: as few crates as its README says, and packages that bring what they need and no more.

use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

fn cargo(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(arguments)
        .arg("--offline")
        .output()
        .expect("cargo");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// How many crates the SDK consists of.
fn crates(edges: &str, features: &[&str]) -> usize {
    let tree = ["tree", "-p", "loyalty-sdk", "--prefix", "none", "-e", edges];
    let lines = cargo(&[&tree[..], features].concat());
    // A crate that was shown before comes with a star, and is the same one.
    let mut names: Vec<String> = lines
        .iter()
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

#[test]
fn the_readme_of_the_sdk_counts_its_crates_rightly() {
    let readme = std::fs::read_to_string(root().join("client-sdk/README.md")).expect("the README");
    for (name, features) in [
        ("none (`default-features = false`)", &["--no-default-features"][..]),
        ("`presets`, the default", &[]),
        ("`presets`, `blocking`", &["--features", "blocking"]),
        ("`presets`, `cli`", &["--features", "cli"]),
    ] {
        let (inside, to_build) = (crates("normal", features), crates("normal,build", features));
        let line = format!("| {name} | {inside} | {to_build} |");
        assert!(readme.contains(&line), "the README of the SDK does not say: {line}");
    }
}

#[test]
fn the_packages_bring_what_they_need_and_nothing_of_the_server() {
    let contract = cargo(&["package", "-p", "loyalty-api", "--list", "--allow-dirty"]);
    let sdk = cargo(&["package", "-p", "loyalty-sdk", "--list", "--allow-dirty"]);

    for file in ["build.rs", "proto/lib.rs", "proto/loyalty/v1/sale.proto"] {
        assert!(contract.iter().any(|packed| packed == file), "{file}: {contract:?}");
    }
    for file in ["README.md", "docs/outbox.md", "examples/till.rs", "src/lib.rs"] {
        assert!(sdk.iter().any(|packed| packed == file), "{file}: {sdk:?}");
    }
    for file in contract.iter().chain(&sdk) {
        let foreign = ["server/", "tests/", "migrations/", "target/", ".ci/"];
        assert!(!foreign.iter().any(|folder| file.starts_with(folder)), "{file}");
    }
}
