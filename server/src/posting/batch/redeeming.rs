//! The decisions about points that are redeemed or held beside sales.

use super::Batch;
use crate::domain::account::{Books, Stop};
use crate::domain::answer::StoredAnswer;
use crate::domain::holding;
use crate::domain::program::ProgramVersion;
use crate::domain::redeeming::{self, GivenBack, Making, RedemptionOutcome};
use crate::domain::rejection::Rejection;
use crate::posting::{Command, Decided, Redeeming, RedeemingAct};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::request::RequestResult;

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
        let decide = |books: &mut Books, version: &ProgramVersion| act(books, version, &redeeming.act, making);
        let answer = match self.on_books(connection, key, decide).await? {
            Ok(answer) => answer,
            Err(rejection) => return Ok(Err(rejection)),
        };
        if let StoredAnswer::Redemption(outcome) = &answer {
            let redemption = outcome.redemption.clone();
            self.new_redemptions
                .push((command.merchant_id, redemption, GivenBack::default()));
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
}

fn act(
    books: &mut Books,
    version: &ProgramVersion,
    act: &RedeemingAct,
    making: Making<'_>,
) -> Result<StoredAnswer, Stop> {
    let redemption = |outcome: RedemptionOutcome| StoredAnswer::Redemption(Box::new(outcome));
    let hold = |outcome| StoredAnswer::Hold(Box::new(outcome));
    match act {
        RedeemingAct::Redeem(request) => redeeming::redeem(books, version, request, making).map(redemption),
        RedeemingAct::PlaceHold(request) => holding::place(books, version, request, making).map(hold),
        RedeemingAct::CaptureHold(request, expected) => {
            holding::capture(books, version, request, *expected, making).map(redemption)
        }
        RedeemingAct::ReleaseHold(hold_id, expected) => {
            holding::release(books, version, *hold_id, *expected, making.now).map(hold)
        }
    }
}
