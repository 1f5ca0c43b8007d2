//! Plays a history on the server, and holds every answer against the model's.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_sdk::{
    Adjustment, Cancellation, Client, Entry, Error, HoldId, MemberId, MemberKey, PageRequest, ProgramId, Receipt,
    RedemptionId, RequestId, ReturnReceipt, Sale, SaleLine, SaleReturn, VerifyRequest,
};
use rust_decimal::Decimal;

use super::aside::Aside;
use super::books::{Balance, Books, Late, Refused, Told, Undone};
use super::changes::Versions;
use super::mergers::Offsets;
use super::past::Past;
use super::program::{Shape, place_of_tier};
use super::step::{Buy, Numbered, Pay, Step, Story};
use crate::harness::Shop;
use crate::harness::books::drifts;

/// The reasons of adjustments in every town.
pub(super) const GIFT: &str = "gift";
pub(super) const MISTAKE: &str = "mistake";

/// Points that tills without a line may take from a member.
pub(super) const OFFLINE_LIMIT: i64 = 40;

/// A member, on both sides.
pub(super) struct Person {
    pub(super) member_id: MemberId,
    pub(super) key: MemberKey,
    pub(super) books: Books,
    /// Who goes on with the books.
    pub(super) merged_into: Option<usize>,
}

/// A sale that was sent, and what came of it.
struct Sent {
    person: usize,
    request_id: RequestId,
    sale: Sale,
    at: DateTime<Utc>,
    told: Result<Told, Refused>,
}

pub(super) struct Stage<'a> {
    pub(super) shop: &'a Shop,
    /// As it is now.
    pub(super) program: &'a Shape,
    pub(super) program_id: ProgramId,
    pub(super) versions: Versions<'a>,
    pub(super) people: Vec<Person>,
    sent: BTreeMap<usize, Sent>,
    /// By the step that made them.
    pub(super) redemptions: BTreeMap<usize, Aside<RedemptionId>>,
    pub(super) holds: BTreeMap<usize, Aside<HoldId>>,
    past: Vec<Past>,
}

/// Plays a history in a program of its own; says what differs.
pub(super) async fn play(shop: &Shop, story: &Story) -> Result<(), String> {
    let mut stage = Stage::set(shop, story).await;
    for Numbered { number, step } in &story.steps {
        let step_told = stage.step(*number, step).await;
        step_told.map_err(|difference| format!("step {number}: {difference}"))?;
        stage
            .check_balances()
            .await
            .map_err(|difference| format!("after step {number}: {difference}"))?;
    }
    stage.check_histories().await?;
    for past in &stage.past {
        past.check(&stage).await?;
    }
    match drifts(&shop.client, &VerifyRequest::program(stage.program_id.clone())).await {
        drifts if drifts.is_empty() => Ok(()),
        drifts => Err(format!("the books drift: {drifts:?}")),
    }
}

impl<'a> Stage<'a> {
    async fn set(shop: &'a Shop, story: &'a Story) -> Self {
        let program = &story.program;
        let versions = Versions::create(shop, program).await;
        let program_id = versions.program_id().clone();
        let mut people = Vec::with_capacity(story.members.len());
        for opening in &story.members {
            let (member, books) = opening.bring(shop, program, &program_id).await;
            people.push(Person {
                member_id: member.member_id.clone(),
                key: MemberKey::from(&member),
                books,
                merged_into: None,
            });
        }
        Self {
            shop,
            program,
            program_id,
            versions,
            people,
            sent: BTreeMap::new(),
            redemptions: BTreeMap::new(),
            holds: BTreeMap::new(),
            past: Vec::new(),
        }
    }

