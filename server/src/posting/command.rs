//! What callers ask of posting, and what they get.

mod redeeming;

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) use redeeming::{Redeeming, RedeemingAct};

use crate::domain::adjustment::{Adjusting, Adjustment};
use crate::domain::answer::{Answer, Refusal};
use crate::domain::enrolment::Enrolment;
use crate::domain::expiry_change::Applying;
use crate::domain::importing::ImportedMember;
use crate::domain::member_change::MemberChange;
use crate::domain::sale::{MemberKey, Sale};
use crate::domain::sale_recording;
use crate::domain::sale_return::{SaleName, SaleReversal};

/// A write to one account.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) merchant_id: u32,
    /// Empty: nothing is kept of it, since it is harmless to repeat.
    pub(crate) request_id: String,
    pub(crate) content_hash: [u8; 32],
    /// When the server received it.
    pub(crate) now: DateTime<Utc>,
    pub(crate) action: Action,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// With its canonical form, which is kept.
    RecordSale(Box<Sale>, String),
    /// With the id that the new member will have.
    Enrol(Uuid, Enrolment),
    /// With the id that the new member will have.
    Import(Uuid, Box<ImportedMember>),
    ChangeMember(Box<ChangingMember>),
    MergeMembers(Box<MergingMembers>),
    Redeeming(Box<Redeeming>),
    ReverseSale(Box<ReversingSale>),
    /// Writes off what has lapsed of this member's points.
    Sweep(MemberKey),
    /// Moves this member's lots to the expiry that their program has by now.
    ChangeExpiry(MemberKey, Applying),
    /// Gives this member the bonus for a birthday, if there is one to give.
    GiveBirthdayBonus(MemberKey, NaiveDate),
    /// Points added or removed for a reason.
    Adjust(Box<Adjusting>),
}

/// A change of a member to make.
#[derive(Clone, Debug)]
pub(crate) struct ChangingMember {
    pub(crate) member: MemberKey,
    /// Where the request names it.
    pub(crate) field: &'static str,
    pub(crate) change: MemberChange,
    pub(crate) actor: String,
}

/// A member to be merged into another.
#[derive(Clone, Debug)]
pub(crate) struct MergingMembers {
    /// Who stays: an id.
    pub(crate) member: MemberKey,
    pub(crate) merged_id: Uuid,
    /// Of an entry among the changes of both; may be empty.
    pub(crate) reason: String,
    pub(crate) actor: String,
}

/// A return or a cancellation to record.
#[derive(Clone, Debug)]
pub(crate) struct ReversingSale {
    pub(crate) reversal: SaleReversal,
    /// Its canonical form, which is kept.
    pub(crate) document: String,
    pub(crate) actor: String,
}

/// Whose books a command works on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    Member(Named<'a>),
    /// The member that a recorded sale belongs to.
    Sale(&'a SaleName),
    /// Somebody who becomes a member.
    New(&'a Enrolment),
}

/// A member as a request names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) key: &'a MemberKey,
    /// Empty where the request does not say.
    pub(super) program_id: &'a str,
    /// Where the request says it.
    pub(super) field: &'static str,
}

/// What of the books a command needs to have loaded, beside the account itself. What it turns out to need beyond that is
/// loaded when it is decided, at a round trip each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    /// It takes points: the first page of open lots, and what is pending.
    pub(super) lots: bool,
    /// It counts spend up to this instant, where the program's window needs it.
    pub(super) spend_at: Option<DateTime<Utc>>,
    /// It counts what limited rules gave on the day of this instant.
    pub(super) rule_usage_at: Option<DateTime<Utc>>,
    /// It changes what is known of the member.
    pub(super) record: bool,
}

impl Action {
    /// A sale to record, and the hash of its content: of the document and of who bought.
    pub(crate) fn record_sale(sale: Sale) -> Result<(Self, [u8; 32]), serde_json::Error> {
        let document = serde_json::to_string(&sale)?;
        let person = serde_json::to_vec(&(&sale.member, &sale.customer))?;
        let hash = hash_of(&["RecordSale".as_bytes(), &person, document.as_bytes()]);
        Ok((Self::RecordSale(Box::new(sale), document), hash))
    }

