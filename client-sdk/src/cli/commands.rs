//! What the commands do.

use std::path::Path;

use rust_decimal::Decimal;

use super::{
    arguments::{Arguments, Command},
    import::Import,
    output::{Answer, Done},
    progress::{Progress, ProgressStyle},
};
use crate::{
    adjustment::Adjustment,
    client::Client,
    csv,
    error::Error,
    member::{Balance, MemberKey, MemberQuery},
    new_member::NewMember,
    outbox::{Outbox, OutboxEntry, OutboxError},
    page::PageRequest,
    receipt::Receipt,
    report::ReportPeriod,
    sale::Sale,
    stand_alone::RedemptionRequest,
    sync::SyncAnswer,
};

/// Carries a command out; an error as people read it.
pub(super) async fn carry_out(arguments: &Arguments) -> Result<Done, String> {
    if let Command::Outbox { directory, deliver } = &arguments.command {
        if *deliver {
            let client = client(arguments).await.map_err(|error| error.to_string())?;
            let delivered = delivered(directory, client, arguments.progress).await;
            delivered.map_err(|error| error.to_string())?;
        }
        return outbox(directory).map(Done::from).map_err(|error| error.to_string());
    }
    if let Command::Import {
        file,
        program,
        import_id,
        dry_run,
    } = &arguments.command
    {
        let import = Import {
            file,
            program_id: program.as_str().into(),
            import_id,
            progress: arguments.progress,
        };
        if *dry_run {
            return import.checked();
        }
        let client = client(arguments).await.map_err(|error| error.to_string())?;
        return import.carried_out(&client).await;
    }
    let answer = async {
        let client = client(arguments).await?;
        command(&client, &arguments.command, arguments.progress).await
    };
    answer.await.map(Done::from).map_err(|error: Error| error.to_string())
}

async fn client(arguments: &Arguments) -> Result<Client, Error> {
    let mut endpoints = arguments.endpoint.iter();
    let mut builder = Client::builder(endpoints.next().cloned().unwrap_or_default());
    for endpoint in endpoints {
        builder = builder.fallback(endpoint);
    }
    if let Some(key) = &arguments.api_key {
        builder = builder.api_key(key);
    }
    let client = builder.connect().await?;
    Ok(match &arguments.request_id {
        Some(request_id) => client.with_request_id(request_id),
        None => client,
    })
}

async fn command(client: &Client, command: &Command, progress: ProgressStyle) -> Result<Answer, Error> {
    match command {
        Command::Enrol {
            program,
            customer,
            card,
            phone,
            email,
            name,
            language,
        } => {
            let mut new = NewMember::new(program);
            for (value, set) in [
                (customer, NewMember::customer_id as fn(NewMember, String) -> NewMember),
                (card, NewMember::card),
                (phone, NewMember::phone),
                (email, NewMember::email),
                (name, NewMember::name),
                (language, NewMember::language),
            ] {
                if let Some(value) = value {
                    new = set(new, value.clone());
                }
            }
            let member = client.enroll_member(&new).await?;
            Ok(Answer::One(vec![
                ("member_id", member.member_id.to_string()),
                ("program_id", member.program_id.to_string()),
                ("enrolled_at", csv::instant(member.enrolled_at)),
            ]))
        }
        Command::Sale {
            member,
            total,
            sale,
            store,
            terminal,
            program,
            currency,
            redeem,
            quote,
            quote_token,
        } => {
            let mut document = Sale::new(sale, store, member.clone(), currency, *total).terminal(terminal);
            if let Some(program) = program {
                document = document.program(program);
            }
            if let Some(points) = redeem {
                document = document.redeem_points(*points);
            }
            document.quote_token.clone_from(quote_token);
            let receipt = match quote {
                true => client.quote_sale(&document).await?,
                false => client.record_sale(&document).await?,
            };
            Ok(of_receipt(&receipt))
        }
        Command::Balance { member, program } => {
            let answer = client.get_balance(query(member, program)).await?;
            let mut fields = vec![
                ("member_id", answer.member_id.to_string()),
                ("program_id", answer.program_id.to_string()),
            ];
            fields.extend(of_balance(&answer.balance));
            Ok(Answer::One(fields))
        }
        Command::History { member, program, limit } => history(client, query(member, program), *limit, progress).await,
        Command::Redeem {
            member,
            points,
            store,
            program,
        } => {
            let request = RedemptionRequest::new(store.as_str(), query(member, program)).redeem_points(*points);
            let receipt = client.redeem(&request).await?;
            Ok(Answer::One(vec![
                ("redemption_id", receipt.redemption.redemption_id.to_string()),
                ("points", number(receipt.redemption.points)),
                ("amount", receipt.redemption.amount.to_string()),
                ("balance_before", number(receipt.balance_before)),
                ("available", number(receipt.balance.available)),
            ]))
        }
        Command::Adjust {
            member,
            points,
            reason,
            note,
            program,
        } => {
            let adjustment = Adjustment::new(query(member, program), reason, *points).note(note);
            let receipt = client.adjust_points(&adjustment).await?;
            Ok(Answer::One(vec![
                ("adjustment_id", receipt.adjustment_id.to_string()),
                ("points", number(receipt.points)),
                ("balance_before", number(receipt.balance_before)),
                ("available", number(receipt.balance.available)),
            ]))
        }
        Command::Report { program, from, until } => {
            let mut period = ReportPeriod::of_program(program);
            if let Some(from) = from {
                period = period.from(*from);
            }
            if let Some(until) = until {
                period = period.until(*until);
            }
            report(client, &period, progress).await
        }
        // Made without a server.
        Command::Import { .. } | Command::Outbox { .. } | Command::Completion { .. } => Ok(Answer::One(Vec::new())),
    }
}

