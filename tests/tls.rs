//! S4: TLS and certificates of clients, by files that may change while the server runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use loyalty_sdk::{Client, ClientBuilder, Error, RetryPolicy};
use loyalty_server::TlsFiles;
use loyalty_server::serve::{ServeError, ServeOptions, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::Shop;
use crate::harness::database::TestDatabase;
use crate::harness::program::{directory, program};

/// An authority that certifies servers and clients.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).expect("parameters");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("an authority"))
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a name, and its key.
    fn certifies(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        parameters.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    fn server(&self) -> (String, String) {
        self.certifies("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn client(&self) -> (String, String) {
        self.certifies("till-1", ExtendedKeyUsagePurpose::ClientAuth)
    }
}

/// The files of a server.
struct Files {
    directory: TempDir,
    options: TlsFiles,
}

impl Files {
    fn of(authority: &Authority, client_ca: Option<&Authority>) -> Self {
        let directory = directory();
        let path = |name: &str| directory.path().join(name);
        let options = TlsFiles {
            certificate: path("server.pem"),
            key: path("server.key"),
            client_ca: client_ca.map(|_| path("clients.pem")),
        };
        let files = Self { directory, options };
        files.write(authority.server());
        if let Some(client_ca) = client_ca {
            std::fs::write(path_of(&files.directory, "clients.pem"), client_ca.pem()).expect("a file");
        }
        files
    }

    fn write(&self, (certificate, key): (String, String)) {
        std::fs::write(&self.options.certificate, certificate).expect("a file");
        std::fs::write(&self.options.key, key).expect("a file");
    }

    async fn shop(&self) -> Shop {
        let tls = Some(self.options.clone());
        Shop::serving(|options| ServeOptions { tls, ..options }).await
    }
}

fn path_of(directory: &TempDir, name: &str) -> PathBuf {
    directory.path().join(name)
}

fn secure(shop: &Shop) -> ClientBuilder {
    Client::builder(shop.endpoint.replace("http://", "https://")).retry(RetryPolicy::never())
}

/// Whether the server answers.
async fn answers(client: ClientBuilder) -> bool {
    let client = client.connect().await.expect("a client");
    match client.get_program("none").await {
        Err(Error::ProgramNotFound { .. }) => true,
        Err(Error::Unavailable(_)) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_the_authority_of_the_server_is_served_over_tls() {
    let (authority, other) = (Authority::new(), Authority::new());
    let shop = Files::of(&authority, None).shop().await;

    assert!(answers(secure(&shop).ca_certificate(authority.pem())).await);
    assert!(
        answers(
            secure(&shop)
                .ca_certificate(other.pem())
                .ca_certificate(authority.pem())
        )
        .await
    );
    assert!(!answers(secure(&shop).ca_certificate(other.pem())).await);
    let misnamed = secure(&shop)
        .ca_certificate(authority.pem())
        .server_name("loyalty.example");
    assert!(!answers(misnamed).await);
    let plain = Client::builder(&shop.endpoint).retry(RetryPolicy::never());
    assert!(!answers(plain).await, "no plain text on a port with TLS");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_authorities_of_clients_only_their_clients_are_let_in() {
    let (authority, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let shop = Files::of(&authority, Some(&clients)).shop().await;
    let client = || secure(&shop).ca_certificate(authority.pem());
    let with = |(certificate, key): (String, String)| client().client_certificate(certificate, key);

    assert!(answers(with(clients.client())).await);
    assert!(!answers(client()).await);
    assert!(!answers(with(others.client())).await);
    assert!(!answers(with(authority.client())).await);
    assert!(answers(with(clients.client())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = Files::of(&old, None);
    let shop = files.shop().await;
    let connected = secure(&shop)
        .ca_certificate(old.pem())
        .connect()
        .await
        .expect("a client");
    assert!(matches!(
        connected.get_program("none").await,
        Err(Error::ProgramNotFound { .. })
    ));

    std::fs::write(&files.options.certificate, "half a certif").expect("a file");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(answers(secure(&shop).ca_certificate(old.pem())).await);
    files.write(new.server());
    let renewed = Instant::now();
    while !answers(secure(&shop).ca_certificate(new.pem())).await {
        assert!(
            renewed.elapsed() < Duration::from_secs(10),
            "the files are not read again"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    assert!(!answers(secure(&shop).ca_certificate(old.pem())).await);
    let still = connected.get_program("none").await;
    assert!(
        matches!(still, Err(Error::ProgramNotFound { .. })),
        "connections go on: {still:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn other_authorities_of_clients_count_without_a_restart() {
    let (authority, old, new) = (Authority::new(), Authority::new(), Authority::new());
    let files = Files::of(&authority, Some(&old));
    let shop = files.shop().await;
    let with = |(certificate, key): (String, String)| {
        secure(&shop)
            .ca_certificate(authority.pem())
            .client_certificate(certificate, key)
    };
    assert!(answers(with(old.client())).await && !answers(with(new.client())).await);

    std::fs::write(path_of(&files.directory, "clients.pem"), new.pem()).expect("a file");
    let changed = Instant::now();
    while !answers(with(new.client())).await {
        assert!(
            changed.elapsed() < Duration::from_secs(10),
            "the file is not read again"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    assert!(!answers(with(old.client())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_is_closed_and_disturbs_nobody() {
    let authority = Authority::new();
    let shop = Files::of(&authority, None).shop().await;
    let address = shop.endpoint.trim_start_matches("http://");
    let words: [&[u8]; 6] = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        // Hellos of SSL 2, of SSL 3 and of a length that is not there; a record longer than any.
        b"\x80\x2e\x01\0\x02\0\x15\0\0\0\x10\x01\0\x80\x02\0\x80\x03\0\x80",
        b"\x16\x03\0\0\x2f\x01\0\0\x2b\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x16\x03\x01\0\x05\x01\xff\xff\xff\xff",
        b"\x17\x03\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ];

    for word in words {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
        stream.write_all(word).await.expect("it is sent");
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "{word:?}");
        assert!(
            answer.len() < 100 && !answer.starts_with(b"HTTP"),
            "{word:?}: {answer:?}"
        );
    }

    assert!(answers(secure(&shop).ca_certificate(authority.pem())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_finish_to_connect_keeps_nobody_waiting_and_is_given_up() {
    let authority = Authority::new();
    let shop = Files::of(&authority, None).shop().await;
    let address = shop.endpoint.trim_start_matches("http://");
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(tokio::net::TcpStream::connect(address).await.expect("a connection"));
    }

    let began = Instant::now();
    assert!(answers(secure(&shop).ca_certificate(authority.pem())).await);
    assert!(began.elapsed() < Duration::from_secs(2));
    for mut stream in silent {
        let closed = tokio::time::timeout(Duration::from_secs(15), stream.read(&mut [0; 1])).await;
        assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{closed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_no_other_machine_is_served_unless_that_is_wanted() {
    let database = TestDatabase::create().await;
    let start = async |allow_plaintext| {
        let clock: loyalty_server::Clock = std::sync::Arc::new(chrono::Utc::now);
        let options = ServeOptions {
            development: false,
            allow_plaintext,
            ..ServeOptions::new(&database.url)
        };
        Server::start(&options, clock)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let everywhere = async || tokio::net::TcpListener::bind("0.0.0.0:0").await.expect("a free port");

    let refused = start(false)
        .await
        .serve(everywhere().await, std::future::pending())
        .await;
    let wanted = start(true)
        .await
        .serve(everywhere().await, std::future::ready(()))
        .await;

    assert!(matches!(refused, Err(ServeError::PlainText)), "{refused:?}");
    assert!(wanted.is_ok(), "{wanted:?}");
}

#[test]
fn wrong_files_are_named_before_anything_starts() {
    let authority = Authority::new();
    let files = Files::of(&authority, Some(&authority));
    let TlsFiles {
        certificate,
        key,
        client_ca,
    } = files.options.clone();
    let client_ca = client_ca.expect("a file");
    let refused = |certificate: &Path, key: &Path| {
        let directory = directory();
        let data_dir = directory.path().join("data");
        let mut command = program(&data_dir, 0);
        command
            .env("LOYALTY_TLS_CERTIFICATE", certificate)
            .env("LOYALTY_TLS_KEY", key);
        let output = command
            .env("LOYALTY_TLS_CLIENT_CA", &client_ca)
            .output()
            .expect("the program runs");
        assert!(!data_dir.exists(), "something was started");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let (_, other_key) = authority.server();
    let other = path_of(&files.directory, "other.key");
    std::fs::write(&other, other_key).expect("a file");

    for (certificate, key, words) in [
        (Path::new("/nowhere.pem"), key.as_path(), "cannot read /nowhere.pem"),
        (&key, &key, "server.key holds no certificate"),
        (&certificate, &certificate, "server.pem holds no private key"),
        (&certificate, &other, "server.pem cannot be used"),
    ] {
        let log = refused(certificate, key);
        assert!(
            log.contains(words) && log.contains("--tls-certificate"),
            "{words}: {log}"
        );
    }
}
