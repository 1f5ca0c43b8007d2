//! What is true of every call of the contract, whichever it is: a scenario for each, which its merchant may carry out.
//! A call without a scenario fails these tests: write one into the file of its service.

mod garbage;
mod ledger;
mod members;
mod programs;
mod redemptions;
mod rules;
mod stores;
mod strangers;
mod world;

use std::collections::BTreeSet;
use std::pin::Pin;

pub(crate) use garbage::Numbers;
pub(crate) use world::World;

use crate::harness::any_call::methods;

/// The messages of a call, made in the world as it is then.
type Messages<'a> = Pin<Box<dyn Future<Output = Vec<Vec<u8>>> + Send + 'a>>;

/// A call that the operator of the world's merchant may make, and that answers or does something of the merchant's. What
/// it makes has no `alpha` in its name: strangers make it too.
pub(crate) struct Scenario {
    /// Service and method.
    pub(crate) call: &'static str,
    pub(crate) messages: for<'a> fn(&'a World) -> Messages<'a>,
}

/// A scenario: the call, and its messages made of a world.
macro_rules! scenario {
    ($call:literal, |$world:ident| $messages:expr) => {
        $crate::every_call::Scenario {
            call: $call,
            messages: |$world| {
                Box::pin(async move {
                    let messages = $messages;
                    messages.iter().map(prost::Message::encode_to_vec).collect()
                })
            },
        }
    };
}
use scenario;

/// All scenarios, in an order in which they can be carried out one after the other.
pub(crate) fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    ledger::SCENARIOS
        .iter()
        .chain(programs::SCENARIOS)
        .chain(members::SCENARIOS)
        .chain(rules::SCENARIOS)
        .chain(redemptions::SCENARIOS)
}

#[test]
fn every_call_of_the_contract_has_one_scenario() {
    let calls: BTreeSet<String> = methods().into_iter().map(|method| method.call).collect();
    let told: Vec<&str> = scenarios().map(|scenario| scenario.call).collect();
    let set: BTreeSet<String> = told.iter().map(|call| (*call).to_owned()).collect();

    let without: Vec<_> = calls.difference(&set).collect();
    assert!(without.is_empty(), "tell in tests/every_call what {without:?} does");
    let gone: Vec<_> = set.difference(&calls).collect();
    assert!(gone.is_empty(), "not in the contract: {gone:?}");
    assert_eq!(set.len(), told.len(), "a call has two scenarios");
}
