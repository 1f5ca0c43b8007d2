//! The texts of receipts can be replaced per merchant, by document, language and unit.

use loyalty_sdk::{
    ConfigurationFilter, ConfigurationResource, EarnRate, Error, NewProgram, NewReward, OperationResult, PageRequest,
    ProgramUnit, ReceiptDocument, ReceiptLanguage, ReceiptTemplate, RedemptionPolicy, api,
};
use loyalty_server::tenants::Role;
use tonic_types::StatusExt as _;

use crate::harness::keys::Keys as _;
use crate::harness::{MERCHANT, PROGRAM, Shop, dec, wrong_fields};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_own_template_is_printed_from_the_next_text_on_through_any_server() {
    let shop = shop().await;
    let other = shop.second_server().await;
    let ada = shop.enrols("ada").await;
    let spanish = |total: &str| ada.sale(total).receipt_in(ReceiptLanguage::Spanish);
    let recorded = ada.records(&spanish("10")).await;

    let templates = shop.client.get_receipt_templates().await.expect("templates");
    let own = "¡Gracias!\n\n{program}: {earned}{right}{balance}\n{?used}Pagado{right}{paid}\nVence {next_expiry}";
    let own = templates
        .template(ReceiptDocument::Sale, ReceiptLanguage::Spanish, own)
        .line_width(20);
    let set = other.set_receipt_templates(&own).await.expect("templates");
    let changed = ada.records(&spanish("7.50")).await;
    let redeeming = ada.records(&spanish("5").redeem_points(10)).await;
    let english = ada.records(&ada.sale("1").receipt_in(ReceiptLanguage::English)).await;
    let put_back = shop.client.set_receipt_templates(&set.clone().built_in()).await;
    let built_in = ada.records(&spanish("1")).await;

    assert!(recorded.text.expect("a text").starts_with("Puntos ganados"));
    assert_eq!(changed.text.as_deref(), Some("¡Gracias!\n\nClub: 7           17"));
    assert_eq!(
        redeeming.text.as_deref(),
        Some("¡Gracias!\n\nClub: 4           11\nPagado      1,00 EUR")
    );
    assert_eq!(
        english.text.as_deref(),
        Some("Points earned      1\nPoints balance    12\nWorth       1.20 EUR")
    );
    assert_ne!(set.etag, templates_of(&shop).await.etag);
    assert_eq!(put_back.expect("templates").templates, []);
    assert!(built_in.text.expect("a text").starts_with("Puntos ganados"));
}

