//! The text of a receipt: a few lines of at most 42 characters for usual numbers, as wide as a narrow printer.

use std::fmt;

use rust_decimal::Decimal;

use crate::{
    id::ProductId,
    receipt::{Receipt, RedeemedItem},
};

impl fmt::Display for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_points(formatter)?;
        self.fmt_balance(formatter)?;
        self.fmt_tier(formatter)?;
        self.fmt_rewards(formatter)
    }
}

impl RedeemedItem {
    /// A line such as `  2 × Coffee: 30 points`; without the quantity where documents show none.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>, points: Decimal) -> fmt::Result {
        let product = self.product_id.as_ref().map(ProductId::as_str);
        let text = self.printed_text.as_deref().or(product).unwrap_or_default();
        write!(formatter, "\n  ")?;
        if let Some(quantity) = self.printed_quantity {
            write!(formatter, "{} × ", quantity.normalize())?;
        }
        write!(formatter, "{text}: {} points", points.normalize())
    }
}

impl Receipt {
    fn fmt_points(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Points earned:   {}", self.points_earned.normalize())?;
        write!(formatter, "\nPoints used:     {}", self.points_redeemed.normalize())?;
        if !self.points_tenders.is_empty() {
            write!(formatter, " (paid {})", self.points_paid())?;
        }
        for (tender, item) in self
            .points_tenders
            .iter()
            .filter_map(|tender| Some((tender, tender.item.as_ref()?)))
        {
            item.fmt(formatter, tender.points)?;
        }
        write!(formatter, "\nTo pay:          {}", self.due)
    }

    fn fmt_balance(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\nPoints before:   {}", self.balance_before.normalize())?;
        write!(formatter, "\nPoints now:      {}", self.balance.available.normalize())?;
        if let Some(value) = &self.balance.value {
            write!(formatter, " (worth {value})")?;
        }
        if let Some(at) = self.points_expire_at {
            write!(formatter, "\nEarned until:    {} UTC", at.format("%Y-%m-%d %H:%M"))?;
        }
        Ok(())
    }

    fn fmt_rewards(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.balance.reward_reminder {
            return Ok(());
        }
        write!(formatter, "\nYou can have:")?;
        for reward in &self.balance.affordable_rewards {
            let points = reward.points.normalize();
            write!(formatter, "\n  {} for {points} points", reward.printed_text)?;
        }
        Ok(())
    }

    fn fmt_tier(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.balance.tier_id.as_deref().unwrap_or("none");
        write!(formatter, "\nTier:            {now}")?;
        if self.tier_id_before != self.balance.tier_id {
            let before = self.tier_id_before.as_deref().unwrap_or("none");
            write!(formatter, " (before: {before})")?;
        }
        if let Some(next) = &self.balance.next_tier {
            write!(
                formatter,
                "\nNext tier:       {} after {}",
                next.tier_id, next.missing_spend
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use crate::{AffordableReward, Balance, Money, NextTier, PointsTender, Receipt, RedeemedItem};

    fn eur(amount: i64) -> Money {
        Money {
            amount: Decimal::new(amount, 2),
            currency_code: "EUR".to_owned(),
        }
    }

    fn first_sale() -> Receipt {
        Receipt {
            member_id: "m".into(),
            enrolled: false,
            program_id: "club".into(),
            program_version: 1,
            points_earned: 10.into(),
            points_redeemed: 0.into(),
            rated_amount: eur(300_000),
            points_tenders: Vec::new(),
            due: eur(300_000),
            balance_before: 0.into(),
            balance: Balance {
                available: Decimal::new(100, 1),
                value: Some(eur(10_000)),
                tier_id: Some("silver".to_owned()),
                tier_spend: eur(300_000),
                next_tier: Some(NextTier {
                    tier_id: "gold".to_owned(),
                    missing_spend: eur(300_000),
                }),
                next_expiry_at: None,
                next_expiry_points: None,
                pending: 0.into(),
                next_pending_until: None,
                held: 0.into(),
                reward_reminder: false,
                affordable_rewards: Vec::new(),
            },
            tier_id_before: None,
            lines: Vec::new(),
            rates: Vec::new(),
            points_expire_at: None,
            points_pending_until: None,
            carried_before: None,
            carried_after: None,
            replayed: false,
            text: None,
            quote: None,
        }
    }

    #[test]
    fn a_first_sale_prints_the_tier_it_reached_and_the_way_to_the_next() {
        let text = first_sale().to_string();

        assert_eq!(
            text,
            "Points earned:   10\n\
             Points used:     0\n\
             To pay:          3000.00 EUR\n\
             Points before:   0\n\
             Points now:      10 (worth 100.00 EUR)\n\
             Tier:            silver (before: none)\n\
             Next tier:       gold after 3000.00 EUR"
        );
    }

    #[test]
    fn a_sale_paid_with_points_prints_the_money_they_paid() {
        let mut receipt = first_sale();
        let tender = PointsTender {
            points: 5.into(),
            value_per_point: Some(10.into()),
            amount: eur(5_000),
            expense_account: None,
            cost_center: None,
            item: None,
            vat_percent: None,
        };
        receipt.points_tenders = vec![tender.clone(), tender];
        receipt.points_redeemed = 10.into();
        receipt.tier_id_before = receipt.balance.tier_id.clone();
        receipt.balance.next_tier = None;

        let text = receipt.to_string();

        assert!(text.contains("\nPoints used:     10 (paid 100.00 EUR)\n"), "{text}");
        assert!(text.ends_with("\nTier:            silver"), "{text}");
    }

    #[test]
    fn what_points_bought_and_can_buy_is_printed_with_its_text() {
        let item = |text: &str, printed_quantity: Option<Decimal>| PointsTender {
            points: 30.into(),
            value_per_point: None,
            amount: eur(0),
            expense_account: None,
            cost_center: None,
            item: Some(RedeemedItem {
                reward_id: None,
                product_id: Some("cake".into()),
                quantity: 2.into(),
                points_per_unit: 15.into(),
                product_code: None,
                category: None,
                printed_text: (!text.is_empty()).then(|| text.to_owned()),
                printed_quantity,
            }),
            vat_percent: None,
        };
        let mut receipt = first_sale();
        receipt.points_tenders = vec![item("Cake of the day", Some(2.into())), item("", None)];
        receipt.points_redeemed = 60.into();
        receipt.balance.reward_reminder = true;
        receipt.balance.affordable_rewards = vec![AffordableReward {
            reward_id: "five-off".into(),
            points: 150.into(),
            printed_text: "Five euro off".to_owned(),
        }];

        let text = receipt.to_string();

        let bought = "(paid 0.00 EUR)\n  2 × Cake of the day: 30 points\n  cake: 30 points\nTo pay:";
        assert!(text.contains(bought), "{text}");
        assert!(
            text.ends_with("\nYou can have:\n  Five euro off for 150 points"),
            "{text}"
        );
    }
}
