use super::*;
use crate::domain::account::{Account, Books, Earned};
use crate::domain::entry::Occasion;
use crate::domain::outcome::Accounting;
use crate::domain::redemption;
use crate::domain::shortfall::Cover;

/// The books of a member, as rows.
#[derive(Clone)]
struct Rows {
    facts: Vec<Fact>,
    state: StoredState,
    rows: StoredRows,
}

fn at(day: u32) -> DateTime<Utc> {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 1)
        .and_then(|first| first.checked_add_days(chrono::Days::new(day.into())));
    day.unwrap().and_time(chrono::NaiveTime::MIN).and_utc()
}

fn dec(number: i64) -> Decimal {
    Decimal::from(number)
}

fn earned(points: i64, expires: u32) -> Earned {
    Earned {
        points: dec(points),
        expires_at: at(expires),
        pending_until: None,
        tier_spend: dec(points * 10),
        day: at(0).date_naive(),
    }
}

/// Earns, redeems, owes, repays, waits and lapses: entries 1 to 7.
fn rows() -> Rows {
    let mut books = Books::new(Account::opened(1, Uuid::nil(), "club".into(), at(0)));
    let occasion = |day| Occasion::plain(1, at(day), at(day));
    books.earn(earned(50, 10), &occasion(0));
    books.earn(earned(100, 30), &occasion(1));
    let allocations = redemption::allocate(&books, dec(80), at(2)).unwrap();
    let cover = Cover::of_lots(allocations);
    books.redeem(&cover, &occasion(2), &Accounting::default()).unwrap();
    let allocations = redemption::allocate(&books, dec(70), at(3)).unwrap();
    let debt = dec(15);
    books
        .take(EntryKind::Redeem, &Cover { allocations, debt }, &occasion(3))
        .unwrap();
    books.earn(earned(40, 5), &occasion(4));
    books.expire_lapsed(1, at(6)).unwrap();
    let waiting = Earned {
        pending_until: Some(at(20)),
        ..earned(9, 40)
    };
    books.earn(waiting, &occasion(6));

    let fact = |entry: &crate::domain::entry::Entry| Fact {
        sequence: entry.sequence,
        kind: Ok(entry.kind),
        points: entry.points,
        balance_after: entry.balance_after,
        tier_spend: entry.tier_spend,
        lot_expires_at: entry.lot_expires_at,
        lifetime_before: entry.lifetime_before,
        recorded_at: entry.occasion.recorded_at,
        inactive_at: entry.inactive_at,
        other_member: None,
        allocations: books
            .new_allocations
            .iter()
            .filter(|allocation| allocation.entry_sequence == entry.sequence)
            .copied()
            .collect(),
    };
    let account = &books.account;
    Rows {
        facts: books.new_entries.iter().map(fact).collect(),
        state: StoredState {
            last_sequence: account.last_sequence,
            points: account.points,
            debt: account.debt,
            pending: account.pending,
            pending_until: account.pending_until,
            held: account.held,
            hold_lapses_at: account.hold_lapses_at,
            first_open_lot: account.first_open_lot,
            inactive_at: account.inactive_at,
            tier_spend: account.tier_spend,
            lifetime_earned: account.lifetime_earned,
            lifetime_redeemed: account.lifetime_redeemed,
            lifetime_expired: account.lifetime_expired,
        },
        rows: StoredRows {
            lots: books.touched_lots().collect(),
            pending: books.pending.touched().collect(),
            ..StoredRows::default()
        },
    }
}

/// What differs after somebody has meddled: kind, entry, field, expected and stored.
fn drifts(meddle: impl FnOnce(&mut Rows)) -> Vec<(DriftKind, u64, &'static str, String, String)> {
    let mut rows = rows();
    let all = rows.facts.clone();
    meddle(&mut rows);
    let mut replay = Replay::new();
    for fact in &rows.facts {
        replay.entry(fact.clone());
    }
    let facts = rows.facts.clone();
    let is_orphan = |fact: &&Fact| facts.iter().all(|there| there.sequence != fact.sequence);
    let orphans = all.iter().filter(is_orphan).flat_map(|fact| fact.allocations.clone());
    rows.rows.orphans = orphans.collect();
    let (drifts, left_out) = replay.compare(&rows.state, rows.rows);
    assert_eq!(left_out, 0);
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    drifts
        .into_iter()
        .map(|drift| {
            let sequence = drift.sequence.unwrap_or_default();
            (
                drift.kind,
                sequence,
                drift.field,
                text(drift.expected),
                text(drift.stored),
            )
        })
        .collect()
}

