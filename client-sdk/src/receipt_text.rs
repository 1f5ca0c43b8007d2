//! The text of a receipt: a few lines of at most 42 characters for usual numbers, as wide as a narrow printer.

use std::fmt;

use crate::receipt::Receipt;

impl fmt::Display for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_points(formatter)?;
        self.fmt_balance(formatter)?;
        self.fmt_tier(formatter)
    }
}

impl Receipt {
    fn fmt_points(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Points earned:   {}", self.points_earned.normalize())?;
        write!(formatter, "\nPoints used:     {}", self.points_redeemed.normalize())?;
        if !self.points_tenders.is_empty() {
            write!(formatter, " (paid {})", self.points_paid())?;
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

    use crate::{Balance, Money, NextTier, PointsTender, Receipt};

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
                pending: 0.into(),
                next_pending_until: None,
            },
            tier_id_before: None,
            lines: Vec::new(),
            rates: Vec::new(),
            points_expire_at: None,
            points_pending_until: None,
            carried_before: None,
            carried_after: None,
            replayed: false,
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
            value_per_point: 10.into(),
            amount: eur(5_000),
            expense_account: None,
            cost_center: None,
        };
        receipt.points_tenders = vec![tender.clone(), tender];
        receipt.points_redeemed = 10.into();
        receipt.tier_id_before = receipt.balance.tier_id.clone();
        receipt.balance.next_tier = None;

        let text = receipt.to_string();

        assert!(text.contains("\nPoints used:     10 (paid 100.00 EUR)\n"), "{text}");
        assert!(text.ends_with("\nTier:            silver"), "{text}");
    }
}
