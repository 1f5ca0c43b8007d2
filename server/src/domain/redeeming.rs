//! The decision of a redemption that stands alone.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{Books, LotsMissing, Stop};
use super::entry::{Occasion, Origin, said};
use super::inactivity::Act;
use super::lot::LotKey;
use super::number::Currency;
use super::outcome::{Balance, PointsTender};
use super::program::ProgramVersion;
use super::redemption::{self, Left, Redeemed, Terms};
use super::rejection::Rejection;
use super::sale::SaleRedemption;
use super::sale_recording::balance_at;
use super::shortfall::Cover;

/// What a caller asks points to pay and buy. Its serialized form is canonical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RedemptionRequest {
    pub(crate) redemptions: Vec<SaleRedemption>,
    /// What is to be paid; `None`: nothing is too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<Ticket>,
    #[serde(flatten)]
    pub(crate) place: Place,
}

/// What is to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) currency_code: String,
    pub(crate) total: Decimal,
    /// Not above the total.
    pub(crate) due: Decimal,
}

/// Where something happened beside a sale, and on which document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    pub(crate) store_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) terminal_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cashier_id: String,
    /// The shop's own; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) document_number: String,
}

/// Who makes a change, when, and under which new id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Making<'a> {
    pub(crate) id: Uuid,
    pub(crate) actor: &'a str,
    pub(crate) now: DateTime<Utc>,
}

/// A redemption as it was made; never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redemption {
    pub(crate) redemption_id: Uuid,
    pub(crate) member_id: Uuid,
    pub(crate) program_id: String,
    pub(crate) program_version: u32,
    pub(crate) currency: Currency,
    #[serde(flatten)]
    pub(crate) place: Place,
    pub(crate) tenders: Vec<PointsTender>,
    /// One for each tender.
    pub(crate) entries: Vec<TenderEntry>,
    /// The hold that it captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hold_id: Option<Uuid>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// Where the ledger has a tender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TenderEntry {
    pub(crate) sequence: u64,
    /// What of its points no lot had.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) owed: Decimal,
}

/// A redemption as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordedRedemption {
    pub(crate) redemption: Redemption,
    /// Whose it is: another member than it was made for, where the two were merged.
    pub(crate) member_id: Uuid,
    #[serde(default)]
    pub(crate) given_back: GivenBack,
}

/// What came back of a redemption, by tender. Its serialized form is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenBack(Vec<TenderBack>);

/// What came back of a tender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TenderBack {
    pub(crate) points: Decimal,
    pub(crate) amount: Decimal,
    /// Of what the points bought.
    #[serde(skip_serializing_if = "Decimal::is_zero")]
    pub(crate) quantity: Decimal,
}

/// What a redemption did. Its serialized form is kept, so that a repetition gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RedemptionOutcome {
    pub(crate) redemption: Redemption,
    pub(crate) balance_before: Decimal,
    pub(crate) balance: Balance,
}

impl Redemption {
    pub(crate) fn points(&self) -> Decimal {
        self.tenders.iter().map(|tender| tender.points).sum()
    }

    pub(crate) fn amount(&self) -> Decimal {
        self.tenders.iter().map(|tender| tender.amount).sum()
    }
}

impl RecordedRedemption {
    /// As it was made.
    pub(crate) fn new(redemption: Redemption) -> Self {
        Self {
            member_id: redemption.member_id,
            redemption,
            given_back: GivenBack::default(),
        }
    }

    /// Whether the books are not those that it took from.
    pub(crate) fn is_moved(&self) -> bool {
        self.member_id != self.redemption.member_id
    }
}

impl GivenBack {
    pub(crate) fn points(&self) -> Decimal {
        self.0.iter().map(|back| back.points).sum()
    }

