//! Generates the Rust contract from `proto/` without protoc.

use std::{env, fs, path::PathBuf};

use prost::Message;

const PROTO_FILES: [&str; 5] = [
    "loyalty/v1/error_reason.proto",
    "loyalty/v1/program_service.proto",
    "loyalty/v1/rule_service.proto",
    "loyalty/v1/ledger_service.proto",
    "loyalty/v1/redemption_service.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Without these lines every change of any file of the repository would rebuild the contract and all that uses it.
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=build.rs");

    let descriptors = protox::compile(PROTO_FILES, ["proto"])?;
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out_dir.join("descriptors.bin"), descriptors.encode_to_vec())?;

    let mut config = tonic_prost_build::Config::new();
    // The codec finds by its name what a message can unpack to.
    config.enable_type_names();
    tonic_prost_build::configure()
        .codec_path("crate::codec::BoundedCodec")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