    /// A return or a cancellation, and the hash of its content.
    pub(crate) fn reverse_sale(reversal: SaleReversal, actor: String) -> Result<(Self, [u8; 32]), serde_json::Error> {
        let (operation, document) = match &reversal {
            SaleReversal::Return(sale_return) => ("ReturnSale", serde_json::to_string(sale_return)?),
            SaleReversal::Cancellation(cancellation) => ("CancelSale", serde_json::to_string(cancellation)?),
        };
        let hash = hash_of(&[operation.as_bytes(), document.as_bytes()]);
        let reversing = ReversingSale {
            reversal,
            document,
            actor,
        };
        Ok((Self::ReverseSale(Box::new(reversing)), hash))
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        match self {
            Self::RecordSale(sale, _) => Subject::Member(Named::in_sale(sale)),
            Self::Enrol(_, enrolment) => Subject::New(enrolment),
            Self::Import(_, imported) => Subject::New(&imported.enrolment),
            Self::ChangeMember(changing) => Subject::Member(changing.named()),
            Self::MergeMembers(merging) => Subject::Member(Named::alone(&merging.member)),
            Self::Redeeming(redeeming) => Subject::Member(redeeming.named()),
            Self::ReverseSale(reversing) => Subject::Sale(reversing.reversal.sale()),
            Self::Sweep(member) | Self::ChangeExpiry(member, _) | Self::GiveBirthdayBonus(member, _) => {
                Subject::Member(Named::alone(member))
            }
            Self::Adjust(adjusting) => Subject::Member(Named::in_adjustment(&adjusting.adjustment)),
        }
    }

    /// The sale that is to be recorded.
    pub(super) fn sale(&self) -> Option<&Sale> {
        match self {
            Self::RecordSale(sale, _) => Some(sale),
            Self::Enrol(..)
            | Self::Import(..)
            | Self::ChangeMember(_)
            | Self::MergeMembers(_)
            | Self::Redeeming(_)
            | Self::ReverseSale(_)
            | Self::Sweep(_)
            | Self::ChangeExpiry(..)
            | Self::GiveBirthdayBonus(..)
            | Self::Adjust(_) => None,
        }
    }

    /// The hold that it is about.
    pub(super) fn hold_id(&self) -> Option<Uuid> {
        match self {
            Self::Redeeming(redeeming) => redeeming.act.hold_id(),
            Self::RecordSale(..)
            | Self::Enrol(..)
            | Self::Import(..)
            | Self::ChangeMember(_)
            | Self::MergeMembers(_)
            | Self::ReverseSale(_)
            | Self::Sweep(_)
            | Self::ChangeExpiry(..)
            | Self::GiveBirthdayBonus(..)
            | Self::Adjust(_) => None,
        }
    }

    /// Whether it is posted on its own: it changes who is meant by what, which a batch finds out before it decides.
    pub(super) fn stands_alone(&self) -> bool {
        match self {
            Self::RecordSale(..)
            | Self::Enrol(..)
            | Self::Import(..)
            | Self::Redeeming(_)
            | Self::ReverseSale(_)
            | Self::Sweep(_)
            | Self::ChangeExpiry(..)
            | Self::GiveBirthdayBonus(..)
            | Self::Adjust(_) => false,
            Self::ChangeMember(changing) => changing.change.is_about_identity(),
            Self::MergeMembers(_) => true,
        }
    }

