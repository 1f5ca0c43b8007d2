//! A merchant with something of everything, all of it named after it, and two others.

use loyalty_sdk::api::{self as wire, sale_return::Returned};
use loyalty_sdk::{
    Client, EarnRate, MemberKey, NewHold, NewMember, NewProgram, NewReason, NewReward, NewRule, PageRequest,
    ProductUpdate, RedemptionPolicy, RedemptionRequest, Sale,
};
use loyalty_server::tenants::Role;

use crate::harness::keys::Keys as _;
use crate::harness::raw::{customer, number};
use crate::harness::{Shop, dec};

/// The merchant `alpha`: all that is its own has `alpha` in its name.
pub(crate) struct World {
    pub(crate) shop: Shop,
    /// Of its operator.
    pub(crate) key: String,
    pub(crate) client: Client,
    /// The member `alpha-ada` of the program `club`, who has 1,000 points.
    pub(crate) member_id: String,
}

impl World {
    pub(crate) async fn make() -> Self {
        let shop = Shop::with_keys().await;
        let mut tenants = shop.tenants().await;
        tenants.create_merchant("alpha").await.expect("a merchant");
        let key = tenants.key("alpha", Role::Operator).await;
        let client = shop.client_with(&key).await;
        let member_id = furnish(&client, "alpha").await;
        Self {
            shop,
            key,
            client,
            member_id,
        }
    }

    /// A sale of 100 euro to the member, not recorded yet.
    pub(crate) fn sale(&self) -> wire::Sale {
        wire::Sale {
            sale_id: self.shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            terminal_id: "till-1".to_owned(),
            member: customer("alpha-ada"),
            currency_code: "EUR".to_owned(),
            total: number("100"),
            ..wire::Sale::default()
        }
    }

    /// A euro of the member's sale `alpha-sale`, not come back yet.
    pub(crate) fn sale_return(&self) -> wire::SaleReturn {
        wire::SaleReturn {
            return_id: self.shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            terminal_id: "till-1".to_owned(),
            sale_id: "alpha-sale".to_owned(),
            returned: number("1").map(Returned::Amount),
            ..wire::SaleReturn::default()
        }
    }

    /// Of the program `club` as it is now.
    pub(crate) async fn program_etag(&self) -> String {
        self.client.get_program("club").await.expect("a program").etag
    }

    /// Of what tills may do without a line, as it is now.
    pub(crate) async fn offline_etag(&self) -> String {
        let policy = self.client.get_offline_policy().await;
        policy.expect("a policy").etag
    }

    /// Of the reason `gift` as it is now.
    pub(crate) async fn templates_etag(&self) -> String {
        let templates = self.client.get_receipt_templates().await;
        templates.expect("templates").etag
    }

    pub(crate) async fn reason_etag(&self) -> String {
        let reasons = self.client.list_reasons(&PageRequest::default()).await;
        let mut reasons = reasons.expect("reasons").items.into_iter();
        reasons
            .find(|reason| reason.reason_id.as_str() == "gift")
            .expect("a reason")
            .etag
    }

    /// Of the member `alpha-ada` as it is now.
    pub(crate) async fn member_etag(&self) -> String {
        let record = self.client.get_member(self.member_id.as_str()).await;
        record.expect("a member").0.etag
    }

    /// Of a further member of the program `club`.
    pub(crate) async fn newcomer_id(&self) -> String {
        let newcomer = NewMember::new("club").card(self.shop.next_sale_id());
        let newcomer = self.client.enroll_member(&newcomer).await;
        newcomer.expect("a member").member_id.to_string()
    }

    /// Of the rule `extra` as it is now.
    pub(crate) async fn rule_etag(&self) -> String {
        self.client.get_rule("club", "extra").await.expect("a rule").etag
    }

    /// Of a hold of the member's that lives.
    pub(crate) async fn hold_id(&self) -> String {
        let hold = self.client.place_hold(&NewHold::of(self.redemption())).await;
        hold.expect("a hold").hold.hold_id.to_string()
    }

    /// Of a redemption of the member's.
    pub(crate) async fn redemption_id(&self) -> String {
        let redeemed = self.client.redeem(&self.redemption()).await;
        redeemed.expect("a redemption").redemption.redemption_id.to_string()
    }

    fn redemption(&self) -> RedemptionRequest {
        RedemptionRequest::new("store-1", MemberKey::customer_id("alpha-ada")).redeem_points(100)
    }

    /// Of the reward `key` as it is now.
    pub(crate) async fn reward_etag(&self) -> String {
        self.client.get_reward("club", "key").await.expect("a reward").etag
    }
}

/// Something of everything for a merchant; the id of its member.
pub(crate) async fn furnish(client: &Client, name: &str) -> String {
    let program = NewProgram::new(format!("{name} club"), "EUR")
        .program_id("club")
        .redemption(RedemptionPolicy::new(dec("0.01")));
    client.create_program(&program).await.expect("a program");
    let rule = NewRule::new("club", format!("{name} rule"), EarnRate::new(1, 1)).rule_id("base");
    client.create_rule(&rule).await.expect("a rule");
    let extra = NewRule::new("club", format!("{name} extra"), EarnRate::new(2, 1))
        .rule_id("extra")
        .priority(1);
    client.create_rule(&extra).await.expect("a rule");
    let gift = NewReason::adding(format!("{name} gift")).reason_id("gift");
    client.create_reason(&gift).await.expect("a reason");
    for reward_id in ["cup", "key"] {
        let reward = NewReward::money_off("club", format!("{name} {reward_id}"), 150, 5).reward_id(reward_id);
        client.create_reward(&reward).await.expect("a reward");
    }
    let products = ["cake", "pie"].map(|product| ProductUpdate::new(format!("{name}-{product}")).points(dec("7")));
    client.upsert_products("club", &products).await.expect("products");
    let eve = NewMember::new("club").customer_id(format!("{name}-eve"));
    client.enroll_member(&eve).await.expect("a member");
    let ada = format!("{name}-ada");
    let member = NewMember::new("club").customer_id(&ada).name(format!("{name} Ada"));
    let member = client.enroll_member(&member).await.expect("a member");
    let sale = |id: &str| {
        Sale::new(
            format!("{name}-{id}"),
            "store-1",
            MemberKey::customer_id(&ada),
            "EUR",
            2_000,
        )
    };
    client.record_sale(&sale("first")).await.expect("a receipt");
    client
        .with_request_id(format!("{name}-request"))
        .record_sale(&sale("sale"))
        .await
        .expect("a receipt");
    member.member_id.to_string()
}
