//! The calls of ProgramService about products.

use loyalty_api::v1 as wire;
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, page_token, status};
use crate::domain::answer::Answer;
use crate::domain::product::{self, ProductEdit};
use crate::domain::rejection::Rejection;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::{product as table, program};

/// Products of a message: 0.3 MB with every id as long as it may be.
const MOST_OF_A_MESSAGE: usize = 1_000;
/// Products of a call: they are written in one transaction of a few seconds, and held in memory until then.
const MOST_OF_A_CALL: usize = 200_000;

/// Reads the whole call before anything is written.
pub(super) async fn upsert(
    context: &Context,
    metadata: &MetadataMap,
    messages: Streaming<wire::UpsertProductsRequest>,
) -> Result<wire::UpsertProductsResponse, Status> {
    let mut fields = Fields::default();
    let actor = actor(&mut fields, metadata);
    let Load {
        request_id,
        program_id,
        edits,
    } = read(fields, messages).await?;
    let content_hash = content_hash("UpsertProducts", &(&program_id, &edits)).map_err(|_| status::internal())?;
    let change = Change {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash,
        actor,
        now: (context.clock)(),
        program_id,
        action: ChangeAction::UpsertProducts(edits.into()),
    };
    let decision = configuration::apply(&context.database, change)
        .await
        .map_err(|error| status::posting(&error))?;
    match decision.map_err(|refusal| status::refusal(&refusal))?.answer {
        Answer::Products(record) => Ok(wire::UpsertProductsResponse {
            load: Some(convert::product::product_load(record)),
        }),
        _ => Err(status::internal()),
    }
}

/// A product as it is now.
pub(super) async fn get(
    context: &Context,
    request: wire::GetProductRequest,
) -> Result<wire::GetProductResponse, Status> {
    let mut fields = Fields::default();
    let program_id = fields.slug("program_id", request.program_id);
    let product_id = fields.text("product_id", request.product_id, 1, 64);
    fields.finish(())?;

    let merchant_id = caller(context).merchant_id;
    let missing = Rejection::ProductNotFound {
        program_id: program_id.clone(),
        product_id: product_id.clone(),
    };
    let found = context.database.run(move |connection| {
        Box::pin(async move { table::find(connection, merchant_id, &program_id, &product_id).await })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let record = found.ok_or_else(|| status::rejection(&missing))?;
    Ok(wire::GetProductResponse {
        product: Some(convert::product::product(record)),
    })
}

/// A page of products.
pub(super) async fn list(
    context: &Context,
    request: wire::ListProductsRequest,
) -> Result<wire::ListProductsResponse, Status> {
    let page = page_token::Page::parse(request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let program_id = fields.slug("program_id", request.program_id);
    let prefix = fields.text("product_id_prefix", request.product_id_prefix, 0, 64);
    fields.finish(())?;

    let merchant_id = caller(context).merchant_id;
    let missing = Rejection::ProgramNotFound {
        program_id: program_id.clone(),
    };
    let (after, limit) = (page.after.clone().unwrap_or_default(), page.rows_to_read());
    let records = context.database.run(move |connection| {
        Box::pin(async move {
            if program::find(connection, merchant_id, &program_id).await?.is_none() {
                return Ok(None);
            }
            let records = table::page(connection, merchant_id, &program_id, &prefix, &after, limit).await?;
            Ok(Some(records))
        })
    });
    let records = records.await.map_err(|error| status::storage(&error))?;
    let records = records.ok_or_else(|| status::rejection(&missing))?;
    let (records, next_page_token) = page.cut(records, |record| record.product_id.clone());
    Ok(wire::ListProductsResponse {
        products: records.into_iter().map(convert::product::product).collect(),
        next_page_token,
    })
}

/// A whole call.
struct Load {
    request_id: String,
    program_id: String,
    edits: Vec<ProductEdit>,
}

async fn read(mut fields: Fields, mut messages: Streaming<wire::UpsertProductsRequest>) -> Result<Load, Status> {
    let first = messages.message().await?.unwrap_or_default();
    let request_id = fields.request_id(first.request_id.clone());
    let program_id = fields.slug("program_id", first.program_id.clone());
    let mut edits = Vec::new();
    let (mut next, mut is_first, mut is_complete) = (Some(first), true, false);
    while let Some(message) = next {
        let says_what_it_is = !message.request_id.is_empty() || !message.program_id.is_empty();
        if says_what_it_is && !is_first {
            fields.wrong("request_id", "is in the first message only, and so is program_id");
        }
        if is_complete {
            fields.wrong("last", "is true in the last message only");
        }
        let fits = fields.at_most("products", &message.products, MOST_OF_A_MESSAGE);
        if edits.len() + message.products.len() > MOST_OF_A_CALL {
            fields.wrong("products", format!("are more than the {MOST_OF_A_CALL} of a call"));
        } else if fits {
            for given in message.products {
                edits.push(convert::product::product_edit(&mut fields, edits.len(), given));
            }
        }
        if fields.has_violations() {
            // What is wrong already need not wait for the rest.
            break;
        }
        (is_first, is_complete) = (false, message.last);
        next = messages.message().await?;
    }
    fields_of_the_whole(&mut fields, &edits, is_complete);
    fields.finish(Load {
        request_id,
        program_id,
        edits,
    })
}

fn fields_of_the_whole(fields: &mut Fields, edits: &[ProductEdit], is_complete: bool) {
    if fields.has_violations() {
        return;
    }
    if !is_complete {
        // A caller who hangs up ends the stream as one does who has sent everything.
        fields.wrong("last", "must be true in the last message: the call broke off");
    }
    if edits.is_empty() {
        fields.wrong("products", "are missing");
    }
    if let Some(place) = product::repeated(edits) {
        fields.wrong(
            format!("products[{place}].product_id"),
            "is there twice; a call sets each product once",
        );
    }
}
