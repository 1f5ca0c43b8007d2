//! E6: what products earn and cost is loaded in bulk, one version a load, and read back.

use loyalty_sdk::{
    Error, NewProgram, OperationResult, PageRequest, Product, ProductLoad, ProductUpdate, ProgramUnit, RequestId,
};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::harness::{PROGRAM, Shop, dec};

#[tokio::test(flavor = "multi_thread")]
async fn products_are_loaded_and_read_back() {
    let shop = club().await;

    let load = shop
        .loads(&[
            ProductUpdate::new("cake").points(7).redeem_points(150),
            ProductUpdate::new("stamps").points(0),
            ProductUpdate::new("Café con leche").redeem_points(15),
        ])
        .await;

    assert_eq!(load, counts(2, [3, 0, 0, 0]));
    let product = |product_id: &str, points: Option<i64>, redeem_points: Option<i64>| Product {
        product_id: product_id.into(),
        points: points.map(Decimal::from),
        redeem_points: redeem_points.map(Decimal::from),
        since_version: 2,
    };
    let cake = product("cake", Some(7), Some(150));
    let expected = [
        product("Café con leche", None, Some(15)),
        cake.clone(),
        product("stamps", Some(0), None),
    ];
    assert_eq!(shop.products().await, expected);
    assert_eq!(shop.client.get_product(PROGRAM, "cake").await, Ok(cake));
    let missing = Err(Error::ProductNotFound {
        program_id: PROGRAM.into(),
        product_id: "Cake".into(),
    });
    assert_eq!(shop.client.get_product(PROGRAM, "Cake").await, missing);
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_listed_in_pages_and_by_prefix() {
    let shop = club().await;
    let ids: Vec<String> = ["a", "b", "ba", "bb", "bé", "c"].map(str::to_owned).to_vec();
    let products: Vec<ProductUpdate> = ids.iter().map(|id| ProductUpdate::new(id).points(1)).collect();
    shop.loads(&products).await;

    let mut listed = Vec::new();
    let mut next = Some(PageRequest::of(2));
    let mut pages = 0;
    while let Some(page) = next {
        let page = shop.client.list_products(PROGRAM, "b", &page).await.expect("a page");
        listed.extend(page.items.into_iter().map(|product| product.product_id.to_string()));
        next = page.next;
        pages += 1;
    }
    let none = shop.client.list_products(PROGRAM, "bc", &PageRequest::default()).await;

    assert_eq!(listed, ids[1..5]);
    assert_eq!(pages, 2);
    assert_eq!(none.expect("a page").items, []);
    assert_eq!(shop.products().await.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_sets_what_it_names_and_rewrites_nothing_that_stays() {
    let shop = club().await;
    let product = |id: &str, points: i64| ProductUpdate::new(id).points(points);
    shop.loads(&[product("a", 1), product("b", 2), product("c", 3), product("d", 4)])
        .await;
    let rows = shop.rows().await["product"];

    let load = shop
        .loads(&[
            ProductUpdate::new("a").points(dec("1.00")),
            product("b", 20),
            ProductUpdate::remove("c"),
            product("e", 5),
            ProductUpdate::remove("never-there"),
        ])
        .await;

    assert_eq!(load, counts(3, [1, 1, 2, 1]));
    let versions = shop.products().await.into_iter();
    let versions: Vec<(String, Option<Decimal>, u32)> = versions
        .map(|product| (product.product_id.into(), product.points, product.since_version))
        .collect();
    let expected = [("a", 1, 2), ("b", 20, 3), ("d", 4, 2), ("e", 5, 3)];
    let expected = expected.map(|(id, points, version)| (id.to_owned(), Some(Decimal::from(points)), version));
    assert_eq!(versions, expected);
    assert_eq!(shop.rows().await["product"], rows + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_changes_nothing_makes_no_version() {
    let shop = club().await;
    let products = [ProductUpdate::new("a").points(1), ProductUpdate::remove("b")];
    shop.loads(&products[..1]).await;
    let rows = shop.rows().await["product"];

    let load = shop.loads(&products).await;

    assert_eq!(load, counts(2, [0, 0, 2, 0]));
    assert_eq!(shop.program().await.version, 2);
    assert_eq!(shop.rows().await["product"], rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_left_out_are_gone_and_a_removed_product_can_come_back() {
    let shop = club().await;
    shop.loads(&[ProductUpdate::new("a").points(1).redeem_points(100)])
        .await;

    shop.loads(&[ProductUpdate::new("a").points(1)]).await;
    let without_price = shop.client.get_product(PROGRAM, "a").await.expect("a product");
    let removed = shop.loads(&[ProductUpdate::remove("a")]).await;
    let gone = shop.client.get_product(PROGRAM, "a").await;
    let removed_again = shop.loads(&[ProductUpdate::remove("a")]).await;
    let back = shop.loads(&[ProductUpdate::new("a").points(3)]).await;

    assert_eq!(
        (without_price.points, without_price.redeem_points),
        (Some(Decimal::ONE), None)
    );
    assert_eq!(removed, counts(4, [0, 0, 0, 1]));
    assert!(matches!(gone, Err(Error::ProductNotFound { .. })), "{gone:?}");
    assert_eq!(removed_again, counts(4, [0, 0, 1, 0]));
    assert_eq!(back, counts(5, [1, 0, 0, 0]));
    assert_eq!(shop.products().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_load_gives_the_same_answer_and_is_made_once() {
    let shop = club().await;
    let client = shop.client.with_request_id("load-1");
    let products = [ProductUpdate::new("a").points(1)];
    let first = client.upsert_products(PROGRAM, &products).await.expect("a load");
    shop.loads(&[ProductUpdate::new("a").points(2)]).await;

    let again = client.upsert_products(PROGRAM, &products).await;
    let other = client
        .upsert_products(PROGRAM, &[ProductUpdate::new("a").points(3)])
        .await;
    let operation = shop.client.get_operation(RequestId::from("load-1")).await;

    assert_eq!(again, Ok(first));
    assert!(matches!(other, Err(Error::RequestIdReused { .. })), "{other:?}");
    assert_eq!(
        operation.expect("an operation").result,
        OperationResult::Products(first)
    );
    assert_eq!(shop.products().await[0].points, Some(Decimal::TWO));
    assert_eq!(shop.program().await.version, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn tens_of_thousands_of_products_are_loaded_and_changed_in_one_call_each() {
    let shop = club().await;
    let products = |points: i64| -> Vec<ProductUpdate> {
        let product = |number| ProductUpdate::new(format!("sku-{number:06}")).points(points);
        (0..20_000).map(product).collect()
    };

    let loaded = shop.loads(&products(1)).await;
    let changed = shop.loads(&products(2)).await;
    let unchanged = shop.loads(&products(2)).await;

    assert_eq!(loaded, counts(2, [20_000, 0, 0, 0]));
    assert_eq!(changed, counts(3, [0, 20_000, 0, 0]));
    assert_eq!(unchanged, counts(3, [0, 0, 20_000, 0]));
    let last = shop.client.get_product(PROGRAM, "sku-019999").await.expect("a product");
    assert_eq!((last.points, last.since_version), (Some(Decimal::TWO), 3));
    assert_eq!(shop.rows().await["product"], 40_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_loads_at_once_through_several_servers_none_is_lost() {
    let shop = club().await;
    let offices = [shop.client.clone(), shop.second_server().await];

    let mut loads = JoinSet::new();
    for place in 0..8 {
        let client = offices[place % 2].clone();
        let own = ProductUpdate::new(format!("own-{place}")).points(1);
        let shared = ProductUpdate::new("shared").points(i64::try_from(place).expect("small"));
        loads.spawn(async move { client.upsert_products(PROGRAM, &[own, shared]).await });
    }
    let loads: Result<Vec<ProductLoad>, Error> = loads.join_all().await.into_iter().collect();

    let mut versions: Vec<u32> = loads.expect("loads").iter().map(|load| load.version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..10).collect::<Vec<u32>>());
    assert_eq!(shop.products().await.len(), 9);
    assert_eq!(shop.program().await.version, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_and_other_edits_share_one_version_and_keep_their_etags() {
    let shop = club().await;
    let read = shop.program().await;

    shop.loads(&[ProductUpdate::new("a").points(1)]).await;
    let renamed = shop
        .client
        .update_program(&loyalty_sdk::ProgramUpdate::of(&read).name("Coffee club"))
        .await
        .expect("products are no setting");
    let load = shop.loads(&[ProductUpdate::new("a").points(2)]).await;

    assert_eq!(renamed.version, 3);
    assert_eq!(load.version, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_value_program_products_earn_and_cost_money() {
    let program = NewProgram {
        unit: ProgramUnit::Value,
        ..NewProgram::new("Club", "EUR")
    };
    let shop = Shop::with_program(program).await;

    shop.loads(&[ProductUpdate::new("a").points(dec("0.25")).redeem_points(dec("12.50"))])
        .await;
    let finer = ProductUpdate::new("a").points(dec("0.255"));
    let finer = shop.client.upsert_products(PROGRAM, &[finer]).await;

    let product = shop.client.get_product(PROGRAM, "a").await.expect("a product");
    assert_eq!(
        (product.points, product.redeem_points),
        (Some(dec("0.25")), Some(dec("12.50")))
    );
    let refused = Error::TooManyDecimals {
        field: "products[0].points".to_owned(),
        decimals: 2,
    };
    assert_eq!(finer, Err(refused));
}

async fn club() -> Shop {
    Shop::with_program(NewProgram::new("Club", "EUR")).await
}

/// Created, changed, unchanged and removed.
fn counts(version: u32, [created, changed, unchanged, removed]: [u32; 4]) -> ProductLoad {
    ProductLoad {
        version,
        created,
        changed,
        unchanged,
        removed,
    }
}

impl Shop {
    /// Loads products of the `club`.
    async fn loads(&self, products: &[ProductUpdate]) -> ProductLoad {
        let load = self.client.upsert_products(PROGRAM, products).await;
        load.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The first products of the `club`.
    async fn products(&self) -> Vec<Product> {
        let page = self.client.list_products(PROGRAM, "", &PageRequest::of(200)).await;
        page.unwrap_or_else(|error| panic!("{error}")).items
    }
}
