//! Scenarios of ProgramService.

use loyalty_sdk::api as wire;

use super::{Scenario, scenario};
use crate::harness::raw::{customer, number, request_id};

fn identifier(customer_id: &str) -> wire::Identifier {
    let identifier = Some(wire::identifier::Identifier::CustomerId(customer_id.to_owned()));
    wire::Identifier { identifier }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario!("ProgramService/CreateProgram", |_world| [wire::CreateProgramRequest {
        request_id: request_id(),
        program: Some(wire::Program {
            program_id: "second".to_owned(),
            name: "Second".to_owned(),
            currency_code: "EUR".to_owned(),
            ..wire::Program::default()
        }),
    }]),
    scenario!("ProgramService/GetProgram", |_world| [wire::GetProgramRequest {
        program_id: "club".to_owned(),
    }]),
    scenario!("ProgramService/ListPrograms", |_world| [
        wire::ListProgramsRequest::default()
    ]),
    scenario!("ProgramService/UpdateProgram", |world| [wire::UpdateProgramRequest {
        request_id: request_id(),
        program: Some(wire::Program {
            program_id: "club".to_owned(),
            name: "The club".to_owned(),
            etag: world.program_etag().await,
            ..wire::Program::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["name".to_owned()],
        }),
    }]),
    scenario!("ProgramService/UpsertProducts", |_world| [
        wire::UpsertProductsRequest {
            request_id: request_id(),
            program_id: "club".to_owned(),
            products: vec![wire::Product {
                product_id: "bread".to_owned(),
                points: number("9"),
                ..wire::Product::default()
            }],
            last: true,
        }
    ]),
    scenario!("ProgramService/PreviewExpiryPolicy", |_world| [
        wire::PreviewExpiryPolicyRequest {
            program_id: "club".to_owned(),
            ..wire::PreviewExpiryPolicyRequest::default()
        }
    ]),
    scenario!("ProgramService/ApplyExpiryPolicy", |world| [
        wire::ApplyExpiryPolicyRequest {
            request_id: request_id(),
            program_id: "club".to_owned(),
            etag: world.program_etag().await,
            extend_only: false,
        }
    ]),
    scenario!("ProgramService/GetProduct", |_world| [wire::GetProductRequest {
        program_id: "club".to_owned(),
        product_id: "alpha-cake".to_owned(),
    }]),
    scenario!("ProgramService/ListProducts", |_world| [wire::ListProductsRequest {
        program_id: "club".to_owned(),
        ..wire::ListProductsRequest::default()
    }]),
    scenario!("ProgramService/ListConfigurationChanges", |_world| [
        wire::ListConfigurationChangesRequest::default()
    ]),
    scenario!("ProgramService/ListProductChanges", |_world| [
        wire::ListProductChangesRequest {
            program_id: "club".to_owned(),
            ..wire::ListProductChangesRequest::default()
        }
    ]),
    scenario!("ProgramService/EnrollMember", |_world| [wire::EnrollMemberRequest {
        request_id: request_id(),
        program_id: "club".to_owned(),
        identifiers: vec![identifier("bert")],
        ..wire::EnrollMemberRequest::default()
    }]),
    scenario!("ProgramService/ImportMembers", |_world| [wire::ImportMembersRequest {
        program_id: "club".to_owned(),
        import_id: "erp".to_owned(),
        rows: vec![wire::ImportedMember {
            row_number: 1,
            member: Some(wire::EnrollMemberRequest {
                identifiers: vec![identifier("carol")],
                ..wire::EnrollMemberRequest::default()
            }),
            lots: vec![wire::OpeningLot {
                points: number("5"),
                ..wire::OpeningLot::default()
            }],
            ..wire::ImportedMember::default()
        }],
    }]),
    scenario!("ProgramService/LookupMember", |_world| [wire::LookupMemberRequest {
        member: customer("alpha-ada"),
        ..wire::LookupMemberRequest::default()
    }]),
    scenario!("ProgramService/GetMember", |world| [wire::GetMemberRequest {
        member_id: world.member_id.clone(),
    }]),
    scenario!("ProgramService/ListMembers", |_world| [wire::ListMembersRequest {
        program_id: "club".to_owned(),
        ..wire::ListMembersRequest::default()
    }]),
    scenario!("ProgramService/ArchiveProgram", |world| {
        let program = loyalty_sdk::NewProgram::new("Old", "EUR").program_id("old");
        // Made by the first who asks for these messages.
        let etag = match world.client.get_program("old").await {
            Ok(program) => program.etag,
            Err(_) => world.client.create_program(&program).await.expect("a program").etag,
        };
        [wire::ArchiveProgramRequest {
            request_id: request_id(),
            program_id: "old".to_owned(),
            etag,
        }]
    }),
];
