//! Random histories, played on the server and on a tiny model of the books that shares no code with it: after every step
//! both must say the same.
//!
//! `LOYALTY_HISTORIES` says how many (200 without it), `LOYALTY_SEED` where they begin. A history that differs is
//! shortened as far as it still does, and printed.

mod aside;
mod books;
mod chance;
mod changes;
mod lots;
mod mergers;
mod opening;
mod past;
mod play;
mod program;
mod redemptions;
mod step;

use crate::harness::Shop;
use crate::harness::books::assert_books_agree;
use chance::Chance;
use loyalty_sdk::{NewReason, OfflinePolicy};
use play::{GIFT, MISTAKE, OFFLINE_LIMIT, play};
use step::Story;

/// Histories that are played at the same time, each in a town of its own: a clock goes forward for one of them only.
const TOWNS: u64 = 8;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_histories_end_as_the_model_says() {
    let (first, count) = (setting("LOYALTY_SEED", 1), setting("LOYALTY_HISTORIES", 200));

    let towns = (0..TOWNS.min(count)).map(|town| {
        tokio::spawn(async move {
            let shop = Shop::empty().await;
            for reason in [
                NewReason::adding(GIFT).reason_id(GIFT),
                NewReason::removing(MISTAKE).reason_id(MISTAKE),
            ] {
                shop.client.create_reason(&reason).await.expect("a reason");
            }
            let offline = OfflinePolicy::default().redeem_limit(OFFLINE_LIMIT);
            shop.client.set_offline_policy(&offline).await.expect("a policy");
            for (played, seed) in (first..first + count)
                .skip(town as usize)
                .step_by(TOWNS as usize)
                .enumerate()
            {
                let story = Story::random(&mut Chance::new(seed));
                if let Err(difference) = play(&shop, &story).await {
                    let (story, difference) = shortened(&shop, story, difference).await;
                    panic!("history {seed}: {difference}\n{story}");
                }
                if town == 0 && played % 100 == 99 {
                    eprintln!("{} of {count} histories", (played + 1) as u64 * TOWNS);
                }
            }
            assert_books_agree(&shop).await;
        })
    });

    for town in towns.collect::<Vec<_>>() {
        town.await.expect("the histories of a town end as the model says");
    }
}

/// Leaves out steps as long as the server and the model still differ.
async fn shortened(shop: &Shop, mut story: Story, mut difference: String) -> (Story, String) {
    let mut length = story.steps.len().div_ceil(2);
    while length > 0 {
        let mut start = 0;
        while start < story.steps.len() {
            let shorter = story.without(start..(start + length).min(story.steps.len()));
            match play(shop, &shorter).await {
                Err(still) => (story, difference) = (shorter, still),
                Ok(()) => start += length,
            }
        }
        length = if length == 1 { 0 } else { length.div_ceil(2) };
    }
    (story, difference)
}
