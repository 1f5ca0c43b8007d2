#![expect(clippy::print_stdout, reason = "it shows what it does")]
//! A service that books every entry once: `… --example feed_consumer -- http://127.0.0.1:50051 entries.csv`. Run again, it
//! goes on where it was.

use std::{fs, io};

use loyalty_sdk::{Client, CsvWriter, FeedCursor, FeedRequest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().unwrap_or("http://127.0.0.1:50051".to_owned());
    let file = arguments.next().unwrap_or("entries.csv".to_owned());
    let client = Client::connect(endpoint).await?;

    // How far it has come is kept beside the file; in a database it would be in the transaction of the entries.
    let kept = fs::read_to_string(format!("{file}.cursor"));
    let (request, mut csv) = match kept {
        Ok(cursor) => {
            let out = fs::OpenOptions::new().append(true).open(&file)?;
            (FeedRequest::after(FeedCursor::new(cursor)), CsvWriter::appending(out))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (FeedRequest::default(), CsvWriter::new(fs::File::create(&file)?)?)
        }
        Err(error) => return Err(error.into()),
    };
    let (mut feed, mut count) = (client.stream_entries(&request), 0);
    while let Some(batch) = feed.next().await? {
        csv.entries(&batch.entries)?;
        fs::write(format!("{file}.cursor"), batch.cursor.as_str())?;
        count += batch.entries.len();
    }
    csv.finish()?;
    println!("{count} entries");
    Ok(())
}
