//! Commands about merchants, stores, terminals and keys. What was asked for goes to standard output, a line each, so
//! that scripts can read it; everything else to standard error.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Subcommand};

use crate::Clock;
use crate::tenants::{IssuedKey, KeyRecord, NewKey, Role, TenantError, Tenants};

/// How long the secret before a rotation holds, unless told: long enough to get to every till.
const OVERLAP_HOURS: u32 = 7 * 24;

/// What is done about merchants.
#[derive(Clone, Debug, Subcommand)]
pub enum MerchantCommand {
    /// Make a merchant.
    Create {
        /// Code of the merchant: 1 to 64 of a-z, 0-9, `-`, `_` and `.`.
        code: String,
    },
    /// Show the codes of all merchants.
    List,
}

/// What is done about stores.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreCommand {
    /// Make a store of a merchant.
    Create {
        /// The merchant.
        #[command(flatten)]
        merchant: MerchantArgument,
        /// The id that requests name the store with.
        store_id: String,
    },
    /// Show the stores of a merchant.
    List {
        /// The merchant.
        #[command(flatten)]
        merchant: MerchantArgument,
    },
}

/// What is done about terminals.
#[derive(Clone, Debug, Subcommand)]
pub enum TerminalCommand {
    /// Make a terminal of a store.
    Create {
        /// The merchant.
        #[command(flatten)]
        merchant: MerchantArgument,
        /// The store it stands in.
        #[arg(long, value_name = "STORE_ID")]
        store: String,
        /// The id that requests name the terminal with.
        terminal_id: String,
    },
    /// Show the terminals of a store.
    List {
        /// The merchant.
        #[command(flatten)]
        merchant: MerchantArgument,
        /// The store they stand in.
        #[arg(long, value_name = "STORE_ID")]
        store: String,
    },
}

/// What is done about keys.
#[derive(Clone, Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and show it, the only time.
    Create {
        /// The merchant.
        #[command(flatten)]
        merchant: MerchantArgument,
        /// What it may do.
        #[arg(long, value_parser = PossibleValuesParser::new(ROLES.map(|(name, _)| name)).map(|name| role(&name)))]
        role: Role,
        /// The only store it acts in; a terminal's key needs one.
        #[arg(long, value_name = "STORE_ID")]
        store: Option<String>,
        /// The only terminal of that store.
        #[arg(long, value_name = "TERMINAL_ID")]
        terminal: Option<String>,
        /// The name under which it acts [default: of role, store and terminal].
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        /// From when on it is refused, such as 2027-01-01T00:00:00Z [default: never].
        #[arg(long, value_name = "INSTANT")]
        expires: Option<DateTime<Utc>>,
    },
    /// Show the keys of a merchant, without their secrets.
    List {
        /// The merchant.
        #[command(flatten)]
        merchant: MerchantArgument,
    },
    /// Give a key another secret and show it, the only time; the one before goes on for a while.
    Rotate {
        /// The key, as the list shows it.
        key_id: String,
        /// Hours for which the secret before goes on, 0 to 8784 (a year).
        #[arg(long, default_value_t = OVERLAP_HOURS, value_parser = clap::value_parser!(u32).range(..=366 * 24))]
        overlap_hours: u32,
    },
    /// End a key for good, on all servers within 5 seconds.
    Revoke {
        /// The key, as the list shows it.
        key_id: String,
    },
}

/// Names a merchant.
#[derive(Args, Clone, Debug)]
pub struct MerchantArgument {
    /// Code of the merchant.
    #[arg(long = "merchant", value_name = "CODE")]
    code: String,
}

const ROLES: [(&str, Role); 4] = [
    ("terminal", Role::Terminal),
    ("back-office", Role::BackOffice),
    ("read-only", Role::ReadOnly),
    ("operator", Role::Operator),
];

/// The role of this name, which the parser knows to be one of them.
fn role(name: &str) -> Role {
    let found = ROLES.iter().find(|(known, _)| *known == name);
    found.map_or(Role::ReadOnly, |(_, role)| *role)
}

