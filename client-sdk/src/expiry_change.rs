//! Lots that are moved to the expiry that their program has by now.

use rust_decimal::Decimal;

use crate::id::{ProgramId, RequestId};

/// A move of the lots of a program to the expiry that it has by now, as a preview or for real.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryChange {
    /// The program.
    pub program_id: ProgramId,
    /// Nothing is moved to an earlier instant.
    pub extend_only: bool,
    /// Makes it happen once; made when it is `None`. A run that broke off is taken up by its own.
    pub request_id: Option<RequestId>,
}

impl ExpiryChange {
    /// Of a program, to earlier and later instants.
    pub fn of(program_id: impl Into<ProgramId>) -> Self {
        Self {
            program_id: program_id.into(),
            extend_only: false,
            request_id: None,
        }
    }

    /// Points that it would take time from keep theirs.
    #[must_use]
    pub fn extend_only(mut self) -> Self {
        self.extend_only = true;
        self
    }

    /// Is known by this id.
    #[must_use]
    pub fn request_id(mut self, request_id: RequestId) -> Self {
        self.request_id = Some(request_id);
        self
    }
}

/// What a change does, or did, to the members of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryChangeCounts {
    /// Members whose points lapse at another instant.
    pub members: u64,
    /// Lots that go to another expiry.
    pub lots: u64,
    /// Points in these lots.
    pub points: Decimal,
    /// Points that lapse by the change, at once.
    pub lapsed_points: Decimal,
    /// Lots that keep their instant: their expiry is not the program's, or some of their points are held.
    pub kept_lots: u64,
    /// Points in these lots.
    pub kept_points: Decimal,
}

/// What a change would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryForecast {
    /// Members that were looked at.
    pub members: u64,
    /// What would be done.
    pub counts: ExpiryChangeCounts,
    /// Points that would lapse within the days that were asked for, without those that would at once.
    pub lapsing_points: Decimal,
    /// Points that will lapse within the days when nothing is applied.
    pub lapsing_points_as_it_is: Decimal,
    /// What to apply: the etag of the program that was looked at.
    pub etag: String,
}
