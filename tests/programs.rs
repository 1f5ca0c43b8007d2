//! T1: programs are created, read, listed and archived.

use loyalty_sdk::{
    Activity, EarnRate, EarnReason, Error, ExpiryPolicy, InactivityPolicy, NewMember, NewProgram, NewRule, PageRequest,
    ProgramState, ProgramUpdate, RatedBasis, RedemptionPolicy, RuleUpdate, ShortfallPolicy, Tier, TierSpendWindow,
};

use crate::harness::{PROGRAM, Shop, day, dec, instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_read_as_it_was_created() {
    let shop = Shop::empty().await;
    let new = NewProgram {
        valid_from: Some(day("2026-01-01")),
        valid_until: Some(day("2026-12-31")),
        redeem_until: Some(day("2027-03-31")),
        rated_basis: RatedBasis::Net,
        earn_on_points_paid_part: true,
        tier_spend_window: Some(TierSpendWindow::rolling_days(365).downgrade_after(30)),
        ..NewProgram::new("Club \"Ñandú\" 🦤", "PEN")
            .program_id("club-1.a_b")
            .time_zone("America/Lima")
            .decimals(2)
            .tier(Tier::new("silver", "Silver", 0).earn_rate(EarnRate::new(10, 1)))
            .expiry(ExpiryPolicy::months(12))
            .inactivity(InactivityPolicy::months(18).activity(Activity::Earning))
            .redemption(RedemptionPolicy::new(dec("0.05")))
            .document_type("NC", loyalty_sdk::DocumentTreatment::Returning)
            .shortfall_policy(ShortfallPolicy::Refuse)
    };

    let created = shop.client.create_program(&new).await.expect("a program");

    let read = shop.client.get_program("club-1.a_b").await.expect("the program");
    assert_eq!(read, created);
    assert_eq!((read.version, read.created_at), (1, instant("2026-01-15T10:00:00Z")));
    let read = NewProgram {
        program_id: Some(read.program_id),
        name: read.name,
        state: read.state,
        unit: read.unit,
        currency_code: read.currency_code,
        time_zone: read.time_zone,
        decimals: read.decimals,
        tiers: read.tiers,
        tier_spend_basis: read.tier_spend_basis,
        tier_spend_window: read.tier_spend_window,
        valid_from: read.valid_from,
        valid_until: read.valid_until,
        redeem_until: read.redeem_until,
        expiry: read.expiry,
        inactivity: read.inactivity,
        birthday_bonus: read.birthday_bonus,
        redemption: read.redemption,
        rated_basis: read.rated_basis,
        earn_on_points_paid_part: read.earn_on_points_paid_part,
        document_types: read.document_types,
        max_discount_percent: read.max_discount_percent,
        exclude_percent_discounted_lines: read.exclude_percent_discounted_lines,
        carry_fractions: read.carry_fractions,
        enrolment: read.enrolment,
        pending_days: read.pending_days,
        expense_account: read.expense_account,
        cost_center: read.cost_center,
        shortfall_policy: read.shortfall_policy,
    };
    assert_eq!(read, new);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_of_points_that_are_taken_back_is_owed_unless_the_program_says_otherwise() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;

    let created = shop.program().await;
    let changed = shop
        .changes(|club| club.shortfall_policy(ShortfallPolicy::ClampToZero))
        .await;

    assert_eq!(created.shortfall_policy, ShortfallPolicy::AllowNegative);
    assert_eq!(changed.shortfall_policy, ShortfallPolicy::ClampToZero);
    assert_eq!(shop.program().await, changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_id_is_taken_once_and_made_by_the_server_when_it_is_empty() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;

    let again = shop
        .client
        .create_program(&NewProgram::new("Other", "EUR").program_id(PROGRAM))
        .await;
    let nameless = shop
        .client
        .create_program(&NewProgram::new("Other", "EUR"))
        .await
        .expect("a program");
    let missing = shop.client.get_program("nobody").await;

    assert_eq!(
        again,
        Err(Error::ProgramExists {
            program_id: PROGRAM.into()
        })
    );
    assert_eq!(shop.program().await.name, "Club");
    assert!(!nameless.program_id.as_str().is_empty());
    assert_eq!(
        missing,
        Err(Error::ProgramNotFound {
            program_id: "nobody".into()
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_listed_by_id_and_new_ones_shift_no_page() {
    let shop = Shop::empty().await;
    let create = async |id: &str| {
        let program = NewProgram::new(id, "EUR").program_id(id);
        shop.client.create_program(&program).await.expect("a program");
    };
    for id in ["m", "c", "x"] {
        create(id).await;
    }

    let mut listed = Vec::new();
    let mut next = Some(PageRequest::of(1));
    while let Some(page) = next {
        let page = shop.client.list_programs(&page).await.expect("a page");
        assert_eq!(page.items.len(), 1);
        listed.extend(page.items.into_iter().map(|program| program.program_id.to_string()));
        next = page.next;
        if listed.len() == 1 {
            create("a").await;
            create("d").await;
        }
    }

    assert_eq!(listed, ["c", "d", "m", "x"]);
    let all = shop
        .client
        .list_programs(&PageRequest::default())
        .await
        .expect("a page");
    assert_eq!((all.items.len(), all.next), (5, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_program_stays_as_it_is_and_earns_and_redeems_nothing() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    let rule = shop
        .client
        .list_rules(PROGRAM, &PageRequest::default())
        .await
        .expect("rules")
        .items
        .remove(0);

    let archived = shop
        .client
        .archive_program(PROGRAM, shop.program().await.etag)
        .await
        .expect("archived");

    assert_eq!(archived.state, ProgramState::Archived);
    let refused: Vec<Option<Error>> = vec![
        shop.client
            .update_program(&ProgramUpdate::of(&archived).name("New"))
            .await
            .err(),
        shop.client
            .update_program(&ProgramUpdate::of(&archived).state(ProgramState::Active))
            .await
            .err(),
        shop.client.archive_program(PROGRAM, archived.etag.as_str()).await.err(),
        shop.client
            .create_rule(&NewRule::new(PROGRAM, "Second", EarnRate::new(1, 1)))
            .await
            .err(),
        shop.client.update_rule(&RuleUpdate::of(&rule).name("New")).await.err(),
        shop.client.archive_rule(PROGRAM, rule.rule_id, rule.etag).await.err(),
        shop.client
            .enroll_member(&NewMember::new(PROGRAM).card("1"))
            .await
            .err(),
    ];
    for error in refused {
        assert_eq!(
            error,
            Some(Error::ProgramArchived {
                program_id: PROGRAM.into()
            })
        );
    }
    assert_eq!(shop.program().await, archived);
    let sale = ada.buys("10.00").await;
    assert_eq!(
        (sale.points_earned, sale.lines[0].reason),
        (dec("0"), EarnReason::ProgramArchived)
    );
    let redeemed = ada.tries(&ada.sale("10.00").redeem_points(1)).await;
    let closed = Error::RedemptionClosed {
        program_id: PROGRAM.into(),
        state: "ARCHIVED".to_owned(),
    };
    assert_eq!(redeemed, Err(closed));
    assert_eq!(ada.points().await, dec("10"));
}
