//! The log: what is written, and how. And traces, when somebody collects them.

mod traces;

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt};

pub(crate) use traces::{TraceOptions, Traces};

use crate::measures::TRACES;

/// How the lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object a line, for machines.
    Json,
}

/// Begins to write the log to the standard error, and to tell traces.
pub(crate) fn start(filter: &str, format: LogFormat, traces: Option<&Traces>) {
    // The settings were checked; a filter that is wrong all the same hides nothing of importance.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // At finer levels the libraries tell headers and messages: keys, and data of members.
    let is_quiet = filter_fn(|said| {
        let is_ours = said.target().starts_with("loyalty_");
        said.target() != TRACES && (is_ours || *said.level() <= Level::INFO)
    });
    // Filters of single layers cost every span of every call something: they are only there when there are two layers.
    match traces {
        None => Registry::default()
            .with(filter)
            .with(is_quiet)
            .with(lines(format))
            .init(),
        Some(traces) => Registry::default()
            .with(lines(format).with_filter(filter.and(is_quiet)))
            .with(traces.layer())
            .init(),
    }
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => {
            let has_colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            lines.with_ansi(has_colours).boxed()
        }
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

/// Whether this says what is to be logged.
pub(crate) fn is_filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("must be levels such as `info` or `warn,loyalty_server=debug`".to_owned()),
    }
}
