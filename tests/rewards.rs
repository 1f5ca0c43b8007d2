//! Rewards are created, read, listed, changed and archived, and every change is a version of the program.

use loyalty_sdk::{
    ConfigurationFilter, ConfigurationResource, Error, NewProgram, NewReward, OperationResult, PageRequest,
    ProgramUnit, RequestId, Reward, RewardGives, RewardUpdate, api,
};

use crate::harness::{PROGRAM, Shop, dec, instant, wrong_fields};

async fn shop() -> Shop {
    Shop::with_program(NewProgram::new("Club", "EUR")).await
}

fn five_off() -> NewReward {
    NewReward::money_off(PROGRAM, "Five euro off", 150, 5).reward_id("five-off")
}

impl Shop {
    async fn rewards(&self, reward: &NewReward) -> Reward {
        let created = self.client.create_reward(reward).await;
        created.unwrap_or_else(|error| panic!("{}: {error}", reward.name))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_is_read_as_it_was_created() {
    let shop = shop().await;
    let key = five_off()
        .position(2)
        .product_code("LOYPAY2")
        .category("loyalty/discounts")
        .printed_text("ΕΚΠΤΩΣΗ 5 €")
        .print_quantity();
    let cake = NewReward::product(PROGRAM, "A piece of cake", 90, "cake").reward_id("cake");

    let created = shop.rewards(&key).await;
    let product = shop.rewards(&cake).await;

    assert_eq!(shop.client.get_reward(PROGRAM, "five-off").await, Ok(created.clone()));
    assert_eq!(created.terms, key.terms);
    let since = (created.archived, created.since_version, created.updated_at);
    assert_eq!(since, (false, 2, instant("2026-01-15T10:00:00Z")));
    assert_eq!(product.terms, cake.terms);
    assert_eq!(shop.program().await.version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn rewards_are_listed_by_id_with_the_archived_ones() {
    let shop = shop().await;
    for (id, is_archived) in [("m", false), ("c", true), ("x", false)] {
        let reward = shop.rewards(&five_off().reward_id(id)).await;
        if is_archived {
            let archived = shop.client.archive_reward(PROGRAM, id, reward.etag).await;
            archived.expect("archived");
        }
    }

    let mut listed = Vec::new();
    let mut next = Some(PageRequest::of(2));
    while let Some(page) = next {
        let page = shop.client.list_rewards(PROGRAM, &page).await.expect("a page");
        let ids = page.items.into_iter();
        listed.extend(ids.map(|reward| (reward.reward_id.to_string(), reward.archived)));
        next = page.next;
    }

    let expected = [("c", true), ("m", false), ("x", false)];
    assert_eq!(listed, expected.map(|(id, archived)| (id.to_owned(), archived)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named() {
    let shop = shop().await;

    let reward = shop.client.get_reward(PROGRAM, "five-off").await;
    let program = shop.client.list_rewards("other", &PageRequest::default()).await;
    let of_other = NewReward::money_off("other", "Five euro off", 150, 5);
    let created = shop.client.create_reward(&of_other).await;

    let (program_id, reward_id) = (PROGRAM.into(), "five-off".into());
    assert_eq!(reward, Err(Error::RewardNotFound { program_id, reward_id }));
    let program_id = "other".into();
    assert_eq!(program, Err(Error::ProgramNotFound { program_id }));
    let program_id = "other".into();
    assert_eq!(created, Err(Error::ProgramNotFound { program_id }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_a_reward_needs_the_etag_that_was_read_and_an_archived_one_takes_none() {
    let shop = shop().await;
    let read = shop.rewards(&five_off()).await;
    shop.days_pass(1);

    let update = RewardUpdate::of(&read)
        .points(120)
        .gives(&RewardGives::Product("tea".into()))
        .position(1)
        .printed_text("TEA");
    let changed = shop.client.update_reward(&update).await.expect("an update");
    let stale = shop.client.update_reward(&RewardUpdate::of(&read).name("Tea")).await;
    let archived = shop
        .client
        .archive_reward(PROGRAM, "five-off", changed.etag.as_str())
        .await
        .expect("archived");
    let too_late = shop
        .client
        .update_reward(&RewardUpdate::of(&archived).name("Tea"))
        .await;

    assert_eq!(changed.name, "Five euro off");
    assert_eq!(
        (&changed.terms.gives, changed.terms.points, changed.terms.position),
        (&RewardGives::Product("tea".into()), dec("120"), 1)
    );
    assert_eq!(changed.updated_at, instant("2026-01-16T10:00:00Z"));
    let etag = changed.etag.clone();
    assert_eq!(stale, Err(Error::EtagMismatch { etag }));
    assert!(archived.archived);
    let reward_id = "five-off".into();
    assert_eq!(too_late, Err(Error::RewardArchived { reward_id }));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_rewards_are_in_the_history_and_made_once() {
    let shop = shop().await;
    let client = shop.client.with_actor("ana").with_request_id("new-reward");
    let read = client.create_reward(&five_off()).await.expect("a reward");
    let again = client.create_reward(&five_off()).await;
    let taken = shop.client.create_reward(&five_off()).await;
    let update = RewardUpdate::of(&read).points(120);
    shop.client.update_reward(&update).await.expect("an update");

    let filter = ConfigurationFilter::all().reward(PROGRAM, "five-off");
    let changes = shop
        .client
        .list_configuration_changes(&filter, &PageRequest::default())
        .await
        .expect("changes")
        .items;
    let operation = shop.client.get_operation("new-reward").await.expect("an operation");

    assert_eq!(again, Ok(read));
    let (program_id, reward_id) = (PROGRAM.into(), "five-off".into());
    assert_eq!(taken, Err(Error::RewardExists { program_id, reward_id }));
    assert_eq!(operation.result, OperationResult::Reward("five-off".into()));
    let told: Vec<_> = changes.iter().map(|change| (change.version, change.resource)).collect();
    let reward = ConfigurationResource::Reward;
    assert_eq!(told, [(3, reward), (2, reward)]);
    assert_eq!(changes[1].actor, "ana");
    let field = &changes[0].fields[0];
    assert_eq!(
        [&*field.path, &*field.old_value, &*field.new_value],
        ["points", "150", "120"]
    );
    assert_eq!(changes[0].fields.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_that_cannot_be_right_is_refused_by_the_name_of_its_field() {
    let shop = shop().await;
    let mut nameless = five_off();
    nameless.name = String::new();
    let mut free = five_off();
    free.terms.points = dec("0");

    let cases = [
        ("reward.name", nameless),
        ("reward.reward_id", five_off().reward_id("Five Off")),
        ("reward.points", free),
        ("reward.money_off", NewReward::money_off(PROGRAM, "Nothing", 10, 0)),
        (
            "reward.money_off",
            NewReward::money_off(PROGRAM, "Mills", 10, dec("0.005")),
        ),
        ("reward.product_id", NewReward::product(PROGRAM, "Something", 10, "")),
        ("reward.position", five_off().position(1_000_001)),
        ("reward.product_code", five_off().product_code("x".repeat(65))),
        ("reward.category", five_off().category("loyalty//")),
        ("reward.printed_text", five_off().printed_text("x".repeat(201))),
        ("reward.vat_percent", five_off().vat_percent(24)),
    ];
    for (field, reward) in cases {
        let error = shop.client.create_reward(&reward).await.expect_err(field);

        assert_eq!(wrong_fields(&error), [field], "{reward:?}");
    }
    let fine = NewReward::money_off(PROGRAM, "Half a point", dec("0.5"), 5);
    let too_fine = Error::TooManyDecimals {
        field: "reward.points".to_owned(),
        decimals: 0,
    };
    assert_eq!(shop.client.create_reward(&fine).await, Err(too_fine));
    let gives_nothing = api::CreateRewardRequest {
        request_id: RequestId::generate().to_string(),
        reward: Some(api::Reward {
            program_id: PROGRAM.to_owned(),
            name: "Nothing".to_owned(),
            ..api::Reward::default()
        }),
    };
    let error = shop.client.raw_redemptions().create_reward(gives_nothing).await;
    let error = error.expect_err("it gives nothing and costs nothing");
    assert!(error.message().starts_with("reward.gives:"), "{error}");
    assert_eq!(shop.program().await.version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_rewards_of_value_programs_have_vat() {
    let program = NewProgram {
        unit: ProgramUnit::Value,
        ..NewProgram::new("Club", "EUR")
    };
    let shop = Shop::with_program(program).await;

    let created = shop.rewards(&five_off().vat_percent(dec("24.5"))).await;

    assert_eq!(created.terms.vat_percent, Some(dec("24.5")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_at_most_a_hundred_rewards_in_use() {
    let shop = shop().await;
    let mut last = None;
    for number in 0..100 {
        let reward = five_off().reward_id(format!("reward-{number}"));
        last = Some(shop.rewards(&reward).await);
    }

    let one_more = shop.client.create_reward(&five_off()).await;
    let last = last.expect("a reward");
    shop.client
        .archive_reward(PROGRAM, last.reward_id, last.etag)
        .await
        .expect("archived");
    let in_its_place = shop.client.create_reward(&five_off()).await;

    assert_eq!(wrong_fields(&one_more.expect_err("the hundred and first")), ["reward"]);
    assert!(in_its_place.is_ok(), "{in_its_place:?}");
}
