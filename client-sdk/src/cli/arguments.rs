//! What can be said on the command line.

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand};
use clap_complete::Shell;
use rust_decimal::Decimal;

use super::{output::Format, progress::ProgressStyle};
use crate::member::MemberKey;

/// Looks at and changes what members of a loyalty program have.
#[derive(Debug, Parser)]
#[command(name = "loyalty", version)]
pub(super) struct Arguments {
    /// The server; of several, with commas between, the first that is there.
    #[arg(
        long,
        env = "LOYALTY_ENDPOINT",
        default_value = "http://127.0.0.1:50051",
        value_delimiter = ',',
        global = true
    )]
    pub(super) endpoint: Vec<String>,
    /// The API key; none for a server in its development mode.
    #[arg(long, env = "LOYALTY_API_KEY", hide_env_values = true, global = true)]
    pub(super) api_key: Option<String>,
    /// How the answer is written.
    #[arg(long, short, value_enum, default_value = "table", global = true)]
    pub(super) output: Format,
    /// How it is shown how far long work is, on the standard error.
    #[arg(long, value_enum, default_value = "auto", global = true)]
    pub(super) progress: ProgressStyle,
    /// Makes a change once, however often the command is repeated with the same id.
    #[arg(long, global = true)]
    pub(super) request_id: Option<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// A member, as people type it: a kind and a value, such as `card:7700123`; without a kind a customer id.
pub(super) fn member(text: &str) -> Result<MemberKey, String> {
    match text.split_once(':') {
        None => Ok(MemberKey::customer_id(text)),
        Some(("customer", value)) => Ok(MemberKey::customer_id(value)),
        Some(("card", value)) => Ok(MemberKey::card(value)),
        Some(("phone", value)) => Ok(MemberKey::phone(value)),
        Some(("email", value)) => Ok(MemberKey::email(value)),
        Some(("qr", value)) => Ok(MemberKey::qr_code(value)),
        Some(("id", value)) => Ok(MemberKey::member_id(value)),
        Some((kind, _)) => Err(format!(
            "no kind {kind:?}: say customer:, card:, phone:, email:, qr: or id:"
        )),
    }
}

/// The columns of a file of members.
const COLUMNS_HELP: &str = "\
Columns, in whatever order, at least one of the first five:
  customer_id, card, phone, email, qr_code   who it is
  name, language, birth_date                 the person
  customer_group, territory                  paths, such as retail/vip
  assigned_rule_id                           the rule that the member scores under
  enrolled_at                                since when; now when it is empty
  points, accrued_at, expires_at             points that are there, when they came, and when they lapse: never, or as
                                             the program says when it is empty; points_2, accrued_at_2, expires_at_2
                                             and so on of further lots
  tier_spend, tier_spend_day                 what was spent before, and on which day
  lifetime_earned, lifetime_redeemed, lifetime_expired
