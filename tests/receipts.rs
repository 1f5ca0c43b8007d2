//! What each answer at the till carries: a text ready to print, in the customer's language.

use loyalty_sdk::{
    EarnRate, ExpiryPolicy, NewMember, NewProgram, NewReward, ProgramUnit, ReceiptLanguage, RedemptionPolicy, Tier,
};

use crate::harness::{PROGRAM, Shop, ShopMember, dec};

async fn shop() -> Shop {
    shop_with_gold_from(1_000).await
}

/// A program in which every answer has everything to say.
pub(crate) async fn shop_with_gold_from(minimum_spend: i64) -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .tier(Tier::new("silver", "Silver", 0).earn_rate(EarnRate::new(1, 1)))
        .tier(Tier::new("gold", "Gold", minimum_spend).earn_rate(EarnRate::new(1, 2)))
        .expiry(ExpiryPolicy::months(12))
        .redemption(RedemptionPolicy::new(dec("0.10")));
    let shop = Shop::with_program(program).await;
    let coffee = NewReward::money_off(PROGRAM, "Coffee", 50, 2).reward_id("coffee");
    shop.client.create_reward(&coffee).await.expect("a reward");
    shop
}

async fn printed(member: &ShopMember<'_>, language: ReceiptLanguage) -> String {
    let sale = member.sale("10.00").redeem_points(20).receipt_in(language);
    let quote = member.shop.client.quote_sale(&sale).await.expect("a quote");
    quote.text.expect("a text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_printed_in_four_languages() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    let english = printed(&ada, ReceiptLanguage::English).await;
    let spanish = printed(&ada, ReceiptLanguage::Spanish).await;
    let portuguese = printed(&ada, ReceiptLanguage::Portuguese).await;
    let greek = printed(&ada, ReceiptLanguage::Greek).await;

    assert_eq!(
        english,
        "Points earned                            8\n\
         Points used                             20\n\
         Paid with points                  2.00 EUR\n\
         To pay                            8.00 EUR\n\
         Points balance                          88\n\
         Worth                             8.80 EUR\n\
         Next points expire on           2027-01-15\n\
         Your level                          Silver\n\
         Next level                            Gold\n\
         Still to spend                  890.00 EUR\n\
         You can have:\n\
         \u{20} Coffee                                50"
    );
    for (text, words) in [
        (
            &spanish,
            [
                "Puntos ganados",
                "8,00 EUR",
                "15/01/2027",
                "Le faltan",
                "Puede canjear:",
            ],
        ),
        (
            &portuguese,
            [
                "Pontos ganhos",
                "8,00 EUR",
                "15/01/2027",
                "Ainda faltam",
                "Pode trocar por:",
            ],
        ),
        (
            &greek,
            [
                "Πόντοι που κερδίσατε",
                "8,00 EUR",
                "15/01/2027",
                "Απομένουν",
                "Μπορείτε να πάρετε:",
            ],
        ),
    ] {
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(text.lines().count(), english.lines().count(), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 42), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_own_language_is_looked_up_and_a_repetition_may_ask_for_another() {
    let shop = shop().await;
    let maria = NewMember::new(PROGRAM).customer_id("maria").language("el-GR");
    shop.client.enroll_member(&maria).await.expect("a member");
    let ada = shop.enrols("ada").await;
    let of = |id: &str| loyalty_sdk::Sale::new(id, "store-1", loyalty_sdk::MemberKey::customer_id("maria"), "EUR", 10);

    let own = shop
        .client
        .record_sale(&of("1").receipt_in(ReceiptLanguage::OfMember))
        .await
        .expect("a receipt");
    let again = shop
        .client
        .record_sale(&of("1").receipt_in(ReceiptLanguage::Spanish))
        .await
        .expect("a receipt");
    let unknown = ada.records(&ada.sale("10").receipt_in(ReceiptLanguage::OfMember)).await;
    let none = ada.buys("10").await;

    assert!(own.text.expect("a text").starts_with("Πόντοι που κερδίσατε"));
    assert!(again.replayed);
    assert!(again.text.expect("a text").starts_with("Puntos ganados"));
    assert!(unknown.text.expect("a text").starts_with("Points earned"));
    assert_eq!(none.text, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_value_speaks_of_money() {
    let program = NewProgram {
        unit: ProgramUnit::Value,
        ..NewProgram::new("Club", "EUR")
    };
    let shop = Shop::with_rule(program, EarnRate::new(dec("1.00"), dec("0.20"))).await;
    let ada = shop.enrols("ada").await;

    let receipt = ada
        .records(&ada.sale("26").receipt_in(ReceiptLanguage::Portuguese))
        .await;

    assert_eq!(
        receipt.text.expect("a text"),
        "Saldo ganho                       5,20 EUR\nSaldo disponível                  5,20 EUR"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_language_is_refused() {
    let shop = shop().await;
    let request = loyalty_sdk::api::QuoteSaleRequest {
        sale: Some(loyalty_sdk::api::Sale {
            sale_id: "1".to_owned(),
            store_id: "store-1".to_owned(),
            member: crate::harness::raw::customer("ada"),
            currency_code: "EUR".to_owned(),
            total: crate::harness::raw::number("1"),
            ..loyalty_sdk::api::Sale::default()
        }),
        receipt_language: "no language".to_owned(),
    };

    let refused = shop
        .client
        .raw_ledger()
        .quote_sale(request)
        .await
        .expect_err("a refusal");

    let details = tonic_types::StatusExt::get_details_bad_request(&refused).expect("fields");
    assert_eq!(details.field_violations[0].field, "receipt_language");
}
