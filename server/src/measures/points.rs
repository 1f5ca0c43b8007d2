//! Points: what was added to and taken from balances, by program and kind of entry.

use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::domain::entry::EntryKind;

/// Programs that are counted each on its own: a few numbers each, which Prometheus keeps for ever.
const PROGRAMS: usize = 1_000;
/// All others.
const OTHERS: &str = "(others)";

/// What the entries of one kind did in a program, all together.
#[derive(Clone, Debug)]
pub(crate) struct PointsMoved {
    pub(crate) merchant_id: u32,
    pub(crate) program_id: Arc<str>,
    pub(crate) kind: EntryKind,
    pub(crate) added: Decimal,
    pub(crate) taken: Decimal,
}

type Points = Family<Vec<(&'static str, String)>, Counter<f64, AtomicU64>>;

/// Points. The ledger is exact, these are for curves.
pub(crate) struct PointsMeasures {
    added: Points,
    taken: Points,
    programs: Mutex<HashSet<(u32, Arc<str>)>>,
}

impl PointsMeasures {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let this = Self {
            added: Family::default(),
            taken: Family::default(),
            programs: Mutex::default(),
        };
        let registry = registry.sub_registry_with_prefix("points");
        registry.register(
            "added",
            "Points added to balances, by program and kind of entry",
            this.added.clone(),
        );
        registry.register(
            "taken",
            "Points taken from balances, by program and kind of entry",
            this.taken.clone(),
        );
        this
    }

    /// Counts what a committed batch did.
    pub(crate) fn count(&self, moved: Vec<PointsMoved>) {
        for moved in moved {
            let labels = self.labels(&moved);
            for (family, points) in [(&self.added, moved.added), (&self.taken, moved.taken)] {
                if let Some(points) = points.to_f64().filter(|_| !points.is_zero()) {
                    family.get_or_create(&labels).inc_by(points);
                }
            }
        }
    }

    fn labels(&self, moved: &PointsMoved) -> Vec<(&'static str, String)> {
        let program = (moved.merchant_id, Arc::clone(&moved.program_id));
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let is_own = programs.contains(&program) || (programs.len() < PROGRAMS && programs.insert(program));
        let (merchant, program) = if is_own {
            (moved.merchant_id.to_string(), moved.program_id.to_string())
        } else {
            (OTHERS.to_owned(), OTHERS.to_owned())
        };
        vec![
            ("merchant_id", merchant),
            ("program_id", program),
            ("kind", name(moved.kind)),
        ]
    }
}

/// The name of a kind as the contract writes it: `EARN_REVERSAL` of `EarnReversal`.
fn name(kind: EntryKind) -> String {
    let mut name = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
