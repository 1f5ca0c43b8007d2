//! What a cashier would notice: that no answer waits for a timer.

use std::time::{Duration, Instant};

use crate::harness::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_does_not_wait_for_the_acknowledgement_of_its_first_part() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;

    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let began = Instant::now();
        ada.buys("10.00").await;
        fastest = fastest.min(began.elapsed());
    }

    // A delayed acknowledgement takes 40 ms at the least, and it would be in every one of them.
    assert!(fastest < Duration::from_millis(35), "{fastest:?}");
}
