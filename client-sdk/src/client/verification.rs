//! The verification of the books, and how it goes on when it breaks off.

use loyalty_api::v1;
use tonic::Request;

use super::{Client, resuming::Resuming};
use crate::{
    error::Error,
    verification::{Verified, VerifyRequest},
};

impl Client {
    /// Whether the stored books are what the ledger says, and the ledger what was sealed. Changes nothing.
    ///
    /// Does not wait for the server: the first [`next`](Verification::next) does.
    ///
    /// ```no_run
    /// # async fn night(client: loyalty_sdk::Client) -> Result<(), loyalty_sdk::Error> {
    /// use loyalty_sdk::VerifyRequest;
    ///
    /// let verified = client.verify_ledger(&VerifyRequest::program("club")).finish().await?;
    /// println!("{} members, {} entries", verified.members, verified.entries);
    /// for drift in &verified.drifts {
    ///     println!("{drift}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify_ledger(&self, request: &VerifyRequest) -> Verification {
        Verification {
            client: self.clone(),
            request: request.clone(),
            stream: Resuming::new(),
        }
    }
}

/// A verification under way, part by part. When the stream breaks off it goes on behind the part that was given out last.
#[derive(Debug)]
pub struct Verification {
    client: Client,
    /// With the token of the part that was given out last.
    request: VerifyRequest,
    stream: Resuming<v1::VerifyLedgerResponse>,
}

impl Verification {
    /// What was found in the next part; `None` when everything is verified.
    ///
    /// A future that is dropped takes no part along. After an error it can be asked again: it goes on behind the last
    /// part.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`], [`Error::ProgramNotFound`], [`Error::MemberNotFound`], [`Error::AmbiguousMember`] when
    /// several programs have the member; a failure when the stream could not be taken up again within the attempts of
    /// the client's retry policy.
    pub async fn next(&mut self) -> Result<Option<Verified>, Error> {
        let request = &self.request;
        let begin = || {
            let mut ledger = self.client.raw_ledger();
            let message = Request::new(request.to_wire());
            async move { ledger.verify_ledger(message).await }
        };
        let Some(message) = self.stream.next(&self.client, begin).await? else {
            return Ok(None);
        };
        let verified = Verified::from_wire(message).inspect_err(|_| self.stream = Resuming::new())?;
        self.request.resume_token.clone_from(&verified.resume_token);
        Ok(Some(verified))
    }

    /// Goes through to the end; everything that was found from here on.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn finish(mut self) -> Result<Verified, Error> {
        let mut all = Verified::default();
        while let Some(part) = self.next().await? {
            all.drifts.extend(part.drifts);
            all.drifts_left_out += part.drifts_left_out;
            all.members += part.members;
            all.entries += part.entries;
        }
        Ok(all)
    }
}