/// A command about tenants.
#[derive(Clone, Debug)]
pub(crate) enum TenantCommand {
    Merchant(MerchantCommand),
    Store(StoreCommand),
    Terminal(TerminalCommand),
    Key(KeyCommand),
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Tenant(#[from] TenantError),
    #[error("the answer cannot be written")]
    Output(#[from] io::Error),
}

/// Carries a command out on the database at `url`.
pub(crate) async fn run(command: TenantCommand, url: &str, clock: Clock) -> Result<(), CommandError> {
    let mut tenants = Tenants::open(url, clock).await?;
    let tenants = &mut tenants;
    match command {
        TenantCommand::Merchant(MerchantCommand::Create { code }) => tenants.create_merchant(&code).await?,
        TenantCommand::Merchant(MerchantCommand::List) => show(&tenants.merchants().await?)?,
        TenantCommand::Store(StoreCommand::Create { merchant, store_id }) => {
            tenants.create_store(&merchant.code, &store_id).await?;
        }
        TenantCommand::Store(StoreCommand::List { merchant }) => show(&tenants.stores(&merchant.code).await?)?,
        TenantCommand::Terminal(TerminalCommand::Create {
            merchant,
            store,
            terminal_id,
        }) => tenants.create_terminal(&merchant.code, &store, &terminal_id).await?,
        TenantCommand::Terminal(TerminalCommand::List { merchant, store }) => {
            show(&tenants.terminals(&merchant.code, &store).await?)?;
        }
        TenantCommand::Key(command) => run_key(command, tenants).await?,
    }
    Ok(())
}

async fn run_key(command: KeyCommand, tenants: &mut Tenants) -> Result<(), CommandError> {
    match command {
        KeyCommand::Create {
            merchant,
            role,
            store,
            terminal,
            name,
            expires,
        } => {
            let key = NewKey {
                merchant: merchant.code,
                role,
                name,
                store_id: store,
                terminal_id: terminal,
                expires_at: expires,
            };
            show_key(&tenants.create_key(key).await?)?;
        }
        KeyCommand::List { merchant } => {
            let keys = tenants.keys(&merchant.code).await?;
            let head = "key\trole\tname\tstore\tterminal\tcreated\tstate".to_owned();
            let lines: Vec<String> = std::iter::once(head).chain(keys.iter().map(line)).collect();
            show(&lines)?;
        }
        KeyCommand::Rotate { key_id, overlap_hours } => {
            let overlap = TimeDelta::hours(i64::from(overlap_hours));
            show_key(&tenants.rotate_key(&key_id, overlap).await?)?;
        }
        KeyCommand::Revoke { key_id } => {
            if !tenants.revoke_key(&key_id).await? {
                tracing::info!(key_id, "the key was revoked before");
            }
        }
    }
    Ok(())
}

fn line(key: &KeyRecord) -> String {
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut state = Vec::new();
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => state.push(format!("revoked {}", instant(at))),
        (None, Some(at)) => state.push(format!("expires {}", instant(at))),
        (None, None) => state.push("valid".to_owned()),
    }
    if let Some(until) = key.previous_until {
        state.push(format!("old secret until {}", instant(until)));
    }
    let (store, terminal) = (key.store_id.as_deref(), key.terminal_id.as_deref());
    [
        key.key_id.as_str(),
        key.role.name(),
        &key.name,
        store.unwrap_or("-"),
        terminal.unwrap_or("-"),
        &instant(key.created_at),
        &state.join(", "),
    ]
    .join("\t")
}

fn show_key(key: &IssuedKey) -> io::Result<()> {
    tracing::info!(key_id = key.key_id, "keep the key now: it is not shown again");
    show(std::slice::from_ref(&key.text))
}

fn show(lines: &[String]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in lines {
        writeln!(output, "{line}")?;
    }
    output.flush()
}
