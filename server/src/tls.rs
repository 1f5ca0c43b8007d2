//! TLS by files: read at the start, looked at again every few seconds, so that a renewed certificate needs no restart.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What is spoken inside: gRPC, and what browsers speak to it where they do not know HTTP/2.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Files in PEM format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those between it and its authority.
    pub certificate: PathBuf,
    /// The private key of that certificate.
    pub key: PathBuf,
    /// Authorities of clients: only who has a certificate of one of them is let in.
    pub client_ca: Option<PathBuf>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM format", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The files cannot be used together.
    #[error("the certificate {} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file with the certificate.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// TLS as the files say it now.
#[derive(Clone)]
pub(crate) struct Tls {
    files: TlsFiles,
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

/// What the files hold.
#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Tls {
    /// Reads the files and follows their changes as long as the value lives.
    pub(crate) fn start(files: TlsFiles) -> Result<Self, TlsError> {
        let contents = read(&files)?;
        let current = Arc::new(RwLock::new(configuration(&files, &contents)?));
        let tls = Self { files, current };
        tokio::spawn(follow(tls.files.clone(), contents, Arc::downgrade(&tls.current)));
        Ok(tls)
    }

    /// For the next connection.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl TlsFiles {
    /// Whether the files can be used, as they are now.
    pub(crate) fn check(&self) -> Result<(), TlsError> {
        configuration(self, &read(self)?).map(drop)
    }
}

/// Takes over what is new and whole; with files that do not fit, which are perhaps just being written, the server goes on
/// as before.
async fn follow(files: TlsFiles, mut known: Contents, current: std::sync::Weak<RwLock<Arc<ServerConfig>>>) {
    let mut complaint = String::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(current) = current.upgrade() else {
            return;
        };
        let renewed = read(&files).and_then(|contents| {
            if contents == known {
                return Ok(None);
            }
            Ok(Some((configuration(&files, &contents)?, contents)))
        });
        match renewed {
            Ok(None) => complaint.clear(),
            Ok(Some((configuration, contents))) => {
                *current.write().unwrap_or_else(PoisonError::into_inner) = configuration;
                known = contents;
                complaint.clear();
                tracing::info!(certificate = %files.certificate.display(), "the TLS files were read again");
            }
            Err(error) => {
                let text = error.to_string();
                if text != complaint {
                    tracing::error!("the TLS files changed and cannot be used, the ones before go on: {text}");
                    complaint = text;
                }
            }
        }
    }
}

fn read(files: &TlsFiles) -> Result<Contents, TlsError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| TlsError::Unreadable {
            path: path.to_owned(),
            source,
        })
    };
    Ok(Contents {
        certificate: read(&files.certificate)?,
        key: read(&files.key)?,
        client_ca: files.client_ca.as_deref().map(read).transpose()?,
    })
}

fn configuration(files: &TlsFiles, contents: &Contents) -> Result<Arc<ServerConfig>, TlsError> {
    let unusable = |path: &Path, reason: String| TlsError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let certificates = certificates(&files.certificate, &contents.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|_| TlsError::Empty {
        path: files.key.clone(),
        what: "private key",
    })?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&files.certificate, error.to_string()))?;
    let builder = match (&files.client_ca, &contents.client_ca) {
        (Some(path), Some(authorities)) => {
            let mut roots = RootCertStore::empty();
            for certificate in self::certificates(path, authorities)? {
                roots
                    .add(certificate)
                    .map_err(|error| unusable(path, error.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| unusable(path, error.to_string()))?)
        }
        _ => builder.with_no_client_auth(),
    };
    let mut configuration = builder
        .with_single_cert(certificates, key)
        .map_err(|error| unusable(&files.certificate, error.to_string()))?;
    configuration.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Arc::new(configuration))
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let empty = || TlsError::Empty {
        path: path.to_owned(),
        what: "certificate",
    };
    certificates.ok().filter(|found| !found.is_empty()).ok_or_else(empty)
}
