//! ProgramService.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use loyalty_api::v1::program_service_server::ProgramService;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::auth::{Caller, actor, caller};
use super::fields::Fields;
use super::streaming::Told;
use super::{
    Context, convert, deadline, expiry_change_calls, history_calls, import_calls, member_calls, member_changes,
    member_list, merge_calls, page_token, product_calls, status,
};
use crate::domain::answer::{Answer, ProgramRecord};
use crate::domain::configuration::ProgramEdit;
use crate::domain::program::ProgramState;
use crate::domain::rejection::Rejection;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::program;
use crate::storage::program::Start;

/// Programs and members.
pub(crate) struct Programs(pub(super) Arc<Context>);

#[tonic::async_trait]
impl ProgramService for Programs {
    async fn create_program(
        &self,
        request: Request<wire::CreateProgramRequest>,
    ) -> Result<Response<wire::CreateProgramResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let given = request.program.unwrap_or_default();
            let program_id = given.program_id.clone();
            if !program_id.is_empty() {
                fields.slug("program.program_id", program_id.clone());
            }
            let (defaults, edit) = convert::program::new_program(&mut fields, given);
            fields.finish(())?;
            let program = edit
                .apply(defaults)
                .map_err(|rejection| status::rejection(&rejection))?;

            let content = content_hash("CreateProgram", &(&program_id, &program)).map_err(|_| status::internal())?;
            let program_id = if program_id.is_empty() {
                Uuid::now_v7().to_string()
            } else {
                program_id
            };
            let action = ChangeAction::CreateProgram(Box::new(program));
            let program = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::CreateProgramResponse { program: Some(program) })
        })
        .await
    }

    async fn get_program(
        &self,
        request: Request<wire::GetProgramRequest>,
    ) -> Result<Response<wire::GetProgramResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let program_id = fields.slug("program_id", request.program_id);
            fields.finish(())?;

            let record = find_program(&self.0, caller(&self.0), &program_id).await?;
            Ok(wire::GetProgramResponse {
                program: Some(convert::program::program(record)),
            })
        })
        .await
    }

    async fn list_programs(
        &self,
        request: Request<wire::ListProgramsRequest>,
    ) -> Result<Response<wire::ListProgramsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let page = page_token::Page::parse(request.page_size, &request.page_token)?;
            let merchant_id = caller(&self.0).merchant_id;
            let (after, limit) = (page.after_slug()?, page.rows_to_read());
            let records = self.0.database.run(move |connection| {
                Box::pin(async move { program::page(connection, merchant_id, Start::After(&after), limit).await })
            });
            let records = records.await.map_err(|error| status::storage(&error))?;
            let (records, next_page_token) = page.cut(records, |record| record.program_id.clone());
            let programs = records.into_iter().map(convert::program::program).collect();
            Ok(wire::ListProgramsResponse {
                programs,
                next_page_token,
            })
        })
        .await
    }

    async fn update_program(
        &self,
        request: Request<wire::UpdateProgramRequest>,
    ) -> Result<Response<wire::UpdateProgramResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let given = request.program.unwrap_or_default();
            let program_id = fields.slug("program.program_id", given.program_id.clone());
            let etag = fields.etag("program.etag", &given.etag);
            let mut paths = request.update_mask.unwrap_or_default().paths;
            paths.sort();
            let edit = convert::program::program_edit(&mut fields, given, &paths);
            fields.finish(())?;

            let content = content_hash("UpdateProgram", &(&program_id, etag, &edit)).map_err(|_| status::internal())?;
            let action = ChangeAction::UpdateProgram {
                etag,
                edit: Box::new(edit),
            };
            let program = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::UpdateProgramResponse { program: Some(program) })
        })
        .await
    }

    async fn archive_program(
        &self,
        request: Request<wire::ArchiveProgramRequest>,
    ) -> Result<Response<wire::ArchiveProgramResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let program_id = fields.slug("program_id", request.program_id);
            let etag = fields.etag("etag", &request.etag);
            fields.finish(())?;

            let content = content_hash("ArchiveProgram", &(&program_id, etag)).map_err(|_| status::internal())?;
            let edit = ProgramEdit {
                state: Some(ProgramState::Archived),
                ..ProgramEdit::default()
            };
            let action = ChangeAction::UpdateProgram {
                etag,
                edit: Box::new(edit),
            };
            let program = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::ArchiveProgramResponse { program: Some(program) })
        })
        .await
    }

    async fn upsert_products(
        &self,
        request: Request<Streaming<wire::UpsertProductsRequest>>,
    ) -> Result<Response<wire::UpsertProductsResponse>, Status> {
        let (metadata, _, messages) = request.into_parts();
        deadline::bounded(&metadata, product_calls::upsert(&self.0, &metadata, messages)).await
    }

    type PreviewExpiryPolicyStream = Told<wire::PreviewExpiryPolicyResponse>;

    async fn preview_expiry_policy(
        &self,
        request: Request<wire::PreviewExpiryPolicyRequest>,
    ) -> Result<Response<Self::PreviewExpiryPolicyStream>, Status> {
        let told = expiry_change_calls::preview(&self.0, request.into_inner()).await?;
        Ok(Response::new(told))
    }

    type ApplyExpiryPolicyStream = Told<wire::ApplyExpiryPolicyResponse>;

    async fn apply_expiry_policy(
        &self,
        request: Request<wire::ApplyExpiryPolicyRequest>,
    ) -> Result<Response<Self::ApplyExpiryPolicyStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        let told = expiry_change_calls::apply(&self.0, &metadata, request).await?;
        Ok(Response::new(told))
    }

    async fn get_product(
        &self,
        request: Request<wire::GetProductRequest>,
    ) -> Result<Response<wire::GetProductResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, product_calls::get(&self.0, request)).await
    }

    async fn list_products(
        &self,
        request: Request<wire::ListProductsRequest>,
    ) -> Result<Response<wire::ListProductsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, product_calls::list(&self.0, request)).await
    }

    async fn list_configuration_changes(
        &self,
        request: Request<wire::ListConfigurationChangesRequest>,
    ) -> Result<Response<wire::ListConfigurationChangesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, history_calls::configuration_changes(&self.0, request)).await
    }

    async fn list_product_changes(
        &self,
        request: Request<wire::ListProductChangesRequest>,
    ) -> Result<Response<wire::ListProductChangesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, history_calls::product_changes(&self.0, request)).await
    }

    async fn enroll_member(
        &self,
        request: Request<wire::EnrollMemberRequest>,
    ) -> Result<Response<wire::EnrollMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let (member, _) = member_calls::enrol(&self.0, request).await?;
            Ok(wire::EnrollMemberResponse { member: Some(member) })
        })
        .await
    }

    type ImportMembersStream = Told<wire::ImportMembersResponse>;

    async fn import_members(
        &self,
        request: Request<Streaming<wire::ImportMembersRequest>>,
    ) -> Result<Response<Self::ImportMembersStream>, Status> {
        let (metadata, _, messages) = request.into_parts();
        import_calls::import(&self.0, &metadata, messages).map(Response::new)
    }

    async fn lookup_member(
        &self,
        request: Request<wire::LookupMemberRequest>,
    ) -> Result<Response<wire::LookupMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_calls::look_up(&self.0, request)).await
    }

    async fn get_member(
        &self,
        request: Request<wire::GetMemberRequest>,
    ) -> Result<Response<wire::GetMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_calls::get(&self.0, request)).await
    }

    async fn list_members(
        &self,
        request: Request<wire::ListMembersRequest>,
    ) -> Result<Response<wire::ListMembersResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_list::list(&self.0, request)).await
    }

    async fn update_member(
        &self,
        request: Request<wire::UpdateMemberRequest>,
    ) -> Result<Response<wire::UpdateMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_changes::update(&self.0, &metadata, request)).await
    }

    async fn block_member(
        &self,
        request: Request<wire::BlockMemberRequest>,
    ) -> Result<Response<wire::BlockMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_changes::block(&self.0, &metadata, request)).await
    }

    async fn unblock_member(
        &self,
        request: Request<wire::UnblockMemberRequest>,
    ) -> Result<Response<wire::UnblockMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_changes::unblock(&self.0, &metadata, request)).await
    }

    async fn opt_out_member(
        &self,
        request: Request<wire::OptOutMemberRequest>,
    ) -> Result<Response<wire::OptOutMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_changes::opt_out(&self.0, &metadata, request)).await
    }

    async fn opt_in_member(
        &self,
        request: Request<wire::OptInMemberRequest>,
    ) -> Result<Response<wire::OptInMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_changes::opt_in(&self.0, &metadata, request)).await
    }

    async fn replace_identifier(
        &self,
        request: Request<wire::ReplaceIdentifierRequest>,
    ) -> Result<Response<wire::ReplaceIdentifierResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let replaced = member_changes::replace_identifier(&self.0, &metadata, request);
        deadline::bounded(&metadata, replaced).await
    }

    async fn merge_members(
        &self,
        request: Request<wire::MergeMembersRequest>,
    ) -> Result<Response<wire::MergeMembersResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, merge_calls::merge(&self.0, &metadata, request)).await
    }

    async fn erase_member(
        &self,
        request: Request<wire::EraseMemberRequest>,
    ) -> Result<Response<wire::EraseMemberResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_changes::erase(&self.0, &metadata, request)).await
    }

    async fn list_member_changes(
        &self,
        request: Request<wire::ListMemberChangesRequest>,
    ) -> Result<Response<wire::ListMemberChangesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, member_changes::list(&self.0, request)).await
    }
}

