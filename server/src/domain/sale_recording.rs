//! The decision of a sale: what it takes, what it gives, or why it is refused. A quote decides on a copy of the books.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::account::{Attributes, Books, Earned, LotsMissing, Stop, within_ledger};
use super::counting::{Counted, Counting};
use super::earning::{self, Earning};
use super::entry::{Occasion, Origin, SaleKey, said};
use super::expiry::{self, NEVER};
use super::inactivity::Act;
use super::member_status::MemberStatus;
use super::offline::BusinessTime;
use super::outcome::{Balance, Carry, Ground, LineOutcome, NextTier, PointsTender, SaleOutcome};
use super::program::{DocumentTreatment, ProgramVersion};
use super::redemption::{self, Left, Redeemed, Terms};
use super::rejection::Rejection;
use super::sale::Sale;
use super::shortfall::{self, Cover};
use super::tier::{self, Prior};

/// How far ahead of the server a till's clock may run.
pub(crate) const MOST_AHEAD: TimeDelta = TimeDelta::hours(1);
/// How old a sale may be when it is recorded.
pub(crate) const MOST_BACK: TimeDelta = TimeDelta::days(366);

/// How often what a sale earns and what its points pay are weighed against each other. Two passes settle it; each
/// further one takes a higher tier that earns less, and few programs have even one of those.
const MOST_PASSES: usize = 16;

/// Decides a sale and changes the books, or leaves them as they were: lapsed lots are written off, what pays is taken,
/// what is earned is given. `current` rules now, and rates the sale unless it was made offline at `business_time`, or a
/// quote of then holds.
pub(crate) fn record(
    books: &mut Books,
    current: &ProgramVersion,
    business_time: Option<&BusinessTime>,
    sale: &Sale,
    now: DateTime<Utc>,
) -> Result<SaleOutcome, Stop> {
    let version = business_time.map_or(current, |then| &*then.version);
    let recorded_at = now.max(books.account.recorded_at);
    let occurred_at = sale.made_at(now);
    books.account.status.check_known()?;
    check_document(version, sale, occurred_at, now)?;
    let recording = Recording {
        current,
        business_time,
        version,
        sale,
        occurred_at,
        recorded_at,
        day: version.program.local_date(occurred_at),
        expires_at: expiry::expires_under(
            earning::expiry(version, &books.account.attributes),
            version.program.time_zone,
            occurred_at,
        ),
        member: books.account.attributes.clone(),
        status: books.account.status.clone(),
    };

    let only_earns =
        sale.redemptions.is_empty() && !books.has_lapsed_lots(recorded_at) && recording.expires_at > recorded_at;
    if only_earns {
        return recording.apply(books);
    }
    if books.knows_no_lots() {
        return Err(Stop::LotsMissing);
    }
    let mut changed = books.clone();
    let outcome = recording.apply(&mut changed)?;
    *books = changed;
    Ok(outcome)
}

/// The day on which the spend that counts for a sale ends: its own, as far as a sale may lie in the past or ahead. One
/// that lies elsewhere will be refused, but not before its books are loaded.
pub(crate) fn spend_counts_at(sale: &Sale, now: DateTime<Utc>) -> DateTime<Utc> {
    sale.made_at(now).clamp(now - MOST_BACK, now)
}

/// What a member has at `now`.
pub(crate) fn balance_at(books: &Books, version: &ProgramVersion, now: DateTime<Utc>) -> Result<Balance, LotsMissing> {
    let program = &version.program;
    let at = now.max(books.account.recorded_at);
    let spend = books.spend();
    let kept = books.account.tier_id.as_deref();
    let standing = tier::standing(program, &spend, kept, program.local_date(at));
    let available = books.available(at)?;
    let entitlement = redemption::entitlement(version, &books.account.status, available, program.local_date(at));
    let value = earning::value_per_point(version, &books.account.attributes, standing.tier)
        .and_then(|rate| redemption::value(available, rate, program.currency.minor_units));
    Ok(Balance {
        available: available.normalize(),
        value,
        tier_id: standing.tier_id(),
        tier_spend: standing.spend.normalize(),
        next_tier: standing.next(program).map(|(tier, missing)| NextTier {
            tier_id: tier.tier_id.clone(),
            missing_spend: missing.normalize(),
        }),
        next_expiry_at: books.next_expiry(at)?,
        pending: books.pending_at(at)?.normalize(),
        next_pending_until: books.next_pending_until(at)?,
        held: books.held_at(at)?.normalize(),
        reward_reminder: entitlement.reminder,
        affordable_rewards: entitlement.affordable,
    })
}