fn one(
    kind: DriftKind,
    sequence: u64,
    field: &'static str,
    expected: &str,
    stored: &str,
) -> Vec<(DriftKind, u64, &'static str, String, String)> {
    vec![(kind, sequence, field, expected.to_owned(), stored.to_owned())]
}

#[test]
fn untouched_books_have_no_drift() {
    let rows = rows();

    assert_eq!(rows.facts.len(), 7);
    assert_eq!(
        rows.facts.iter().map(|fact| fact.points).collect::<Vec<_>>(),
        [50, 100, -80, -85, 40, -25, 9].map(dec)
    );
    assert_eq!(drifts(|_| {}), []);
}

#[test]
fn every_number_of_the_account_is_named() {
    use super::DriftKind::*;
    assert_eq!(
        drifts(|rows| rows.state.points += dec(5)),
        one(Balance, 0, "points", "9", "14")
    );
    assert_eq!(drifts(|rows| rows.state.debt += dec(5)), one(Debt, 0, "debt", "0", "5"));
    assert_eq!(
        drifts(|rows| rows.state.tier_spend -= dec(1)),
        one(TierSpend, 0, "tier_spend", "1990", "1989")
    );
    assert_eq!(
        drifts(|rows| rows.state.lifetime_earned += dec(1)),
        one(LifetimeTotals, 0, "lifetime_earned", "199", "200")
    );
    assert_eq!(
        drifts(|rows| rows.state.lifetime_redeemed += dec(1)),
        one(LifetimeTotals, 0, "lifetime_redeemed", "165", "166")
    );
    assert_eq!(
        drifts(|rows| rows.state.lifetime_expired = dec(0)),
        one(LifetimeTotals, 0, "lifetime_expired", "25", "0")
    );
    assert_eq!(
        drifts(|rows| rows.state.first_open_lot = None),
        one(FirstOpenLot, 0, "first_open_lot", "7 2026-02-10T00:00:00Z", "-")
    );
    assert_eq!(
        drifts(|rows| rows.state.last_sequence = 6),
        one(Sequence, 7, "last_sequence", "7", "6")
    );
    assert_eq!(
        drifts(|rows| rows.state.last_sequence = 9),
        one(Sequence, 8, "sequence", "8 to 9", "-")
    );
}

#[test]
fn what_is_pending_is_held_against_account_and_lots() {
    use super::DriftKind::Pending;
    assert_eq!(
        drifts(|rows| rows.state.pending = dec(0)),
        one(Pending, 0, "pending", "9", "0")
    );
    assert_eq!(
        drifts(|rows| rows.state.pending_until = None),
        one(Pending, 0, "pending_until", "2026-01-21T00:00:00Z", "-")
    );
    let too_much = drifts(|rows| {
        rows.rows.pending[0].1.points = dec(10);
        rows.state.pending = dec(10);
    });
    assert_eq!(too_much, one(Pending, 0, "points", "at most 9", "10"));
}

#[test]
fn a_lot_that_was_changed_is_named_alone() {
    use super::DriftKind::Lot;
    let lot = |rows: &mut Rows, sequence: u64| {
        rows.rows
            .lots
            .iter()
            .position(|(key, _)| key.sequence == sequence)
            .unwrap()
    };
    let remaining = drifts(|rows| {
        let place = lot(rows, 7);
        rows.rows.lots[place].1.remaining = dec(3);
    });
    let points = drifts(|rows| {
        let place = lot(rows, 2);
        rows.rows.lots[place].1.points = dec(1_000);
    });
    let lapsed = drifts(|rows| {
        let place = lot(rows, 7);
        rows.rows.lots[place].1.lapsed = dec(3);
    });
    let gone = drifts(|rows| {
        let place = lot(rows, 7);
        rows.rows.lots.remove(place);
    });
    let new = drifts(|rows| {
        let key = LotKey {
            expires_at: at(50),
            sequence: 7,
        };
        rows.rows.lots.push((
            key,
            crate::domain::lot::Lot {
                points: dec(8),
                remaining: dec(8),
                lapsed: dec(0),
            },
        ));
    });

    assert_eq!(remaining, one(Lot, 7, "remaining", "9", "3"));
    assert_eq!(points, one(Lot, 2, "points", "100", "1000"));
    assert_eq!(lapsed, one(Lot, 7, "lapsed", "0", "3"));
    assert_eq!(gone, one(Lot, 7, "remaining", "9", "-"));
    assert_eq!(new, one(Lot, 7, "remaining", "-", "8"));
}

