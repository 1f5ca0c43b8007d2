//! T8: members of another system come with their points, spend and totals, once, however many there are.

use diesel_async::SimpleAsyncConnection as _;
use loyalty_sdk::{
    EarnRate, EntryKind, Error, ExpiryPolicy, ImportCounts, ImportProgress, ImportedMember, Member, MemberKey,
    NewMember, NewProgram, OpeningLot, ProgramState, RedemptionPolicy, RefusedRow, Tier, TierSpendWindow,
};
use rust_decimal::Decimal;

use crate::harness::books::{assert_books_agree, drifts};
use crate::harness::{PROGRAM, Shop, ShopMember, day, dec, instant, wrong_fields};

/// Points that lapse after 40 days and pay a euro each.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .expiry(ExpiryPolicy::days(40))
        .redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// A row with a customer id and nothing else.
pub(crate) fn row(number: u64) -> ImportedMember {
    ImportedMember::new(
        number,
        NewMember::new(PROGRAM).customer_id(format!("customer-{number}")),
    )
}

impl Shop {
    /// Imports rows that none of the call's own refusals meet; with all parts.
    async fn imports(&self, rows: Vec<ImportedMember>) -> (ImportCounts, Vec<ImportProgress>) {
        let mut parts = Vec::new();
        let told = |part: &ImportProgress| parts.push(part.clone());
        let counts = self.client.import_members(PROGRAM, "erp", rows, told).await;
        (counts.unwrap_or_else(|error| panic!("{error}")), parts)
    }

    /// The rows of an import that are refused.
    async fn refuses(&self, rows: Vec<ImportedMember>) -> Vec<RefusedRow> {
        let (_, parts) = self.imports(rows).await;
        parts.into_iter().flat_map(|part| part.refused).collect()
    }

    /// A member who was imported.
    async fn imported(&self, customer_id: &str) -> ShopMember<'_> {
        let key = MemberKey::customer_id(customer_id);
        let (member, _) = self.client.lookup_member(key.clone()).await.expect("a member");
        ShopMember::new(self, key, member)
    }
}

fn counts(last_row_number: u64, [imported, unchanged, refused]: [u64; 3]) -> (u64, u64, u64, u64) {
    (last_row_number, imported, unchanged, refused)
}

