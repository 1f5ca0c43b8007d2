//! The values of a document, as its language writes them.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::placeholder::{List, Placeholder};
use super::template::Values;
use super::{Language, Printed};
use crate::domain::number::Currency;
use crate::domain::outcome::{AffordableReward, Balance, PointsTender, RedeemedItem};
use crate::domain::program::{Program, ProgramUnit};
use crate::domain::return_outcome::ReturnOutcome;

/// A document to print.
pub(super) struct Printing<'a> {
    pub(super) language: Language,
    /// What people call the tiers, and the time zone.
    pub(super) program: &'a Program,
    pub(super) printed: Printed<'a>,
    /// Points that lapse next.
    pub(super) expiring: Option<Decimal>,
}

impl Values for Printing<'_> {
    fn value(&self, placeholder: Placeholder, place: usize) -> Option<String> {
        match placeholder {
            Placeholder::Program => Some(self.program.name.clone()),
            Placeholder::Item => self.items().nth(place).map(|(_, item)| self.item(item)),
            Placeholder::ItemPoints => self.items().nth(place).map(|(tender, _)| self.points(tender.points)),
            Placeholder::Reward => self.rewards().get(place).map(|reward| reward.printed_text.clone()),
            Placeholder::RewardPoints => self.rewards().get(place).map(|reward| self.points(reward.points)),
            _ => self
                .of_redeeming(placeholder)
                .or_else(|| self.of_sale(placeholder))
                .or_else(|| self.of_return(placeholder))
                .or_else(|| self.of_hold(placeholder))
                .or_else(|| self.of_reversal(placeholder))
                .or_else(|| self.of_balance(placeholder)),
        }
    }

    fn count(&self, list: List) -> usize {
        match list {
            List::Items => self.items().count(),
            List::Rewards => self.rewards().len(),
        }
    }
}

