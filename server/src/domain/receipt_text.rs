//! What a receipt says about points: a few lines, as wide as a narrow printer, in the customer's language.

mod words;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::outcome::SaleOutcome;
use super::program::{Program, ProgramUnit};

/// Characters of a line: what printers of 80 mm have in their usual type, less the least of their margins. A line whose
/// words need more is longer, and printers break it.
const WIDTH: usize = 42;

/// A language that receipts are printed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    #[default]
    English,
    Spanish,
    Portuguese,
    Greek,
}

impl Language {
    /// The one that a BCP 47 tag asks for, by its first part: `es-PE` is Spanish. English for all that is not printed.
    pub(crate) fn of_tag(tag: &str) -> Self {
        let first = tag.split('-').next().unwrap_or_default();
        match first.to_ascii_lowercase().as_str() {
            "es" => Self::Spanish,
            "pt" => Self::Portuguese,
            "el" => Self::Greek,
            _ => Self::English,
        }
    }

    /// A number with its decimals as people of the language write them.
    fn number(self, number: Decimal) -> String {
        let text = number.to_string();
        match self {
            Self::English => text,
            Self::Spanish | Self::Portuguese | Self::Greek => text.replace('.', ","),
        }
    }

    fn day(self, program: &Program, at: DateTime<Utc>) -> String {
        let day = program.local_date(at);
        let format = match self {
            Self::English => "%Y-%m-%d",
            Self::Spanish | Self::Portuguese | Self::Greek => "%d/%m/%Y",
        };
        day.format(format).to_string()
    }
}

/// The lines about the points of a sale, with line breaks between and none behind.
pub(crate) fn receipt_text(language: Language, program: &Program, outcome: &SaleOutcome) -> String {
    let printing = Printing {
        language,
        words: words::of(language, program.unit),
        program,
        outcome,
    };
    printing.lines().join("\n")
}

struct Printing<'a> {
    language: Language,
    words: &'static words::Words,
    program: &'a Program,
    outcome: &'a SaleOutcome,
}

impl Printing<'_> {
    fn lines(&self) -> Vec<String> {
        let (words, outcome) = (self.words, self.outcome);
        let mut lines = vec![pair(words.earned, &self.points(outcome.points_earned))];
        if !outcome.points_redeemed.is_zero() {
            lines.push(pair(words.used, &self.points(outcome.points_redeemed)));
            lines.extend(self.bought());
            lines.push(pair(words.paid, &self.money(outcome.points_paid())));
            lines.push(pair(words.to_pay, &self.money(outcome.due)));
        }
        let balance = &outcome.balance;
        lines.push(pair(words.balance, &self.points(balance.available)));
        if let Some(value) = balance.value.filter(|_| self.program.unit == ProgramUnit::Points) {
            lines.push(pair(words.worth, &self.money(value)));
        }
        if let Some(until) = outcome.points_pending_until {
            lines.push(pair(words.pending_until, &self.language.day(self.program, until)));
        }
        if let Some(at) = balance.next_expiry_at {
            lines.push(pair(words.next_expiry, &self.language.day(self.program, at)));
        }
        if let Some(tier_id) = &balance.tier_id {
            lines.push(pair(words.tier, self.tier(tier_id)));
        }
        if let Some(next) = &balance.next_tier {
            lines.push(pair(words.next_tier, self.tier(&next.tier_id)));
            lines.push(pair(words.missing, &self.money(next.missing_spend)));
        }
        if balance.reward_reminder {
            lines.push(format!("{}:", words.rewards));
            let rewards = balance.affordable_rewards.iter();
            lines
                .extend(rewards.map(|reward| pair(&format!("  {}", reward.printed_text), &self.points(reward.points))));
        }
        lines
    }

    /// What points bought, as the document shows it.
    fn bought(&self) -> impl Iterator<Item = String> {
        self.outcome.points_tenders.iter().filter_map(|tender| {
            let item = tender.item.as_ref()?;
            let text = match item.printed_text.as_str() {
                "" => &item.product_id,
                text => text,
            };
            let text = match item.print_quantity {
                true => format!("  {} x {text}", self.language.number(item.quantity.normalize())),
                false => format!("  {text}"),
            };
            Some(pair(&text, &self.points(tender.points)))
        })
    }

    fn points(&self, points: Decimal) -> String {
        match self.program.unit {
            ProgramUnit::Points => self.language.number(points.normalize()),
            ProgramUnit::Value => self.money(points),
        }
    }

    fn money(&self, amount: Decimal) -> String {
        let currency = &self.outcome.currency;
        let mut amount = amount;
        if amount.normalize().scale() <= currency.minor_units {
            amount.rescale(currency.minor_units);
        }
        format!("{} {}", self.language.number(amount), currency.code)
    }

    /// What customers call a tier; one that the program does not have any more by its id.
    fn tier<'a>(&'a self, tier_id: &'a str) -> &'a str {
        let mut tiers = self.program.tiers.iter();
        tiers
            .find(|tier| tier.tier_id == tier_id)
            .map_or(tier_id, |tier| &tier.name)
    }
}

/// A name at the left and a value at the right end of a line.
fn pair(name: &str, value: &str) -> String {
    let used = name.chars().count() + value.chars().count();
    let gap = WIDTH.saturating_sub(used).max(1);
    format!("{name}{}{value}", " ".repeat(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_of_a_tag_says_the_language() {
        let cases = [
            ("es", Language::Spanish),
            ("es-PE", Language::Spanish),
            ("PT-br", Language::Portuguese),
            ("el", Language::Greek),
            ("en-GB", Language::English),
            ("quz", Language::English),
            ("", Language::English),
        ];
        for (tag, expected) in cases {
            assert_eq!(Language::of_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn values_stand_at_the_right_end_and_never_touch_the_names() {
        assert_eq!(pair("Tier", "Gold"), format!("Tier{}Gold", " ".repeat(34)));
        let long = "x".repeat(50);
        assert_eq!(pair(&long, "1"), format!("{long} 1"));
        assert_eq!(pair("Αξία", "1").chars().count(), WIDTH);
    }
}