Numbers have a decimal point. Days are written 2026-01-31, instants 2026-01-31T00:00:00-05:00; a day stands for the instant
at which it begins in UTC.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Enrols a customer in a program.
    Enrol {
        /// The program.
        #[arg(long, short)]
        program: String,
        /// The customer id.
        #[arg(long)]
        customer: Option<String>,
        /// The number of a card.
        #[arg(long)]
        card: Option<String>,
        /// A phone number, such as +34600123456.
        #[arg(long)]
        phone: Option<String>,
        /// An e-mail address.
        #[arg(long)]
        email: Option<String>,
        /// What people call the customer.
        #[arg(long)]
        name: Option<String>,
        /// The language of what is printed for the customer, such as es.
        #[arg(long)]
        language: Option<String>,
    },
    /// Records a sale.
    Sale {
        /// Who bought: a customer id, or card:…, phone:…, email:…, qr:…, id:….
        #[arg(value_parser = member)]
        member: MemberKey,
        /// What the customer has to pay in all, tax included.
        total: Decimal,
        /// The POS's own id of the document.
        #[arg(long)]
        sale: String,
        /// The store; that of the key when it is not said.
        #[arg(long, default_value = "")]
        store: String,
        /// The terminal.
        #[arg(long, default_value = "")]
        terminal: String,
        /// The program, for customers who are in several.
        #[arg(long, short)]
        program: Option<String>,
        /// The currency, as an ISO 4217 code.
        #[arg(long, default_value = "EUR")]
        currency: String,
        /// Points that pay a part of it.
        #[arg(long)]
        redeem: Option<Decimal>,
        /// Says what the sale would do, and records nothing.
        #[arg(long)]
        quote: bool,
        /// The token of a quote that holds for the sale.
        #[arg(long, conflicts_with = "quote")]
        quote_token: Option<String>,
    },
    /// Shows what a member has.
    Balance {
        /// The member.
        #[arg(value_parser = member)]
        member: MemberKey,
        /// The program, for customers who are in several.
        #[arg(long, short)]
        program: Option<String>,
    },
    /// Shows a member's entries, newest first.
    History {
        /// The member.
        #[arg(value_parser = member)]
        member: MemberKey,
        /// The program, for customers who are in several.
        #[arg(long, short)]
        program: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Redeems points without a sale.
    Redeem {
        /// The member.
        #[arg(value_parser = member)]
        member: MemberKey,
        /// How many points.
        points: Decimal,
        /// The store.
        #[arg(long, default_value = "")]
        store: String,
        /// The program, for customers who are in several.
        #[arg(long, short)]
        program: Option<String>,
    },
    /// Adds or removes points by hand, for a reason, which says which.
    Adjust {
        /// The member.
        #[arg(value_parser = member)]
        member: MemberKey,
        /// How many points, above 0.
        points: Decimal,
        /// The reason.
        #[arg(long)]
        reason: String,
        /// What is written beside it.
        #[arg(long, default_value = "")]
        note: String,
        /// The program, for customers who are in several.
        #[arg(long, short)]
        program: Option<String>,
    },
    /// Shows what each member of a program earned, redeemed and lost in a period.
    Report {
        /// The program.
        #[arg(long, short)]
        program: String,
        /// The instant it begins, such as 2026-01-01T00:00:00Z; from the first entry on when it is not said.
        #[arg(long)]
        from: Option<DateTime<Utc>>,
        /// The instant it ends; now when it is not said.
        #[arg(long)]
        until: Option<DateTime<Utc>>,
    },
    /// Brings the members of a CSV file into a program, with what they have, and shows the rows that were refused.
    ///
    /// The first line names the columns, the others are members; a comma or a semicolon is between the fields. What is
    /// empty is not said. Run again with the same import id, it changes nothing of what was written, so that an import
    /// that broke off goes on, and rows that were refused come again when they are corrected in their place.
    #[command(after_help = COLUMNS_HELP)]
    Import {
        /// The file.
        file: std::path::PathBuf,
        /// The program.
        #[arg(long, short)]
        program: String,
        /// The name of the import: 1 to 64 of a-z 0-9 - _ .
        #[arg(long)]
        import_id: String,
        /// Reads the file and shows the rows that cannot be read; asks no server.
        #[arg(long)]
        dry_run: bool,
    },
    /// Shows what waits in the outbox of a till, and what was refused; also while the till has it open.
    Outbox {
        /// The directory of the outbox.
        directory: std::path::PathBuf,
        /// Delivers what waits first, which is not possible while the till has it open.
        #[arg(long)]
        deliver: bool,
    },
    /// Prints the script that completes this program's commands in a shell.
    Completion {
        /// The shell.
        shell: Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_member_is_a_kind_and_a_value() {
        let cases = [
            ("ada", MemberKey::customer_id("ada")),
            ("customer:a:b", MemberKey::customer_id("a:b")),
            ("card:77", MemberKey::card("77")),
            ("phone:+34600", MemberKey::phone("+34600")),
            ("email:a@b.c", MemberKey::email("a@b.c")),
            ("qr:x", MemberKey::qr_code("x")),
            ("id:0198", MemberKey::member_id("0198")),
        ];
        for (text, expected) in cases {
            assert_eq!(member(text), Ok(expected));
        }
        assert!(member("fax:1").is_err());
    }
}
