//! What is printed at the till beside sales: returns, cancellations, redemptions, captures, and queues that arrive later.

use loyalty_sdk::{
    Cancellation, EarnRate, HoldCapture, NewHold, NewProgram, NewReward, ProductUpdate, ProgramUpdate, QueuedOperation,
    ReceiptDocument, ReceiptLanguage, Redemption, RedemptionPolicy, RedemptionRequest, SaleLine, SyncAnswer,
};

use crate::harness::{PROGRAM, Shop, dec};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_prints_what_is_taken_and_given_back() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let sale = ada.sale("10").redeem_points(20);
    ada.records(&sale).await;
    let half = ada.return_of(&sale).amount(5).receipt_in(ReceiptLanguage::English);

    let quoted = shop.client.quote_return(&half).await.expect("a quote");
    let returned = ada.returns(&half).await;
    let spanish = half.clone().receipt_in(ReceiptLanguage::Spanish);
    let again = ada.returns(&spanish).await;
    let rest = Cancellation::new("store-1", sale.sale_id.as_str()).receipt_in(ReceiptLanguage::Greek);
    let cancelled = shop.client.cancel_sale(&rest).await.expect("a receipt");
    let silent = ada.returns(&ada.return_of(&ada.buys_sale("5").await)).await;

    assert_eq!(
        returned.text.as_deref(),
        Some(
            "Goods returned                    5.00 EUR\n\
             Points given back                       10\n\
             Points taken back                        4\n\
             Refund                            4.00 EUR\n\
             Points balance                          94\n\
             Worth                             9.40 EUR"
        )
    );
    assert_eq!(quoted.text, returned.text);
    assert!(again.replayed);
    let text = again.text.expect("a text");
    assert!(
        text.starts_with("Importe devuelto                  5,00 EUR\n"),
        "{text}"
    );
    let text = cancelled.text.expect("a text");
    assert!(
        text.starts_with("Αξία επιστροφής                   5,00 EUR\n"),
        "{text}"
    );
    assert_eq!(silent.text, None);
}

impl crate::harness::ShopMember<'_> {
    /// A sale that is recorded.
    async fn buys_sale(&self, total: &str) -> loyalty_sdk::Sale {
        let sale = self.sale(total);
        self.records(&sale).await;
        sale
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_are_owed_are_printed() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.buys_sale("100").await;
    ada.records(&ada.sale("10").redeem_points(60)).await;

    let all = ada.return_of(&sale).receipt_in(ReceiptLanguage::Portuguese);
    let returned = ada.returns(&all).await;

    let text = returned.text.expect("a text");
    assert!(
        text.contains("\nPontos em dívida                        56\n"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn redemptions_and_captures_print_what_points_paid() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let redeem = RedemptionRequest::new("store-1", ada.key.clone())
        .redeem_points(30)
        .receipt_in(ReceiptLanguage::English);

    let redeemed = shop.client.redeem(&redeem).await.expect("a redemption");
    let hold = shop.client.place_hold(&NewHold::of(redeem)).await.expect("a hold").hold;
    let capture = HoldCapture::of(hold.hold_id, "store-1").receipt_in(ReceiptLanguage::Spanish);
    let captured = shop.client.capture_hold(&capture).await.expect("a capture");

    assert_eq!(
        redeemed.text.as_deref(),
        Some(
            "Points used                             30\n\
             Paid with points                  3.00 EUR\n\
             Points balance                          70\n\
             Worth                             7.00 EUR"
        )
    );
    assert_eq!(
        captured.text.as_deref(),
        Some(
            "Puntos usados                           30\n\
             Pagado con puntos                 3,00 EUR\n\
             Saldo de puntos                         40\n\
             Valor                             4,00 EUR"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn redemption_lines_print_positive_quantities_or_none_as_configured() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    let cake = ProductUpdate::new("cake").redeem_points(15);
    shop.client.upsert_products(PROGRAM, &[cake]).await.expect("a product");
    let shown = NewReward::money_off(PROGRAM, "Coffee", 50, 1)
        .reward_id("shown")
        .print_quantity();
    let hidden = NewReward::money_off(PROGRAM, "Tea", 40, 1).reward_id("hidden");
    for reward in [shown, hidden] {
        shop.client.create_reward(&reward).await.expect("a reward");
    }
    let sale = ada
        .sale("30")
        .line(SaleLine::new(30).product("cake").quantity(3))
        .redemption(Redemption::reward("shown", 2))
        .redemption(Redemption::reward("hidden", 2))
        .redemption(Redemption::product("cake", 2))
        .receipt_in(ReceiptLanguage::English);

    let without = shop
        .client
        .quote_sale(&sale)
        .await
        .expect("a quote")
        .text
        .expect("a text");
    let policy = RedemptionPolicy::new(dec("0.10")).print_quantity();
    let update = ProgramUpdate::of(&shop.program().await).redemption(Some(policy));
    shop.client.update_program(&update).await.expect("a program");
    let with = shop
        .client
        .quote_sale(&sale)
        .await
        .expect("a quote")
        .text
        .expect("a text");
    ada.records(&sale).await;
    let back = ada.return_of(&sale).receipt_in(ReceiptLanguage::English);
    let back = ada.returns(&back).await.text.expect("a text");

    let lines = |text: &str| -> Vec<String> {
        let items = text
            .lines()
            .filter(|line| line.starts_with("  ") && !line.contains("can"));
        items.take(3).map(str::to_owned).collect()
    };
    assert_eq!(
        lines(&without),
        [
            "  2 x Coffee                           100",
            "  Tea                                   80",
            "  cake                                  30",
        ]
    );
    assert_eq!(lines(&with)[2], "  2 x cake                              30");
    for text in [&without, &with, &back] {
        assert!(!text.contains('-'), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answers_of_a_queue_bring_the_texts_that_their_operations_ask_for() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let templates = shop.client.get_receipt_templates().await.expect("templates");
    let own = templates.template(ReceiptDocument::Return, ReceiptLanguage::Spanish, "Devuelto {amount}");
    shop.client.set_receipt_templates(&own).await.expect("templates");
    let sale = ada.sale("50").receipt_in(ReceiptLanguage::Spanish);
    let queue = [
        QueuedOperation::new(sale.clone()),
        QueuedOperation::new(ada.return_of(&sale).amount(10).receipt_in(ReceiptLanguage::Spanish)),
        QueuedOperation::new(ada.sale("1")),
    ];

    let outcomes = shop.client.sync_sales(&queue).await.expect("outcomes");
    let again = shop.client.sync_sales(&queue).await.expect("outcomes");

    for outcomes in [outcomes, again] {
        let texts: Vec<Option<String>> = outcomes
            .into_iter()
            .map(|outcome| match outcome.answer {
                SyncAnswer::Sale(receipt) => receipt.text,
                SyncAnswer::Return(receipt) => receipt.text,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(
            texts[0]
                .as_deref()
                .is_some_and(|text| text.starts_with("Puntos ganados")),
            "{texts:?}"
        );
        assert_eq!(texts[1].as_deref(), Some("Devuelto 10,00 EUR"));
        assert_eq!(texts[2], None);
    }
}