async fn templates_of(shop: &Shop) -> loyalty_sdk::ReceiptTemplates {
    shop.client.get_receipt_templates().await.expect("templates")
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_a_unit_may_have_a_template_of_their_own() {
    let shop = shop().await;
    let of_points = shop.enrols("ada").await;
    let value = NewProgram {
        unit: ProgramUnit::Value,
        ..NewProgram::new("Cash", "EUR")
    };
    let of_value = shop.member_of(value, EarnRate::new(1, dec("0.20"))).await;
    let of_unit = ReceiptTemplate {
        unit: Some(ProgramUnit::Value),
        ..ReceiptTemplate::new(ReceiptDocument::Sale, ReceiptLanguage::English, "money {earned}")
    };
    let templates = templates_of(&shop)
        .await
        .template(ReceiptDocument::Sale, ReceiptLanguage::English, "points {earned}")
        .with(of_unit);
    shop.client.set_receipt_templates(&templates).await.expect("templates");

    let points = of_points
        .records(&of_points.sale("10").receipt_in(ReceiptLanguage::English))
        .await;
    let money = of_value
        .records(&of_value.sale("10").receipt_in(ReceiptLanguage::English))
        .await;

    assert_eq!(points.text.as_deref(), Some("points 10"));
    assert_eq!(money.text.as_deref(), Some("money 2.00 EUR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_built_in_template_can_be_set_as_the_merchants_own_and_prints_the_same() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let coffee = NewReward::money_off(PROGRAM, "Coffee", 50, 2).reward_id("coffee");
    shop.client.create_reward(&coffee).await.expect("a reward");
    let languages = [
        ReceiptLanguage::English,
        ReceiptLanguage::Spanish,
        ReceiptLanguage::Portuguese,
        ReceiptLanguage::Greek,
    ];
    let sale = ada.sale("10").redeem_points(20);
    let texts = async || {
        let mut texts = Vec::new();
        for language in languages {
            let quote = shop.client.quote_sale(&sale.clone().receipt_in(language)).await;
            texts.push(quote.expect("a quote").text);
        }
        texts
    };
    let before = texts().await;

    let built_in = shop.client.list_built_in_receipt_templates().await.expect("templates");
    let own = built_in.iter().cloned();
    let own = own.fold(templates_of(&shop).await, loyalty_sdk::ReceiptTemplates::with);
    let set = shop.client.set_receipt_templates(&own).await.expect("templates");
    let after = texts().await;

    assert_eq!(built_in.len(), 7 * 4 * 2);
    assert_eq!(set.templates, built_in);
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_brings_the_etag_that_was_read_and_is_made_once() {
    let shop = shop().await;
    let read = templates_of(&shop).await;
    let narrow = read.clone().line_width(32);
    let client = shop.client.with_request_id("templates-1");

    let first = client.set_receipt_templates(&narrow).await.expect("templates");
    let again = client.set_receipt_templates(&narrow).await.expect("the same answer");
    let stale = shop.client.set_receipt_templates(&read.line_width(48)).await;
    let same = shop.client.set_receipt_templates(&first).await.expect("templates");
    let operation = shop.client.get_operation("templates-1").await.expect("an operation");

    assert_eq!(first, again);
    assert_eq!(same, first, "what changes nothing makes no version");
    assert!(
        matches!(&stale, Err(Error::EtagMismatch { etag }) if *etag == first.etag),
        "{stale:?}"
    );
    assert_eq!(
        operation.result,
        OperationResult::ReceiptTemplates(Box::new(first.clone()))
    );
    assert_eq!(first.updated_at, Some(shop.now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_filled_in_is_refused_with_its_field() {
    let shop = shop().await;
    let english = |document, text: &str| ReceiptTemplate::new(document, ReceiptLanguage::English, text);
    let rows = shop.rows().await;
    for (template, field) in [
        (english(ReceiptDocument::Sale, "{earned}\n{balanc}"), "text"),
        (english(ReceiptDocument::Sale, "{refund}"), "text"),
        (english(ReceiptDocument::Return, "{earned}"), "text"),
        (english(ReceiptDocument::Redemption, "{?due}"), "text"),
        (english(ReceiptDocument::Sale, "{earned"), "text"),
        (english(ReceiptDocument::Sale, "a}b"), "text"),
        (english(ReceiptDocument::Sale, ""), "text"),
        (english(ReceiptDocument::Sale, "bell\u{7}"), "text"),
        (english(ReceiptDocument::Sale, &"x".repeat(4_001)), "text"),
        (english(ReceiptDocument::Other(0), "x"), "document"),
        (english(ReceiptDocument::Other(77), "x"), "document"),
        (
            ReceiptTemplate::new(ReceiptDocument::Sale, ReceiptLanguage::OfMember, "x"),
            "language",
        ),
    ] {
        let templates = templates_of(&shop)
            .await
            .template(ReceiptDocument::Sale, ReceiptLanguage::Greek, "fine")
            .with(template.clone());
        let refused = shop.client.set_receipt_templates(&templates).await;
        let refused = refused.expect_err("a refusal");
        assert_eq!(
            wrong_fields(&refused),
            [format!("templates.templates[1].{field}")],
            "{template:?}"
        );
    }

    for width in [19, 81] {
        let templates = templates_of(&shop).await.line_width(width);
        let refused = shop.client.set_receipt_templates(&templates).await;
        assert_eq!(wrong_fields(&refused.expect_err("a refusal")), ["templates.line_width"]);
    }
    let mut twice = templates_of(&shop).await;
    twice.templates = vec![english(ReceiptDocument::Sale, "a"), english(ReceiptDocument::Sale, "b")];
    let refused = shop.client.set_receipt_templates(&twice).await;
    assert_eq!(
        wrong_fields(&refused.expect_err("a refusal")),
        ["templates.templates[1]"]
    );
    assert_eq!(shop.rows().await, rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_tells_which_placeholders_there_are() {
    let shop = shop().await;
    let templates = templates_of(&shop).await;
    let templates = templates.template(ReceiptDocument::Return, ReceiptLanguage::English, "x\n{nothing}");

    let refused = shop.client.set_receipt_templates(&templates).await;

    let Err(Error::InvalidFields(violations)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        violations[0]
            .description
            .starts_with("line 2: `nothing` is no placeholder here; there are program, amount, refund"),
        "{violations:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_the_configuration_tells_who_changed_the_templates() {
    let shop = shop().await;
    let maria = shop.client.with_actor("maria");
    let first = templates_of(&shop)
        .await
        .template(ReceiptDocument::Sale, ReceiptLanguage::English, "first");
    let set = maria.set_receipt_templates(&first).await.expect("templates");
    let second = set.template(ReceiptDocument::Sale, ReceiptLanguage::English, "second");
    shop.client.set_receipt_templates(&second).await.expect("templates");

    let filter = ConfigurationFilter::all().resource(ConfigurationResource::ReceiptTemplates);
    let changes = shop
        .client
        .list_configuration_changes(&filter, &PageRequest::default())
        .await
        .expect("changes");

    let [second, first] = &changes.items[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((first.actor.as_str(), &first.program_id), ("maria", &None));
    let field = &second.fields[0];
    assert_eq!(
        (field.path.as_str(), field.old_value.as_str(), field.new_value.as_str()),
        ("templates[0].text", "first", "second")
    );
    assert_eq!(second.fields.len(), 1);
    assert!(
        first
            .fields
            .iter()
            .any(|field| field.path == "templates[0].language" && field.new_value == "en")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn merchants_print_each_their_own_and_only_operators_change_it() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    tenants.create_merchant("other").await.expect("a merchant");
    let other = shop.client_with(&tenants.key("other", Role::Operator).await).await;
    let templates = templates_of(&shop).await;
    let templates = templates.template(ReceiptDocument::Sale, ReceiptLanguage::English, "acme");
    shop.client.set_receipt_templates(&templates).await.expect("templates");

    let others = other.get_receipt_templates().await.expect("templates");
    let mut refused = Vec::new();
    for role in [Role::Terminal, Role::BackOffice, Role::ReadOnly] {
        let client = shop.client_with(&tenants.key(MERCHANT, role).await).await;
        let read = client.get_receipt_templates().await.expect("templates");
        refused.push(client.set_receipt_templates(&read.built_in()).await);
    }

    assert_eq!((others.templates, others.etag.as_str()), (Vec::new(), "0"));
    for refused in refused {
        assert!(matches!(refused, Err(Error::RoleNotAllowed { .. })), "{refused:?}");
    }
    assert_eq!(templates_of(&shop).await.templates.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_templates_or_etag_names_the_field() {
    let shop = shop().await;
    let set = async |templates| {
        let request = api::SetReceiptTemplatesRequest {
            request_id: crate::harness::raw::request_id(),
            templates,
        };
        let refused = shop.client.raw_ledger().set_receipt_templates(request).await;
        let details = refused.expect_err("a refusal").get_details_bad_request();
        details.expect("fields").field_violations.remove(0).field
    };

    assert_eq!(set(None).await, "templates");
    assert_eq!(set(Some(api::ReceiptTemplates::default())).await, "templates.etag");
}