    async fn step(&mut self, number: usize, step: &'a Step) -> Result<(), String> {
        match step {
            Step::Wait { minutes } => {
                self.past.push(Past::of(&self.people, self.program, self.shop.now()));
                let later = self.shop.now() + TimeDelta::minutes(*minutes);
                self.shop.it_is(&later.to_rfc3339());
                for person in &mut self.people {
                    person.books.lapse(later);
                }
                Ok(())
            }
            Step::Buy(buy) => self.buy(number, buy).await,
            Step::Repeat { number, same_request } => self.repeat(*number, *same_request).await,
            Step::Return { number, lines, late } => self.give_back(*number, Some(lines), *late).await,
            Step::ReturnRest { number } => self.give_back(*number, None, 0).await,
            Step::Cancel { number } => self.cancel(*number).await,
            Step::Merge { member, merged } => self.merge(*member, *merged).await,
            Step::Adjust { member, points } => self.adjust(*member, *points).await,
            Step::Redeem { member, pay } => self.redeem(number, *member, *pay).await,
            Step::Reverse { number, points } => self.reverse(*number, *points).await,
            Step::Hold { member, pay, minutes } => self.hold(number, *member, *pay, *minutes).await,
            Step::Capture {
                number: hold,
                points,
                early,
            } => self.capture(number, *hold, *points, *early).await,
            Step::Release { number } => self.release(*number).await,
            Step::Change(shape) => {
                self.change(shape).await;
                Ok(())
            }
            Step::MoveLots { extend_only } => self.move_lots(*extend_only).await,
            Step::Sweep => match self.shop.client.run_expiry().await {
                Ok(_) => Ok(()),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    async fn buy(&mut self, number: usize, buy: &Buy) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let (lines, pay, late, key) = (&buy.lines, buy.pay, buy.late, self.people[buy.member].key.clone());
        let (total, at) = (lines.iter().sum(), now - TimeDelta::minutes(late));
        let mut sale = Sale::new(shop.next_sale_id(), "store-1", key, "EUR", cents(total));
        for line in lines {
            sale = sale.line(SaleLine::new(cents(*line)));
        }
        sale = match pay {
            Some(Pay::Points(points)) => sale.redeem_points(Decimal::new(points, program.decimals)),
            Some(Pay::Amount(amount)) => sale.redeem_amount(cents(amount)),
            Some(Pay::Most) => sale.redeem_points(1_000_000).clamped(),
            None => sale,
        };
        if buy.offline {
            sale = sale.offline_at(at);
        } else if late > 0 {
            sale = sale.occurred_at(at);
        }
        let limit = buy.offline.then(|| OFFLINE_LIMIT * 10_i64.pow(program.decimals));
        let member = self.who(buy.member);
        let person = &mut self.people[member];

        let request_id = RequestId::generate();
        let answer = send(&shop.client, &request_id, &sale).await;
        let rated_by = if buy.offline { self.versions.at(at) } else { program };
        let told = person.books.buy(program, lines, pay, Late { at, limit, rated_by }, now);
        person.books.lapse(now);
        let told = told.map(|told| Told {
            balance: person.books.balance(program, now),
            ..told
        });
        let same = same(&answer, &told, program, false);
        self.sent.insert(
            number,
            Sent {
                person: member,
                request_id,
                sale,
                at: now,
                told,
            },
        );
        same
    }

    /// The same sale gets the same answer. A refused one that comes under another request id is a sale of its own.
    async fn repeat(&mut self, number: usize, same_request: bool) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let Some(sent) = self.sent.get_mut(&number) else {
            return Ok(());
        };
        if same_request || sent.told.is_ok() {
            let request_id = if same_request {
                sent.request_id.clone()
            } else {
                RequestId::generate()
            };
            let answer = send(&shop.client, &request_id, &sent.sale).await;
            return same(&answer, &sent.told, program, true);
        }
        // Whether it is refused again depends on what the member has by now; a refused sale changes nothing.
        let quoted = shop.client.quote_sale(&sent.sale).await;
        let books = &self.people[sent.person].books;
        match quoted {
            Err(_) => Ok(()),
            Ok(quoted) if quoted.balance_before == points(program, books.balance(program, now).available) => Ok(()),
            Ok(quoted) => Err(format!("a quote begins with {}", quoted.balance_before)),
        }
    }

    /// Lines come back, or all the rest.
    async fn give_back(&mut self, number: usize, lines: Option<&Vec<usize>>, late: i64) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let Some((sent, sale)) = self.sold(number) else {
            return Ok(());
        };
        let (sale_id, person) = (sent.sale.sale_id.clone(), sent.person);
        let sold_at = sent.sale.occurred_at.unwrap_or(sent.at);
        let books = &mut self.people[person].books;
        let kept = books.kept(sale);
        let lines: Vec<usize> = match lines {
            Some(lines) => lines.iter().copied().filter(|line| kept.contains(line)).collect(),
            None => kept.clone(),
        };
        if lines.is_empty() {
            return Ok(());
        }
        let mut taken = SaleReturn::new(shop.next_sale_id(), "store-2", sale_id).sold_at("store-1");
        for line in &lines {
            taken = taken.whole_line(u32::try_from(*line).expect("a line"));
        }
        if lines == kept {
            taken = taken.rest();
        }
        if late > 0 {
            taken = taken.occurred_at(sold_at.max(now - TimeDelta::minutes(late)));
        }
        let answer = shop.client.return_sale(&taken).await;
        let told = books.give_back(program, sale, &lines, now);
        same_undone(&answer, &told, program)
    }

