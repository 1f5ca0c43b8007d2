//! S2: no bytes whatever, in place of any message of any call, do more than get a refusal with a reason.

use tonic::Code;
use tonic_types::StatusExt as _;

use super::{World, scenarios};
use crate::harness::any_call::call;

/// Broken messages of each call.
const OF_A_CALL: usize = 60;

/// A small deterministic generator (a 64-bit linear congruence), so that a failure comes again.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).expect("31 bits") % limit.max(1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }
}

/// Bytes without any sense, or a good message with some bytes changed, lost or doubled.
fn broken(good: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    if numbers.below(3) == 0 {
        let length = numbers.below(600);
        return (0..length).map(|_| numbers.byte()).collect();
    }
    let mut bytes = good.to_vec();
    for _ in 0..=numbers.below(4) {
        let place = numbers.below(bytes.len());
        match numbers.below(4) {
            0 if place < bytes.len() => bytes[place] = numbers.byte(),
            1 => bytes.truncate(place),
            2 => bytes.extend_from_within(place..),
            _ => bytes.insert(place, numbers.byte()),
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_in_any_call_get_an_answer_or_a_reason_and_are_no_fault() {
    let world = World::make().await;
    let channel = world.shop.client.channel();
    let mut numbers = Numbers(7);
    let mut refused = 0;

    // All of them before any is broken: one that is still good may block the member or spend what another needs.
    let mut all = Vec::new();
    for scenario in scenarios() {
        all.push((scenario, (scenario.messages)(&world).await));
    }
    for (scenario, good) in all {
        for _ in 0..OF_A_CALL {
            let messages: Vec<_> = good.iter().map(|good| broken(good, &mut numbers)).collect();
            let answer = call(&channel, Some(&world.key), scenario.call, messages.clone()).await;

            let Err(status) = answer else {
                continue;
            };
            let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
            assert!(reason.is_some(), "{}: {status:?} for {messages:?}", scenario.call);
            let faults = [Code::Internal, Code::Unknown, Code::DataLoss, Code::Unavailable];
            assert!(
                !faults.contains(&status.code()),
                "{}: {status:?} for {messages:?}",
                scenario.call
            );
            refused += 1;
        }
    }

    assert!(refused > 20 * OF_A_CALL, "{refused}");
    world.client.get_program("club").await.expect("the server serves");
}
