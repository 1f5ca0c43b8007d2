//! The tables.

use std::fmt::Write as _;

use crate::members::Distribution;
use crate::number::{grouped, mib, percent, ratio, thousandths};
use crate::options::Options;
use crate::results::{Measurement, Mode, Results};

/// What all tables have in common.
pub(crate) struct Setting {
    pub(crate) machine: String,
    /// Writers of (b).
    pub(crate) writers: u64,
    /// Sales recorded by (a) and (b).
    pub(crate) sales: u64,
}

const HEAD: &str = "\
| callers | (a) sales/s | (b) sales/s | a ÷ b | a ÷ c | (a) p50, p99 ms | (b) p50, p99 ms \
| (a) CPU s per 10,000: server + database | (b) | (a) peak MiB: server + database | (b) |
|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
";

/// A table for each distribution, behind what they were measured on.
pub(crate) fn tables(options: &Options, setting: &Setting, results: &Results) -> String {
    let mut text = format!(
        "{} Other programs took {} % of the cores meanwhile.\n\nUnary RecordSale, two lines a sale, {} members, \
         medians of {} × {} s. (a) posting as built; (b) one transaction a sale, `--batch-limit 1 --writers {}`; (c) \
         the same rows written straight into the database. {} sales were recorded, and every balance equals the sum of \
         its entries.\n",
        setting.machine,
        results.others_percent(),
        grouped(options.members),
        options.rounds,
        options.cell.as_secs(),
        setting.writers,
        grouped(setting.sales),
    );
    for distribution in &options.distributions {
        table(&mut text, options, *distribution, results);
    }
    text
}

fn table(text: &mut String, options: &Options, distribution: Distribution, results: &Results) {
    let Some(ceiling) = results.median_ceiling(distribution) else {
        return;
    };
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n**{}{}**; (c) {} sales/s by {} × {} rows\n\n{HEAD}",
        distribution.to_string().get(..1).unwrap_or_default().to_uppercase(),
        distribution.to_string().get(1..).unwrap_or_default(),
        grouped(ceiling.sales_per_second),
        ceiling.connections,
        grouped(ceiling.rows),
    );
    for callers in &options.callers {
        let of = |mode| results.median(mode, distribution, *callers);
        if let (Some(a), Some(b)) = (of(Mode::Batched), of(Mode::OneByOne)) {
            let _ = writeln!(
                text,
                "| {} | **{}** | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                grouped(*callers),
                grouped(a.sales_per_second),
                grouped(b.sales_per_second),
                ratio(a.sales_per_second, b.sales_per_second),
                percent(a.sales_per_second, ceiling.sales_per_second),
                latencies(&a),
                latencies(&b),
                cpu(&a),
                cpu(&b),
                memory(&a),
                memory(&b),
            );
        }
    }
}

fn latencies(measured: &Measurement) -> String {
    format!("{}, {}", thousandths(measured.median_us), thousandths(measured.p99_us))
}

fn cpu(measured: &Measurement) -> String {
    let (server, database) = (measured.server_cpu_ms, measured.database_cpu_ms);
    format!("{} + {}", thousandths(server), thousandths(database))
}

fn memory(measured: &Measurement) -> String {
    format!(
        "{} + {}",
        mib(measured.server_peak_kib),
        mib(measured.database_peak_kib)
    )
}
