//! L11: what the SDK writes as CSV opens cleanly in a spreadsheet.

use loyalty_sdk::{
    Adjustment, CsvWriter, EarnRate, EntryFilter, MemberReport, NewProgram, NewReason, PageRequest, RedemptionPolicy,
    ReportPeriod,
};
use rust_decimal::Decimal;

use crate::harness::{PROGRAM, Shop, dec};

/// Reads CSV as RFC 4180 says, as spreadsheets do.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut in_quotes, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if in_quotes && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => row.push(std::mem::take(&mut field)),
            '\r' if !in_quotes => {
                assert_eq!(letters.next(), Some('\n'), "lines end in CR LF");
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter => field.push(letter),
        }
    }
    assert!(row.is_empty() && field.is_empty(), "the last line ends");
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_where_it_belongs_and_none_is_carried_out_as_a_formula() {
    let program = NewProgram::new("Club", "EUR")
        .decimals(2)
        .redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let reason = NewReason::adding("Gift").reason_id("gift");
    shop.client.create_reason(&reason).await.expect("a reason");
    let ada = shop.enrols("ada").await;
    let notes = [
        "=HYPERLINK(\"http://evil.example\",\"points\")",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1:A9)",
        "two; parts, and \"quotes\"",
        "ñandú, Ωμέγα",
        "-7",
    ];
    for note in notes {
        let gift = Adjustment::new(ada.key.clone(), "gift", dec("0.25")).note(note);
        shop.client.adjust_points(&gift).await.expect("an adjustment");
    }
    let mut sale = ada.sale("10").redeem_points(1);
    (sale.terminal_id, sale.document_number) = ("=1+1".to_owned(), "A,1".to_owned());
    ada.records(&sale).await;

    let entries = shop
        .client
        .list_entries(EntryFilter::all(), &PageRequest::of(100))
        .await;
    let entries = entries.expect("a page").items;
    let mut csv = CsvWriter::new(Vec::new()).expect("memory");
    csv.entries(&entries).expect("memory");
    let text = String::from_utf8(csv.finish().expect("memory")).expect("text");

    let rows = rows(&text);
    let column = |name: &str| -> Vec<&str> {
        let place = rows[0].iter().position(|column| column == name).expect("a column");
        rows[1..].iter().rev().map(|row| row[place].as_str()).collect()
    };
    assert_eq!(rows.len(), 1 + notes.len() + 2);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{text}");
    let points: Vec<Decimal> = column("points").into_iter().map(dec).collect();
    let told: Vec<Decimal> = entries.iter().rev().map(|entry| entry.points).collect();
    assert_eq!(points, told, "numbers are numbers, also below zero");
    let written = [
        "'=HYPERLINK(\"http://evil.example\",\"points\")",
        "'+1+cmd|' /C calc'!A0",
        "'-2+3",
        "'@SUM(A1:A9)",
        notes[4],
        notes[5],
        notes[6],
    ];
    assert_eq!(column("note")[..notes.len()], written);
    assert_eq!(column("terminal_id")[notes.len()..], ["'=1+1", "'=1+1"]);
    assert_eq!(column("document_number")[notes.len()..], ["A,1", "A,1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_on_members_adds_up_in_a_spreadsheet() {
    let shop = Shop::earning("1", "1").await;
    for (customer, amount) in [("ada", "10"), ("bob", "20.50")] {
        shop.enrols(customer).await.buys(amount).await;
    }

    let mut file = Vec::new();
    MemberReport::write_csv_header(&mut file).expect("a line");
    let mut report = shop.client.report_members(&ReportPeriod::of_program(PROGRAM));
    while let Some(part) = report.next().await.expect("a part") {
        for member in part {
            member.write_csv(&mut file).expect("a line");
        }
    }

    let rows = rows(&String::from_utf8(file).expect("text"));
    assert_eq!(rows.len(), 3);
    let mut closing: Vec<Decimal> = rows[1..].iter().map(|row| dec(row.last().expect("a cell"))).collect();
    closing.sort();
    assert_eq!(closing, [dec("10"), dec("20")]);
    for row in &rows[1..] {
        let cells: Vec<Decimal> = row[1..].iter().map(|cell| dec(cell)).collect();
        let [opening, earned, redeemed, expired, adjusted, merged, imported, closing] = cells[..] else {
            panic!("eight numbers: {row:?}");
        };
        assert_eq!(
            opening + earned - redeemed - expired + adjusted + merged + imported,
            closing
        );
    }
}
