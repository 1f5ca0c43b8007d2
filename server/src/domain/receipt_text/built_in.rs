//! The templates of merchants who have none of their own.

use super::words::{self, Words};
use super::{Document, Language};
use crate::domain::program::ProgramUnit;

/// The template for documents of a kind, in a language, of programs of a unit.
pub(crate) fn built_in(document: Document, language: Language, unit: ProgramUnit) -> String {
    let words = words::of(language, unit);
    let lines = match document {
        Document::Sale => of_sale(words),
        Document::Return => of_return(words),
        Document::Redemption => of_redemption(words),
        Document::Hold => of_hold(words),
        Document::Release => of_release(words),
        Document::Reversal => of_reversal(words),
        Document::Balance => of_balance(words),
    };
    lines.concat().trim_end().to_owned()
}

fn of_sale(words: &Words) -> [String; 4] {
    [
        line(words.earned, "earned"),
        used(words),
        lines(&[(words.balance, "balance"), (words.worth, "worth")]),
        lines(&[
            (words.pending_until, "pending_until"),
            (words.next_expiry, "next_expiry"),
            (words.expiring, "expiring"),
        ]) + &standing(words),
    ]
}

fn of_return(words: &Words) -> [String; 4] {
    [
        line(words.returned, "amount"),
        lines(&[
            (words.given_back, "given_back"),
            (words.given_back_lapsed, "given_back_lapsed"),
            (words.taken_back, "taken_back"),
            (words.owed, "owed"),
        ]),
        format!("{{?given_back}}{}", line(words.refund, "refund")),
        balance(words) + &standing(words),
    ]
}

fn of_redemption(words: &Words) -> [String; 4] {
    [
        line(words.used, "used"),
        items() + &line(words.paid, "paid"),
        balance(words),
        rewards(words),
    ]
}

fn of_hold(words: &Words) -> [String; 4] {
    [
        line(words.set_aside, "set_aside"),
        items() + &lines(&[(words.pays, "pays"), (words.until, "until")]),
        balance(words),
        rewards(words),
    ]
}

fn of_release(words: &Words) -> [String; 4] {
    [
        line(words.freed, "set_aside"),
        balance(words),
        rewards(words),
        String::new(),
    ]
}

fn of_reversal(words: &Words) -> [String; 4] {
    [
        lines(&[
            (words.given_back, "given_back"),
            (words.given_back_lapsed, "given_back_lapsed"),
        ]),
        line(words.unpaid, "unpaid"),
        balance(words),
        rewards(words),
    ]
}

fn of_balance(words: &Words) -> [String; 4] {
    [
        lines(&[(words.balance, "balance"), (words.worth, "worth")]),
        lines(&[(words.set_aside, "held"), (words.waiting, "pending")]),
        lines(&[(words.next_expiry, "next_expiry"), (words.expiring, "expiring")]),
        standing(words),
    ]
}

/// What there is afterwards.
fn balance(words: &Words) -> String {
    lines(&[
        (words.balance, "balance"),
        (words.worth, "worth"),
        (words.next_expiry, "next_expiry"),
        (words.expiring, "expiring"),
    ])
}

/// What points paid of a sale.
fn used(words: &Words) -> String {
    let to_pay = line(words.to_pay, "due");
    [
        line(words.used, "used"),
        items(),
        line(words.paid, "paid"),
        format!("{{?used}}{to_pay}"),
    ]
    .concat()
}

/// What points bought.
fn items() -> String {
    line("  {item}", "item_points")
}

/// What the member has reached.
fn standing(words: &Words) -> String {
    lines(&[
        (words.tier, "tier"),
        (words.next_tier, "next_tier"),
        (words.missing, "missing_spend"),
    ]) + &rewards(words)
}

fn rewards(words: &Words) -> String {
    let heading = format!("{{?reward}}{}:\n", words.rewards);
    heading + &line("  {reward}", "reward_points")
}

fn lines(lines: &[(&str, &str)]) -> String {
    lines.iter().map(|(words, name)| line(words, name)).collect()
}

fn line(words: &str, name: &str) -> String {
    format!("{words}{{right}}{{{name}}}\n")
}
