//! The loyalty-points service: a gRPC server on MySQL or MariaDB. The program is `loyalty-server`; this library is
//! what its tests start.

pub mod commands;
pub mod config;
mod domain;
pub mod embedded;
mod grpc;
mod jobs;
mod listener;
mod posting;
pub mod process;
pub mod serve;
mod storage;
pub mod tenants;
mod tls;

pub use jobs::{Clock, FeedOptions};
pub use posting::{PostingOptions, PostingStatistics};
pub use tls::{TlsError, TlsFiles};