#[test]
fn an_allocation_that_was_changed_is_named_and_not_what_it_spoils() {
    use super::DriftKind::Allocation as Kind;
    let less = drifts(|rows| rows.facts[2].allocations[1].points = dec(-25));
    let gone = drifts(|rows| {
        rows.facts[2].allocations.remove(0);
    });
    let of_a_debtor = drifts(|rows| rows.facts[3].allocations[0].points = dec(-60));
    let of_no_lot = drifts(|rows| rows.facts[2].allocations[0].lot.sequence = 9);
    let too_many = drifts(|rows| {
        let allocation = rows.facts[2].allocations[0];
        rows.facts[6].allocations.push(allocation);
    });

    assert_eq!(less, one(Kind, 3, "points", "-30", "-25"));
    assert_eq!(gone, one(Kind, 3, "points", "-50", "-"));
    assert_eq!(of_a_debtor, one(Kind, 4, "points", "-70", "-60"));
    assert_eq!(
        of_no_lot,
        [
            one(Kind, 3, "lot_sequence", "-", "-50"),
            one(Kind, 3, "points", "-50", "-")
        ]
        .concat()
    );
    assert!(
        too_many.iter().any(|drift| drift.0 == DriftKind::Lot && drift.1 == 1),
        "{too_many:?}"
    );
}

#[test]
fn an_entry_that_was_changed_is_named_and_not_what_it_spoils() {
    use super::DriftKind::Entry;
    assert_eq!(
        drifts(|rows| rows.facts[1].points = dec(1_000)),
        one(Entry, 2, "points", "100", "1000")
    );
    assert_eq!(
        drifts(|rows| rows.facts[2].points = dec(-8)),
        one(Entry, 3, "points", "-80", "-8")
    );
    assert_eq!(
        drifts(|rows| rows.facts[6].points = dec(90)),
        one(Entry, 7, "points", "9", "90")
    );
    assert_eq!(
        drifts(|rows| rows.facts[1].balance_after = dec(1)),
        one(Entry, 2, "balance_after", "150", "1")
    );
    assert_eq!(
        drifts(|rows| rows.facts[6].balance_after = dec(1)),
        one(Entry, 7, "balance_after", "9", "1")
    );
    assert_eq!(
        drifts(|rows| rows.facts[1].recorded_at = at(9))[0],
        (
            Entry,
            3,
            "recorded_at",
            "2026-01-10T00:00:00Z".to_owned(),
            "2026-01-03T00:00:00Z".to_owned()
        )
    );
    assert_eq!(
        drifts(|rows| rows.facts[0].kind = Err(77))[0],
        (Entry, 1, "kind", "-".to_owned(), "77".to_owned())
    );
}

#[test]
fn an_entry_that_was_deleted_is_named_and_not_what_is_unknown_without_it() {
    use super::DriftKind::Sequence;
    for (place, sequence) in (0..7).zip(1_u64..) {
        let gone = drifts(|rows| drop(rows.facts.remove(place)));

        assert_eq!(gone, one(Sequence, sequence, "sequence", &sequence.to_string(), "-"));
    }
}

#[test]
fn what_is_held_is_held_against_account_and_lots() {
    use super::DriftKind::Held;
    let hold = |points: i64, sequence: u64| {
        let lot = LotKey {
            expires_at: at(40),
            sequence,
        };
        let lots = vec![(lot, dec(points))];
        let hold = serde_json::json!({
            "hold_id": Uuid::nil(), "member_id": Uuid::nil(), "program_id": "club", "program_version": 1,
            "currency": {"code": "EUR", "minor_units": 2}, "store_id": "store-1",
            "tenders": [{"points": points.to_string(), "value_per_point": "1", "amount": points.to_string()}],
            "lots": lots, "placed_at": at(6), "lapses_at": at(7),
        });
        serde_json::from_value(hold).unwrap()
    };
    let holds = |points: i64, sequence: u64| {
        drifts(|rows| {
            rows.rows.holds = vec![Some(hold(points, sequence))];
            (rows.state.held, rows.state.hold_lapses_at) = (dec(points), Some(at(7)));
        })
    };

    assert_eq!(holds(9, 7), []);
    assert_eq!(holds(10, 7), one(Held, 0, "points", "at most 9", "10"));
    assert_eq!(holds(1, 2), one(Held, 0, "points", "at most 0", "1"));
    assert_eq!(drifts(|rows| rows.state.held = dec(3)), one(Held, 0, "held", "0", "3"));
    assert_eq!(
        drifts(|rows| rows.state.hold_lapses_at = Some(at(7))),
        one(Held, 0, "hold_lapses_at", "-", "2026-01-08T00:00:00Z")
    );
    assert_eq!(
        drifts(|rows| rows.rows.holds = vec![None]),
        one(Held, 0, "document", "-", "-")
    );
}
