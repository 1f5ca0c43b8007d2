//! E6: a load of products is taken whole or not at all, and what is wrong with it is named by its place in the call.

use std::time::Duration;

use loyalty_sdk::api::{Product, UpsertProductsRequest};
use loyalty_sdk::{Error, NewProgram, PageRequest, ProductUpdate};
use tokio_stream::StreamExt;
use tonic::Status;

use crate::harness::raw::{assert_names, number, request_id};
use crate::harness::{PROGRAM, Shop, dec, wrong_fields};

/// What is wrong with a product.
type Change = fn(&mut Product);

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_product_among_many_is_named_and_nothing_is_written() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let mut products: Vec<ProductUpdate> = (0..2_500)
        .map(|number| ProductUpdate::new(format!("sku-{number}")).points(1))
        .collect();
    let before = shop.rows().await;

    products[1_042] = ProductUpdate::new("sku-1042").points(dec("0.5"));
    let decimals = shop.client.upsert_products(PROGRAM, &products).await;
    products[1_042] = ProductUpdate::new("sku-7").points(1);
    let twice = shop.client.upsert_products(PROGRAM, &products).await;
    products[1_042] = ProductUpdate::new("sku-1042").redeem_points(0);
    let free = shop.client.upsert_products(PROGRAM, &products).await;

    let refused = Error::TooManyDecimals {
        field: "products[1042].points".to_owned(),
        decimals: 0,
    };
    assert_eq!(decimals, Err(refused));
    assert_eq!(wrong_fields(&twice.expect_err("twice")), ["products[1042].product_id"]);
    assert_eq!(wrong_fields(&free.expect_err("free")), ["products[1042].redeem_points"]);
    let mut after = shop.rows().await;
    // The refusal of the decimals is remembered.
    after.entry("request").and_modify(|count| *count -= 1);
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_a_product_has_its_bounds() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let product = |change: Change| {
        let mut product = Product {
            product_id: "cake".to_owned(),
            points: number("7"),
            ..Product::default()
        };
        change(&mut product);
        product
    };

    let cases: [(&str, Change); 11] = [
        ("product_id", |product| product.product_id.clear()),
        ("product_id", |product| product.product_id = "x".repeat(65)),
        ("product_id", |product| product.product_id = "cake ".to_owned()),
        ("points", |product| product.points = None),
        ("points", |product| product.points = number("-1")),
        ("points", |product| product.points = number("1000000000.5")),
        ("points", |product| product.points = number("0.00001")),
        ("points", |product| product.points = number("seven")),
        ("redeem_points", |product| product.redeem_points = number("0")),
        ("remove", |product| product.remove = true),
        ("since_version", |product| product.since_version = 1),
    ];
    for (field, change) in cases {
        let outcome = sends(&shop, vec![part(PROGRAM, vec![product(change)])]).await;

        assert_names(field, &outcome, &format!("products[0].{field}"), "INVALID_FIELD");
    }
    let largest = product(|product| {
        product.product_id = "日".repeat(64);
        product.points = number("1000000000");
    });
    assert_eq!(
        sends(&shop, vec![part(PROGRAM, vec![largest])])
            .await
            .map(|status| status.to_string()),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_says_once_what_it_is_and_has_products_but_not_too_many() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let before = shop.rows().await;
    let cake = || Product {
        product_id: "cake".to_owned(),
        points: number("7"),
        ..Product::default()
    };
    let more = |products: Vec<Product>| UpsertProductsRequest {
        products,
        ..UpsertProductsRequest::default()
    };

    let nothing = sends(&shop, vec![]).await;
    let no_products = sends(&shop, vec![part(PROGRAM, vec![]), more(vec![])]).await;
    let no_program = sends(&shop, vec![part("", vec![cake()])]).await;
    let broken_off = sends_as_it_is(&shop, vec![part(PROGRAM, vec![cake()])]).await;
    let ended = UpsertProductsRequest {
        last: true,
        ..part(PROGRAM, vec![cake()])
    };
    let after_the_end = sends(&shop, vec![ended, more(vec![])]).await;
    let said_twice = sends(&shop, vec![part(PROGRAM, vec![cake()]), part(PROGRAM, vec![])]).await;
    let a_large_part = sends(&shop, vec![part(PROGRAM, vec![cake(); 1_001])]).await;
    let in_two_parts = sends(&shop, vec![part(PROGRAM, vec![cake()]), more(vec![cake()])]).await;
    let removals = |number: usize| Product {
        product_id: format!("sku-{number}"),
        remove: true,
        ..Product::default()
    };
    let all: Vec<Product> = (0..200_001).map(removals).collect();
    let parts = all.chunks(1_000).map(|part| more(part.to_vec()));
    let too_many = sends(&shop, std::iter::once(part(PROGRAM, vec![])).chain(parts).collect()).await;

    assert_names("nothing", &nothing, "request_id", "INVALID_FIELD");
    assert_names("no products", &no_products, "products", "INVALID_FIELD");
    assert_names("no program", &no_program, "program_id", "INVALID_FIELD");
    assert_names("broken off", &broken_off, "last", "INVALID_FIELD");
    assert_names("after the end", &after_the_end, "last", "INVALID_FIELD");
    assert_names("said twice", &said_twice, "request_id", "INVALID_FIELD");
    assert_names("a large part", &a_large_part, "products", "INVALID_FIELD");
    assert_names("in two parts", &in_two_parts, "products[1].product_id", "INVALID_FIELD");
    assert_names("too many", &too_many, "products", "INVALID_FIELD");
    assert_eq!(shop.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_whose_caller_hangs_up_in_the_middle_is_not_made() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let before = shop.rows().await;
    let cake = Product {
        product_id: "cake".to_owned(),
        points: number("7"),
        ..Product::default()
    };
    let first = part(PROGRAM, vec![cake]);
    let repeated = first.clone();

    let endless = tokio_stream::iter([first]).chain(tokio_stream::pending());
    let mut programs = shop.client.raw_programs();
    let call = programs.upsert_products(endless);
    let hung_up = tokio::time::timeout(Duration::from_millis(300), call).await;
    // Whatever the server does about it, it has done when the next change is made.
    shop.changes(|club| club.name("Meanwhile")).await;

    assert!(hung_up.is_err(), "{hung_up:?}");
    assert_eq!(shop.rows().await["product"], before["product"]);
    assert_eq!(shop.program().await.version, 2);
    assert_eq!(
        sends(&shop, vec![repeated]).await.map(|status| status.to_string()),
        None
    );
    assert_eq!(shop.program().await.version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_are_archived_or_not_there_take_no_products() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let products = [ProductUpdate::new("cake").points(7)];
    shop.client.upsert_products(PROGRAM, &products).await.expect("a load");
    let etag = shop.program().await.etag;
    shop.client.archive_program(PROGRAM, etag).await.expect("archived");

    let archived = shop
        .client
        .upsert_products(PROGRAM, &[ProductUpdate::remove("cake")])
        .await;
    let nowhere = shop.client.upsert_products("nowhere", &products).await;
    let listed_nowhere = shop.client.list_products("nowhere", "", &PageRequest::default()).await;
    let listed = shop.client.list_products(PROGRAM, "", &PageRequest::default()).await;

    let program_id = PROGRAM.into();
    assert_eq!(archived, Err(Error::ProgramArchived { program_id }));
    let program_id = "nowhere".into();
    assert_eq!(nowhere, Err(Error::ProgramNotFound { program_id }));
    assert!(matches!(listed_nowhere, Err(Error::ProgramNotFound { .. })));
    assert_eq!(listed.expect("a page").items.len(), 1);
}

/// The first message of a call.
fn part(program_id: &str, products: Vec<Product>) -> UpsertProductsRequest {
    UpsertProductsRequest {
        request_id: request_id(),
        program_id: program_id.to_owned(),
        products,
        last: false,
    }
}

/// Sends a whole call as a caller without the SDK would; what it is refused for.
async fn sends(shop: &Shop, mut messages: Vec<UpsertProductsRequest>) -> Option<Status> {
    if let Some(message) = messages.last_mut() {
        message.last = true;
    }
    sends_as_it_is(shop, messages).await
}

async fn sends_as_it_is(shop: &Shop, messages: Vec<UpsertProductsRequest>) -> Option<Status> {
    let mut programs = shop.client.raw_programs();
    programs.upsert_products(tokio_stream::iter(messages)).await.err()
}
