//! Who calls: the API key, sent with each call.

use tonic::{Request, Status, metadata::AsciiMetadataValue, service::Interceptor};

/// Header that says who calls.
const HEADER: &str = "authorization";

/// Adds the API key of a [`Client`](crate::Client) to each call, if it has one.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Marked as sensitive: it shows in no log.
    header: Option<AsciiMetadataValue>,
}

impl Credentials {
    /// `None` when the key has characters that a header cannot hold.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let mut header = AsciiMetadataValue::try_from(format!("Bearer {key}")).ok()?;
        header.set_sensitive(true);
        Some(Self { header: Some(header) })
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.header {
            request.metadata_mut().insert(HEADER, header.clone());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_and_does_not_show() {
        let mut credentials = Credentials::of_key("lk_1-000000000000_secret").unwrap();

        let request = credentials.call(Request::new(())).unwrap();

        assert_eq!(
            request.metadata().get("authorization").unwrap(),
            "Bearer lk_1-000000000000_secret"
        );
        let told = format!("{credentials:?} {request:?}");
        assert!(!told.contains("secret"), "{told}");
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_none() {
        assert!(Credentials::of_key("lk\n").is_none());
    }
}
