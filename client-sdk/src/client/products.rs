//! Calls of the ProgramService about products: what a unit of each earns and costs.

use loyalty_api::v1;
use tonic::Request;

use super::{Client, attempt};
use crate::{
    error::Error,
    id::{ProductId, ProgramId},
    page::{Page, PageRequest},
    product::{Product, ProductLoad, ProductUpdate},
    wire::present,
};

/// Products of a message, as many as the contract allows.
const PRODUCTS_OF_A_MESSAGE: usize = 1_000;

impl Client {
    /// Loads what products earn and cost, up to 200,000 at once: those given are set, the others stay. All of them are
    /// one new version of the program, or nothing. It holds for every sale recorded after this call returned.
    ///
    /// Tens of thousands take a few seconds. One attempt may take as long as the whole deadline, which
    /// [`with_deadline`](Self::with_deadline) changes; a load that ran out of time can be repeated with its request id.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] and [`Error::TooManyDecimals`] name products by their place, such as
    /// `products[1042].points`; [`Error::ProgramNotFound`], [`Error::ProgramArchived`].
    pub async fn upsert_products(
        &self,
        program_id: impl Into<ProgramId>,
        products: &[ProductUpdate],
    ) -> Result<ProductLoad, Error> {
        let program_id = program_id.into();
        let messages = |request_id: String| messages(request_id, &program_id, products);
        let one_attempt = Self {
            retry: self.retry.clone().attempt_timeout(self.deadline),
            ..self.clone()
        };
        let send = |request: Request<Vec<v1::UpsertProductsRequest>>| {
            let mut client = self.raw_programs();
            async move { client.upsert_products(request.map(tokio_stream::iter)).await }
        };
        let answer = one_attempt.write(messages, send).await?;
        Ok(ProductLoad::from_wire(present("load", answer.load)?))
    }

    /// The product as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::ProductNotFound`] when the program says nothing about it.
    pub async fn get_product(
        &self,
        program_id: impl Into<ProgramId>,
        product_id: impl Into<ProductId>,
    ) -> Result<Product, Error> {
        let message = v1::GetProductRequest {
            program_id: program_id.into().into(),
            product_id: product_id.into().into(),
        };
        let answer = self.read(message, attempt!(self.raw_programs(), get_product)).await?;
        Product::from_wire(present("product", answer.product)?)
    }

    /// The products of a program whose id begins with `prefix` (all when it is empty), in order of id.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave, [`Error::ProgramNotFound`].
    pub async fn list_products(
        &self,
        program_id: impl Into<ProgramId>,
        prefix: impl Into<String>,
        page: &PageRequest,
    ) -> Result<Page<Product>, Error> {
        let message = v1::ListProductsRequest {
            program_id: program_id.into().into(),
            product_id_prefix: prefix.into(),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self.read(message, attempt!(self.raw_programs(), list_products)).await?;
        let products = answer.products.into_iter().map(Product::from_wire);
        Ok(Page::new(
            products.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }
}

fn messages(request_id: String, program_id: &ProgramId, products: &[ProductUpdate]) -> Vec<v1::UpsertProductsRequest> {
    let first = v1::UpsertProductsRequest {
        request_id,
        program_id: program_id.to_string(),
        ..v1::UpsertProductsRequest::default()
    };
    let parts = products
        .chunks(PRODUCTS_OF_A_MESSAGE)
        .map(|part| v1::UpsertProductsRequest {
            products: part.iter().map(ProductUpdate::to_wire).collect(),
            ..v1::UpsertProductsRequest::default()
        });
    let mut messages: Vec<v1::UpsertProductsRequest> = std::iter::once(first).chain(parts).collect();
    if let Some(message) = messages.last_mut() {
        message.last = true;
    }
    messages
}
