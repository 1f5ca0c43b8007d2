#![expect(clippy::print_stdout, reason = "it prints the receipt")]
//! A till that lets points pay: `cargo run -p loyalty-sdk --example till -- http://127.0.0.1:50051`.

use loyalty_sdk::{Client, Error, MemberKey, Sale, SaleLine};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let endpoint = std::env::args().nth(1);
    let client = Client::connect(endpoint.unwrap_or("http://127.0.0.1:50051".to_owned())).await?;

    let sale = Sale::new("ticket-1042", "store-1", MemberKey::card("7700123"), "EUR", 3000)
        .line(SaleLine::new(2990).product("espresso-machine"))
        .line(SaleLine::new(10).product("beans-250g").quantity(2))
        .redeem_points(10);

    match client.record_sale(&sale).await {
        Ok(receipt) => println!("{receipt}"),
        Err(Error::InsufficientPoints { available, .. }) => println!("only {available} points are left"),
        Err(error) => return Err(error),
    }
    Ok(())
}
