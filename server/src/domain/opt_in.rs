//! How a customer becomes a member: who is eligible, which program a first sale enrols in, and what a new member gets.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::account::{Account, Attributes, Books, within_ledger};
use super::enrolment::Enrolment;
use super::entry::{EntryKind, Occasion};
use super::expiry;
use super::member::Person;
use super::path;
use super::program::{DocumentTreatment, Program, ProgramVersion};
use super::rejection::Rejection;
use super::sale::Sale;
use super::{earning, tier};

/// Refuses customers that the program is not for.
pub(crate) fn check_eligible(version: &ProgramVersion, attributes: &Attributes) -> Result<(), Rejection> {
    match ineligible(&version.program, &attributes.customer_group, &attributes.territory) {
        Some(field) => Err(Rejection::NotEligible {
            program_id: version.program_id.to_string(),
            field,
        }),
        None => Ok(()),
    }
}

/// Refuses an assigned rule that is none of the program, or archived. `field` is where the request has it.
pub(crate) fn check_assigned_rule(
    field: &str,
    attributes: &Attributes,
    version: &ProgramVersion,
) -> Result<(), Rejection> {
    match attributes.assigned_rule_id.as_deref() {
        Some(rule_id) if version.rules.find(rule_id).is_none() => Err(Rejection::InvalidField {
            field: field.to_owned(),
            description: format!("the program has no rule `{rule_id}`, or it is archived"),
        }),
        _ => Ok(()),
    }
}

/// The program that a sale of a customer who is no member enrols in: of those that take this customer and this sale the
/// one with the highest priority; `None` when there is none.
pub(crate) fn choose<'a>(
    programs: impl Iterator<Item = &'a Arc<ProgramVersion>>,
    sale: &Sale,
    now: DateTime<Utc>,
) -> Result<Option<&'a Arc<ProgramVersion>>, Rejection> {
    let mut by_priority: BTreeMap<u32, Vec<&Arc<ProgramVersion>>> = BTreeMap::new();
    for version in programs.filter(|version| takes(version, sale, now)) {
        let priority = version.program.enrolment.auto_opt_in_priority;
        by_priority.entry(priority).or_default().push(version);
    }
    match by_priority.pop_last() {
        None => Ok(None),
        Some((_, mut highest)) if highest.len() > 1 => {
            highest.sort_by(|a, b| a.program_id.cmp(&b.program_id));
            Err(Rejection::AmbiguousOptIn {
                program_ids: highest.iter().map(|version| version.program_id.to_string()).collect(),
            })
        }
        Some((_, mut highest)) => Ok(highest.pop()),
    }
}

/// The enrolment of the customer of a sale; `None` where the sale names a member by id.
pub(crate) fn enrolment(version: &ProgramVersion, sale: &Sale) -> Option<Enrolment> {
    let customer = sale.customer.clone().unwrap_or_default();
    Some(Enrolment {
        program_id: version.program_id.to_string(),
        identifiers: vec![sale.member.identifier()?],
        person: Person {
            name: customer.name,
            ..Person::default()
        },
        attributes: Attributes {
            customer_group: customer.customer_group,
            territory: customer.territory,
            assigned_rule_id: None,
        },
    })
}

/// The books of a new member, with what the program gives for the beginning.
pub(crate) fn open(
    version: &ProgramVersion,
    merchant_id: u32,
    member_id: Uuid,
    attributes: Attributes,
    now: DateTime<Utc>,
) -> Result<Books, Rejection> {
    let program = &version.program;
    let mut account = Account::opened(merchant_id, member_id, Arc::clone(&version.program_id), now);
    account.attributes = attributes;
    let mut books = Books::new(account);
    if tier::spend_needed_since(program, now).is_some() {
        books.spend_by_day = Some(BTreeMap::new());
    }
    books.begin_inactivity(program, now);
    let bonus = program.enrolment.sign_up_bonus;
    if let Some(points) = bonus.filter(|_| program.is_open_on(program.local_date(now))) {
        within_ledger("points", points)?;
        let policy = earning::expiry(version, &books.account.attributes);
        let expires_at = expiry::expires_under(policy, program.time_zone, now);
        let occasion = Occasion::plain(version.version, now, now);
        books.credit(EntryKind::SignUpBonus, points, expires_at, &occasion);
    }
    Ok(books)
}

fn takes(version: &ProgramVersion, sale: &Sale, now: DateTime<Utc>) -> bool {
    let program = &version.program;
    let customer = sale.customer.as_ref();
    let group = customer.map_or("", |customer| &customer.customer_group);
    let territory = customer.map_or("", |customer| &customer.territory);
    let day = program.local_date(sale.made_at(now));
    program.enrolment.auto_opt_in
        && (sale.program_id.is_empty() || sale.program_id == *version.program_id)
        && program.is_open_on(day)
        && program.currency.code == sale.currency_code
        && program.treatment(&sale.document_type) == DocumentTreatment::Issuing
        && ineligible(program, group, territory).is_none()
}

/// The field of a customer that keeps it out.
fn ineligible(program: &Program, customer_group: &str, territory: &str) -> Option<&'static str> {
    let covers = |nodes: &[String], path: &str| nodes.is_empty() || nodes.iter().any(|node| path::covers(node, path));
    let policy = &program.enrolment;
    if !covers(&policy.customer_groups, customer_group) {
        Some("customer_group")
    } else if !covers(&policy.territories, territory) {
        Some("territory")
    } else {
        None
    }
}
