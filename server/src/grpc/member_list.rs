//! ListMembers.

use std::collections::HashMap;
use std::sync::Arc;

use loyalty_api::v1 as wire;
use prost::Message;
use tonic::Status;
use uuid::Uuid;

use super::auth::caller;
use super::fields::Fields;
use super::page_token::{self, Page};
use super::{Context, convert, status};
use crate::domain::member::Member;
use crate::domain::outcome::Balance;
use crate::domain::path;
use crate::domain::program::ProgramVersion;
use crate::domain::rejection::Rejection;
use crate::domain::sale_recording;
use crate::storage::member_list::{self, Listed};
use crate::storage::{books, connection, member};

/// Members of a page.
const MOST: u32 = 1_000;
/// Members that are looked at for one page: their groups and territories are read in a few milliseconds.
const LOOKED_AT: usize = 5_000;
/// Members whose books are read for one page, since a tier shows only there.
const LOADED: usize = 1_000;
/// Bytes of members after which a page ends: well below the 4 MB that clients take by default.
const PAGE_BYTES: usize = 2 << 20;

/// Which members are asked for.
struct Wanted {
    program_id: String,
    tier_id: String,
    customer_group: String,
    territory: String,
}

/// Members that may be on a page.
struct Candidates {
    version: Arc<ProgramVersion>,
    /// By rising id.
    members: Vec<(Member, Balance)>,
    /// The last member that was looked at, where there may be more behind it.
    looked_to: Option<Uuid>,
}

/// The members of a program.
pub(super) async fn list(
    context: &Context,
    request: wire::ListMembersRequest,
) -> Result<wire::ListMembersResponse, Status> {
    let page = Page::parse_up_to(MOST, request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let after = page.after.as_deref().map_or(Ok(Uuid::nil()), Uuid::try_parse);
    let after = after.unwrap_or_else(|_| {
        fields.wrong("page_token", "is not a token of this list");
        Uuid::nil()
    });
    let wanted = Wanted {
        program_id: fields.slug("program_id", request.program_id),
        tier_id: fields.text("tier_id", request.tier_id, 0, 64),
        customer_group: convert::member::path(&mut fields, "customer_group", request.customer_group),
        territory: convert::member::path(&mut fields, "territory", request.territory),
    };
    fields.finish(())?;

    let missing = Rejection::ProgramNotFound {
        program_id: wanted.program_id.clone(),
    };
    let tier_id = wanted.tier_id.clone();
    let found = candidates(context, wanted, after, page.size()).await?;
    let candidates = found.ok_or_else(|| status::rejection(&missing))?;
    Ok(response(candidates, &tier_id, page.size()))
}

async fn candidates(context: &Context, wanted: Wanted, after: Uuid, size: usize) -> Result<Option<Candidates>, Status> {
    let (merchant_id, now) = (caller(context).merchant_id, (context.clock)());
    let cache = context.programs.clone();
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let key = (merchant_id, wanted.program_id.as_str().into());
            let versions = cache.current(connection, std::iter::once(key)).await?;
            let Some(version) = versions.into_values().next() else {
                connection::end_snapshot(connection).await?;
                return Ok(None);
            };
            let (length, most) = wanted.lengths(size);
            let listed = member_list::stretch(connection, merchant_id, &wanted.program_id, after, length).await?;
            let (member_ids, looked_to) = wanted.choose(listed, length, most);
            let mut books = books::load_all(connection, &version, merchant_id, &member_ids, now).await?;
            let balance = |books: &_| sale_recording::balance_at(books, &version, now);
            let balances = books::ask_all(connection, &mut books, balance).await?;
            let members = member::find_all(connection, merchant_id, &member_ids).await?;
            connection::end_snapshot(connection).await?;

            let ids = books.iter().map(|books| books.account.member_id);
            let mut balances: HashMap<Uuid, Balance> = ids.zip(balances).collect();
            let members = members
                .into_iter()
                .filter_map(|member| balances.remove(&member.member_id).map(|balance| (member, balance)));
            Ok(Some(Candidates {
                members: members.collect(),
                looked_to,
                version,
            }))
        })
    });
    found.await.map_err(|error| status::storage(&error))
}

impl Wanted {
    /// How many members are looked at, and of how many the books are read at most.
    fn lengths(&self, size: usize) -> (usize, usize) {
        let by_path = !self.customer_group.is_empty() || !self.territory.is_empty();
        match (by_path, self.tier_id.is_empty()) {
            (true, true) => (LOOKED_AT, size),
            (true, false) => (LOOKED_AT, LOADED),
            (false, true) => (size + 1, size),
            (false, false) => (LOADED + 1, LOADED),
        }
    }

    /// Those of a stretch that are wanted, and the last that was looked at where there may be more behind it.
    fn choose(&self, listed: Vec<Listed>, length: usize, most: usize) -> (Vec<Uuid>, Option<Uuid>) {
        let ends = listed.len() < length;
        let (mut chosen, mut looked_to) = (Vec::new(), None);
        for listed in listed {
            if chosen.len() == most {
                return (chosen, looked_to);
            }
            looked_to = Some(listed.member_id);
            let is_wanted =
                covers(&self.customer_group, &listed.customer_group) && covers(&self.territory, &listed.territory);
            if is_wanted {
                chosen.push(listed.member_id);
            }
        }
        (chosen, looked_to.filter(|_| !ends))
    }
}

/// Whether `path` is in the subtree; no node covers every path, and those without one.
fn covers(node: &str, path: &str) -> bool {
    node.is_empty() || path::covers(node, path)
}

fn response(candidates: Candidates, tier_id: &str, size: usize) -> wire::ListMembersResponse {
    let currency = &candidates.version.program.currency;
    let in_tier = |balance: &Balance| tier_id.is_empty() || balance.tier_id.as_deref() == Some(tier_id);
    let (mut members, mut bytes) = (Vec::new(), 0);
    let mut last = Uuid::nil();
    for (member, balance) in candidates.members.into_iter().filter(|(_, balance)| in_tier(balance)) {
        if members.len() == size || bytes > PAGE_BYTES {
            let next_page_token = page_token::token(&last.to_string());
            return wire::ListMembersResponse {
                members,
                next_page_token,
            };
        }
        last = member.member_id;
        let listed = wire::ListedMember {
            member: Some(convert::member::member(member)),
            balance: Some(convert::member::balance(balance, currency)),
        };
        bytes += listed.encoded_len();
        members.push(listed);
    }
    let next_page_token = candidates
        .looked_to
        .map(|last| page_token::token(&last.to_string()))
        .unwrap_or_default();
    wire::ListMembersResponse {
        members,
        next_page_token,
    }
}
