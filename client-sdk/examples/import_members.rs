#![expect(clippy::print_stdout, reason = "it shows what it does")]
//! Members of another system, from a file with the columns customer_id, name, points and day on which the points lapse
//! (empty: never): `… --example import_members -- http://127.0.0.1:50051 members.csv`. Run again, it changes nothing.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
};

use loyalty_sdk::{Client, DateTime, Decimal, ImportedMember, NewMember, OpeningLot};

/// A row of the file; its fields have no commas.
fn row(number: u64, line: &str) -> Option<ImportedMember> {
    let mut fields = line.split(',').map(str::trim);
    let member = NewMember::new("club").customer_id(fields.next()?).name(fields.next()?);
    let lot = OpeningLot::new(fields.next()?.parse::<Decimal>().ok()?);
    let lot = match fields.next()? {
        "" => lot.never_expires(),
        day => lot.expires_at(format!("{day}T00:00:00Z").parse::<DateTime<_>>().ok()?),
    };
    Some(ImportedMember::new(number, member).lot(lot))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().unwrap_or("http://127.0.0.1:50051".to_owned());
    let file = arguments.next().unwrap_or("members.csv".to_owned());
    let client = Client::connect(endpoint).await?;

    // Line by line: a file of any size takes no more memory than a small one.
    let lines = BufReader::new(File::open(&file)?).lines().map_while(Result::ok);
    let rows = (1..).zip(lines).skip(1).filter_map(|(number, line)| {
        let row = row(number, &line);
        if row.is_none() {
            println!("line {number} cannot be read: {line}");
        }
        row
    });
    let counts = client
        .import_members("club", "old-system", rows, |progress| {
            for refused in &progress.refused {
                println!("line {}: {}", refused.row_number, refused.error);
            }
            println!("up to line {}", progress.counts.last_row_number);
        })
        .await?;
    println!(
        "{} imported, {} there before, {} refused",
        counts.imported, counts.unchanged, counts.refused
    );
    Ok(())
}
