#![expect(clippy::print_stdout, reason = "it prints what is quoted and the receipt")]
//! A till that tells what the customer will earn before the customer pays, and keeps its word.
//! `… --example quoted_till -- http://127.0.0.1:50051`.

use loyalty_sdk::{Client, Error, MemberKey, Sale, SaleLine};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let endpoint = std::env::args().nth(1);
    let client = Client::connect(endpoint.unwrap_or("http://127.0.0.1:50051".to_owned())).await?;
    let sale = Sale::new("ticket-1043", "store-1", MemberKey::card("7700123"), "EUR", 24)
        .line(SaleLine::new(24).product("beans-250g").quantity(2));

    let quote = client.quote_sale(&sale).await?;
    println!("you will earn {} points", quote.points_earned);

    // … the customer pays; whatever the shop changes of its rules meanwhile, what was said holds.
    match client.record_sale(&sale.clone().with_quote(&quote)).await {
        Ok(receipt) => println!("{receipt}"),
        // It took longer than a quote is held: the rules of now.
        Err(Error::QuoteExpired { .. }) => println!("{}", client.record_sale(&sale).await?),
        Err(error) => return Err(error),
    }
    Ok(())
}
