//! Calls of the ProgramService that change members.

use loyalty_api::v1;
use prost_types::FieldMask;

use super::{Client, attempt};
use crate::{
    error::Error,
    id::MemberId,
    member::{Identifier, Member},
    member_change::MemberChange,
    member_update::MemberUpdate,
    page::{Page, PageRequest},
    wire::present,
};

impl Client {
    /// Changes what is known of a member. A change of group, territory or assigned rule holds for every sale recorded after
    /// this call returned.
    ///
    /// # Errors
    ///
    /// [`Error::EtagMismatch`] when the record changed since it was read, [`Error::MemberNotFound`];
    /// [`Error::InvalidFields`] also when the assigned rule is none of the program.
    pub async fn update_member(&self, update: &MemberUpdate) -> Result<Member, Error> {
        let message = |request_id| v1::UpdateMemberRequest {
            request_id,
            member: Some(update.member.clone()),
            update_mask: Some(FieldMask {
                paths: update.paths.clone(),
            }),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), update_member))
            .await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Keeps points of a member from being redeemed ([`Error::MemberBlocked`]); what the member buys goes on earning.
    /// `reason`, 1 to 200 characters, is what tills are told; it is kept for good and should name nobody.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`].
    pub async fn block_member(
        &self,
        member_id: impl Into<MemberId>,
        reason: impl Into<String>,
    ) -> Result<Member, Error> {
        let message = |request_id| v1::BlockMemberRequest {
            request_id,
            member_id: member_id.into().into(),
            reason: reason.into(),
        };
        let answer = self.write(message, attempt!(self.raw_programs(), block_member)).await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Lets points of a member be redeemed again. `reason` may be empty; it is kept for good and should name nobody.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`].
    pub async fn unblock_member(
        &self,
        member_id: impl Into<MemberId>,
        reason: impl Into<String>,
    ) -> Result<Member, Error> {
        let message = |request_id| v1::UnblockMemberRequest {
            request_id,
            member_id: member_id.into().into(),
            reason: reason.into(),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), unblock_member))
            .await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Lets a member take no part any more: sales made from now on earn nothing, and none enrols the customer anew. What is
    /// there can be redeemed until it lapses. `reason` may be empty; it is kept for good and should name nobody.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`].
    pub async fn opt_out_member(
        &self,
        member_id: impl Into<MemberId>,
        reason: impl Into<String>,
    ) -> Result<Member, Error> {
        let message = |request_id| v1::OptOutMemberRequest {
            request_id,
            member_id: member_id.into().into(),
            reason: reason.into(),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), opt_out_member))
            .await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Lets a member who has opted out take part again; nothing else does. `reason` as in
    /// [`opt_out_member`](Self::opt_out_member).
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`].
    pub async fn opt_in_member(
        &self,
        member_id: impl Into<MemberId>,
        reason: impl Into<String>,
    ) -> Result<Member, Error> {
        let message = |request_id| v1::OptInMemberRequest {
            request_id,
            member_id: member_id.into().into(),
            reason: reason.into(),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), opt_in_member))
            .await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Merges `merged` into `member`, where both are one customer of a program: points with their expiry, debt, spend and
    /// identifiers move, and live holds of the merged member end. Whoever names that one afterwards means the other. It cannot
    /// be undone. `reason` may be empty; it is kept for good and should name nobody.
    ///
    /// # Errors
    ///
    /// [`Error::MemberMerged`] when one of them was merged before, [`Error::MergeAcrossPrograms`],
    /// [`Error::MemberNotFound`].
    pub async fn merge_members(
        &self,
        member: impl Into<MemberId>,
        merged: impl Into<MemberId>,
        reason: impl Into<String>,
    ) -> Result<Member, Error> {
        let message = |request_id| v1::MergeMembersRequest {
            request_id,
            member_id: member.into().into(),
            merged_member_id: merged.into().into(),
            reason: reason.into(),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), merge_members))
            .await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Forgets the person behind a member, and behind those who were merged into it; the books stay. Nothing else can be done
    /// for the member afterwards ([`Error::MemberErased`]) but what comes back of earlier sales. It cannot be undone.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`].
    pub async fn erase_member(&self, member_id: impl Into<MemberId>) -> Result<Member, Error> {
        let message = |request_id| v1::EraseMemberRequest {
            request_id,
            member_id: member_id.into().into(),
        };
        let answer = self.write(message, attempt!(self.raw_programs(), erase_member)).await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Gives a member a new identifier in the place of an old one, such as a lost card: after this call returned the old one
    /// finds the member no more. One of its kind can always take its place.
    ///
    /// # Errors
    ///
    /// [`Error::IdentifierTaken`] when the new one belongs to a member of the program, [`Error::IdentifierNotFound`] when
    /// the old one is not the member's, [`Error::IdentifierLimit`], [`Error::MemberNotFound`].
    pub async fn replace_identifier(
        &self,
        member_id: impl Into<MemberId>,
        old: &Identifier,
        new: &Identifier,
    ) -> Result<Member, Error> {
        self.change_identifiers(member_id.into(), Some(old), Some(new)).await
    }

    /// Gives a member one more identifier, of at most 10.
    ///
    /// # Errors
    ///
    /// As [`replace_identifier`](Self::replace_identifier).
    pub async fn add_identifier(&self, member_id: impl Into<MemberId>, new: &Identifier) -> Result<Member, Error> {
        self.change_identifiers(member_id.into(), None, Some(new)).await
    }

    /// Takes an identifier away from a member, who keeps at least one.
    ///
    /// # Errors
    ///
    /// As [`replace_identifier`](Self::replace_identifier).
    pub async fn remove_identifier(&self, member_id: impl Into<MemberId>, old: &Identifier) -> Result<Member, Error> {
        self.change_identifiers(member_id.into(), Some(old), None).await
    }

    async fn change_identifiers(
        &self,
        member_id: MemberId,
        old: Option<&Identifier>,
        new: Option<&Identifier>,
    ) -> Result<Member, Error> {
        let message = |request_id| v1::ReplaceIdentifierRequest {
            request_id,
            member_id: member_id.into(),
            old_identifier: old.map(Identifier::to_wire),
            new_identifier: new.map(Identifier::to_wire),
        };
        let answer = self
            .write(message, attempt!(self.raw_programs(), replace_identifier))
            .await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// Who changed a member, when and why, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`], [`Error::InvalidFields`] when the page is not one that this list gave.
    pub async fn list_member_changes(
        &self,
        member_id: impl Into<MemberId>,
        page: &PageRequest,
    ) -> Result<Page<MemberChange>, Error> {
        let message = v1::ListMemberChangesRequest {
            member_id: member_id.into().into(),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self
            .read(message, attempt!(self.raw_programs(), list_member_changes))
            .await?;
        let changes = answer.changes.into_iter().map(MemberChange::from_wire);
        Ok(Page::new(
            changes.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }
}