    pub(super) fn needs(&self, now: DateTime<Utc>) -> Needs {
        match self {
            Self::RecordSale(sale, _) => Needs {
                lots: !sale.redemptions.is_empty(),
                spend_at: Some(sale_recording::spend_counts_at(sale, now)),
                rule_usage_at: Some(sale.made_at(now)),
                ..Needs::default()
            },
            // What has lapsed is loaded where anything has.
            Self::Enrol(..) | Self::Import(..) | Self::Sweep(_) => Needs::default(),
            Self::ChangeMember(_) | Self::GiveBirthdayBonus(..) => Needs {
                record: true,
                ..Needs::default()
            },
            Self::MergeMembers(_) => Needs {
                lots: true,
                spend_at: Some(now),
                record: true,
                ..Needs::default()
            },
            Self::Redeeming(_) | Self::Adjust(_) => Needs {
                lots: true,
                spend_at: Some(now),
                ..Needs::default()
            },
            Self::ReverseSale(_) | Self::ChangeExpiry(..) => Needs {
                lots: true,
                ..Needs::default()
            },
        }
    }
}

impl ChangingMember {
    pub(super) fn named(&self) -> Named<'_> {
        Named {
            key: &self.member,
            program_id: "",
            field: self.field,
        }
    }
}

impl<'a> Named<'a> {
    /// By nobody's request.
    pub(super) fn alone(key: &'a MemberKey) -> Self {
        Self {
            key,
            program_id: "",
            field: "member_id",
        }
    }

    pub(super) fn in_sale(sale: &'a Sale) -> Self {
        Self {
            key: &sale.member,
            program_id: &sale.program_id,
            field: "sale.member",
        }
    }

    pub(super) fn in_adjustment(adjustment: &'a Adjustment) -> Self {
        Self {
            key: &adjustment.member,
            program_id: &adjustment.program_id,
            field: "member",
        }
    }
}

impl Command {
    /// A command of a job: harmless to repeat, so that nothing is kept of it.
    pub(crate) fn of_job(merchant_id: u32, now: DateTime<Utc>, action: Action) -> Self {
        Self {
            merchant_id,
            request_id: String::new(),
            content_hash: [0; 32],
            now,
            action,
        }
    }

    /// Whether its answer is kept, so that a repetition gets it again.
    pub(super) fn is_remembered(&self) -> bool {
        !self.request_id.is_empty()
    }

    /// Chooses the writer: by what names the account, so that commands for one account meet in one batch. A member with
    /// several identifiers may be met by several writers; then the row locks keep them apart.
    pub(super) fn account_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self.action.subject() {
            Subject::Member(named) => match named.key {
                MemberKey::MemberId(member_id) => member_id.hash(&mut hasher),
                MemberKey::CustomerId(value)
                | MemberKey::Card(value)
                | MemberKey::Phone(value)
                | MemberKey::Email(value)
                | MemberKey::QrCode(value) => value.hash(&mut hasher),
            },
            Subject::New(enrolment) => {
                for identifier in enrolment.identifiers.iter().take(1) {
                    identifier.value.hash(&mut hasher);
                }
            }
            // Returns of one sale meet in one batch, those of one member by chance.
            Subject::Sale(sale) => sale.hash(&mut hasher),
        }
        hasher.finish()
    }
}

/// An answer, and whether it had been given before.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) answer: Answer,
    pub(crate) replayed: bool,
}

impl Decided {
    /// An answer that is given for the first time.
    pub(super) fn now(answer: Answer) -> Self {
        Self {
            answer,
            replayed: false,
        }
    }
}

/// Carried out, or refused.
pub(crate) type Decision = Result<Decided, Refusal>;

/// Tells a repetition of a write from another write under the same request id. The content is the decoded command in
/// its canonical form: fields in a fixed order, decimals normalized, what is empty left out. A field that is added
/// later is left out where it is empty, so that the hash of a content survives a new version of the server.
pub(crate) fn content_hash(operation: &str, content: &impl Serialize) -> Result<[u8; 32], serde_json::Error> {
    let content = serde_json::to_vec(content)?;
    Ok(hash_of(&[operation.as_bytes(), &content]))
}

/// The hash of parts, none of which holds a zero byte.
fn hash_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().into()
}
