//! A shop: its own database, a production server on a free port, and an SDK client.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Days, Utc};
use diesel_async::AsyncMysqlConnection;
use loyalty_sdk::{
    Client, ConfigurationFilter, EarnRate, ExpiryChange, ExpiryPolicy, MemberKey, NewMember, NewProgram, NewRule,
    PageRequest, ProductUpdate, Program, ProgramUpdate, RetryPolicy, Rule,
};
use loyalty_server::metrics::Metrics;
use loyalty_server::serve::{ServeOptions, Server};
use loyalty_server::tenants::{Role, Tenants};
use loyalty_server::{Clock, PostingOptions, PostingStatistics};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::database::{self, TestDatabase};
use super::keys::Keys as _;
use super::{ShopMember, instant};

/// The program that members are enrolled in unless a test says otherwise.
pub(crate) const PROGRAM: &str = "club";

/// The merchant of a shop with keys.
pub(crate) const MERCHANT: &str = "acme";

/// A shop in a town of its own: nothing of another test is in its database.
pub(crate) struct Shop {
    pub(crate) client: Client,
    pub(crate) endpoint: String,
    pub(crate) statistics: Arc<PostingStatistics>,
    /// What Prometheus gets to see of the server.
    pub(crate) metrics: Metrics,
    options: ServeOptions,
    database: TestDatabase,
    now: Arc<Mutex<DateTime<Utc>>>,
    sales: AtomicU64,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Shop {
    /// A shop without any program. It is 15 January 2026, ten o'clock.
    pub(crate) async fn empty() -> Self {
        Self::with_posting(PostingOptions::default()).await
    }

    /// A shop whose server posts in another way.
    pub(crate) async fn with_posting(posting: PostingOptions) -> Self {
        Self::serving(|options| ServeOptions { posting, ..options }).await
    }

    /// A shop whose server lets nobody in without a key. Its client is an operator of the merchant `acme`.
    pub(crate) async fn with_keys() -> Self {
        let mut shop = Self::serving(|options| ServeOptions {
            development: false,
            ..options
        })
        .await;
        let mut tenants = shop.tenants().await;
        tenants.create_merchant(MERCHANT).await.expect("a merchant");
        let key = tenants.key(MERCHANT, Role::Operator).await;
        shop.client = shop.client_with(&key).await;
        shop
    }

    /// A shop whose server is set up in another way.
    pub(crate) async fn serving(set_up: impl FnOnce(ServeOptions) -> ServeOptions) -> Self {
        Self::on(TestDatabase::create().await, set_up).await
    }

    /// A shop on a database that the test has made, whose server is set up in another way.
    pub(crate) async fn on(database: TestDatabase, set_up: impl FnOnce(ServeOptions) -> ServeOptions) -> Self {
        let now = Arc::new(Mutex::new(instant("2026-01-15T10:00:00Z")));
        let options = set_up(ServeOptions {
            // What happens by itself happens in the tests that are about it.
            schedule: None,
            ..ServeOptions::new(&database.url)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (endpoint, counts, server) = serve(&options, listener, &now).await;
        let client = Client::builder(&endpoint)
            .retry(RetryPolicy::never())
            .connect()
            .await
            .expect("a client");
        Self {
            client,
            endpoint,
            statistics: counts.0,
            metrics: counts.1,
            options,
            database,
            now,
            sales: AtomicU64::new(0),
            server: Some(server),
        }
    }

    /// Opens its `club`, which gives a point per euro.
    pub(crate) async fn opens(&self) {
        let program = NewProgram::new("Club", "EUR").program_id(PROGRAM);
        self.client.create_program(&program).await.expect("a program");
        let rule = NewRule::new(PROGRAM, "Default", EarnRate::new(1, 1));
        self.client.create_rule(&rule).await.expect("a rule");
    }

    /// A shop with `program` as its `club`.
    pub(crate) async fn with_program(program: NewProgram) -> Self {
        let shop = Self::empty().await;
        shop.client
            .create_program(&program.program_id(PROGRAM))
            .await
            .expect("a program");
        shop
    }

    /// A shop whose `club` earns `points` per `amount` by its default rule, in euro.
    pub(crate) async fn earning(amount: &str, points: &str) -> Self {
        Self::with_rule(
            NewProgram::new("Club", "EUR"),
            EarnRate::new(super::dec(amount), super::dec(points)),
        )
        .await
    }

    /// A shop with `program` as its `club` and a default rule.
    pub(crate) async fn with_rule(program: NewProgram, rate: EarnRate) -> Self {
        let shop = Self::with_program(program).await;
        shop.client
            .create_rule(&NewRule::new(PROGRAM, "Default", rate))
            .await
            .expect("a rule");
        shop
    }

    /// A second server on the same database and the same clock.
    pub(crate) async fn second_server(&self) -> Client {
        let endpoint = self.another_server(|options| options).await;
        Client::connect(endpoint).await.expect("a client")
    }

    /// Where another server on the same database and the same clock is.
    pub(crate) async fn another_server(&self, set_up: impl FnOnce(ServeOptions) -> ServeOptions) -> String {
        let options = set_up(ServeOptions {
            posting: PostingOptions::default(),
            ..self.options.clone()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (endpoint, _, server) = serve(&options, listener, &self.now).await;
        // It lives as long as the test's runtime.
        std::mem::forget(server);
        endpoint
    }

    /// The merchants of this shop's database, as the commands of the program make them.
    pub(crate) async fn tenants(&self) -> Tenants {
        let tenants = Tenants::open(&self.database.url, self.clock()).await;
        tenants.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A client that brings a key.
    pub(crate) async fn client_with(&self, key: &str) -> Client {
        let client = Client::builder(&self.endpoint).retry(RetryPolicy::never()).api_key(key);
        client.connect().await.expect("a client")
    }

    /// The address of the database, for the program's own commands.
    pub(crate) fn database_url(&self) -> &str {
        &self.database.url
    }

    fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Arc::new(move || *now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creates a rule that fits.
    pub(crate) async fn creates(&self, rule: &NewRule) -> Rule {
        let created = self.client.create_rule(rule).await;
        created.unwrap_or_else(|error| panic!("{}: {error}", rule.name))
    }

    /// Gives products of the `club` points per unit.
    pub(crate) async fn sets_points(&self, products: &[(&str, &str)]) {
        let updates = products
            .iter()
            .map(|(product_id, points)| ProductUpdate::new(*product_id).points(super::dec(points)));
        let loaded = self.client.upsert_products(PROGRAM, &updates.collect::<Vec<_>>()).await;
        loaded.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The `club` as it is now.
    pub(crate) async fn program(&self) -> Program {
        let program = self.client.get_program(PROGRAM).await;
        program.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Changes the `club`.
    pub(crate) async fn changes(&self, change: impl FnOnce(ProgramUpdate) -> ProgramUpdate) -> Program {
        let update = change(ProgramUpdate::of(&self.program().await));
        let program = self.client.update_program(&update).await;
        program.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Gives the program another expiry, and the lots that are there with it.
    pub(crate) async fn moves_lots_to(&self, expiry: ExpiryPolicy) {
        self.changes(|program| program.expiry(Some(expiry))).await;
        let change = ExpiryChange::of(PROGRAM);
        let forecast = self.client.preview_expiry_policy(&change, 0, |_| {}).await;
        let etag = forecast.expect("a forecast").etag;
        let counts = self.client.apply_expiry_policy(&change, &etag, |_| {}).await;
        counts.expect("a change");
    }

    /// How many changes of configuration were made, of all programs; at most 200.
    pub(crate) async fn changes_made(&self) -> usize {
        let (all, page) = (ConfigurationFilter::default(), PageRequest::of(200));
        let changes = self.client.list_configuration_changes(&all, &page);
        changes.await.expect("a page").items.len()
    }

    /// Enrols a customer in the `club`.
    pub(crate) async fn enrols(&self, customer_id: &str) -> ShopMember<'_> {
        let member = NewMember::new(PROGRAM).customer_id(customer_id);
        let member = self
            .client
            .enroll_member(&member)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        ShopMember::new(self, MemberKey::customer_id(customer_id), member)
    }

    /// A member of a further program that earns `rate`: for tables of cases, which need no shop each.
    pub(crate) async fn member_of(&self, program: NewProgram, rate: EarnRate) -> ShopMember<'_> {
        let program = self.client.create_program(&program).await.expect("a program");
        let rule = NewRule::new(&program.program_id, "Default", rate);
        self.client.create_rule(&rule).await.expect("a rule");
        let member = NewMember::new(&program.program_id).customer_id(self.next_sale_id());
        let member = self.client.enroll_member(&member).await.expect("a member");
        ShopMember::new(self, MemberKey::from(&member), member)
    }

    /// The time in this town.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It becomes `text`.
    pub(crate) fn it_is(&self, text: &str) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = instant(text);
    }

    /// So many days pass.
    pub(crate) fn days_pass(&self, days: u64) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = *now + Days::new(days);
    }

    /// A sale id that this shop has not used.
    pub(crate) fn next_sale_id(&self) -> String {
        format!("ticket-{}", self.sales.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// A connection behind the server's back.
    pub(crate) async fn database(&self) -> AsyncMysqlConnection {
        database::connect(&self.database.url).await
    }

    /// Whether the server has not been asked to stop.
    pub(crate) fn is_open(&self) -> bool {
        self.server.is_some()
    }

    /// Asks the server to stop, as SIGTERM would; ends when it has.
    pub(crate) fn begins_to_close(&mut self) -> JoinHandle<()> {
        let (stop, serving) = self.server.take().expect("the server runs");
        stop.send(()).expect("the server waits for it");
        serving
    }

    /// A server that was closed opens again, at the same address.
    pub(crate) async fn opens_again(&mut self) {
        let address = self.endpoint.trim_start_matches("http://");
        let listener = TcpListener::bind(address).await.expect("the same port");
        let (_, counts, server) = serve(&self.options, listener, &self.now).await;
        (self.statistics, self.metrics) = counts;
        self.server = Some(server);
    }
}

type Counts = (Arc<PostingStatistics>, Metrics);

async fn serve(
    options: &ServeOptions,
    listener: TcpListener,
    now: &Arc<Mutex<DateTime<Utc>>>,
) -> (String, Counts, (oneshot::Sender<()>, JoinHandle<()>)) {
    let now = Arc::clone(now);
    let clock: Clock = Arc::new(move || *now.lock().unwrap_or_else(PoisonError::into_inner));
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let server = Server::start(options, clock)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let counts = (server.posting_statistics(), server.metrics());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        // The shop that is dropped stops its server too.
        let stopped = async { drop(stopped.await) };
        server
            .serve(listener, stopped)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    });
    (endpoint, counts, (stop, serving))
}