fn told(counts: ImportCounts) -> (u64, u64, u64, u64) {
    (
        counts.last_row_number,
        counts.imported,
        counts.unchanged,
        counts.refused,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_comes_with_lots_that_lapse_as_they_would_have() {
    let shop = shop().await;
    let new = NewMember::new(PROGRAM)
        .customer_id("ada")
        .card("7700123")
        .name("Ada")
        .territory("south/lima");
    let ada = ImportedMember::new(1, new)
        .enrolled_at(instant("2019-05-06T07:08:09Z"))
        .lot(OpeningLot::new(100).expires_at(instant("2026-02-01T00:00:00Z")))
        .lot(OpeningLot::new(50).never_expires())
        .lot(OpeningLot::new(30).accrued_at(instant("2026-01-10T12:00:00Z")))
        .lot(OpeningLot::new(7));

    let (done, parts) = shop.imports(vec![ada]).await;

    assert_eq!((told(done), parts.len()), (counts(1, [1, 0, 0]), 1));
    let ada = shop.imported("ada").await;
    let Member { name, enrolled_at, .. } = &ada.member;
    assert_eq!((name.as_str(), *enrolled_at), ("Ada", instant("2019-05-06T07:08:09Z")));
    assert_eq!(ada.points().await, dec("187"));
    let history = ada.history().await;
    assert!(history.iter().all(|entry| entry.kind == EntryKind::Opening
        && entry.reference.as_deref() == Some("erp")
        && entry.recorded_at == shop.now()));
    let lots: Vec<_> = history.iter().rev().flat_map(|entry| &entry.lots).collect();
    // 40 days are counted from the day on which the points came.
    let lapse = [
        "2026-02-01T00:00:00Z",
        "",
        "2026-02-20T00:00:00Z",
        "2026-02-25T00:00:00Z",
    ];
    let lapse = lapse.map(|at| (!at.is_empty()).then(|| instant(at)));
    assert_eq!(lots.iter().map(|lot| lot.expires_at).collect::<Vec<_>>(), lapse);
    assert_eq!(history[1].occurred_at, instant("2026-01-10T12:00:00Z"));
    for (at, points) in [
        ("2026-02-01T00:00:00Z", "87"),
        ("2026-02-19T23:59:59Z", "87"),
        ("2026-02-20T00:00:00Z", "57"),
        ("2026-02-25T00:00:00Z", "50"),
    ] {
        shop.it_is(at);
        assert_eq!(ada.points().await, dec(points), "{at}");
    }
    let receipt = ada.records(&ada.sale("60.00").redeem_points(50)).await;
    assert_eq!((receipt.points_redeemed, receipt.points_earned), (dec("50"), dec("10")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_lapsed_before_it_comes_is_written_off_at_once() {
    let shop = shop().await;

    let old = OpeningLot::new(40).accrued_at(instant("2025-10-01T12:00:00Z"));
    let late = OpeningLot::new(2).expires_at(instant("2026-01-15T10:00:00Z"));
    shop.imports(vec![row(1).lot(old).lot(late).lot(OpeningLot::new(5))])
        .await;

    let ada = shop.imported("customer-1").await;
    assert_eq!(ada.points().await, dec("5"));
    assert_eq!(ada.movements().await, ["40", "2", "5", "-42"].map(dec));
    let summary = shop
        .client
        .summarize_balance(&ada.key, None, 0)
        .await
        .expect("a balance");
    assert_eq!(
        (summary.expired_unswept, summary.lifetime_expired),
        (dec("0"), dec("42"))
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_of_the_time_before_go_on_and_are_sealed_with_the_entry() {
    let shop = shop().await;
    let before = shop.now();
    shop.days_pass(1);

    shop.imports(vec![
        row(1).lot(OpeningLot::new(100)).lifetime(1_000, 880, 20),
        row(2).lifetime(30, 30, 0),
    ])
    .await;

    let totals = |summary: loyalty_sdk::BalanceSummary| {
        (
            summary.lifetime_earned,
            summary.lifetime_redeemed,
            summary.lifetime_expired,
        )
    };
    let ada = shop.imported("customer-1").await;
    let imported_at = shop.now();
    shop.days_pass(1);
    ada.records(&ada.sale("12.00").redeem_points(2)).await;
    let summary = async |at| {
        let summary = shop.client.summarize_balance(&ada.key, at, 0).await;
        summary.expect("a balance")
    };
    let [zero, earned, redeemed, expired] = ["0", "1000", "880", "20"].map(dec);
    assert_eq!(totals(summary(Some(before)).await), (zero, zero, zero));
    let then = summary(Some(imported_at)).await;
    assert_eq!((then.balance, totals(then)), (dec("100"), (earned, redeemed, expired)));
    assert_eq!(totals(summary(None).await), (dec("1010"), dec("882"), expired));
    let bob = shop.imported("customer-2").await;
    let bob = shop
        .client
        .summarize_balance(&bob.key, None, 0)
        .await
        .expect("a balance");
    assert_eq!((bob.balance, totals(bob)), (zero, (dec("30"), dec("30"), zero)));
    assert_books_agree(&shop).await;

    let meddling = "UPDATE entry SET lifetime_earned = 900 WHERE lifetime_earned = 1000";
    let mut database = shop.database().await;
    database.batch_execute(meddling).await.expect("it is changed");
    let drifts = drifts(&shop.client, &loyalty_sdk::VerifyRequest::default()).await;
    assert!(
        drifts.iter().any(|drift| drift.field == "lifetime_earned"),
        "{drifts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn spend_that_comes_along_counts_on_its_day() {
    let tier = |id: &str, minimum: i64, points: i64| Tier::new(id, id, minimum).earn_rate(EarnRate::new(1, points));
    let program = NewProgram {
        tier_spend_window: Some(TierSpendWindow::rolling_days(30).downgrade_after(0)),
        ..NewProgram::new("Club", "EUR")
            .tier(tier("bronze", 0, 1))
            .tier(tier("silver", 100, 2))
    };
    let shop = Shop::with_program(program).await;

    // The 30 days that end today begin on 17 December.
    let spends = row(1)
        .tier_spend(day("2025-12-16"), dec("500.00"))
        .tier_spend(day("2025-12-17"), dec("60.00"))
        .tier_spend(day("2026-01-15"), dec("40.00"));
    shop.imports(vec![spends, row(2).tier_spend(day("2025-12-16"), dec("500.00"))])
        .await;

    let ada = shop.imported("customer-1").await;
    let balance = ada.balance().await;
    assert_eq!(
        (balance.tier_id.as_deref(), balance.tier_spend.amount.normalize()),
        (Some("silver"), dec("100"))
    );
    assert_eq!(ada.buys("1.00").await.points_earned, dec("2"));
    let bob = shop.imported("customer-2").await;
    assert_eq!(bob.buys("1.00").await.points_earned, dec("1"));
    shop.days_pass(1);
    let day_after = ada.balance().await;
    assert_eq!(
        (day_after.tier_id.as_deref(), day_after.tier_spend.amount.normalize()),
        (Some("bronze"), dec("41"))
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_that_was_reached_before_stays_where_it_would_have() {
    let tier = |id: &str, minimum: i64| Tier::new(id, id, minimum).earn_rate(EarnRate::new(1, 1));
    let program = NewProgram {
        tier_spend_window: Some(TierSpendWindow::rolling_days(30)),
        ..NewProgram::new("Club", "EUR")
            .tier(tier("bronze", 0))
            .tier(tier("silver", 100))
    };
    let shop = Shop::with_program(program).await;

    shop.imports(vec![row(1).tier_spend(day("2024-03-01"), 150), row(2)])
        .await;

    let ada = shop.imported("customer-1").await.balance().await;
    assert_eq!(ada.tier_id.as_deref(), Some("silver"));
    assert_eq!(ada.tier_spend.amount.normalize(), dec("0"));
    let bob = shop.imported("customer-2").await.balance().await;
    assert_eq!(bob.tier_id.as_deref(), Some("bronze"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_again_changes_nothing_and_with_other_content_is_refused() {
    let shop = shop().await;
    let rows = |points: i64| -> Vec<ImportedMember> {
        let row = |number| row(number).lot(OpeningLot::new(points));
        [1, 2, 3].map(row).into()
    };
    let (first, _) = shop.imports(rows(5)).await;
    shop.days_pass(60);

    let (again, _) = shop.imports(rows(5)).await;
    let refused = shop.refuses(rows(6)).await;
    let more: Vec<_> = rows(5).into_iter().chain([row(7)]).collect();
    let (more, _) = shop.imports(more).await;
    let mut others = Vec::new();
    let other = |part: &ImportProgress| others.extend(part.refused.clone());
    let other = shop.client.import_members(PROGRAM, "other", rows(5), other).await;

    assert_eq!(told(first), counts(3, [3, 0, 0]));
    assert_eq!(told(again), counts(3, [0, 3, 0]));
    let conflict = |row_number| Error::ImportRowConflict {
        import_id: "erp".to_owned(),
        row_number,
    };
    let refused: Vec<_> = refused.into_iter().map(|row| (row.row_number, row.error)).collect();
    assert_eq!(refused, [1, 2, 3].map(|row| (row, conflict(row))));
    assert_eq!(told(more), counts(7, [1, 3, 0]));
    // Another import does not know the rows, and meets the members.
    assert_eq!(other.expect("counts").refused, 3);
    assert!(matches!(others[0].error, Error::IdentifierTaken { .. }), "{others:?}");
    assert_eq!(shop.imported("customer-1").await.movements().await, [dec("5")]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_is_told_with_its_field_and_reason_while_the_others_go_on() {
    let shop = shop().await;
    shop.enrols("taken").await;
    let customer = |id: &str| NewMember::new(PROGRAM).customer_id(id);
    let tomorrow = instant("2026-01-16T10:00:00Z");
    let lot = OpeningLot::new(1);
    #[rustfmt::skip]
    let bad: Vec<(&str, &str, ImportedMember)> = vec![
        ("identifiers", "InvalidField", ImportedMember::new(0, NewMember::new(PROGRAM))),
        ("identifiers[0].phone", "InvalidField", ImportedMember::new(0, NewMember::new(PROGRAM).phone("x"))),
        ("identifiers[1]", "IdentifierTaken", ImportedMember::new(0, NewMember::new(PROGRAM).card("1").customer_id("taken"))),
        ("program_id", "InvalidField", ImportedMember::new(0, NewMember::new("other").card("2"))),
        ("assigned_rule_id", "InvalidField", ImportedMember::new(0, customer("a").assigned_rule("none"))),
        ("lots[1].points", "InvalidField", ImportedMember::new(0, customer("b")).lot(lot).lot(OpeningLot::new(0))),
        ("lots[0].points", "TooManyDecimals", ImportedMember::new(0, customer("c")).lot(OpeningLot::new(dec("0.5")))),
        ("lots[0].accrued_at", "InvalidField", ImportedMember::new(0, customer("d")).lot(lot.accrued_at(tomorrow))),
        ("lots[0].accrued_at", "InvalidField", ImportedMember::new(0, customer("d")).lot(lot.accrued_at(instant("1899-12-31T00:00:00Z")))),
        ("lots[0].expires_at", "InvalidField", ImportedMember::new(0, customer("e")).lot(lot.expires_at(instant("2226-01-01T00:00:00Z")))),
        ("tier_spend[0].day", "InvalidField", ImportedMember::new(0, customer("f")).tier_spend(day("2026-01-16"), 1)),
        ("tier_spend[1].day", "InvalidField", ImportedMember::new(0, customer("g")).tier_spend(day("2026-01-02"), 1).tier_spend(day("2026-01-02"), 1)),
        ("tier_spend[0].amount", "TooManyDecimals", ImportedMember::new(0, customer("h")).tier_spend(day("2026-01-02"), dec("0.001"))),
        ("lifetime_redeemed", "InvalidField", ImportedMember::new(0, customer("i")).lifetime(1, -1, 1)),
        ("lifetime_expired", "TooManyDecimals", ImportedMember::new(0, customer("i")).lifetime(1, 1, dec("0.1"))),
        ("enrolled_at", "InvalidField", ImportedMember::new(0, customer("j")).enrolled_at(tomorrow)),
    ];
    let count = u64::try_from(bad.len()).expect("a few");
    let mut rows = Vec::new();
    for (number, (.., row)) in (1_u64..).zip(&bad) {
        let row = ImportedMember {
            row_number: 2 * number,
            ..row.clone()
        };
        rows.extend([row, self::row(2 * number + 1)]);
    }

    let (done, parts) = shop.imports(rows).await;

    assert_eq!(told(done), counts(2 * count + 1, [count, 0, count]));
    let refused: Vec<RefusedRow> = parts.into_iter().flat_map(|part| part.refused).collect();
    for ((field, reason, _), (number, refused)) in bad.iter().zip((1_u64..).zip(refused)) {
        assert_eq!(refused.row_number, 2 * number, "{field}");
        assert_eq!(refused.field.as_deref(), Some(*field), "{refused:?}");
        assert_eq!(format!("{:?}", refused.error.reason()), *reason, "{refused:?}");
    }
    // Corrected, a row comes again under its number.
    let corrected = ImportedMember::new(4, NewMember::new(PROGRAM).phone("+51 987 654 321"));
    assert_eq!(told(shop.imports(vec![corrected]).await.0), counts(4, [1, 0, 0]));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_no_row_could_go_on_with_ends_with_the_reason() {
    let shop = shop().await;
    let import = async |program: &str, import_id: &str, rows: Vec<ImportedMember>| {
        let done = shop.client.import_members(program, import_id, rows, |_| {}).await;
        done.expect_err("a refusal")
    };

    let nowhere = import("nowhere", "erp", vec![row(1)]).await;
    let unnamed = import(PROGRAM, "", vec![row(1)]).await;
    let falling = import(PROGRAM, "erp", vec![row(2), row(2)]).await;
    let zero = import(PROGRAM, "erp", vec![row(0)]).await;
    let etag = shop.program().await.etag;
    shop.client.archive_program(PROGRAM, etag).await.expect("archived");
    let archived = import(PROGRAM, "erp", vec![row(1)]).await;

    assert!(matches!(nowhere, Error::ProgramNotFound { .. }), "{nowhere}");
    assert_eq!(wrong_fields(&unnamed), ["import_id"]);
    assert_eq!(wrong_fields(&falling), ["rows[1].row_number"]);
    assert_eq!(wrong_fields(&zero), ["rows[0].row_number"]);
    assert!(matches!(archived, Error::ProgramArchived { .. }), "{archived}");
    let nobody = shop.client.import_members(PROGRAM, "erp", vec![], |_| {}).await;
    assert_eq!(nobody.map(told), Ok(counts(0, [0, 0, 0])));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_into_a_program_that_is_not_open_yet_and_get_no_bonus() {
    let mut program = NewProgram::new("Club", "EUR");
    program.enrolment.sign_up_bonus = Some(Decimal::TEN);
    let shop = Shop::with_program(program).await;
    shop.changes(|update| update.state(ProgramState::Draft)).await;

    shop.imports(vec![row(1).lot(OpeningLot::new(3))]).await;

    assert_eq!(shop.imported("customer-1").await.movements().await, [dec("3")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_identifiers_of_any_script_come_back_to_the_last_character() {
    let shop = shop().await;
    let scripts = ["Ζωή ☕", "l'été \\", "山田 花子", "Zoë \"Z\""];
    let member = |number: u64, name: &str| {
        NewMember::new(PROGRAM)
            .customer_id(format!("{number}-{name}"))
            .name(format!("{name} the {number}th"))
    };
    let names: Vec<&str> = scripts.into_iter().cycle().take(400).collect();
    let rows = (1..)
        .zip(&names)
        .map(|(number, name)| ImportedMember::new(number, member(number, name)));

    let (imported, _) = shop.imports(rows.collect()).await;

    assert_eq!(told(imported), (400, 400, 0, 0));
    for (number, name) in (1..).zip(&names).skip(390) {
        let found = shop.imported(&format!("{number}-{name}")).await;
        assert_eq!(found.member.name, format!("{name} the {number}th"));
    }
}
