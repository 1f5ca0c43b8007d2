//! The decisions about points that are redeemed or held beside sales.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::Batch;
use crate::domain::account::{Books, Stop};
use crate::domain::answer::StoredAnswer;
use crate::domain::giving_back;
use crate::domain::holding;
use crate::domain::lot::LotKey;
use crate::domain::program::ProgramVersion;
use crate::domain::redeeming::{self, Making, RecordedRedemption, RedemptionOutcome};
use crate::domain::rejection::Rejection;
use crate::posting::{Command, Decided, Redeeming, RedeemingAct};
use crate::storage::account::AccountKey;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::redemption;
use crate::storage::request::RequestResult;
use crate::storage::spent;

/// A redemption that comes back, and the lots that it took from.
type Reversed = (RecordedRedemption, Vec<(LotKey, Decimal)>);

impl<'a> Batch<'a> {
    pub(super) async fn redeeming(
        &mut self,
        connection: &mut Connection,
        command: &'a Command,
        redeeming: &'a Redeeming,
    ) -> Result<Result<(Decided, RequestResult), Rejection>, StorageError> {
        let key = match self.account_of(command.merchant_id, redeeming.named()) {
            Ok(key) => key,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let making = Making {
            id: redeeming.new_id,
            actor: &redeeming.actor,
            now: command.now,
        };
        let mut reversed = None;
        if let RedeemingAct::Reverse(request) = &redeeming.act {
            reversed = self.redemption(connection, key, request.redemption_id).await?;
        }
        let expected = redeeming
            .act
            .expected()
            .map(|expected| self.current((key.0, expected)).1);
        let decide = |books: &mut Books, version: &ProgramVersion| {
            act(books, version, &redeeming.act, expected, reversed.as_ref(), making)
        };
        let answer = match self.on_books(connection, key, decide).await? {
            Ok(answer) => answer,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let redemption = match &answer {
            StoredAnswer::Redemption(outcome) => Some(RecordedRedemption::new(outcome.redemption.clone())),
            StoredAnswer::Reversal(outcome) => Some(outcome.redemption.clone()),
            _ => None,
        };
        if let Some(redemption) = redemption {
            let key = (command.merchant_id, redemption.redemption.redemption_id);
            self.redemptions.insert(key, redemption);
        }
        let kept = RequestResult::Answer(answer.clone());
        match answer.into_answer() {
            Ok(answer) => Ok(Ok((Decided::now(answer), kept))),
            Err(refusal) => Err(StorageError::Corrupt(format!(
                "a decision that is none: {}",
                refusal.reason
            ))),
        }
    }

    /// A redemption of this account as it stands, with the lots that it took from, which the books know afterwards.
    async fn redemption(
        &mut self,
        connection: &mut Connection,
        key: AccountKey,
        redemption_id: Uuid,
    ) -> Result<Option<Reversed>, StorageError> {
        let recorded = match self.redemptions.get(&(key.0, redemption_id)) {
            Some(recorded) => Some(recorded.clone()),
            None => {
                self.round_trips += 1;
                redemption::find(connection, key.0, &[redemption_id]).await?.pop()
            }
        };
        let recorded = recorded.filter(|recorded| recorded.member_id == key.1);
        let unwritten = self.lots_of_merged();
        let (Some(recorded), Some(books)) = (recorded, self.books.get_mut(&key)) else {
            return Ok(None);
        };
        self.round_trips += 2;
        let redemption = &recorded.redemption;
        let sequences: Vec<u64> = redemption.entries.iter().map(|entry| entry.sequence).collect();
        let mut lots = spent::lots(connection, (key.0, redemption.member_id), &sequences, books).await?;
        if recorded.is_moved() {
            let taken = (redemption.member_id, lots);
            lots = spent::taken_where_it_went(connection, key, books, taken, &unwritten).await?;
        } else {
            spent::learn(connection, key, books, lots.iter().map(|(key, _)| *key)).await?;
        }
        Ok(Some((recorded, lots)))
    }
}

fn act(
    books: &mut Books,
    version: &ProgramVersion,
    act: &RedeemingAct,
    expected: Option<Uuid>,
    reversed: Option<&Reversed>,
    making: Making<'_>,
) -> Result<StoredAnswer, Stop> {
    let redemption = |outcome: RedemptionOutcome| StoredAnswer::Redemption(Box::new(outcome));
    let hold = |outcome| StoredAnswer::Hold(Box::new(outcome));
    match act {
        RedeemingAct::Redeem(request) => redeeming::redeem(books, version, request, making).map(redemption),
        RedeemingAct::PlaceHold(request) => holding::place(books, version, request, making).map(hold),
        RedeemingAct::CaptureHold(request, _) => {
            holding::capture(books, version, request, expected, making).map(redemption)
        }
        RedeemingAct::ReleaseHold(hold_id, _) => {
            holding::release(books, version, *hold_id, expected, making.now).map(hold)
        }
        RedeemingAct::Reverse(request) => {
            let Some((recorded, lots)) = reversed else {
                let redemption_id = request.redemption_id.to_string();
                return Err(Stop::Rejected(Rejection::RedemptionNotFound { redemption_id }));
            };
            let outcome = giving_back::give_back(books, version, request, recorded, lots, making)?;
            Ok(StoredAnswer::Reversal(Box::new(outcome)))
        }
    }
}
