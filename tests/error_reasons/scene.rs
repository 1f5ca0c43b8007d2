//! The shop in which the reasons are provoked.

use std::collections::HashMap;
use std::time::Duration;

use loyalty_sdk::api::{self as wire, sale_redemption::Ask, sale_return::Returned};
use loyalty_sdk::{
    DocumentTreatment, EarnRate, EnrolmentPolicy, Error, HoldCapture, ImportProgress, ImportedMember, MemberId,
    MemberKey, NewHold, NewMember, NewProgram, NewReason, NewReward, NewRule, ProductUpdate, ProgramState,
    ProgramUpdate, ReasonState, RedemptionPolicy, RedemptionRequest,
};
use loyalty_server::tenants::Role;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

use super::Provoked;
use crate::harness::keys::Keys as _;
use crate::harness::raw::{customer, number, request_id};
use crate::harness::{Shop, dec};

/// A shop in which each reason is one call away.
pub(super) struct Scene {
    pub(super) shop: Shop,
    /// The member `blocked`.
    pub(super) blocked: MemberId,
    /// Key of a till in `store-1`.
    pub(super) till: String,
    /// A hold of ada that was captured, one that was released, one that lapsed, and one of 2 points that lives.
    pub(super) captured: String,
    pub(super) released: String,
    pub(super) lapsed: String,
    pub(super) live: String,
    /// What the captured one became: 2 cakes.
    pub(super) redemption: String,
}

impl Scene {
    pub(super) async fn set() -> Self {
        let club = NewProgram::new("Club", "EUR")
            .redemption(RedemptionPolicy::new(dec("0.001")))
            .document_type("RETURN", DocumentTreatment::Returning)
            .document_type("IGNORED", DocumentTreatment::Ignored);
        let shop = Shop::with_program(club).await;
        let client = &shop.client;
        let old = NewRule::new("club", "Old", EarnRate::new(1, 1)).rule_id("old");
        let old = client.create_rule(&old).await.expect("a rule");
        client
            .archive_rule("club", "old", old.etag)
            .await
            .expect("an archived rule");
        let base = NewRule::new("club", "Base", EarnRate::new(1, 1)).rule_id("base");
        client.create_rule(&base).await.expect("a rule");
        let cake = ProductUpdate::new("cake").redeem_points(1);
        client.upsert_products("club", &[cake]).await.expect("a product");
        let reward = NewReward::product("club", "Old", 1, "cake").reward_id("old");
        let reward = client.create_reward(&reward).await.expect("a reward");
        client
            .archive_reward("club", "old", reward.etag)
            .await
            .expect("an archived reward");
        for id in ["archived", "paused", "plain", "limited"] {
            let program = NewProgram::new(id, "EUR").program_id(id);
            let limits = RedemptionPolicy::new(1)
                .minimum_points(2)
                .points_step(2)
                .max_points_per_sale(6);
            let program = match id {
                "limited" => program.redemption(limits.max_percent_of_sale(10)),
                "paused" => program
                    .redemption(RedemptionPolicy::new(1))
                    .document_type("IGNORED", DocumentTreatment::Ignored),
                _ => program,
            };
            let program = client.create_program(&program).await.expect("a program");
            for customer_id in [format!("of-{id}"), "everywhere".to_owned()] {
                let member = NewMember::new(id).customer_id(customer_id);
                client.enroll_member(&member).await.expect("a member");
            }
            match id {
                "archived" => drop(
                    client
                        .archive_program(id, program.etag)
                        .await
                        .expect("an archived program"),
                ),
                "paused" => {
                    let pause = ProgramUpdate::of(&program).state(ProgramState::Paused);
                    client.update_program(&pause).await.expect("a paused program");
                }
                _ => {}
            }
        }
        for id in ["swiss-1", "swiss-2"] {
            let program = NewProgram::new(id, "CHF").program_id(id);
            let program = program.enrolment(EnrolmentPolicy::auto_opt_in());
            client.create_program(&program).await.expect("a program");
        }
        let local = NewProgram::new("Local", "EUR").program_id("local");
        let local = local.enrolment(EnrolmentPolicy::default().territory("here"));
        client.create_program(&local).await.expect("a program");
        shop.enrols("eve").await;
        let ada = shop.enrols("ada").await;
        let recorded = loyalty_sdk::Sale::new("recorded", "store-1", MemberKey::customer_id("ada"), "EUR", 100);
        client
            .with_request_id("used")
            .record_sale(&recorded)
            .await
            .expect("a receipt");
        assert_eq!(ada.points().await, dec("100"));
        let blocked = shop.enrols("blocked").await;
        let blocked = client.block_member(&blocked.member, "stolen card").await;
        let blocked = blocked.expect("a blocked member").member_id;
        for sale_id in ["returned", "cancelled"] {
            let sale = loyalty_sdk::Sale::new(sale_id, "store-1", MemberKey::customer_id("ada"), "EUR", 100);
            client.record_sale(&sale).await.expect("a receipt");
        }
        let returned = loyalty_sdk::SaleReturn::new("returned", "store-1", "returned");
        client.return_sale(&returned).await.expect("a receipt");
        let cancellation = loyalty_sdk::Cancellation::new("store-1", "cancelled");
        client.cancel_sale(&cancellation).await.expect("a receipt");
        let gift = NewReason::adding("Gift").reason_id("gift");
        let mut former = NewReason::adding("Former").reason_id("former");
        former.state = ReasonState::Archived;
        for reason in [gift.limit(loyalty_sdk::Role::Operator, 5), former] {
            client.create_reason(&reason).await.expect("a reason");
        }
        let till = shop.tenants().await.key("default", Role::Terminal).await;
        let [captured, released, live, lapsed] = [60, 60, 60, 1].map(|seconds| {
            let two_cakes = RedemptionRequest::new("store-1", MemberKey::customer_id("ada")).redeem_product("cake", 2);
            NewHold::of(two_cakes).time_limit(Duration::from_secs(seconds))
        });
        let mut hold_ids = Vec::new();
        for hold in [captured, released, live, lapsed] {
            hold_ids.push(client.place_hold(&hold).await.expect("a hold").hold.hold_id);
        }
        let capture = HoldCapture::of(&hold_ids[0], "store-1");
        let redeemed = client.capture_hold(&capture).await.expect("a capture");
        client.release_hold(&hold_ids[1], None).await.expect("a release");
        shop.it_is("2026-01-15T10:00:01Z");
        let [captured, released, live, lapsed] = [0, 1, 2, 3].map(|place: usize| hold_ids[place].to_string());
        Self {
            shop,
            till,
            captured,
            released,
            lapsed,
            live,
            blocked,
            redemption: redeemed.redemption.redemption_id.to_string(),
        }
    }

