//! The field's example, played against a running server: a club with two tiers, a customer, and two sales of 3,000, the
//! second one paid in part with the points of the first.
//!
//! ```sh
//! cargo run -p loyalty-sdk --example two_sales -- http://127.0.0.1:50051
//! ```
//!
//! Ends with code 1 and a sentence when a number is not the one from the field's manual.
#![expect(clippy::print_stdout, reason = "printing is what an example does")]

use std::{env, error::Error, process::ExitCode, time::Duration};

use loyalty_sdk::{
    Client, Decimal, EarnRate, Member, MemberKey, NewMember, NewProgram, PageRequest, Program, Receipt,
    RedemptionPolicy, RequestId, RetryPolicy, Sale, SaleLine, Tier,
};

const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";
const STORE: &str = "store-1";
/// A server that was just started gets this long to come up.
const WAIT_FOR_SERVER: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    match play().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("two_sales failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play() -> Result<(), Box<dyn Error>> {
    let endpoint = env::args().nth(1).unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    // So that the example can be played again and again on one server.
    let run = RequestId::generate().as_str().replace('-', "");

    let client = connect(&endpoint).await?;
    let program = create_program(&client, &format!("club-{run}")).await?;
    let customer_id = format!("customer-{run}");
    let member = client
        .enroll_member(
            &NewMember::new(&program.program_id)
                .customer_id(&customer_id)
                .name("Ana Example"),
        )
        .await?;

    let first = Sale::new(
        format!("ticket-1-{run}"),
        STORE,
        MemberKey::customer_id(&customer_id),
        "EUR",
        3000,
    )
    .program(&program.program_id)
    .line(SaleLine::new(3000).product("espresso-machine"));
    let receipt = client.record_sale(&first).await?;
    print_receipt("First sale of 3,000", &receipt);
    expect(&receipt, "10", "0", "10", "silver")?;

    let second = Sale::new(format!("ticket-2-{run}"), STORE, &member, "EUR", 3000)
        .line(SaleLine::new(2500).product("grinder"))
        .line(SaleLine::new(500).product("beans").category("food/coffee").quantity(20))
        .redeem_points(10);
    let receipt = client.record_sale(&second).await?;
    print_receipt("Second sale of 3,000, 10 points pay", &receipt);
    expect(&receipt, "9", "10", "9", "gold")?;
    equal("money paid with points", receipt.points_paid().amount, number("100")?)?;
    equal("money left to pay", receipt.due.amount, number("2900")?)?;

    print_ids(&client, &program, &member, &customer_id, &second).await
}

/// A client of a server that may still be starting.
async fn connect(endpoint: &str) -> Result<Client, Box<dyn Error>> {
    println!("Waiting for {endpoint} …");
    let patient = Client::builder(endpoint)
        .deadline(WAIT_FOR_SERVER)
        .retry(RetryPolicy::default().attempts(u32::MAX))
        .connect()
        .await?;
    patient.list_programs(&PageRequest::of(1)).await?;
    Ok(Client::connect(endpoint).await?)
}

async fn create_program(client: &Client, program_id: &str) -> Result<Program, Box<dyn Error>> {
    let one_per_300 = EarnRate::new(300, 1);
    let club = NewProgram::new("Coffee club", "EUR")
        .program_id(program_id)
        .tier(Tier::new("silver", "Silver", 2000).earn_rate(one_per_300.clone()))
        .tier(Tier::new("gold", "Gold", 6000).earn_rate(one_per_300))
        .redemption(RedemptionPolicy::new(10));
    Ok(client.create_program(&club).await?)
}

fn print_receipt(title: &str, receipt: &Receipt) {
    println!("\n{title}\n{}\n{receipt}", "-".repeat(title.len()));
}

fn expect(receipt: &Receipt, earned: &str, used: &str, now: &str, tier: &str) -> Result<(), Box<dyn Error>> {
    equal("points earned", receipt.points_earned, number(earned)?)?;
    equal("points used", receipt.points_redeemed, number(used)?)?;
    equal("points now", receipt.balance.available, number(now)?)?;
    equal("tier", receipt.balance.tier_id.as_deref(), Some(tier))
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should_be: T) -> Result<(), Box<dyn Error>> {
    if is == should_be {
        return Ok(());
    }
    Err(format!("{what} should be {should_be:?}, is {is:?}").into())
}

fn number(text: &str) -> Result<Decimal, Box<dyn Error>> {
    Ok(text.parse()?)
}

/// Ends with lines that a shell script can read.
async fn print_ids(
    client: &Client,
    program: &Program,
    member: &Member,
    customer_id: &str,
    sale: &Sale,
) -> Result<(), Box<dyn Error>> {
    let balance = client
        .get_balance(MemberKey::customer_id(customer_id).in_program(&program.program_id))
        .await?
        .balance;
    println!();
    println!("balance={}", balance.available.normalize());
    println!("program_id={}", program.program_id);
    println!("customer_id={customer_id}");
    println!("member_id={}", member.member_id);
    println!("store_id={STORE}");
    println!("sale_id={}", sale.sale_id);
    Ok(())
}
