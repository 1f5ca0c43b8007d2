#![expect(clippy::print_stdout, reason = "it shows what it does")]
//! A till through a day with and without a line: `… --example offline_day -- http://127.0.0.1:50051 /var/lib/till/outbox`.

use loyalty_sdk::{Client, Error, MemberKey, Outbox, OutboxError, Sale};

#[tokio::main]
async fn main() -> Result<(), OutboxError> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().unwrap_or("http://127.0.0.1:50051".to_owned());
    let directory = arguments.next().unwrap_or("outbox".to_owned());
    let client = Client::connect(endpoint).await?;
    let outbox = Outbox::open(directory, client)?;

    for number in 1..=3 {
        let sale = Sale::new(
            format!("offline-{number}"),
            "store-1",
            MemberKey::card("7700123"),
            "EUR",
            20,
        );
        // When this has returned, the sale is on the disk of the till.
        let put = outbox.put(sale).await?;
        println!("sale {} is safe", put.position);
    }

    match outbox.deliver().await {
        Ok(delivered) => println!("{} delivered, {} refused", delivered.applied, delivered.refused),
        Err(OutboxError::Delivery(Error::Unavailable(_))) => {
            println!("no line: {} wait for the next time", outbox.state().unsent);
        }
        Err(error) => return Err(error),
    }
    for refused in outbox.refused()? {
        println!("{} was refused: {:?}", refused.entry.what, refused.outcome.answer);
    }
    Ok(())
}
