//! Bounds the wait of a handler, so that a caller whose time is up gets DEADLINE_EXCEEDED with its details. What was
//! handed on goes on: posting never hears of it.

use std::time::Duration;

use tonic::metadata::MetadataMap;
use tonic::{Response, Status};

use super::status;

/// The longest wait when the caller sets none.
const LONGEST: Duration = Duration::from_secs(30);
/// So much before the caller's deadline the answer leaves: tonic drops the handler at the deadline itself.
const MARGIN: Duration = Duration::from_millis(20);

/// The answer of `work`, or DEADLINE_EXCEEDED.
pub(super) async fn bounded<T>(
    metadata: &MetadataMap,
    work: impl Future<Output = Result<T, Status>>,
) -> Result<Response<T>, Status> {
    let wait = asked(metadata).map_or(LONGEST, |asked| {
        asked.saturating_sub(MARGIN.min(asked / 4)).min(LONGEST)
    });
    match tokio::time::timeout(wait, work).await {
        Ok(outcome) => outcome.map(Response::new),
        Err(_) => Err(status::deadline_exceeded()),
    }
}

/// The `grpc-timeout` header: up to eight digits and a unit.
fn asked(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number.saturating_mul(3_600))),
        "M" => Some(Duration::from_secs(number.saturating_mul(60))),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}