    pub(crate) fn amount(&self) -> Decimal {
        self.0.iter().map(|back| back.amount).sum()
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// What came back of the tender in this place.
    pub(crate) fn of(&self, place: usize) -> TenderBack {
        self.0.get(place).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, place: usize, back: TenderBack) {
        if self.0.len() <= place {
            self.0.resize(place + 1, TenderBack::default());
        }
        if let Some(sum) = self.0.get_mut(place) {
            sum.points += back.points;
            sum.amount += back.amount;
            sum.quantity += back.quantity;
        }
    }
}

impl TenderBack {
    pub(super) fn less(self, before: Self) -> Self {
        Self {
            points: self.points - before.points,
            amount: self.amount - before.amount,
            quantity: self.quantity - before.quantity,
        }
    }
}

/// Takes the points, or leaves the books as they were.
pub(crate) fn redeem(
    books: &mut Books,
    version: &ProgramVersion,
    request: &RedemptionRequest,
    making: Making<'_>,
) -> Result<RedemptionOutcome, Stop> {
    let recorded_at = making.now.max(books.account.recorded_at);
    let mut changed = books.clone();
    changed.settle_pending(recorded_at)?;
    changed.expire_lapsed(version.version, recorded_at)?;
    let balance_before = changed.available(recorded_at)?;
    let redeemed = decide(&changed, version, request, recorded_at)?;
    let taking = Taking {
        version,
        place: &request.place,
        occurred_at: making.now,
        recorded_at,
        making,
        hold_id: None,
    };
    changed.keep_active(&version.program, Act::Redemption, making.now);
    let tenders = redeemed.tenders.into_iter();
    let tenders = tenders.map(|tender| (tender, Source::Lots)).collect();
    let redemption = taking.take(&mut changed, tenders)?;
    let outcome = RedemptionOutcome {
        redemption,
        balance_before: balance_before.normalize(),
        balance: balance_at(&changed, version, recorded_at)?,
    };
    *books = changed;
    Ok(outcome)
}

/// What the asks come to at `at`. Lapsed lots have been written off before.
pub(super) fn decide(
    books: &Books,
    version: &ProgramVersion,
    request: &RedemptionRequest,
    at: DateTime<Utc>,
) -> Result<Redeemed, Stop> {
    let currency = &version.program.currency;
    let ticket = request.ticket.as_ref();
    if ticket.is_some_and(|ticket| ticket.currency_code != currency.code) {
        return Err(Stop::Rejected(Rejection::CurrencyMismatch {
            field: "total.currency_code",
            currency_code: currency.code.clone(),
        }));
    }
    redemption::check_open(version, &books.account.status, version.program.local_date(at))?;
    let available = books.available(at)?;
    let left = match ticket {
        Some(ticket) => Left::of_sale(version, ticket.total, ticket.due, available),
        None => Left::without_sale(version, available),
    };
    let redeemed = redemption::redeem(Terms::of_member(books, version, at), &request.redemptions, left)?;
    if redeemed.tenders.is_empty() {
        let (points, amount) = (Decimal::ZERO, Decimal::ZERO);
        return Err(Stop::Rejected(Rejection::NothingToRedeem { points, amount }));
    }
    Ok(redeemed)
}

/// Where the points of a tender come from.
pub(super) enum Source {
    /// Whatever can be spent.
    Lots,
    /// These lots, whose points were held for it.
    Held(Vec<(LotKey, Decimal)>),
    /// These lots, and no lot for the rest, which is owed.
    Late {
        lots: Vec<(LotKey, Decimal)>,
        owed: Decimal,
    },
}

/// A redemption on its way into the books.
pub(super) struct Taking<'a> {
    pub(super) version: &'a ProgramVersion,
    pub(super) place: &'a Place,
    pub(super) occurred_at: DateTime<Utc>,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) making: Making<'a>,
    pub(super) hold_id: Option<Uuid>,
}

impl Taking<'_> {
    /// One entry for each tender.
    pub(super) fn take(
        &self,
        books: &mut Books,
        tenders: Vec<(PointsTender, Source)>,
    ) -> Result<Redemption, LotsMissing> {
        let occasion = self.occasion();
        let mut entries = Vec::with_capacity(tenders.len());
        let mut taken = Vec::with_capacity(tenders.len());
        for (tender, source) in tenders {
            let (lots, owed) = match source {
                Source::Lots => (
                    redemption::allocate(books, tender.points, self.recorded_at)?,
                    Decimal::ZERO,
                ),
                Source::Held(lots) => (lots, Decimal::ZERO),
                Source::Late { lots, owed } => (lots, owed),
            };
            let cover = Cover {
                allocations: lots,
                debt: owed,
            };
            books.redeem(&cover, &occasion, &tender.accounting)?;
            let sequence = books.account.last_sequence;
            entries.push(TenderEntry { sequence, owed });
            taken.push(tender);
        }
        Ok(Redemption {
            redemption_id: self.making.id,
            member_id: books.account.member_id,
            program_id: self.version.program_id.to_string(),
            program_version: self.version.version,
            currency: self.version.program.currency.clone(),
            place: self.place.clone(),
            tenders: taken,
            entries,
            hold_id: self.hold_id,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
        })
    }

    fn occasion(&self) -> Occasion {
        Occasion {
            origin: self.place.origin(self.making),
            ..Occasion::plain(self.version.version, self.occurred_at, self.recorded_at)
        }
    }
}

impl Place {
    /// Where entries come from that belong to what is made.
    pub(super) fn origin(&self, making: Making<'_>) -> Origin {
        Origin {
            reference: said(&making.id.to_string()),
            at_store_id: said(&self.store_id),
            terminal_id: said(&self.terminal_id),
            cashier_id: said(&self.cashier_id),
            actor: said(making.actor),
            ..Origin::default()
        }
    }
}
