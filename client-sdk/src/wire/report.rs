//! Reports on the wire.

use std::collections::BTreeMap;

use loyalty_api::v1;

use super::{decimal, optional_decimal, present, timestamp};
use crate::{
    error::Error,
    report::{Breakage, Liability, MemberReport, PointsMovement, ReportGrouping, ReportPeriod, RollForward},
};

impl ReportPeriod {
    pub(crate) fn to_members(&self, resume_token: &str) -> v1::ReportMembersRequest {
        v1::ReportMembersRequest {
            program_id: self.program_id.to_string(),
            recorded_from: self.recorded_from.map(timestamp),
            recorded_until: self.recorded_until.map(timestamp),
            resume_token: resume_token.to_owned(),
        }
    }

    pub(crate) fn to_roll_forward(&self, group_by: ReportGrouping, resume_token: &str) -> v1::GetRollForwardRequest {
        v1::GetRollForwardRequest {
            program_id: self.program_id.to_string(),
            recorded_from: self.recorded_from.map(timestamp),
            recorded_until: self.recorded_until.map(timestamp),
            group_by: group_by.number(),
            resume_token: resume_token.to_owned(),
        }
    }
}

impl PointsMovement {
    fn from_wire(moved: Option<v1::PointsMovement>) -> Result<Self, Error> {
        let moved = present("movement", moved)?;
        Ok(Self {
            earned: decimal("movement.earned", moved.earned)?,
            redeemed: decimal("movement.redeemed", moved.redeemed)?,
            expired: decimal("movement.expired", moved.expired)?,
            adjusted: decimal("movement.adjusted", moved.adjusted)?,
            merged: decimal("movement.merged", moved.merged)?,
            // Servers before it had none.
            imported: optional_decimal("movement.imported", moved.imported)?.unwrap_or_default(),
        })
    }
}

impl MemberReport {
    pub(crate) fn from_wire(member: v1::MemberReport) -> Result<Self, Error> {
        Ok(Self {
            member_id: member.member_id.into(),
            opening: decimal("members.opening", member.opening)?,
            movement: PointsMovement::from_wire(member.movement)?,
            closing: decimal("members.closing", member.closing)?,
        })
    }
}

impl RollForward {
    /// Adds the next members.
    pub(crate) fn add(&mut self, part: v1::GetRollForwardResponse) -> Result<(), Error> {
        let breakage = present("breakage", part.breakage)?;
        self.members += part.members;
        self.opening += decimal("opening", part.opening)?;
        self.movement += PointsMovement::from_wire(part.movement)?;
        self.closing += decimal("closing", part.closing)?;
        let mut groups: BTreeMap<String, PointsMovement> = std::mem::take(&mut self.groups).into_iter().collect();
        for group in part.groups {
            *groups.entry(group.label).or_default() += PointsMovement::from_wire(group.movement)?;
        }
        self.groups = groups.into_iter().collect();
        self.breakage = Breakage {
            issued: self.breakage.issued + decimal("breakage.issued", breakage.issued)?,
            lapsed: self.breakage.lapsed + decimal("breakage.lapsed", breakage.lapsed)?,
            open: self.breakage.open + decimal("breakage.open", breakage.open)?,
        };
        Ok(())
    }
}

impl Liability {
    /// Adds the next members.
    pub(crate) fn add(&mut self, part: v1::GetLiabilityResponse) -> Result<(), Error> {
        self.members += part.members;
        self.points += decimal("points", part.points)?;
        self.pending += decimal("pending", part.pending)?;
        self.debt += decimal("debt", part.debt)?;
        self.value_per_point = optional_decimal("value_per_point", part.value_per_point)?;
        let value = optional_decimal("value", part.value)?;
        self.value = value.map(|value| self.value.unwrap_or_default() + value);
        for (place, aged) in part.ageing.into_iter().enumerate() {
            let points = decimal("ageing.points", aged.points)?;
            match self.ageing.get_mut(place) {
                Some((_, sum)) => *sum += points,
                None => {
                    let within_days = Some(aged.within_days).filter(|days| *days > 0);
                    self.ageing.push((within_days, points));
                }
            }
        }
        Ok(())
    }
}
