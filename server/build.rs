//! Embeds the migrations, in order: a new one rebuilds the server.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=../migrations");
    println!("cargo:rerun-if-changed=build.rs");

    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?)
        .join("../migrations")
        .canonicalize()?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if entry.path().is_dir() {
            names.push(
                entry
                    .file_name()
                    .into_string()
                    .map_err(|_| "a migration without a name")?,
            );
        }
    }
    names.sort();
    let mut list = "&[\n".to_owned();
    for name in names {
        // As the program `diesel` notes it.
        let version = name.split('_').next().unwrap_or_default().replace('-', "");
        let file = folder.join(&name).join("up.sql");
        writeln!(
            list,
            "Migration {{ version: {version:?}, name: {name:?}, sql: include_str!({file:?}) }},"
        )?;
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("migrations.rs"), list)?;
    Ok(())
}
