//! L11: what members earned and used in a period, what a program owes, and that it all is the ledger to the last decimal.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_sdk::{
    Adjustment, BalanceSummary, Cancellation, EarnRate, Error, ExpiryPolicy, InactivityPolicy, MemberReport, NewHold,
    NewProgram, NewReason, RedemptionPolicy, RedemptionRequest, ReportGrouping, ReportPeriod, RollForward, SaleReturn,
};
use rust_decimal::Decimal;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth ten cents, that can be spent after two days and lapses after 40.
async fn shop() -> Shop {
    shop_with(None).await
}

/// The same, and once where points also lapse of members who do nothing for 13 days.
async fn shops() -> [Shop; 2] {
    [shop().await, shop_with(Some(InactivityPolicy::days(13))).await]
}

async fn shop_with(inactivity: Option<InactivityPolicy>) -> Shop {
    let mut program = NewProgram::new("Club", "EUR")
        .expiry(ExpiryPolicy::days(40))
        .redemption(RedemptionPolicy::new(dec("0.10")));
    program.pending_days = 2;
    program.inactivity = inactivity;
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    for reason in [
        NewReason::adding("Gift").reason_id("gift"),
        NewReason::removing("Mistake").reason_id("mistake"),
    ] {
        shop.client.create_reason(&reason).await.expect("a reason");
    }
    shop
}

fn hours_pass(shop: &Shop, hours: i64) {
    let later = shop.now() + TimeDelta::hours(hours);
    shop.it_is(&later.to_rfc3339());
}

async fn adjusts(member: &ShopMember<'_>, reason: &str, points: &str) {
    let adjustment = Adjustment::new(member.key.clone(), reason, dec(points));
    member
        .shop
        .client
        .adjust_points(&adjustment)
        .await
        .expect("an adjustment");
}

async fn members(shop: &Shop, period: &ReportPeriod) -> Vec<MemberReport> {
    let (mut members, mut report) = (Vec::new(), shop.client.report_members(period));
    while let Some(part) = report.next().await.expect("a part") {
        members.extend(part);
    }
    members
}

async fn rolled(shop: &Shop, period: &ReportPeriod, group_by: ReportGrouping) -> RollForward {
    let report = shop.client.get_roll_forward(period, group_by, |_| {}).await;
    report.unwrap_or_else(|error| panic!("{error}"))
}

