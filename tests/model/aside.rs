//! Plays what stands beside sales: redemptions without one, and holds.

use std::time::Duration;

use loyalty_sdk::{
    Error, HoldCapture, NewHold, Redemption, RedemptionPart, RedemptionReceipt, RedemptionRequest, RedemptionReversal,
};
use rust_decimal::Decimal;

use super::books::{Balance, Refused};
use super::play::{Stage, balance, cents, points, units};
use super::program::Shape;
use super::redemptions::Set;
use super::step::Pay;

/// Something that a step made beside sales.
#[derive(Clone)]
pub(super) struct Aside<Id> {
    pub(super) person: usize,
    id: Id,
    /// Its place among the member's.
    pub(super) place: usize,
    pay: Option<Pay>,
    paid: i64,
}

impl Stage<'_> {
    pub(super) async fn redeem(&mut self, number: usize, member: usize, pay: Pay) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let request = self.request(member, pay);
        let answer = shop.client.redeem(&request).await;
        let member = self.who(member);
        let person = &mut self.people[member];
        let told = person.books.redeem(program, pay, now);
        self.redeemed(number, member, answer, &told)
    }

    pub(super) async fn reverse(&mut self, number: usize, some: Option<i64>) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let Some(redeemed) = self.redemptions.get(&number).cloned() else {
            return Ok(());
        };
        let books = &mut self.people[redeemed.person].books;
        if books.redemptions[redeemed.place].left == 0 {
            return Ok(());
        }
        let mut reversal = RedemptionReversal::of(redeemed.id, "store-2");
        if let Some(some) = some {
            reversal = reversal.part(RedemptionPart::points(0, points(program, some)));
        }
        let answer = shop.client.reverse_redemption(&reversal).await;
        let told = books.reverse(program, redeemed.place, some, now);
        let answer = answer.map(|receipt| receipt.balance);
        same_balance(&answer, &told.map(|(_, balance)| balance), program)
    }

    pub(super) async fn hold(&mut self, number: usize, member: usize, pay: Pay, minutes: i64) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let limit = Duration::from_secs(u64::try_from(minutes * 60).expect("minutes"));
        let hold = NewHold::of(self.request(member, pay)).time_limit(limit);
        let answer = shop.client.place_hold(&hold).await;
        let member = self.who(member);
        let person = &mut self.people[member];
        let told = person.books.hold(program, pay, minutes, now);
        if let (Ok(receipt), Ok(told)) = (&answer, &told) {
            let held = Aside {
                person: member,
                id: receipt.hold.hold_id.clone(),
                place: person.books.holds.len() - 1,
                pay: Some(pay),
                paid: told.paid,
            };
            self.holds.insert(number, held);
        }
        let answer = answer.map(|receipt| {
            let hold = receipt.hold;
            (hold.points, hold.amount.amount, receipt.balance_before, receipt.balance)
        });
        same(&answer, &told, program)
    }

    pub(super) async fn capture(
        &mut self,
        number: usize,
        hold: usize,
        some: Option<i64>,
        early: bool,
    ) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let Some(held) = self.holds.get(&hold).cloned() else {
            return Ok(());
        };
        // An amount is captured whole: its points are not of the till's choice.
        let some = some.filter(|_| matches!(held.pay, Some(Pay::Points(_))));
        let person = &mut self.people[held.person];
        let mut capture = HoldCapture::of(held.id, "store-1");
        if let Some(some) = some {
            capture = capture.redemption(Redemption::points(points(program, some)));
        }
        if early {
            capture = capture.occurred_at(person.books.placed_at(held.place));
        }
        let answer = shop.client.capture_hold(&capture).await;
        let told = person.books.capture(program, held.place, (some, held.paid), early, now);
        self.redeemed(number, held.person, answer, &told)
    }

    pub(super) async fn release(&mut self, hold: usize) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let Some(held) = self.holds.get(&hold).cloned() else {
            return Ok(());
        };
        let answer = shop.client.release_hold(held.id, None).await;
        let told = self.people[held.person].books.release(program, held.place, now);
        same_balance(&answer.map(|receipt| receipt.balance), &told, program)
    }

    /// Notes what was redeemed, whether by itself or out of a hold.
    fn redeemed(
        &mut self,
        number: usize,
        person: usize,
        answer: Result<RedemptionReceipt, Error>,
        told: &Result<Set, Refused>,
    ) -> Result<(), String> {
        if let (Ok(receipt), Ok(told)) = (&answer, told) {
            let redeemed = Aside {
                person,
                id: receipt.redemption.redemption_id.clone(),
                place: self.people[person].books.redemptions.len() - 1,
                pay: None,
                paid: told.paid,
            };
            self.redemptions.insert(number, redeemed);
        }
        let answer = answer.map(|receipt| {
            let redemption = receipt.redemption;
            (
                redemption.points,
                redemption.amount.amount,
                receipt.balance_before,
                receipt.balance,
            )
        });
        same(&answer, told, self.program)
    }

    fn request(&self, member: usize, pay: Pay) -> RedemptionRequest {
        let request = RedemptionRequest::new("store-1", self.people[member].key.clone());
        match pay {
            Pay::Points(units) => request.redeem_points(points(self.program, units)),
            Pay::Amount(amount) => request.redeem_amount(cents(amount)),
            Pay::Most => request.redemption(Redemption::points(1_000_000).clamped()),
        }
    }
}

/// Points, money, balance before and balance.
type Answer = (Decimal, Decimal, Decimal, loyalty_sdk::Balance);

fn same(answer: &Result<Answer, Error>, told: &Result<Set, Refused>, program: &Shape) -> Result<(), String> {
    let agree = match (answer, told) {
        (Ok((taken, paid, before, now)), Ok(told)) => {
            units(*taken, program.decimals) == Some(told.points)
                && *paid == cents(told.paid)
                && *before == points(program, told.before)
                && balance(now, program).as_ref() == Some(&told.balance)
        }
        (Err(error), Err(reason)) => is_reason(error, reason),
        _ => false,
    };
    match agree {
        true => Ok(()),
        false => Err(format!("the server answers {answer:#?}, the model {told:#?}")),
    }
}

fn same_balance(
    answer: &Result<loyalty_sdk::Balance, Error>,
    told: &Result<Balance, Refused>,
    program: &Shape,
) -> Result<(), String> {
    let agree = match (answer, told) {
        (Ok(now), Ok(told)) => balance(now, program).as_ref() == Some(told),
        (Err(error), Err(reason)) => is_reason(error, reason),
        _ => false,
    };
    match agree {
        true => Ok(()),
        false => Err(format!("the server answers {answer:#?}, the model {told:#?}")),
    }
}

fn is_reason(error: &Error, reason: &str) -> bool {
    error.reason().as_str_name() == format!("ERROR_REASON_{reason}")
}
