//! The loyalty-points service: a gRPC server on MySQL or MariaDB. The program is `loyalty-server`; this library is
//! what its tests start.

mod backup;
pub mod commands;
pub mod config;
mod domain;
pub mod embedded;
mod gathered;
mod grpc;
mod jobs;
mod listener;
mod measures;
pub mod metrics;
mod posting;
pub mod process;
pub mod serve;
mod storage;
mod telemetry;
pub mod tenants;
mod tls;

/// A sixth of a sale's time went into the system's allocator, which also kept what long streams had given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use gathered::Gathered;
pub use grpc::{EvaluatedSale, Evaluation};
pub use jobs::{Clock, FeedOptions};
pub use measures::PostingStatistics;
pub use posting::PostingOptions;
pub use tls::{TlsError, TlsFiles};
