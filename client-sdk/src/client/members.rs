//! Calls of the ProgramService about members.

use loyalty_api::v1;

use super::{Client, attempt};
use crate::{
    error::Error,
    id::MemberId,
    member::{Balance, Member, MemberFilter, MemberQuery},
    new_member::NewMember,
    page::{Page, PageRequest},
    wire::present,
};

impl Client {
    /// Enrols a customer in a program.
    ///
    /// # Errors
    ///
    /// [`Error::IdentifierTaken`] when an identifier belongs to another member, [`Error::ProgramNotFound`],
    /// [`Error::ProgramArchived`]; [`Error::InvalidFields`] also when the assigned rule is none of the program.
    pub async fn enroll_member(&self, member: &NewMember) -> Result<Member, Error> {
        let message = |request_id| member.to_wire(request_id);
        let answer = self
            .write(message, attempt!(self.raw_programs(), enroll_member))
            .await?;
        Member::from_wire(present("member", answer.member)?)
    }

    /// The member that a key belongs to, and what the member has.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`], [`Error::AmbiguousMember`] when several programs have the member.
    pub async fn lookup_member(&self, member: impl Into<MemberQuery>) -> Result<(Member, Balance), Error> {
        let (program_id, member) = member.into().into_wire();
        let message = v1::LookupMemberRequest { program_id, member };
        let answer = self.read(message, attempt!(self.raw_programs(), lookup_member)).await?;
        let member = Member::from_wire(present("member", answer.member)?)?;
        let balance = Balance::from_wire(present("balance", answer.balance)?)?;
        Ok((member, balance))
    }

    /// The whole record of a member, and what the member has.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`].
    pub async fn get_member(&self, member_id: impl Into<MemberId>) -> Result<(Member, Balance), Error> {
        let message = v1::GetMemberRequest {
            member_id: member_id.into().into(),
        };
        let answer = self.read(message, attempt!(self.raw_programs(), get_member)).await?;
        record(answer.member, answer.balance)
    }

    /// The members of a program in order of their ids, each with what the member has. Pages have up to 1,000 members; one
    /// may be short or empty though there are more behind it, where few members match the filter.
    ///
    /// # Errors
    ///
    /// [`Error::ProgramNotFound`], [`Error::InvalidFields`] when the page is not one that this list gave.
    pub async fn list_members(
        &self,
        filter: &MemberFilter,
        page: &PageRequest,
    ) -> Result<Page<(Member, Balance)>, Error> {
        let message = filter.to_wire(page);
        let answer = self.read(message, attempt!(self.raw_programs(), list_members)).await?;
        let members = answer
            .members
            .into_iter()
            .map(|listed| record(listed.member, listed.balance));
        Ok(Page::new(
            members.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }
}

fn record(member: Option<v1::Member>, balance: Option<v1::Balance>) -> Result<(Member, Balance), Error> {
    let member = Member::from_wire(present("member", member)?)?;
    let balance = Balance::from_wire(present("balance", balance)?)?;
    Ok((member, balance))
}