    async fn cancel(&mut self, number: usize) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let Some((sent, sale)) = self.sold(number) else {
            return Ok(());
        };
        let (sale_id, person) = (sent.sale.sale_id.clone(), sent.person);
        let answer = shop.client.cancel_sale(&Cancellation::new("store-1", sale_id)).await;
        let told = self.people[person].books.cancel(program, sale, now);
        same_undone(&answer, &told, program)
    }

    async fn adjust(&mut self, member: usize, amount: i64) -> Result<(), String> {
        let (shop, program, now) = (self.shop, self.program, self.shop.now());
        let key = self.people[member].key.clone();
        let member = self.who(member);
        let person = &mut self.people[member];
        let reason = if amount > 0 { GIFT } else { MISTAKE };
        let adjustment = Adjustment::new(key, reason, points(program, amount.abs()));
        let answer = shop.client.adjust_points(&adjustment).await;
        let told = person.books.adjust(program, amount, now);
        let agree = match (&answer, &told) {
            (Ok(receipt), Ok(told)) => balance(&receipt.balance, program).as_ref() == Some(told),
            (Err(error), Err(reason)) => error.reason().as_str_name() == format!("ERROR_REASON_{reason}"),
            _ => false,
        };
        match agree {
            true => Ok(()),
            false => Err(format!("the server answers {answer:#?}, the model {told:#?}")),
        }
    }

    /// What a member did before is another's by now.
    pub(super) fn moved(&mut self, from: usize, into: usize, offsets: Offsets) {
        for sent in self.sent.values_mut().filter(|sent| sent.person == from) {
            sent.person = into;
            if let Ok(told) = &mut sent.told {
                told.sale += offsets.sales;
            }
        }
        for redeemed in self.redemptions.values_mut().filter(|one| one.person == from) {
            redeemed.person = into;
            redeemed.place += offsets.redemptions;
        }
        for held in self.holds.values_mut().filter(|one| one.person == from) {
            held.person = into;
            held.place += offsets.holds;
        }
    }

    /// A sale that was recorded, and its place among the member's.
    fn sold(&self, number: usize) -> Option<(&Sent, usize)> {
        let sent = self.sent.get(&number)?;
        Some((sent, sent.told.as_ref().ok()?.sale))
    }

    async fn check_balances(&self) -> Result<(), String> {
        for (member, person) in self.people.iter().enumerate() {
            let answer = self.shop.client.get_balance(person.key.clone()).await;
            let answer = answer.map_err(|error| error.to_string())?.balance;
            let books = &self.people[self.who(member)].books;
            let expected = books.balance(self.program, self.shop.now());
            let told = balance(&answer, self.program);
            if told != Some(expected.clone()) {
                return Err(format!("the server says {answer:?}, the model {expected:?}"));
            }
        }
        Ok(())
    }

    /// What entries did to lots is what the model's lots are; their sum is the balance.
    async fn check_histories(&self) -> Result<(), String> {
        let now = self.shop.now();
        for person in &self.people {
            let mut lots: BTreeMap<(Option<_>, u64), Decimal> = BTreeMap::new();
            let mut sum = Decimal::ZERO;
            for entry in self.history(&person.key).await? {
                sum += entry.points;
                for movement in &entry.lots {
                    *lots.entry((movement.expires_at, movement.lot_sequence)).or_default() += movement.points;
                }
            }
            let mut left: BTreeMap<Option<_>, Decimal> = BTreeMap::new();
            for ((expires_at, _), points) in lots {
                if !points.is_zero() && expires_at.is_none_or(|at| at > now) {
                    *left.entry(expires_at).or_default() += points;
                }
            }
            let mut expected: BTreeMap<Option<_>, Decimal> = BTreeMap::new();
            for lot in &person.books.lots {
                if lot.remaining > 0 && lot.expires_at.is_none_or(|at| at > now) {
                    *expected.entry(lot.expires_at).or_default() += points(self.program, lot.remaining);
                }
            }
            if left != expected {
                return Err(format!(
                    "the lots of the history are {left:?}, the model's {expected:?}"
                ));
            }
        }
        Ok(())
    }

    async fn history(&self, key: &MemberKey) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        let mut next = Some(PageRequest::default());
        while let Some(page) = next {
            let page = self.shop.client.list_entries(key.clone(), &page).await;
            let page = page.map_err(|error| error.to_string())?;
            entries.extend(page.items);
            next = page.next;
        }
        Ok(entries)
    }
}

