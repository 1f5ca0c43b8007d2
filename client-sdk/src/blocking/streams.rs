//! Streams as iterators.

use std::vec;

use super::Client;
use crate::{
    Entry, EntryFeed, Error, FeedBatch, FeedRequest, ImportCounts, ImportProgress, ImportedMember, MemberQuery,
    MemberReport, MemberReports, PageRequest, ProgramId, ReportPeriod, Verification, Verified, VerifyRequest,
};

impl Client {
    /// All entries of a member, newest first, page after page.
    pub fn entries(&self, member: impl Into<MemberQuery>) -> Entries {
        Entries {
            client: self.clone(),
            member: member.into(),
            next: Some(PageRequest::of(200)),
            page: Vec::new().into_iter(),
        }
    }

    /// All entries of the merchant: see [`stream_entries`](crate::Client::stream_entries).
    pub fn stream_entries(&self, request: &FeedRequest) -> Feed {
        Feed {
            client: self.clone(),
            feed: self.client.stream_entries(request),
        }
    }

    /// Brings members of another system into a program, and tells `progress` of each part that was dealt with.
    ///
    /// # Errors
    ///
    /// As [`import_members`](crate::Client::import_members).
    pub fn import_members<R>(
        &self,
        program_id: impl Into<ProgramId> + Send,
        import_id: impl Into<String> + Send,
        rows: R,
        progress: impl FnMut(&ImportProgress) + Send,
    ) -> Result<ImportCounts, Error>
    where
        R: IntoIterator<Item = ImportedMember> + Send,
        R::IntoIter: Send,
    {
        self.wait(self.client.import_members(program_id, import_id, rows, progress))
    }

    /// What each member of a program earned, redeemed and lost in a period, some members at a time: see
    /// [`report_members`](crate::Client::report_members).
    pub fn report_members(&self, period: &ReportPeriod) -> Reporting {
        Reporting {
            client: self.clone(),
            reports: self.client.report_members(period),
        }
    }

    /// A verification of the books, part by part: see [`verify_ledger`](crate::Client::verify_ledger).
    pub fn verify_ledger(&self, request: &VerifyRequest) -> Verifying {
        Verifying {
            client: self.clone(),
            verification: self.client.verify_ledger(request),
        }
    }
}

/// The entries of a member. After an error, asked again, it goes on behind the last page.
#[derive(Debug)]
pub struct Entries {
    client: Client,
    member: MemberQuery,
    next: Option<PageRequest>,
    page: vec::IntoIter<Entry>,
}

/// The feed, batch by batch, resumed when it breaks off.
#[derive(Debug)]
pub struct Feed {
    client: Client,
    feed: EntryFeed,
}

/// A report under way, some members at a time, resumed when it breaks off.
#[derive(Debug)]
pub struct Reporting {
    client: Client,
    reports: MemberReports,
}

/// A verification under way, part by part, resumed when it breaks off.
#[derive(Debug)]
pub struct Verifying {
    client: Client,
    verification: Verification,
}

impl Feed {
    /// The request with which another feed goes on where this one is.
    pub fn position(&self) -> &FeedRequest {
        self.feed.position()
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(Ok(entry));
            }
            let request = self.next.as_ref()?;
            match self.client.list_entries(self.member.clone(), request) {
                Ok(page) => {
                    self.page = page.items.into_iter();
                    self.next = page.next;
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Iterator for Feed {
    type Item = Result<FeedBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.client.wait(self.feed.next()).transpose()
    }
}

impl Iterator for Reporting {
    type Item = Result<Vec<MemberReport>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.client.wait(self.reports.next()).transpose()
    }
}

impl Iterator for Verifying {
    type Item = Result<Verified, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.client.wait(self.verification.next()).transpose()
    }
}
