//! Calls of the LedgerService about what tills may do without a line.

use loyalty_api::v1;

use super::{Client, attempt};
use crate::{error::Error, offline::OfflinePolicy, wire::present};

impl Client {
    /// What tills of the merchant may do without a line.
    ///
    /// # Errors
    ///
    /// Failures only.
    pub async fn get_offline_policy(&self) -> Result<OfflinePolicy, Error> {
        let message = v1::GetOfflinePolicyRequest {};
        let answer = self
            .read(message, attempt!(self.raw_ledger(), get_offline_policy))
            .await?;
        OfflinePolicy::from_wire(present("policy", answer.policy)?)
    }

    /// Changes what tills of the merchant may do without a line.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when a bound is out of its own, [`Error::EtagMismatch`] when somebody changed the policy
    /// since it was read.
    pub async fn set_offline_policy(&self, policy: &OfflinePolicy) -> Result<OfflinePolicy, Error> {
        let message = |request_id| v1::SetOfflinePolicyRequest {
            request_id,
            policy: Some(policy.to_wire()),
        };
        let answer = self
            .write(message, attempt!(self.raw_ledger(), set_offline_policy))
            .await?;
        OfflinePolicy::from_wire(present("policy", answer.policy)?)
    }
}
