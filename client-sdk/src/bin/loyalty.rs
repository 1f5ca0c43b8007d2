//! The command-line client `loyalty`.

use std::process::ExitCode;

fn main() -> ExitCode {
    loyalty_sdk::cli::run()
}
