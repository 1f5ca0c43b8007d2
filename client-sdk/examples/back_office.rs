#![expect(clippy::print_stdout, reason = "it shows what it does")]
//! What the office does: a return at another store, and points given by hand.
//! `… --example back_office -- http://127.0.0.1:50051`, behind the example `till`.

use loyalty_sdk::{Adjustment, Client, Error, MemberKey, NewReason, SaleReturn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let endpoint = std::env::args().nth(1);
    let client = Client::connect(endpoint.unwrap_or("http://127.0.0.1:50051".to_owned())).await?;

    let one_of_the_second_line = SaleReturn::new("return-7", "store-2", "ticket-1042")
        .sold_at("store-1")
        .line(1, 1);
    let receipt = client.return_sale(&one_of_the_second_line).await?;
    println!("refund {}, {} points back", receipt.refund, receipt.points_given_back);

    match client
        .create_reason(&NewReason::adding("Goodwill").reason_id("goodwill"))
        .await
    {
        Ok(_) | Err(Error::ReasonExists { .. }) => {}
        Err(error) => return Err(error),
    }
    let goodwill = Adjustment::new(MemberKey::card("7700123"), "goodwill", 5).note("waited long");
    let receipt = client.with_actor("maria").adjust_points(&goodwill).await?;
    println!("{} points now", receipt.balance.available);
    Ok(())
}
