//! The program `loyalty`, built with the tests, so that they never start a stale one.

use std::process::ExitCode;

fn main() -> ExitCode {
    loyalty_sdk::cli::run()
}