/// The entries of a sale.
struct Entered {
    /// Of what is earned.
    earn_sequence: u64,
    /// Of the tenders.
    redeem_sequences: Vec<u64>,
    /// What of each tender is owed; empty where nothing is.
    redeem_owed: Vec<Decimal>,
}

/// One sale on its way into the books.
struct Recording<'a> {
    /// What rules now.
    current: &'a ProgramVersion,
    /// When the sale was made offline.
    business_time: Option<&'a BusinessTime>,
    /// What rates the sale.
    version: &'a ProgramVersion,
    sale: &'a Sale,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    /// Day of the sale in the program's zone.
    day: NaiveDate,
    /// When points of this sale lapse.
    expires_at: DateTime<Utc>,
    member: Attributes,
    status: MemberStatus,
}

impl Recording<'_> {
    /// Where the sale only earns, nothing changes before everything is checked.
    fn apply(&self, books: &mut Books) -> Result<SaleOutcome, Stop> {
        let (program, version) = (&self.version.program, self.version.version);
        books.settle_pending(self.recorded_at)?;
        books.expire_lapsed(self.current.version, self.recorded_at)?;

        let balance_before = books.available(self.recorded_at)?;
        let prior = match self.business_time {
            Some(then) => Prior::of(program, &then.spend, then.kept_tier_id.as_deref(), self.day),
            None => Prior::of(program, &books.spend(), books.account.tier_id.as_deref(), self.day),
        };
        let before = prior.standing(program, Decimal::ZERO);
        let tier_id_before = before.tier_id();
        let terms = Terms {
            version: self.version,
            value_per_point: earning::value_per_point(self.version, &self.member, before.tier),
            lines: &self.sale.lines,
            field: "sale.redemptions",
        };
        let carried_before = program.carry_fractions.then_some(books.account.carry);
        let allowances = books.rule_usage.allowances(self.version, self.sale, self.day);
        let counting = Counting {
            version: self.version,
            occurred_at: self.occurred_at,
            day: self.day,
            member: &self.member,
            is_opted_out: self.status.is_opted_out(self.occurred_at),
            prior: &prior,
            carry: carried_before,
            allowances: &allowances,
        };
        let mut redeemed = self.redeemed(terms, balance_before, &counting)?;
        let Counted {
            mut earning,
            tier_spend,
            tier_id,
        } = counting.count(self.sale, redeemed.paid(), &redeemed.bought)?;
        let spendable = balance_before.max(redeemed.points());
        self.mark_prices(terms, &redeemed, spendable, &mut earning.lines)?;
        self.check_range(books, &earning, tier_spend)?;

        let entered = self.enter(books, &mut redeemed.tenders, earning.points, tier_spend)?;
        within_ledger("debt", books.account.debt)?;
        // Where a tier once reached stays, the one that an old sale reached on its own day stays too.
        books.account.tier_id = match self.business_time {
            // What the member reached since then stays reached.
            Some(_) => tier::higher(&self.current.program, books.account.tier_id.take(), tier_id),
            None => tier_id,
        };
        let balance = balance_at(books, self.current, self.recorded_at)?;
        books.account.tier_id.clone_from(&balance.tier_id);
        if let Some(carry) = earning.carry {
            books.account.carry = carry;
        }
        books.rule_usage.count(&allowances, &earning.rates, self.day);
        Ok(SaleOutcome {
            member_id: books.account.member_id,
            program_id: self.version.program_id.to_string(),
            program_version: version,
            currency: program.currency.clone(),
            points_earned: earning.points,
            points_redeemed: redeemed.points(),
            rated_amount: earning.rated_amount,
            due: self.sale.due() - redeemed.paid(),
            points_tenders: redeemed.tenders,
            balance_before: balance_before.normalize(),
            balance,
            tier_id_before,
            lines: earning.lines,
            rates: earning.rates,
            points_expire_at: (earning.points > Decimal::ZERO && self.expires_at < NEVER).then_some(self.expires_at),
            points_pending_until: self.pending_until().filter(|_| earning.points > Decimal::ZERO),
            enrolled: false,
            carry: carried_before
                .zip(earning.carry)
                .map(|(before, after)| Carry { before, after }),
            allowances,
            ground: Ground {
                member: self.member.clone(),
                opted_out: self.status.is_opted_out(self.occurred_at),
                prior,
                tier_spend,
                earn_sequence: entered.earn_sequence,
                redeem_sequences: entered.redeem_sequences,
                redeem_owed: entered.redeem_owed,
            },
        })
    }

    /// The books move: one entry for each tender and one for what is earned, also where that is nothing, so that every
    /// sale is in its member's history.
    fn enter(
        &self,
        books: &mut Books,
        tenders: &mut [PointsTender],
        points: Decimal,
        tier_spend: Decimal,
    ) -> Result<Entered, Stop> {
        let occasion = Occasion {
            sale: Some(SaleKey {
                store_id: self.sale.store_id.as_str().into(),
                sale_id: self.sale.sale_id.as_str().into(),
                document_type: self.sale.document_type.as_str().into(),
                document_number: self.sale.document_number.as_str().into(),
            }),
            origin: Origin {
                terminal_id: said(&self.sale.terminal_id),
                cashier_id: said(&self.sale.cashier_id),
                ..Origin::default()
            },
            program_version: self.version.version,
            occurred_at: self.occurred_at,
            recorded_at: self.recorded_at,
        };
        let earned = Earned {
            points,
            expires_at: self.expires_at,
            pending_until: self.pending_until(),
            tier_spend,
            day: self.day,
        };
        let act = Act::Sale {
            earns: points > Decimal::ZERO,
            redeems: !tenders.is_empty(),
        };
        books.keep_active(&self.current.program, act, self.occurred_at);
        let mut earn_sequence = None;
        if self.same_sale_points_can_pay() {
            earn_sequence = Some(books.earn(earned, &occasion));
        }
        let mut redeem_sequences = Vec::with_capacity(tenders.len());
        let mut redeem_owed = Vec::new();
        for tender in tenders {
            let cover = self.cover(books, tender.points)?;
            tender.points = cover.points();
            redeem_owed.push(cover.debt);
            redeem_sequences.push(books.redeem(&cover, &occasion, &tender.accounting)?);
        }
        if redeem_owed.iter().all(Decimal::is_zero) {
            redeem_owed.clear();
        }
        let earn_sequence = earn_sequence.unwrap_or_else(|| books.earn(earned, &occasion));
        // A sale that arrives so late that its points have lapsed by now: they came and went.
        books.expire_lapsed(self.current.version, self.recorded_at)?;
        Ok(Entered {
            earn_sequence,
            redeem_sequences,
            redeem_owed,
        })
    }

    /// Where points come from that pay. What a till without a line has given money for is honoured; what others took of it
    /// meanwhile, the program's policy decides.
    fn cover(&self, books: &Books, points: Decimal) -> Result<Cover, Stop> {
        match self.offline_limit() {
            Some(_) => shortfall::cover(books, points, self.current.program.shortfall_policy, self.recorded_at),
            None => Ok(Cover::of_lots(redemption::allocate(books, points, self.recorded_at)?)),
        }
    }

    /// Points that a till without a line may have taken whoever took them too.
    fn offline_limit(&self) -> Option<Decimal> {
        self.business_time.and_then(|then| then.redeem_limit)
    }

    /// What points pay. Where points of the sale can pay for it, what can be spent depends on what is earned and the
    /// other way round: each pass counts on what the sale earns when the tenders before pay for it, until they are
    /// covered by what they leave to be earned. Mostly the second pass is: less paid with points earns more, unless it
    /// reaches a tier that earns less. Every pass then asks for less than the one before; what does not settle soon is
    /// refused.
    fn redeemed(&self, terms: Terms<'_>, available: Decimal, counting: &Counting<'_>) -> Result<Redeemed, Rejection> {
        if self.sale.redemptions.is_empty() {
            return Ok(Redeemed::default());
        }
        self.check_redeeming()?;
        let asks = &self.sale.redemptions;
        if let Some(limit) = self.offline_limit() {
            return redemption::redeem(terms, asks, self.left(available.max(limit)));
        }
        let are_spendable = self.expires_at > self.recorded_at && self.pending_until().is_none();
        if !self.same_sale_points_can_pay() || !are_spendable {
            return redemption::redeem(terms, asks, self.left(available));
        }
        let counted = |redeemed: &Redeemed| counting.count(self.sale, redeemed.paid(), &redeemed.bought);
        let mut spendable = available + counted(&Redeemed::default())?.earning.points;
        let mut requested = Decimal::ZERO;
        for _ in 0..MOST_PASSES {
            let redeemed = redemption::redeem(terms, asks, self.left(spendable))?;
            requested = redeemed.points();
            spendable = available + counted(&redeemed)?.earning.points;
            if requested <= spendable {
                return Ok(redeemed);
            }
        }
        Err(Rejection::InsufficientPoints {
            available: spendable.max(Decimal::ZERO).normalize(),
            requested,
        })
    }

    fn left(&self, available: Decimal) -> Left {
        Left::of_sale(self.version, self.sale.total, self.sale.due(), available)
    }

    /// Whether points can pay for the sale at all.
    fn check_redeeming(&self) -> Result<(), Rejection> {
        if self.version.program.treatment(&self.sale.document_type) == DocumentTreatment::Ignored {
            return Err(Rejection::DocumentTypeRefused {
                document_type: self.sale.document_type.clone(),
            });
        }
        redemption::check_open(self.version, &self.status, self.day)
    }

    /// Marks the lines that points can buy, with what the redemptions leave.
    fn mark_prices(
        &self,
        terms: Terms<'_>,
        redeemed: &Redeemed,
        available: Decimal,
        lines: &mut [LineOutcome],
    ) -> Result<(), Rejection> {
        if self.check_redeeming().is_err() {
            return Ok(());
        }
        let tenders = redeemed.tenders.iter();
        let left = tenders.fold(self.left(available), |left, tender| left.without(tender));
        for (place, (line, outcome)) in self.sale.lines.iter().zip(lines).enumerate() {
            let bought = redeemed.bought.of_line(place).quantity;
            outcome.price = redemption::price_of(terms, line, bought, left)?;
        }
        Ok(())
    }

    /// Until when the points of this sale cannot be spent; `None` where they can when it is recorded.
    fn pending_until(&self) -> Option<DateTime<Utc>> {
        let program = &self.version.program;
        expiry::pending_until(program.pending_days, program.time_zone, self.occurred_at)
            .filter(|until| *until > self.recorded_at)
    }

    fn same_sale_points_can_pay(&self) -> bool {
        self.version
            .program
            .redemption
            .as_ref()
            .is_some_and(|policy| policy.same_sale_points_can_pay)
    }

    fn check_range(&self, books: &Books, earning: &Earning, tier_spend: Decimal) -> Result<(), Rejection> {
        let account = &books.account;
        within_ledger("points", account.points + earning.points)?;
        within_ledger("lifetime_earned", account.lifetime_earned + earning.points)?;
        within_ledger("tier_spend", account.tier_spend + tier_spend)
    }
}

fn check_document(
    version: &ProgramVersion,
    sale: &Sale,
    occurred_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Rejection> {
    let program = &version.program;
    if sale.currency_code != program.currency.code {
        return Err(Rejection::CurrencyMismatch {
            field: "sale.currency_code",
            currency_code: program.currency.code.clone(),
        });
    }
    let (earliest, latest) = (now - MOST_BACK, now + MOST_AHEAD);
    if occurred_at < earliest || occurred_at > latest {
        return Err(Rejection::TimeOutOfRange {
            field: "sale.occurred_at",
            earliest,
            latest,
        });
    }
    if program.treatment(&sale.document_type) == DocumentTreatment::Returning {
        return Err(Rejection::DocumentTypeRefused {
            document_type: sale.document_type.clone(),
        });
    }
    Ok(())
}
