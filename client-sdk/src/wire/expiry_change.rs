//! Lots that are moved to another expiry, on the wire.

use loyalty_api::v1;

use super::{decimal, present};
use crate::{
    error::Error,
    expiry_change::{ExpiryChange, ExpiryChangeCounts, ExpiryForecast},
};

impl ExpiryChange {
    pub(crate) fn to_preview(&self, within_days: u32, resume_token: &str) -> v1::PreviewExpiryPolicyRequest {
        v1::PreviewExpiryPolicyRequest {
            program_id: self.program_id.to_string(),
            extend_only: self.extend_only,
            within_days,
            resume_token: resume_token.to_owned(),
        }
    }

    pub(crate) fn to_wire(&self, request_id: String, etag: &str) -> v1::ApplyExpiryPolicyRequest {
        v1::ApplyExpiryPolicyRequest {
            request_id,
            program_id: self.program_id.to_string(),
            etag: etag.to_owned(),
            extend_only: self.extend_only,
        }
    }
}

impl ExpiryChangeCounts {
    pub(crate) fn from_wire(counts: Option<v1::ExpiryChangeCounts>) -> Result<Self, Error> {
        let counts = present("counts", counts)?;
        Ok(Self {
            members: counts.members,
            lots: counts.lots,
            points: decimal("counts.points", counts.points)?,
            lapsed_points: decimal("counts.lapsed_points", counts.lapsed_points)?,
            kept_lots: counts.kept_lots,
            kept_points: decimal("counts.kept_points", counts.kept_points)?,
        })
    }
}

impl ExpiryForecast {
    pub(crate) fn add(&mut self, part: v1::PreviewExpiryPolicyResponse) -> Result<(), Error> {
        let counts = ExpiryChangeCounts::from_wire(part.counts)?;
        self.members += part.members;
        self.counts.members += counts.members;
        self.counts.lots += counts.lots;
        self.counts.points += counts.points;
        self.counts.lapsed_points += counts.lapsed_points;
        self.counts.kept_lots += counts.kept_lots;
        self.counts.kept_points += counts.kept_points;
        self.lapsing_points += decimal("lapsing_points", part.lapsing_points)?;
        self.lapsing_points_as_it_is += decimal("lapsing_points_as_it_is", part.lapsing_points_as_it_is)?;
        self.etag = part.etag;
        Ok(())
    }
}
