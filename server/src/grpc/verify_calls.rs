//! VerifyLedger.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use tonic::Status;
use uuid::Uuid;

use super::auth::caller;
use super::fields::Fields;
use super::page_token;
use super::streaming::{Outlet, Told};
use super::{Context, convert, member_lookup, program_service, status};
use crate::domain::chain::{Head, SHARDS};
use crate::domain::verification::{Drift, DriftKind};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::verification::{self, ChainPlace, Checked, MemberPlace};
use crate::storage::{account, connection, feed};

/// Members that are verified at once, if they have few entries.
const MEMBERS: i64 = 50;
/// Links that a caller can have checked: some of every shard.
const MOST_KNOWN_LINKS: usize = 100;

type Message = wire::VerifyLedgerResponse;

/// Checks what is asked, and starts to verify.
pub(super) async fn verify_ledger(
    context: &Arc<Context>,
    request: wire::VerifyLedgerRequest,
) -> Result<Told<Message>, Status> {
    let caller = caller(context);
    let merchant_id = caller.merchant_id;
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let known = known_links(&mut fields, request.known_links);
    if let Some(member) = request.member {
        let key = convert::member::member_key(&mut fields, "member", Some(member));
        if !request.resume_token.is_empty() {
            fields.wrong("resume_token", "is none of a member's verification");
        }
        if !known.is_empty() {
            fields.wrong("known_links", "are checked when the hash chain is, without a member");
        }
        fields.finish(())?;
        let member_id = member_lookup::resolve_as_named(context, caller, &program_id, &key, "member").await?;
        let context = Arc::clone(context);
        return Arc::clone(&context).streams.start(move |mut outlet| async move {
            let check = of_member(&context, merchant_id, program_id.clone(), member_id);
            let checked = outlet.signs_of_life(check, Message::default).await??;
            match checked {
                Some(checked) => outlet.send(message(checked, String::new())).await,
                None => Err(member_lookup::not_found(&context, caller, &program_id, "member").await),
            }
        });
    }
    let place = Place::parse(merchant_id, &program_id, &request.resume_token).unwrap_or_else(|| {
        fields.wrong("resume_token", "is not a token of this verification");
        Place::start()
    });
    fields.finish(())?;
    if !program_id.is_empty() {
        program_service::find_program(context, caller, &program_id).await?;
    }
    let verification = Verification {
        context: Arc::clone(context),
        merchant_id,
        program_id,
        known: known.into(),
    };
    context.streams.start(|outlet| verification.tell(outlet, place))
}

/// The verification of all members of a program, or of the merchant, and of the chain.
struct Verification {
    context: Arc<Context>,
    merchant_id: u32,
    /// Empty: all.
    program_id: String,
    known: Arc<[(u8, Head)]>,
}

/// Up to where everything is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Members(MemberPlace),
    /// All members, and the chains before this one.
    Chain(ChainPlace),
}

impl Verification {
    async fn tell(self, mut outlet: Outlet<Message>, mut place: Place) -> Result<(), Status> {
        loop {
            let sign = || Message {
                resume_token: place.token(self.merchant_id, &self.program_id),
                ..Message::default()
            };
            let step = self.step(place.clone());
            let checked = outlet.signs_of_life(step, sign).await?;
            let (checked, next) = checked.map_err(|error| status::storage(&error))?;
            let token = next.as_ref().map(|next| next.token(self.merchant_id, &self.program_id));
            outlet.send(message(checked, token.unwrap_or_default())).await?;
            match next {
                Some(next) => place = next,
                None => return Ok(()),
            }
        }
    }

    async fn step(&self, place: Place) -> Result<(Checked, Option<Place>), StorageError> {
        match place {
            Place::Members(after) => self.verify_members(after).await,
            Place::Chain(after) => self.walk(after).await,
        }
    }

    async fn verify_members(&self, after: MemberPlace) -> Result<(Checked, Option<Place>), StorageError> {
        let (merchant_id, program_id) = (self.merchant_id, self.program_id.clone());
        let step = self.context.database.run(move |connection| {
            Box::pin(async move {
                connection::begin_snapshot(connection).await?;
                let program_id = Some(program_id.as_str()).filter(|program_id| !program_id.is_empty());
                let listed = verification::listed(connection, merchant_id, program_id, &after, MEMBERS).await?;
                let mut entries = 0_u64;
                let members = listed.into_iter().take_while(|(_, count)| {
                    let is_first = entries == 0;
                    entries = entries.saturating_add(*count).saturating_add(1);
                    is_first || entries <= verification::ENTRIES
                });
                let members: Vec<MemberPlace> = members.map(|(place, _)| place).collect();
                let ids: Vec<Uuid> = members.iter().map(|place| place.member_id).collect();
                let checked = verification::members(connection, merchant_id, &ids, false).await?;
                connection::end_snapshot(connection).await?;
                Ok((checked, members.into_iter().next_back()))
            })
        });
        let (checked, last) = step.await?;
        let next = last.map_or(Place::Chain(ChainPlace::default()), Place::Members);
        Ok((checked, Some(next)))
    }