/// Delivers what waits in an outbox.
async fn delivered(directory: &Path, client: Client, progress: ProgressStyle) -> Result<(), OutboxError> {
    let outbox = Outbox::open(directory, client)?;
    let unsent = u64::try_from(outbox.state().unsent).unwrap_or(u64::MAX);
    let mut progress = Progress::of(progress, "operations", Some(unsent));
    let delivered = outbox.deliver_with(|_| progress.advance(1)).await;
    progress.finish();
    delivered.map(drop)
}

/// What waits in an outbox, and what was refused.
fn outbox(directory: &Path) -> Result<Answer, OutboxError> {
    let contents = Outbox::inspect(directory)?;
    let columns = vec!["position", "recorded_at", "state", "what", "request_id", "reason"];
    let row = |entry: OutboxEntry, state: &str, reason: String| {
        vec![
            entry.position.to_string(),
            csv::instant(entry.recorded_at),
            state.to_owned(),
            entry.what,
            entry.request_id.to_string(),
            reason,
        ]
    };
    let refused = contents.refused.into_iter().map(|refused| {
        let reason = match &refused.outcome.answer {
            SyncAnswer::Refused(error) => error.to_string(),
            _ => String::new(),
        };
        row(refused.entry, "REFUSED", reason)
    });
    let unsent = contents
        .unsent
        .into_iter()
        .map(|entry| row(entry, "UNSENT", String::new()));
    Ok(Answer::Several {
        columns,
        rows: refused.chain(unsent).collect(),
    })
}

/// What each member of a program earned, redeemed and lost.
async fn report(client: &Client, period: &ReportPeriod, progress: ProgressStyle) -> Result<Answer, Error> {
    let columns = vec![
        "member_id",
        "opening",
        "earned",
        "redeemed",
        "expired",
        "adjusted",
        "merged",
        "imported",
        "closing",
    ];
    let mut rows = Vec::new();
    let mut reports = client.report_members(period);
    let mut progress = Progress::of(progress, "members", None);
    while let Some(members) = reports.next().await? {
        progress.advance(u64::try_from(members.len()).unwrap_or_default());
        rows.extend(members.into_iter().map(|member| {
            let moved = &member.movement;
            let numbers = [
                member.opening,
                moved.earned,
                moved.redeemed,
                moved.expired,
                moved.adjusted,
                moved.merged,
                moved.imported,
                member.closing,
            ];
            std::iter::once(member.member_id.to_string())
                .chain(numbers.map(number))
                .collect()
        }));
    }
    progress.finish();
    Ok(Answer::Several { columns, rows })
}

async fn history(client: &Client, member: MemberQuery, limit: usize, progress: ProgressStyle) -> Result<Answer, Error> {
    let columns = vec![
        "sequence",
        "recorded_at",
        "kind",
        "points",
        "balance_after",
        "store_id",
        "sale_id",
        "reason_id",
        "actor",
    ];
    let mut rows = Vec::new();
    let mut progress = Progress::of(progress, "entries", None);
    let mut next = Some(PageRequest::of(200));
    while let Some(page) = next.take().filter(|_| rows.len() < limit) {
        let page = client.list_entries(member.clone(), &page).await?;
        let wanted = page.items.into_iter().take(limit - rows.len());
        progress.advance(u64::try_from(wanted.len()).unwrap_or_default());
        rows.extend(wanted.map(|entry| {
            vec![
                entry.sequence.to_string(),
                csv::instant(entry.recorded_at),
                csv::kind(entry.kind),
                number(entry.points),
                number(entry.balance_after),
                entry.store_id.unwrap_or_default(),
                entry.sale_id.unwrap_or_default(),
                entry
                    .reason_id
                    .map(|reason_id| reason_id.to_string())
                    .unwrap_or_default(),
                entry.actor.unwrap_or_default(),
            ]
        }));
        next = page.next;
    }
    progress.finish();
    Ok(Answer::Several { columns, rows })
}

fn of_receipt(receipt: &Receipt) -> Answer {
    let mut fields = vec![
        ("member_id", receipt.member_id.to_string()),
        ("program_id", receipt.program_id.to_string()),
        ("program_version", receipt.program_version.to_string()),
        ("points_earned", number(receipt.points_earned)),
        ("points_redeemed", number(receipt.points_redeemed)),
        ("due", receipt.due.to_string()),
        ("balance_before", number(receipt.balance_before)),
    ];
    fields.extend(of_balance(&receipt.balance));
    fields.push(("replayed", receipt.replayed.to_string()));
    if let Some(quote) = &receipt.quote {
        fields.push(("quote_token", quote.token.clone()));
        fields.push(("quote_expires_at", csv::instant(quote.expires_at)));
    }
    Answer::One(fields)
}

fn of_balance(balance: &Balance) -> Vec<(&'static str, String)> {
    vec![
        ("available", number(balance.available)),
        (
            "value",
            balance.value.as_ref().map(ToString::to_string).unwrap_or_default(),
        ),
        ("pending", number(balance.pending)),
        ("held", number(balance.held)),
        ("tier_id", balance.tier_id.clone().unwrap_or_default()),
        (
            "next_expiry_at",
            balance.next_expiry_at.map(csv::instant).unwrap_or_default(),
        ),
    ]
}

fn query(member: &MemberKey, program: &Option<String>) -> MemberQuery {
    match program {
        Some(program) => member.clone().in_program(program),
        None => member.clone().into(),
    }
}

fn number(number: Decimal) -> String {
    number.normalize().to_string()
}
