//! What each answer at the till carries: what happened, what the member has and can do with it, and lines to print.

use loyalty_sdk::{
    Balance, Cancellation, Decimal, HoldCapture, HoldRelease, NewHold, QueuedOperation, ReceiptLanguage,
    RedemptionQuestion, RedemptionRequest, RedemptionReversal, SyncAnswer,
};

use crate::harness::{Shop, dec};
use crate::receipts::shop_with_gold_from;

const ENGLISH: ReceiptLanguage = ReceiptLanguage::English;

async fn shop() -> Shop {
    shop_with_gold_from(10_000).await
}

/// What an answer of a call says.
struct Answer {
    call: &'static str,
    /// `None` of a question about what there is.
    before: Option<Decimal>,
    balance: Balance,
    /// `None` of a call that brings no text.
    text: Option<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_at_the_till_says_what_the_member_has_can_do_and_is_about_to_lose() {
    let shop = shop().await;
    let client = &shop.client;
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    let mut answers = Vec::new();
    let mut says = |call, before, balance: &Balance, text: Option<&String>| {
        answers.push(Answer {
            call,
            before,
            balance: balance.clone(),
            text: text.cloned(),
        });
    };

    let sale = ada.sale("50").redeem_points(20).receipt_in(ENGLISH);
    let quote = client.quote_sale(&sale).await.expect("a quote");
    says(
        "QuoteSale",
        Some(quote.balance_before),
        &quote.balance,
        quote.text.as_ref(),
    );
    let sold = ada.records(&sale).await;
    says(
        "RecordSale",
        Some(sold.balance_before),
        &sold.balance,
        sold.text.as_ref(),
    );
    let part = ada.return_of(&sale).amount(10).receipt_in(ENGLISH);
    let quote = client.quote_return(&part).await.expect("a quote");
    says(
        "QuoteReturn",
        Some(quote.balance_before),
        &quote.balance,
        quote.text.as_ref(),
    );
    let back = ada.returns(&part).await;
    says(
        "ReturnSale",
        Some(back.balance_before),
        &back.balance,
        back.text.as_ref(),
    );
    let cancel = Cancellation::new("store-1", sale.sale_id.as_str()).receipt_in(ENGLISH);
    let gone = client.cancel_sale(&cancel).await.expect("a receipt");
    says(
        "CancelSale",
        Some(gone.balance_before),
        &gone.balance,
        gone.text.as_ref(),
    );
    let question = RedemptionQuestion::of(ada.key.clone());
    let quote = client.quote_redemption(&question).await.expect("a quote");
    says("QuoteRedemption", None, &quote.balance, None);
    let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(30);
    let request = request.receipt_in(ENGLISH);
    let taken = client.redeem(&request).await.expect("a redemption");
    says(
        "Redeem",
        Some(taken.balance_before),
        &taken.balance,
        taken.text.as_ref(),
    );
    let reversal = RedemptionReversal::of(taken.redemption.redemption_id, "store-1").receipt_in(ENGLISH);
    let given = client.reverse_redemption(&reversal).await.expect("a reversal");
    says(
        "ReverseRedemption",
        Some(given.balance_before),
        &given.balance,
        given.text.as_ref(),
    );
    let hold = client.place_hold(&NewHold::of(request.clone())).await.expect("a hold");
    says(
        "PlaceHold",
        Some(hold.balance_before),
        &hold.balance,
        hold.text.as_ref(),
    );
    let capture = HoldCapture::of(hold.hold.hold_id, "store-1").receipt_in(ENGLISH);
    let taken = client.capture_hold(&capture).await.expect("a capture");
    says(
        "CaptureHold",
        Some(taken.balance_before),
        &taken.balance,
        taken.text.as_ref(),
    );
    let hold = client.place_hold(&NewHold::of(request)).await.expect("a hold");
    let release = HoldRelease::of(hold.hold.hold_id).receipt_in(ENGLISH);
    let freed = client.release(&release).await.expect("a release");
    says(
        "ReleaseHold",
        Some(freed.balance_before),
        &freed.balance,
        freed.text.as_ref(),
    );
    let queue = [QueuedOperation::new(ada.sale("5").receipt_in(ENGLISH))];
    let told = client.sync_sales(&queue).await.expect("outcomes").remove(0);
    let SyncAnswer::Sale(late) = told.answer else {
        panic!("{told:?}");
    };
    says(
        "SyncSales",
        Some(late.balance_before),
        &late.balance,
        late.text.as_ref(),
    );
    let asked = client
        .get_balance_in(ada.key.clone(), ENGLISH)
        .await
        .expect("a balance");
    says("GetBalance", None, &asked.balance, asked.text.as_ref());

    assert_eq!(answers.len(), 13);
    for answer in &answers {
        let (call, balance) = (answer.call, &answer.balance);
        assert!(answer.before.is_none_or(|before| before > dec("900")), "{call}: before");
        assert!(balance.available > dec("900"), "{call}: {balance:?}");
        let worth = balance.value.as_ref().unwrap_or_else(|| panic!("{call}: no value"));
        assert_eq!(worth.amount, balance.available * dec("0.10"), "{call}");
        assert_eq!(balance.tier_id.as_deref(), Some("silver"), "{call}");
        let next = balance
            .next_tier
            .as_ref()
            .unwrap_or_else(|| panic!("{call}: no next tier"));
        assert!(
            next.tier_id == "gold" && next.missing_spend.amount > dec("8000"),
            "{call}: {next:?}"
        );
        let lapses_at = balance.next_expiry_at.map(|at| at.to_rfc3339());
        assert_eq!(lapses_at.as_deref(), Some("2027-01-15T00:00:00+00:00"), "{call}");
        assert!(balance.reward_reminder, "{call}: no reminder");
        let affordable: Vec<_> = balance
            .affordable_rewards
            .iter()
            .map(|reward| reward.reward_id.as_str())
            .collect();
        assert_eq!(affordable, ["coffee"], "{call}");
        if call == "QuoteRedemption" {
            continue;
        }
        if !call.starts_with("Quote") {
            let expiring = balance
                .next_expiry_points
                .unwrap_or_else(|| panic!("{call}: how many lapse?"));
            assert!(expiring == balance.available + balance.held, "{call}: {expiring}");
        }
        let text = answer.text.as_ref().unwrap_or_else(|| panic!("{call}: no text"));
        for words in [
            "Points balance",
            "Worth",
            "Next points expire on",
            "2027-01-15",
            "You can have:",
            "Coffee",
        ] {
            assert!(text.contains(words), "{call}: no {words:?} in\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 42), "{call}:\n{text}");
    }
    assert_eq!(sold.points_earned, dec("48"));
    assert_eq!(
        (sold.points_redeemed, &sold.rated_amount.amount),
        (dec("20"), &dec("48"))
    );
    assert_eq!(sold.lines.len(), 1, "the explanation is there line by line");
    assert_eq!(back.lines.len(), 1, "and of what is kept too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_aside_freed_given_back_or_asked_for_is_printed_in_four_languages() {
    let shop = shop().await;
    let client = &shop.client;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let request = |language| {
        let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(30);
        NewHold::of(request.redeem_reward("coffee", 1).receipt_in(language))
    };

    let hold = client.place_hold(&request(ENGLISH)).await.expect("a hold");
    let held = client
        .get_balance_in(ada.key.clone(), ENGLISH)
        .await
        .expect("a balance");
    let release = HoldRelease::of(hold.hold.hold_id.clone()).member(ada.key.clone());
    let freed = client.release(&release.receipt_in(ENGLISH)).await.expect("a release");
    let mut printed = Vec::new();
    for language in [
        ReceiptLanguage::Spanish,
        ReceiptLanguage::Portuguese,
        ReceiptLanguage::Greek,
    ] {
        let hold = client.place_hold(&request(language)).await.expect("a hold");
        let capture = HoldCapture::of(hold.hold.hold_id, "store-1").receipt_in(language);
        let captured = client.capture_hold(&capture).await.expect("a capture");
        let reversal = RedemptionReversal::of(captured.redemption.redemption_id, "store-1").receipt_in(language);
        let reversed = client.reverse_redemption(&reversal).await.expect("a reversal");
        let again = client.place_hold(&request(language)).await.expect("a hold");
        let release = HoldRelease::of(again.hold.hold_id).receipt_in(language);
        let freed = client.release(&release).await.expect("a release");
        let texts = [hold.text, captured.text, reversed.text, freed.text];
        printed.push(texts.map(|text| text.expect("a text").lines().next().unwrap_or_default().to_owned()));
    }
    let silent = client
        .release_hold(hold.hold.hold_id.clone(), None)
        .await
        .expect_err("it is gone");
    let without = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(1);
    let without = client.place_hold(&NewHold::of(without)).await.expect("a hold");

    assert_eq!(
        hold.text.as_deref(),
        Some(
            "Points set aside                        80\n\
             \u{20} Coffee                                50\n\
             They will pay                     5.00 EUR\n\
             Free again at             2026-01-15 10:15\n\
             Points balance                          20\n\
             Worth                             2.00 EUR\n\
             Next points expire on           2027-01-15\n\
             Points that expire then                100"
        )
    );
    assert_eq!(
        held.text.as_deref(),
        Some(
            "Points balance                          20\n\
             Worth                             2.00 EUR\n\
             Points set aside                        80\n\
             Next points expire on           2027-01-15\n\
             Points that expire then                100\n\
             Your level                          Silver\n\
             Next level                            Gold\n\
             Still to spend                 9900.00 EUR"
        )
    );
    assert_eq!(
        freed.text.as_deref(),
        Some(
            "Points free again                       80\n\
             Points balance                         100\n\
             Worth                            10.00 EUR\n\
             Next points expire on           2027-01-15\n\
             Points that expire then                100\n\
             You can have:\n\
             \u{20} Coffee                                50"
        )
    );
    let expected = [
        [
            "Puntos reservados",
            "Puntos usados",
            "Puntos que recupera",
            "Puntos liberados",
        ],
        [
            "Pontos reservados",
            "Pontos usados",
            "Pontos recuperados",
            "Pontos libertados",
        ],
        [
            "Δεσμευμένοι πόντοι",
            "Πόντοι που εξαργυρώσατε",
            "Πόντοι που επιστρέφονται",
            "Πόντοι που αποδεσμεύτηκαν",
        ],
    ];
    for (texts, words) in printed.iter().zip(expected) {
        for (text, words) in texts.iter().zip(words) {
            assert!(text.starts_with(words) && text.ends_with(" 80"), "{text}");
        }
    }
    assert!(matches!(silent, loyalty_sdk::Error::HoldReleased { .. }), "{silent}");
    assert_eq!(without.text, None, "nobody asked");
}