impl Printing<'_> {
    fn of_sale(&self, placeholder: Placeholder) -> Option<String> {
        let Printed::Sale(outcome) = self.printed else {
            return None;
        };
        match placeholder {
            Placeholder::Earned => Some(self.points(outcome.points_earned)),
            Placeholder::Rated => Some(self.money(outcome.rated_amount)),
            Placeholder::Due => Some(self.money(outcome.due)),
            Placeholder::PendingUntil => outcome.points_pending_until.map(|at| self.day(at)),
            Placeholder::EarnedExpire => outcome.points_expire_at.map(|at| self.day(at)),
            _ => None,
        }
    }

    fn of_redeeming(&self, placeholder: Placeholder) -> Option<String> {
        let tenders = self.tenders();
        let points: Decimal = tenders.iter().map(|tender| tender.points).sum();
        match placeholder {
            Placeholder::Used => self.unless_none(points),
            Placeholder::Paid => {
                let paid = tenders.iter().map(|tender| tender.amount).sum();
                (!points.is_zero()).then(|| self.money(paid))
            }
            _ => None,
        }
    }

    fn of_return(&self, placeholder: Placeholder) -> Option<String> {
        let Printed::Return(outcome) = self.printed else {
            return None;
        };
        match placeholder {
            Placeholder::Amount => Some(self.money(outcome.amount)),
            Placeholder::Refund => Some(self.money(refund(outcome))),
            Placeholder::GivenBack => self.unless_none(outcome.points_given_back),
            Placeholder::GivenBackLapsed => self.unless_none(outcome.given_back_lapsed),
            Placeholder::TakenBack => self.unless_none(outcome.points_taken_back),
            Placeholder::Owed => self.unless_none(outcome.owed),
            Placeholder::Forgiven => self.unless_none(outcome.forgiven),
            _ => None,
        }
    }

    fn of_hold(&self, placeholder: Placeholder) -> Option<String> {
        let (Printed::Hold(outcome) | Printed::Release(outcome)) = self.printed else {
            return None;
        };
        let hold = &outcome.hold;
        match placeholder {
            Placeholder::SetAside => Some(self.points(hold.points())),
            Placeholder::Pays => Some(self.money(hold.amount())).filter(|_| !hold.amount().is_zero()),
            Placeholder::Until => Some(self.language.time(self.program.local_time(hold.lapses_at))),
            _ => None,
        }
    }

    fn of_reversal(&self, placeholder: Placeholder) -> Option<String> {
        let Printed::Reversal(outcome) = self.printed else {
            return None;
        };
        match placeholder {
            Placeholder::GivenBack => Some(self.points(outcome.points)),
            Placeholder::GivenBackLapsed => self.unless_none(outcome.lapsed),
            Placeholder::Unpaid => Some(self.money(outcome.amount)).filter(|_| !outcome.amount.is_zero()),
            _ => None,
        }
    }

    fn of_balance(&self, placeholder: Placeholder) -> Option<String> {
        let balance = self.balance();
        match placeholder {
            Placeholder::BalanceBefore => Some(self.points(self.balance_before())),
            Placeholder::Balance => Some(self.points(balance.available)),
            // A balance of money says what it is worth.
            Placeholder::Worth => balance
                .value
                .filter(|_| self.program.unit == ProgramUnit::Points)
                .map(|value| self.money(value)),
            Placeholder::Pending => self.unless_none(balance.pending),
            Placeholder::Held => self.unless_none(balance.held),
            Placeholder::Expiring => self.expiring.and_then(|points| self.unless_none(points)),
            Placeholder::NextExpiry => balance.next_expiry_at.map(|at| self.day(at)),
            Placeholder::Tier => balance.tier_id.as_deref().map(|id| self.tier(id)),
            Placeholder::NextTier => balance.next_tier.as_ref().map(|next| self.tier(&next.tier_id)),
            Placeholder::MissingSpend => balance.next_tier.as_ref().map(|next| self.money(next.missing_spend)),
            _ => None,
        }
    }

    fn tenders(&self) -> &[PointsTender] {
        match self.printed {
            Printed::Sale(outcome) => &outcome.points_tenders,
            Printed::Redemption(outcome) => &outcome.redemption.tenders,
            Printed::Hold(outcome) => &outcome.hold.tenders,
            Printed::Return(_) | Printed::Release(_) | Printed::Reversal(_) | Printed::Balance(_) => &[],
        }
    }

    fn items(&self) -> impl Iterator<Item = (&PointsTender, &RedeemedItem)> {
        let tenders = self.tenders().iter();
        tenders.filter_map(|tender| Some((tender, tender.item.as_ref()?)))
    }

    /// The rewards that the customer is reminded of.
    fn rewards(&self) -> &[AffordableReward] {
        let balance = self.balance();
        match balance.reward_reminder {
            true => &balance.affordable_rewards,
            false => &[],
        }
    }

    fn balance(&self) -> &Balance {
        self.printed.balance()
    }

    fn balance_before(&self) -> Decimal {
        match self.printed {
            Printed::Sale(outcome) => outcome.balance_before,
            Printed::Return(outcome) => outcome.balance_before,
            Printed::Redemption(outcome) => outcome.balance_before,
            Printed::Hold(outcome) | Printed::Release(outcome) => outcome.balance_before,
            Printed::Reversal(outcome) => outcome.balance_before,
            Printed::Balance(standing) => standing.balance.available,
        }
    }

    fn currency(&self) -> &Currency {
        match self.printed {
            Printed::Sale(outcome) => &outcome.currency,
            Printed::Return(outcome) => &outcome.currency,
            Printed::Redemption(outcome) => &outcome.redemption.currency,
            Printed::Hold(outcome) | Printed::Release(outcome) => &outcome.hold.currency,
            Printed::Reversal(outcome) => &outcome.redemption.redemption.currency,
            Printed::Balance(standing) => &standing.currency,
        }
    }

    /// What points bought, as the document shows it: with its quantity, which is above 0, or without one.
    fn item(&self, item: &RedeemedItem) -> String {
        let text = match item.printed_text.as_str() {
            "" => &item.product_id,
            text => text,
        };
        match item.print_quantity {
            true => format!("{} x {text}", self.language.number(item.quantity.normalize())),
            false => text.to_owned(),
        }
    }

    fn unless_none(&self, points: Decimal) -> Option<String> {
        (!points.is_zero()).then(|| self.points(points))
    }

    fn points(&self, points: Decimal) -> String {
        match self.program.unit {
            ProgramUnit::Points => self.language.number(points.normalize()),
            ProgramUnit::Value => self.money(points),
        }
    }

    fn money(&self, amount: Decimal) -> String {
        let currency = self.currency();
        let mut amount = amount;
        if amount.normalize().scale() <= currency.minor_units {
            amount.rescale(currency.minor_units);
        }
        format!("{} {}", self.language.number(amount), currency.code)
    }

    fn day(&self, at: DateTime<Utc>) -> String {
        self.language.day(self.program.local_date(at))
    }

    /// What customers call a tier; one that the program does not have any more by its id.
    fn tier(&self, tier_id: &str) -> String {
        let mut tiers = self.program.tiers.iter();
        let tier = tiers.find(|tier| tier.tier_id == tier_id);
        tier.map_or(tier_id, |tier| &tier.name).to_owned()
    }
}

/// What of a return is not given back as points.
fn refund(outcome: &ReturnOutcome) -> Decimal {
    outcome.amount - outcome.points_amount
}