impl Programs {
    async fn change(
        &self,
        request_id: String,
        actor: String,
        content_hash: [u8; 32],
        program_id: String,
        action: ChangeAction,
    ) -> Result<wire::Program, Status> {
        let merchant_id = caller(&self.0).merchant_id;
        let now = (self.0.clock)();
        let change = Change {
            merchant_id,
            request_id,
            content_hash,
            actor,
            now,
            program_id,
            action,
        };
        let decision = configuration::apply(&self.0.database, change)
            .await
            .map_err(|error| status::posting(&error))?;
        match decision.map_err(|refusal| status::refusal(&refusal))?.answer {
            Answer::Program(record) => Ok(convert::program::program(*record)),
            _ => Err(status::internal()),
        }
    }
}

/// A program of the caller's merchant as it is now.
pub(super) async fn find_program(context: &Context, caller: Caller, program_id: &str) -> Result<ProgramRecord, Status> {
    let (merchant_id, id) = (caller.merchant_id, program_id.to_owned());
    let found = context
        .database
        .run(move |connection| Box::pin(async move { program::find(connection, merchant_id, &id).await }))
        .await
        .map_err(|error| status::storage(&error))?;
    found.ok_or_else(|| {
        status::rejection(&Rejection::ProgramNotFound {
            program_id: program_id.to_owned(),
        })
    })
}