/// What two members did over four months, one step every few hours, and what each had at some instants.
async fn lived<'a>(shop: &'a Shop) -> ([ShopMember<'a>; 2], Vec<[BalanceSummary; 2]>) {
    let pair = [shop.enrols("ada").await, shop.enrols("bob").await];
    hours_pass(shop, 1);
    let mut seen = Vec::new();
    let mut sales = Vec::new();
    for step in 0..48_usize {
        let member = &pair[step % 2];
        match step % 12 {
            0 | 1 | 6 | 7 => {
                let mut sale = member.sale(&format!("{}.50", 20 + step));
                if step % 3 == 0 {
                    sale.store_id = "store-2".to_owned();
                }
                member.records(&sale).await;
                sales.push((step % 2, sale));
            }
            2 | 9 => adjusts(member, "gift", "7").await,
            3 => adjusts(member, "mistake", "3").await,
            4 => {
                let request = RedemptionRequest::new("store-1", member.key.clone()).redeem_points(5);
                let _ = shop.client.redeem(&request).await;
            }
            5 => {
                let request = RedemptionRequest::new("store-1", member.key.clone()).redeem_points(4);
                let hold = NewHold::of(request).time_limit(Duration::from_secs(6 * 24 * 60 * 60));
                let _ = shop.client.place_hold(&hold).await;
            }
            8 => {
                let (of, sale) = &sales[sales.len() - 1];
                let back = SaleReturn::new(format!("return-{step}"), sale.store_id.as_str(), sale.sale_id.as_str());
                pair[*of].returns(&back.amount(dec("6.50"))).await;
            }
            10 if step > 20 => {
                let (_, sale) = sales.remove(0);
                let cancellation = Cancellation::new(sale.store_id.as_str(), sale.sale_id.as_str());
                shop.client.cancel_sale(&cancellation).await.expect("a cancellation");
            }
            // More than there is: a debt.
            11 if step > 40 => adjusts(member, "mistake", "400").await,
            _ => {}
        }
        hours_pass(shop, i64::try_from(step % 7).expect("a few") * 17 + 5);
        let [ada, bob] = &pair;
        let ada = shop.client.summarize_balance(&ada.key, None, 0).await;
        let bob = shop.client.summarize_balance(&bob.key, None, 0).await;
        seen.push([ada.expect("a balance"), bob.expect("a balance")]);
        hours_pass(shop, 1);
    }
    (pair, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_period_leads_from_what_there_was_before_it_to_what_there_was_behind_it() {
    for shop in shops().await {
        periods_lead_on(&shop).await;
    }
}

async fn periods_lead_on(shop: &Shop) {
    let (pair, seen) = lived(shop).await;

    for (place, ends) in [(3, 9), (9, 10), (10, 30), (30, 47)].into_iter().enumerate() {
        let (before, behind) = (&seen[ends.0], &seen[ends.1]);
        // What was seen at an instant is before the one behind it.
        let behind_it = |at: DateTime<Utc>| at + TimeDelta::microseconds(1);
        let period = ReportPeriod::of_program(PROGRAM)
            .from(behind_it(before[0].at))
            .until(behind_it(behind[0].at));
        let reports = members(shop, &period).await;
        let whole = rolled(shop, &period, ReportGrouping::Unspecified).await;

        for (member, (before, behind)) in pair.iter().zip(before.iter().zip(behind)) {
            let report = reports
                .iter()
                .find(|report| report.member_id == member.member.member_id);
            let report = report.expect("the member");
            let moved = &report.movement;
            assert_eq!(
                (report.opening, report.closing),
                (before.balance, behind.balance),
                "{place}: {report:?}"
            );
            let lifetime = |summary: &BalanceSummary| {
                [
                    summary.lifetime_earned,
                    summary.lifetime_redeemed,
                    summary.lifetime_expired,
                ]
            };
            let (then, now) = (lifetime(before), lifetime(behind));
            let came = [moved.earned, moved.redeemed, moved.expired];
            assert_eq!(
                came,
                [now[0] - then[0], now[1] - then[1], now[2] - then[2]],
                "{place}: {report:?}"
            );
            assert_eq!(report.opening + moved.sum(), report.closing);
        }
        let sum = |of: fn(&MemberReport) -> Decimal| reports.iter().map(of).sum::<Decimal>();
        assert_eq!(whole.members, 2);
        assert_eq!(
            (whole.opening, whole.closing),
            (sum(|member| member.opening), sum(|member| member.closing))
        );
        assert_eq!(whole.movement.sum(), sum(|member| member.movement.sum()));
    }
    assert_books_agree(shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_period_stays_closed_whatever_is_written_later() {
    for shop in shops().await {
        closed_stays_closed(&shop).await;
    }
}

async fn closed_stays_closed(shop: &Shop) {
    let (pair, seen) = lived(shop).await;
    let period = ReportPeriod::of_program(PROGRAM).until(seen[20][0].at);
    let at = seen[20][0].at;
    let first = members(shop, &period).await;
    let owed = shop
        .client
        .get_liability(PROGRAM, Some(at), |_| {})
        .await
        .expect("a liability");

    shop.days_pass(60);
    pair[0].buys("100").await;
    shop.client.run_expiry().await.expect("a run");
    let again = members(shop, &period).await;
    let owed_again = shop.client.get_liability(PROGRAM, Some(at), |_| {}).await;

    assert_eq!(again, first);
    assert_eq!(owed_again.expect("a liability"), owed);
    assert!(owed.points > Decimal::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_what_members_had_at_the_value_that_points_had_then() {
    for shop in shops().await {
        members_are_owed_what_they_had(&shop).await;
    }
}

async fn members_are_owed_what_they_had(shop: &Shop) {
    let (_, seen) = lived(shop).await;
    shop.changes(|program| program.redemption(Some(RedemptionPolicy::new(dec("0.20")))))
        .await;

    let mut debts = 0;
    for [ada, bob] in &seen {
        let at = ada.at + TimeDelta::microseconds(1);
        let owed = shop
            .client
            .get_liability(PROGRAM, Some(at), |_| {})
            .await
            .expect("a liability");

        assert_eq!(owed.points - owed.debt, ada.balance + bob.balance, "{owed:?}");
        assert_eq!(
            (owed.pending, owed.debt),
            (ada.pending + bob.pending, ada.debt + bob.debt),
            "{owed:?}"
        );
        assert_eq!(owed.value, Some(owed.points * dec("0.10")));
        let aged: Decimal = owed.ageing.iter().map(|(_, points)| points).sum();
        assert_eq!(aged, owed.points);
        debts += usize::from(!owed.debt.is_zero());
    }
    let now = shop
        .client
        .get_liability(PROGRAM, None, |_| {})
        .await
        .expect("a liability");
    assert!(debts > 0, "the story has lost its point");
    assert_eq!(now.value_per_point, Some(dec("0.20")));
    assert_eq!(now.value, Some(now.points * dec("0.20")));
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_aged_by_when_they_lapse() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;
    shop.changes(|program| program.expiry(Some(ExpiryPolicy::days(80))))
        .await;
    ada.buys("20").await;
    shop.changes(|program| program.expiry(None)).await;
    ada.buys("40").await;
    shop.days_pass(15);

    let owed = shop
        .client
        .get_liability(PROGRAM, None, |_| {})
        .await
        .expect("a liability");

    let ages: Vec<(Option<u32>, String)> = owed
        .ageing
        .iter()
        .map(|(days, points)| (*days, points.normalize().to_string()))
        .collect();
    let age = |days: u32, points: &str| (Some(days), points.to_owned());
    assert_eq!(
        ages,
        [
            age(30, "10"),
            age(90, "20"),
            age(180, "0"),
            age(365, "0"),
            (None, "40".to_owned())
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn movements_are_told_apart_by_store_and_by_what_they_are_booked_to() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let mut elsewhere = ada.sale("30");
    elsewhere.store_id = "store-2".to_owned();
    ada.records(&elsewhere).await;
    ada.buys("20").await;
    shop.days_pass(3);
    for (account, center, points) in [("600", "north", 5), ("601", "north", 7)] {
        let redemption = loyalty_sdk::Redemption::points(points)
            .expense_account(account)
            .cost_center(center);
        ada.records(&ada.sale("10").do_not_earn().redemption(redemption)).await;
    }
    let all = ReportPeriod::of_program(PROGRAM);

    let by_store = rolled(&shop, &all, ReportGrouping::Store).await;
    let by_account = rolled(&shop, &all, ReportGrouping::ExpenseAccount).await;
    let by_center = rolled(&shop, &all, ReportGrouping::CostCenter).await;

    let told = |report: &RollForward| -> Vec<(String, Decimal, Decimal)> {
        let groups = report.groups.iter();
        groups
            .map(|(label, moved)| (label.clone(), moved.earned, moved.redeemed))
            .collect()
    };
    let row = |label: &str, earned: &str, redeemed: &str| (label.to_owned(), dec(earned), dec(redeemed));
    assert_eq!(told(&by_store), [row("store-1", "20", "12"), row("store-2", "30", "0")]);
    assert_eq!(
        told(&by_account),
        [row("", "50", "0"), row("600", "0", "5"), row("601", "0", "7")]
    );
    assert_eq!(told(&by_center), [row("", "50", "0"), row("north", "0", "12")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn breakage_is_what_lapsed_unused_of_the_points_of_a_period() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    shop.days_pass(10);
    ada.records(&ada.sale("3").do_not_earn().redeem_points(30)).await;
    let first = ReportPeriod::of_program(PROGRAM).until(shop.now());
    ada.buys("50").await;
    let open = rolled(&shop, &first, ReportGrouping::Unspecified).await.breakage;
    shop.days_pass(35);

    let lapsed = rolled(&shop, &first, ReportGrouping::Unspecified).await.breakage;
    shop.client.run_expiry().await.expect("a run");
    let swept = rolled(&shop, &first, ReportGrouping::Unspecified).await.breakage;

    assert_eq!((open.issued, open.lapsed, open.open), (dec("100"), dec("0"), dec("70")));
    assert_eq!(
        (lapsed.issued, lapsed.lapsed, lapsed.open),
        (dec("100"), dec("70"), dec("0"))
    );
    assert_eq!(swept, lapsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_in_parts_that_can_be_taken_up_again_and_open_in_a_spreadsheet() {
    let shop = shop().await;
    let mut buyers = Vec::new();
    for number in 0..450 {
        buyers.push(shop.enrols(&format!("customer-{number}")).await);
    }
    crate::harness::feed::rush(&buyers, 450).await;
    let period = ReportPeriod::of_program(PROGRAM);

    let whole = members(&shop, &period).await;
    let mut report = shop.client.report_members(&period);
    let first = report.next().await.expect("a part").expect("members");
    let mut told = Vec::new();
    let rolled = shop
        .client
        .get_roll_forward(&period, ReportGrouping::Unspecified, |done| told.push(done))
        .await;

    assert_eq!((whole.len(), first.len()), (450, 200));
    assert_eq!(first, whole[..200]);
    assert_eq!(told, [200, 400, 450]);
    assert_eq!(rolled.expect("a report").movement.earned, dec("450"));
    let mut file = Vec::new();
    MemberReport::write_csv_header(&mut file).expect("a line");
    whole[0].write_csv(&mut file).expect("a line");
    let expected = format!(
        "member_id,opening,earned,redeemed,expired,adjusted,merged,imported,closing\r\n{},0,1,0,0,0,0,0,1\r\n",
        whole[0].member_id
    );
    assert_eq!(String::from_utf8(file).expect("text"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn periods_that_are_none_are_refused_by_name() {
    let shop = shop().await;
    let (earlier, later) = (instant("2026-01-01T00:00:00Z"), shop.now() + TimeDelta::seconds(1));
    let ahead = ReportPeriod::of_program(PROGRAM).until(later);
    let backwards = ReportPeriod::of_program(PROGRAM).from(shop.now()).until(earlier);
    let of_nobody = ReportPeriod::of_program("none");

    let errors = [
        shop.client.report_members(&ahead).next().await.err(),
        shop.client.report_members(&backwards).next().await.err(),
        shop.client.get_liability(PROGRAM, Some(later), |_| {}).await.err(),
    ];
    let unknown = shop.client.report_members(&of_nobody).next().await;

    let fields = ["recorded_until", "recorded_from", "at"];
    for (error, field) in errors.into_iter().zip(fields) {
        assert_eq!(wrong_fields(&error.expect("a refusal")), [field]);
    }
    assert!(matches!(unknown, Err(Error::ProgramNotFound { .. })), "{unknown:?}");
}