async fn send(client: &Client, request_id: &RequestId, sale: &Sale) -> Result<Receipt, Error> {
    client.with_request_id(request_id.clone()).record_sale(sale).await
}

fn same(
    answer: &Result<Receipt, Error>,
    told: &Result<Told, Refused>,
    program: &Shape,
    replayed: bool,
) -> Result<(), String> {
    let agree = match (answer, told) {
        (Ok(receipt), Ok(told)) => {
            receipt.points_earned == points(program, told.earned)
                && receipt.points_redeemed == points(program, told.redeemed)
                && receipt.due.amount == cents(told.due)
                && receipt.balance_before == points(program, told.before)
                && balance(&receipt.balance, program).as_ref() == Some(&told.balance)
                && receipt.replayed == replayed
        }
        (Err(error), Err(reason)) => error.reason().as_str_name() == format!("ERROR_REASON_{reason}"),
        _ => false,
    };
    if agree {
        Ok(())
    } else {
        Err(format!("the server answers {answer:#?}, the model {told:#?}"))
    }
}

fn same_undone(
    answer: &Result<ReturnReceipt, Error>,
    told: &Result<Undone, Refused>,
    program: &Shape,
) -> Result<(), String> {
    let agree = match (answer, told) {
        (Ok(receipt), Ok(told)) => {
            receipt.points_given_back == points(program, told.given_back)
                && balance(&receipt.balance, program).as_ref() == Some(&told.balance)
        }
        (Err(error), Err(reason)) => error.reason().as_str_name() == format!("ERROR_REASON_{reason}"),
        _ => false,
    };
    if agree {
        Ok(())
    } else {
        Err(format!("the server answers {answer:#?}, the model {told:#?}"))
    }
}

/// A balance in the model's numbers; `None` when it has more decimals than the program.
pub(super) fn balance(balance: &loyalty_sdk::Balance, program: &Shape) -> Option<Balance> {
    let tier = balance.tier_id.as_ref();
    Some(Balance {
        available: units(balance.available, program.decimals)?,
        pending: units(balance.pending, program.decimals)?,
        held: units(balance.held, program.decimals)?,
        spend: units(balance.tier_spend.amount, 2)?,
        tier: tier.map(|tier| place_of_tier(tier).unwrap_or(usize::MAX)),
    })
}

pub(super) fn units(number: Decimal, decimals: u32) -> Option<i64> {
    let units = number * Decimal::from(10_i64.pow(decimals));
    units.is_integer().then(|| i64::try_from(units).ok()).flatten()
}

pub(super) fn points(program: &Shape, units: i64) -> Decimal {
    Decimal::new(units, program.decimals)
}

pub(super) fn cents(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}
