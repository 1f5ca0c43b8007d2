//! The command-line client `loyalty` (feature `cli`): what a shop's technician uses when grpcurl is too raw.

mod arguments;
mod commands;
mod csv_reader;
mod import;
mod member_rows;
mod output;
mod progress;

use std::{io::Write as _, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};

use self::arguments::{Arguments, Command};

/// Runs the program with the arguments of the process: the answer goes to the standard output, an error to the standard
/// error, and the exit code is 1 then, as it is when only a part could be done; 2 when the arguments are wrong.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody reads it where the output is closed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    if let Command::Completion { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "loyalty", &mut script);
        return written(&script);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(commands::carry_out(&arguments)),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(done) => {
            for note in &done.notes {
                let _ = writeln!(std::io::stderr(), "loyalty: {note}");
            }
            let written = written(done.answer.text(arguments.output).as_bytes());
            if done.is_whole { written } else { ExitCode::FAILURE }
        }
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "loyalty: {message}");
            ExitCode::FAILURE
        }
    }
}

fn written(bytes: &[u8]) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
