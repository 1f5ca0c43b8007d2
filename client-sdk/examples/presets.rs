//! Programs that work as the points modules of well-known retail software do, set up on a running server from the presets
//! of the SDK, each with the worked example of its manual.
//!
//! ```sh
//! cargo run -p loyalty-sdk --example presets -- http://127.0.0.1:50051
//! ```
//!
//! Can be run again and again on one server: the programs stay what they are, and new customers come. Ends with code 1 and
//! a sentence when a number is not the one from the field's manual.
#![expect(clippy::print_stdout, reason = "printing is what an example does")]

use std::{env, error::Error, process::ExitCode};

use loyalty_sdk::{
    Client, Customer, Decimal, MemberKey, NewMember, Preset, ProgramId, Receipt, RequestId, Sale, SaleLine,
};

const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

type Failure = Box<dyn Error>;

#[tokio::main]
async fn main() -> ExitCode {
    match play().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("presets failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn play() -> Result<(), Failure> {
    let endpoint = env::args().nth(1).unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    let client = Client::connect(endpoint).await?;
    erp_single(&Till::of(&client, Preset::erp_single()).await?).await?;
    erp_tiers(&Till::of(&client, Preset::erp_tiers()).await?).await?;
    fie(&Till::of(&client, Preset::fie()).await?).await?;
    fac(&Till::of(&client, Preset::fac()).await?).await?;
    emd_points(&Till::of(&client, Preset::emd_points()).await?).await?;
    emd_value(&Till::of(&client, Preset::emd_value()).await?).await
}

/// The first sale enrols its customer, and reaches the tier that it earns at.
async fn erp_single(till: &Till) -> Result<(), Failure> {
    let sale = till.sale(3000).customer(Customer::new("Ana"));
    let receipt = till.sells("A sale of 3,000", &sale).await?;
    expect(&receipt, "10", "0", "10")?;
    equal("the tier", receipt.balance.tier_id.as_deref(), Some("silver"))
}

/// Points of the first sale pay for the second, which reaches Gold.
async fn erp_tiers(till: &Till) -> Result<(), Failure> {
    let ana = Customer::new("Ana").customer_group("individual").territory("all/india");
    let first = till.sells("A sale of 3,000", &till.sale(3000).customer(ana)).await?;
    expect(&first, "10", "0", "10")?;

    let sale = till.sale(3000).redeem_points(10);
    let second = till.sells("Another, 10 points pay 100", &sale).await?;
    expect(&second, "9", "10", "9")?;
    equal("the tier", second.balance.tier_id.as_deref(), Some("gold"))
}

/// Customers score under the rules that their records name.
async fn fie(till: &Till) -> Result<(), Failure> {
    let normal = till.enrols(|member| member.assigned_rule("normal")).await?;
    let vip = till.enrols(|member| member.assigned_rule("vip")).await?;
    expect(
        &normal.sells("Normal buys for 26", &normal.sale(26)).await?,
        "3",
        "0",
        "3",
    )?;

    let sale = normal.sale(26).redeem_amount(26);
    let paid = normal.sells("3 points pay 26", &sale).await?;
    expect(&paid, "0", "3", "0")?;
    equal("to pay", paid.due.amount, Decimal::ZERO)?;

    expect(&vip.sells("VIP buys for 100", &vip.sale(100)).await?, "20", "0", "20")?;
    let sale = vip.sale(75).line(SaleLine::new(75).discount_amount(25));
    expect(&vip.sells("25 % off 100 earns nothing", &sale).await?, "0", "0", "20")?;
    let magazine = SaleLine::new(40).category("magazines/weekly");
    let sale = vip.sale(90).line(magazine).line(SaleLine::new(50).category("novels"));
    expect(&vip.sells("A magazine earns nothing", &sale).await?, "10", "0", "30")
}

/// Points buy a cup.
async fn fac(till: &Till) -> Result<(), Failure> {
    let ana = till.enrols(|member| member).await?;
    expect(&ana.sells("A sale of 17.00", &ana.sale(17)).await?, "17", "0", "17")?;

    let cup = ana.sale(0).redeem_product("cup", 1);
    expect(&ana.sells("A cup for 15 points", &cup).await?, "0", "15", "2")
}

/// Products with points of their own, discounts, and the ladder.
async fn emd_points(till: &Till) -> Result<(), Failure> {
    let ana = till.enrols(|member| member).await?;
    expect(&ana.sells("A sale of 26.00", &ana.sale(26)).await?, "5", "0", "5")?;

    let sale = ana
        .sale(38)
        .line(SaleLine::new(20).product("olive-oil").quantity(2))
        .line(SaleLine::new(18).product("tobacco").quantity(2));
    let sold = ana.sells("7 points a bottle, never for tobacco", &sale).await?;
    expect(&sold, "14", "0", "19")?;

    let sale = ana
        .sale(18)
        .line(SaleLine::new(9).unit_price(10).discount_percent(10))
        .line(SaleLine::new(9).unit_price(9));
    let sold = ana.sells("10 % off earns nothing, a lower price does", &sale).await?;
    expect(&sold, "1", "0", "20")?;

    let sold = ana.sells("A sale of 1,500.00", &ana.sale(1500)).await?;
    expect(&sold, "300", "0", "320")?;
    let rungs = sold.balance.affordable_rewards.iter();
    let rungs: Vec<Decimal> = rungs.map(|reward| reward.points).collect();
    equal("the rungs in reach", rungs, vec![number("150")?, number("300")?])?;
    let sale = ana.sale(20).redeem_reward("loypay3", 1).do_not_earn();
    let sold = ana.sells("LOYPAY3, 15.00 off for 300 points", &sale).await?;
    expect(&sold, "0", "300", "20")?;
    equal("to pay", sold.due.amount, number("5")?)
}

/// Money that pays money.
async fn emd_value(till: &Till) -> Result<(), Failure> {
    let ana = till.enrols(|member| member).await?;
    expect(&ana.sells("A sale of 26.00", &ana.sale(26)).await?, "5.20", "0", "5.20")?;

    let sale = ana.sale(10).redeem_amount(number("5.20")?);
    let sold = ana.sells("5.20 pay in a sale of 10.00", &sale).await?;
    expect(&sold, "0.96", "5.20", "0.96")?;
    let vat = sold.points_tenders.first().and_then(|tender| tender.vat_percent);
    equal("the VAT", vat, Some(number("24")?))
}

/// A customer at the till of a shop with one program.
struct Till {
    client: Client,
    program_id: ProgramId,
    currency_code: String,
    customer_id: String,
}

impl Till {
    /// Sets the program up, with a customer whom nobody knows yet.
    async fn of(client: &Client, preset: Preset) -> Result<Self, Failure> {
        let applied = client.apply_preset(&preset).await?;
        let program = applied.program;
        println!(
            "\n{}\n{}\nProgram {}, version {}.",
            preset.title, preset.description, program.program_id, program.version
        );
        Ok(Self {
            client: client.clone(),
            program_id: program.program_id,
            currency_code: program.currency_code,
            customer_id: unique("customer"),
        })
    }

    /// Another customer, enrolled.
    async fn enrols(&self, with: impl Fn(NewMember) -> NewMember) -> Result<Self, Failure> {
        let customer_id = unique("customer");
        let member = NewMember::new(&self.program_id).customer_id(&customer_id);
        self.client.enroll_member(&with(member)).await?;
        Ok(Self {
            client: self.client.clone(),
            program_id: self.program_id.clone(),
            currency_code: self.currency_code.clone(),
            customer_id,
        })
    }

    fn sale(&self, total: u32) -> Sale {
        let member = MemberKey::customer_id(&self.customer_id);
        let sale = Sale::new(unique("ticket"), "store-1", member, &self.currency_code, total);
        sale.program(&self.program_id)
    }

    async fn sells(&self, title: &str, sale: &Sale) -> Result<Receipt, Failure> {
        let receipt = self.client.record_sale(sale).await?;
        println!("\n{title}\n{}\n{receipt}", "-".repeat(title.chars().count()));
        Ok(receipt)
    }
}

fn unique(name: &str) -> String {
    format!("{name}-{}", RequestId::generate())
}

fn expect(receipt: &Receipt, earned: &str, used: &str, now: &str) -> Result<(), Failure> {
    equal("points earned", receipt.points_earned, number(earned)?)?;
    equal("points used", receipt.points_redeemed, number(used)?)?;
    equal("points now", receipt.balance.available, number(now)?)
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should_be: T) -> Result<(), Failure> {
    if is == should_be {
        return Ok(());
    }
    Err(format!("{what} should be {should_be:?}, is {is:?}").into())
}

fn number(text: &str) -> Result<Decimal, Failure> {
    Ok(text.parse()?)
}