    /// What a till may not ask, with a key.
    pub(super) fn asks_as<'a>(&'a self, key: &'a str) -> Provoked<'a> {
        Box::pin(async {
            let client = self.shop.client_with(key).await;
            let request = wire::ListMembersRequest::default();
            client.raw_programs().list_members(request).await.err()
        })
    }

    /// A thousand euro to ada, who has a hundred points worth ten cents.
    pub(super) fn sale(&self) -> wire::Sale {
        wire::Sale {
            sale_id: self.shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            member: customer("ada"),
            currency_code: "EUR".to_owned(),
            total: number("1000"),
            ..wire::Sale::default()
        }
    }

    pub(super) async fn records(&self, request_id: String, sale: wire::Sale) -> Option<Status> {
        let sale = Some(sale);
        let call = wire::RecordSaleRequest {
            request_id,
            sale,
            ..wire::RecordSaleRequest::default()
        };
        self.shop.client.raw_ledger().record_sale(call).await.err()
    }

    pub(super) fn sells(&self, spoil: fn(&mut wire::Sale)) -> Provoked<'_> {
        let mut sale = self.sale();
        spoil(&mut sale);
        Box::pin(self.records(request_id(), sale))
    }

    /// A sale of a program with limits: at least 2 points, in steps of 2, at most 6 points and 10 % of it.
    pub(super) fn limited(&self, asked: &str) -> Provoked<'_> {
        let mut sale = self.sale();
        sale.member = customer("of-limited");
        sale.total = number("100");
        sale.redemptions.push(points(asked));
        Box::pin(self.records(request_id(), sale))
    }

    pub(super) fn sells_as(&self, request_id: &str) -> Provoked<'_> {
        Box::pin(self.records(request_id.to_owned(), self.sale()))
    }

    pub(super) fn captures(&self, hold_id: &str, customer_id: &str) -> Provoked<'_> {
        self.captures_asks(hold_id, customer(customer_id), Vec::new())
    }

    pub(super) fn captures_more(&self, hold_id: &str) -> Provoked<'_> {
        let mut three_cakes = product("cake");
        if let Some(Ask::Product(asked)) = &mut three_cakes.ask {
            asked.quantity = number("3");
        }
        self.captures_asks(hold_id, None, vec![three_cakes])
    }

    /// Three of the two cakes that points bought.
    pub(super) fn reverses_more(&self) -> Provoked<'_> {
        let three_cakes = wire::RedemptionPart {
            tender: 0,
            part: number("3").map(wire::redemption_part::Part::Quantity),
        };
        let call = wire::ReverseRedemptionRequest {
            request_id: request_id(),
            redemption_id: self.redemption.clone(),
            parts: vec![three_cakes],
            store_id: "store-1".to_owned(),
            ..wire::ReverseRedemptionRequest::default()
        };
        Box::pin(async { self.shop.client.raw_redemptions().reverse_redemption(call).await.err() })
    }

    pub(super) fn captures_asks(
        &self,
        hold_id: &str,
        member: Option<wire::MemberKey>,
        redemptions: Vec<wire::SaleRedemption>,
    ) -> Provoked<'_> {
        let call = wire::CaptureHoldRequest {
            request_id: request_id(),
            hold_id: hold_id.to_owned(),
            member,
            redemptions,
            store_id: "store-1".to_owned(),
            ..wire::CaptureHoldRequest::default()
        };
        Box::pin(async { self.shop.client.raw_redemptions().capture_hold(call).await.err() })
    }

    /// A euro of the recorded sale comes back.
    pub(super) fn returns(&self, spoil: fn(&mut wire::SaleReturn)) -> Provoked<'_> {
        let mut sale_return = wire::SaleReturn {
            return_id: self.shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            sale_id: "recorded".to_owned(),
            returned: number("1").map(Returned::Amount),
            ..wire::SaleReturn::default()
        };
        spoil(&mut sale_return);
        let call = wire::ReturnSaleRequest {
            request_id: request_id(),
            sale_return: Some(sale_return),
            ..wire::ReturnSaleRequest::default()
        };
        Box::pin(async { self.shop.client.raw_ledger().return_sale(call).await.err() })
    }

    pub(super) fn rules(&self, program_id: &str, rule_id: &str) -> Provoked<'_> {
        let earn_rate = wire::EarnRate {
            amount: number("1"),
            points: number("1"),
            ..wire::EarnRate::default()
        };
        let rule = wire::Rule {
            program_id: program_id.to_owned(),
            rule_id: rule_id.to_owned(),
            name: "Rule".to_owned(),
            effect: Some(wire::rule::Effect::EarnRate(earn_rate)),
            ..wire::Rule::default()
        };
        let rule = Some(rule);
        let request_id = request_id();
        let call = wire::CreateRuleRequest { request_id, rule };
        Box::pin(async { self.shop.client.raw_rules().create_rule(call).await.err() })
    }

    /// Changes what the blocked member is known by.
    pub(super) fn replaces(&self, old: Option<&str>, new: Option<&str>) -> Provoked<'_> {
        let identifier = |customer_id: &str| wire::Identifier {
            identifier: Some(wire::identifier::Identifier::CustomerId(customer_id.to_owned())),
        };
        let call = wire::ReplaceIdentifierRequest {
            request_id: request_id(),
            member_id: self.blocked.to_string(),
            old_identifier: old.map(identifier),
            new_identifier: new.map(identifier),
        };
        Box::pin(async { self.shop.client.raw_programs().replace_identifier(call).await.err() })
    }

    /// Merges a member into the blocked one.
    pub(super) async fn merges(&self, merged: &MemberId) -> Result<(), Status> {
        let call = wire::MergeMembersRequest {
            request_id: request_id(),
            member_id: self.blocked.to_string(),
            merged_member_id: merged.to_string(),
            reason: String::new(),
        };
        self.shop.client.raw_programs().merge_members(call).await.map(drop)
    }

    pub(super) fn adjusts(&self, reason_id: &str, points: &str) -> Provoked<'_> {
        let call = wire::AdjustPointsRequest {
            request_id: request_id(),
            member: customer("ada"),
            reason_id: reason_id.to_owned(),
            points: number(points),
            ..wire::AdjustPointsRequest::default()
        };
        Box::pin(async { self.shop.client.raw_ledger().adjust_points(call).await.err() })
    }

    /// Two members under one number. A row has no status of its own: its refusal as a call would answer it.
    pub(super) fn imports_twice(&self) -> Provoked<'_> {
        Box::pin(async {
            let mut refused = None;
            for card in ["1001", "1002"] {
                let row = ImportedMember::new(1, NewMember::new("club").card(card));
                let told = |part: &ImportProgress| refused = part.refused.first().map(|row| row.error.clone());
                let import = self.shop.client.import_members("club", "erp", [row], told);
                import.await.expect("an import");
            }
            let error = refused.expect("a refused row");
            let Error::ImportRowConflict { import_id, row_number } = &error else {
                panic!("{error}");
            };
            let metadata = [("import_id", import_id.clone()), ("row_number", row_number.to_string())];
            let metadata = HashMap::from(metadata.map(|(name, value)| (name.to_owned(), value)));
            let name = error.reason().as_str_name().trim_start_matches("ERROR_REASON_");
            let details = ErrorDetails::with_error_info(name, "loyalty.v1", metadata);
            Some(Status::with_error_details(error.code(), error.to_string(), details))
        })
    }

    pub(super) fn archives_rule(&self, rule_id: &str, etag: &str) -> Provoked<'_> {
        let call = wire::ArchiveRuleRequest {
            request_id: request_id(),
            program_id: "club".to_owned(),
            rule_id: rule_id.to_owned(),
            etag: etag.to_owned(),
        };
        Box::pin(async { self.shop.client.raw_rules().archive_rule(call).await.err() })
    }
}

/// One of a product.
pub(super) fn product(product_id: &str) -> wire::SaleRedemption {
    let ask = Ask::Product(wire::ProductRedemption {
        product_id: product_id.to_owned(),
        quantity: None,
    });
    wire::SaleRedemption {
        ask: Some(ask),
        ..wire::SaleRedemption::default()
    }
}

pub(super) fn points(value: &str) -> wire::SaleRedemption {
    let ask = number(value).map(Ask::Points);
    wire::SaleRedemption {
        ask,
        ..wire::SaleRedemption::default()
    }
}
