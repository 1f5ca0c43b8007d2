//! The program `loyalty-server`.

use std::process::ExitCode;

fn main() -> ExitCode {
    loyalty_server::process::run()
}
