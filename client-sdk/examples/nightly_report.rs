#![expect(clippy::print_stdout, reason = "it shows what it does")]
//! What the office gets every night: what each member of a program earned, used and lost on a day as a CSV file, and what the
//! program owes at its end: `… --example nightly_report -- http://127.0.0.1:50051 report.csv 2026-01-15`.

use std::{fs::File, io::BufWriter};

use chrono::{Days, NaiveTime, Utc};
use loyalty_sdk::{Client, MemberReport, ReportGrouping, ReportPeriod};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().unwrap_or("http://127.0.0.1:50051".to_owned());
    let file = arguments.next().unwrap_or("report.csv".to_owned());
    let day = match arguments.next() {
        Some(day) => day.parse()?,
        None => Utc::now().date_naive() - Days::new(1),
    };
    let client = Client::connect(endpoint).await?;
    let from = day.and_time(NaiveTime::MIN).and_utc();
    let period = ReportPeriod::of_program("club").from(from).until(from + Days::new(1));

    // A member a line; a stream that breaks off goes on behind the last.
    let (mut out, mut count) = (BufWriter::new(File::create(&file)?), 0);
    MemberReport::write_csv_header(&mut out)?;
    let mut reports = client.report_members(&period);
    while let Some(members) = reports.next().await? {
        members.iter().try_for_each(|member| member.write_csv(&mut out))?;
        count += members.len();
    }
    out.into_inner()?.sync_all()?;

    let all = client
        .get_roll_forward(&period, ReportGrouping::Unspecified, |_| {})
        .await?;
    let liability = client.get_liability("club", Some(from + Days::new(1)), |_| {}).await?;
    let moved = &all.movement;
    println!(
        "{count} members, {} points earned, {} redeemed",
        moved.earned, moved.redeemed
    );
    println!("{} points are owed", liability.points);
    Ok(())
}