    async fn walk(&self, after: ChainPlace) -> Result<(Checked, Option<Place>), StorageError> {
        let (merchant_id, known) = (self.merchant_id, Arc::clone(&self.known));
        let step = self.context.database.run(move |connection| {
            Box::pin(async move {
                connection::begin_snapshot(connection).await?;
                let walked = verification::walk(connection, merchant_id, after, &known).await?;
                connection::end_snapshot(connection).await?;
                Ok(walked)
            })
        });
        let walked = step.await?;
        let next = match walked.next {
            Some(position) => Some(ChainPlace { position, ..after }),
            None => Some(after.shard + 1)
                .filter(|shard| *shard < SHARDS)
                .map(|shard| ChainPlace { shard, position: 0 }),
        };
        Ok((walked.checked, next.map(Place::Chain)))
    }
}

impl Place {
    fn start() -> Self {
        Self::Members(MemberPlace::default())
    }

    /// Reads a token of a verification of the same program; an empty one is the start.
    fn parse(merchant_id: u32, program_id: &str, token: &str) -> Option<Self> {
        if token.is_empty() {
            return Some(Self::start());
        }
        let key = page_token::key(token)?;
        let (place, checksum) = key.rsplit_once(' ')?;
        if checksum != checksum_of(merchant_id, program_id, place) {
            return None;
        }
        let mut parts = place.split(' ');
        match parts.next()? {
            "members" => Some(Self::Members(MemberPlace {
                program_id: parts.next()?.to_owned(),
                state: parts.next()?.parse().ok()?,
                member_id: parts.next()?.parse().ok()?,
            })),
            "chain" => Some(Self::Chain(ChainPlace {
                shard: parts.next()?.parse().ok()?,
                position: parts.next()?.parse().ok()?,
            })),
            _ => None,
        }
    }

    fn token(&self, merchant_id: u32, program_id: &str) -> String {
        let place = match self {
            Self::Members(MemberPlace {
                program_id,
                state,
                member_id,
            }) => format!("members {program_id} {state} {member_id}"),
            Self::Chain(ChainPlace { shard, position }) => format!("chain {shard} {position}"),
        };
        let checksum = checksum_of(merchant_id, program_id, &place);
        page_token::token(&format!("{place} {checksum}"))
    }
}

fn checksum_of(merchant_id: u32, program_id: &str, place: &str) -> String {
    page_token::checksum(&format!("verification of {merchant_id} {program_id}: {place}"))
}

/// One member, with the links of its entries; `None` when the merchant, or the program, has no such member.
async fn of_member(
    context: &Context,
    merchant_id: u32,
    program_id: String,
    member_id: Uuid,
) -> Result<Option<Checked>, Status> {
    let check = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let checked = check_member(connection, merchant_id, &program_id, member_id).await?;
            connection::end_snapshot(connection).await?;
            Ok(checked)
        })
    });
    check.await.map_err(|error| status::storage(&error))
}

async fn check_member(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    member_id: Uuid,
) -> Result<Option<Checked>, StorageError> {
    match account::program_of(connection, (merchant_id, member_id)).await? {
        Some(program) if program_id.is_empty() || program == program_id => {
            let checked = verification::members(connection, merchant_id, &[member_id], true).await?;
            Ok(Some(checked))
        }
        Some(_) => Ok(None),
        None => {
            // Nobody, or somebody whose account is gone.
            let sealed = feed::sealed(connection, merchant_id, &[(member_id, u64::MAX)]).await?;
            Ok(sealed.contains_key(&member_id).then(|| Checked {
                drifts: vec![Drift::new(DriftKind::Account, "account").of_member(member_id)],
                ..Checked::default()
            }))
        }
    }
}

fn message(checked: Checked, resume_token: String) -> Message {
    Message {
        drifts: checked.drifts.into_iter().map(convert::drift::drift).collect(),
        drifts_left_out: checked.left_out,
        members: checked.members,
        entries: checked.entries,
        resume_token,
    }
}

fn known_links(fields: &mut Fields, links: Vec<wire::ChainLink>) -> Vec<(u8, Head)> {
    let mut known = Vec::new();
    if !fields.at_most("known_links", &links, MOST_KNOWN_LINKS) {
        return known;
    }
    for (place, link) in links.into_iter().enumerate() {
        let shard = u8::try_from(link.shard).ok().filter(|shard| *shard < SHARDS);
        let hash = link.hash.try_into().ok();
        match shard.zip(hash).filter(|_| link.position > 0) {
            Some((shard, hash)) => known.push((
                shard,
                Head {
                    position: link.position,
                    hash,
                },
            )),
            None => fields.wrong(
                format!("known_links[{place}]"),
                format!("needs a shard below {SHARDS}, a position from 1, and a hash of 32 bytes"),
            ),
        }
    }
    known
}
