//! L11: what each program of a merchant owes is valued as that program valued its points then.

use loyalty_sdk::{
    DateTime, EarnRate, Liability, NewProgram, PageRequest, ProgramId, ProgramUpdate, RedemptionPolicy, Rounding,
    RuleUpdate, Utc,
};
use rust_decimal::Decimal;

use crate::harness::{Shop, dec};

async fn owed(shop: &Shop, program_id: &ProgramId, at: Option<DateTime<Utc>>) -> Liability {
    let liability = shop.client.get_liability(program_id, at, |_| {}).await;
    liability.unwrap_or_else(|error| panic!("{error}"))
}

/// Members, points, value of a point, and of all.
fn numbers(owed: &Liability) -> (u64, Decimal, Option<Decimal>, Option<Decimal>) {
    (owed.members, owed.points, owed.value_per_point, owed.value)
}

fn worth(points: &str, per_point: &str, all: &str) -> (u64, Decimal, Option<Decimal>, Option<Decimal>) {
    (1, dec(points), Some(dec(per_point)), Some(dec(all)))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_program_of_a_merchant_owes_at_its_own_value_as_it_was_then() {
    let shop = Shop::empty().await;
    let rate = || EarnRate::new(10, 1).rounding(Rounding::HalfUp);
    let worth_so = |value: &str| Some(RedemptionPolicy::new(dec(value)));
    let stays = NewProgram::new("Stays", "EUR").decimals(2);
    let stays = shop
        .member_of(stays.redemption(RedemptionPolicy::new(dec("0.0333"))), rate())
        .await;
    let changes = NewProgram::new("Changes", "EUR").redemption(RedemptionPolicy::new(2));
    let changes = shop.member_of(changes, rate()).await;
    let unpaid = shop.member_of(NewProgram::new("Pays nothing", "EUR"), rate()).await;
    let all = [&stays, &changes, &unpaid];
    for member in all {
        member.buys("12.30").await;
    }
    let [stays, changes, unpaid] = all.map(|member| &member.member.program_id);
    shop.days_pass(10);
    let before = shop.now();
    shop.days_pass(10);

    let program = shop.client.get_program(changes.clone()).await.expect("a program");
    let update = ProgramUpdate::of(&program).redemption(worth_so("0.5"));
    shop.client.update_program(&update).await.expect("an update");
    let changed = shop.now();
    shop.days_pass(10);
    // A version of its own, which says nothing of the value.
    let rules = shop.client.list_rules(changes.clone(), &PageRequest::default()).await;
    let rule = rules.expect("a page").items.remove(0);
    let update = RuleUpdate::of(&rule).earn_rate(EarnRate::new(1, 1));
    shop.client.update_rule(&update).await.expect("an update");
    let program = shop.client.get_program(unpaid.clone()).await.expect("a program");
    let update = ProgramUpdate::of(&program).redemption(worth_so("3"));
    shop.client.update_program(&update).await.expect("an update");

    for at in [Some(before), Some(changed), None] {
        assert_eq!(
            numbers(&owed(&shop, stays, at).await),
            worth("1.23", "0.0333", "0.040959"),
            "{at:?}"
        );
    }
    assert_eq!(numbers(&owed(&shop, changes, Some(before)).await), worth("1", "2", "2"));
    for at in [Some(changed), None] {
        assert_eq!(numbers(&owed(&shop, changes, at).await), worth("1", "0.5", "0.5"));
    }
    assert_eq!(
        numbers(&owed(&shop, unpaid, Some(changed)).await),
        (1, dec("1"), None, None)
    );
    assert_eq!(numbers(&owed(&shop, unpaid, None).await), worth("1", "3", "3"));
}
