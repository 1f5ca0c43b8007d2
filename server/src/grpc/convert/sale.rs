//! Sales, from the wire.

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::member::{member_key, optional_program, path};
use super::program::currency;
use crate::domain::outcome::Accounting;
use crate::domain::sale::{Customer, MemberKey, RedemptionAsk, Sale, SaleLine, SaleLineFlag, SaleRedemption, Tender};
use crate::grpc::fields::{Bounds, Fields};

pub(super) const MOST_LINES: usize = 1_000;
const MOST_TENDERS: usize = 50;
const MOST_REDEMPTIONS: usize = 10;
const MOST_OF_A_REWARD: u32 = 10_000;
/// Of a product that points buy.
const UNITS: Bounds = Bounds::up_to(Decimal::from_parts(1_000_000, 0, 0, false, 0), 6).positive();

/// A hundred thousand million: what every amount and its products stay computable under.
pub(super) const AMOUNT_LIMIT: Decimal = Decimal::from_parts(1_215_752_192, 23, 0, false, 0);
pub(super) const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// A sale; its currency's decimals bound every amount.
pub(in crate::grpc) fn sale(fields: &mut Fields, given: Option<wire::Sale>) -> Option<Sale> {
    let Some(given) = given else {
        fields.wrong("sale", "is missing");
        return None;
    };
    let currency = currency(fields, "sale.currency_code", &given.currency_code);
    let amounts = Bounds::up_to(AMOUNT_LIMIT, currency.minor_units);
    let (store_id, terminal_id) = fields.place("sale.", given.store_id, given.terminal_id);
    let sale = Sale {
        sale_id: fields.text("sale.sale_id", given.sale_id, 1, 64),
        store_id,
        terminal_id,
        cashier_id: fields.text("sale.cashier_id", given.cashier_id, 0, 64),
        document_type: fields.text("sale.document_type", given.document_type, 0, 64),
        document_number: fields.text("sale.document_number", given.document_number, 0, 64),
        program_id: optional_program(fields, "sale.program_id", given.program_id),
        member: member_key(fields, "sale.member", given.member),
        currency_code: currency.code,
        total: fields.required_decimal("sale.total", given.total, amounts),
        lines: lines(fields, given.lines, amounts),
        tenders: tenders(fields, given.tenders, amounts),
        redemptions: redemptions(fields, "sale.redemptions", given.redemptions, amounts),
        occurred_at: fields.instant("sale.occurred_at", given.occurred_at),
        do_not_earn: given.do_not_earn,
        offline: given.offline,
        customer: given.customer.map(|given| Customer {
            name: fields.text("sale.customer.name", given.name, 0, 200),
            customer_group: path(fields, "sale.customer.customer_group", given.customer_group),
            territory: path(fields, "sale.customer.territory", given.territory),
        }),
        quote: None,
    };
    if sale.customer.is_some() && matches!(sale.member, MemberKey::MemberId(_)) {
        fields.wrong(
            "sale.customer",
            "goes with an identifier only: a member id is a member's",
        );
    }
    if sale.offline && sale.occurred_at.is_none() {
        fields.wrong(
            "sale.occurred_at",
            "is missing: it decides how a sale made offline is rated",
        );
    }
    check_sums(fields, &sale);
    Some(sale)
}

fn check_sums(fields: &mut Fields, sale: &Sale) {
    let sum: Decimal = sale.lines.iter().map(|line| line.amount).sum();
    if !sale.lines.is_empty() && sum != sale.total {
        fields.wrong(
            "sale.total",
            format!("is {}, but the lines' amounts add up to {sum}", sale.total),
        );
    }
    if sale.due() < Decimal::ZERO {
        fields.wrong(
            "sale.tenders",
            format!("add up to more than the total of {}", sale.total),
        );
    }
}

fn lines(fields: &mut Fields, given: Vec<wire::SaleLine>, amounts: Bounds) -> Vec<SaleLine> {
    if !fields.at_most("sale.lines", &given, MOST_LINES) {
        return Vec::new();
    }
    given
        .into_iter()
        .enumerate()
        .map(|(place, given)| line(fields, &format!("sale.lines[{place}]"), given, amounts))
        .collect()
}

fn line(fields: &mut Fields, at: &str, given: wire::SaleLine, amounts: Bounds) -> SaleLine {
    let field = |name: &str| format!("{at}.{name}");
    let informative = amounts.with_decimals(6);
    let percent = Bounds::up_to(Decimal::ONE_HUNDRED, 4);
    let line = SaleLine {
        product_id: fields.text(&field("product_id"), given.product_id, 0, 64),
        category: fields.text(&field("category"), given.category, 0, 200),
        brand: fields.text(&field("brand"), given.brand, 0, 64),
        quantity: fields
            .decimal(&field("quantity"), given.quantity, Bounds::up_to(BILLION, 6).positive())
            .unwrap_or(Decimal::ONE),
        unit_price: fields.decimal(&field("unit_price"), given.unit_price, informative),
        discount_percent: fields.decimal(&field("discount_percent"), given.discount_percent, percent),
        discount_amount: fields.decimal(&field("discount_amount"), given.discount_amount, informative),
        amount: fields.required_decimal(&field("amount"), given.amount, amounts),
        tax_amount: fields
            .decimal(&field("tax_amount"), given.tax_amount, amounts)
            .unwrap_or_default(),
        flag: fields.choice(&field("flag"), given.flag).and_then(flag),
    };
    if line.tax_amount > line.amount {
        fields.wrong(field("tax_amount"), "is above the amount that it is inside of");
    }
    line
}

fn flag(flag: wire::SaleLineFlag) -> Option<SaleLineFlag> {
    match flag {
        wire::SaleLineFlag::Unspecified => None,
        wire::SaleLineFlag::Shipping => Some(SaleLineFlag::Shipping),
        wire::SaleLineFlag::GiftCard => Some(SaleLineFlag::GiftCard),
        wire::SaleLineFlag::Deposit => Some(SaleLineFlag::Deposit),
        wire::SaleLineFlag::NonEarning => Some(SaleLineFlag::NonEarning),
    }
}

fn tenders(fields: &mut Fields, given: Vec<wire::Tender>, amounts: Bounds) -> Vec<Tender> {
    if !fields.at_most("sale.tenders", &given, MOST_TENDERS) {
        return Vec::new();
    }
    given
        .into_iter()
        .enumerate()
        .map(|(place, given)| Tender {
            tender_type: fields.text(&format!("sale.tenders[{place}].tender_type"), given.tender_type, 1, 64),
            amount: fields.required_decimal(&format!("sale.tenders[{place}].amount"), given.amount, amounts),
        })
        .collect()
}

/// What points are asked to pay and buy.
pub(super) fn redemptions(
    fields: &mut Fields,
    at: &str,
    given: Vec<wire::SaleRedemption>,
    amounts: Bounds,
) -> Vec<SaleRedemption> {
    use wire::sale_redemption::Ask;
    if !fields.at_most(at, &given, MOST_REDEMPTIONS) {
        return Vec::new();
    }
    let points = amounts.with_decimals(4).positive();
    let mut redemptions = Vec::new();
    for (place, given) in given.into_iter().enumerate() {
        let field = format!("{at}[{place}]");
        let ask = match given.ask {
            Some(Ask::Points(asked)) => fields
                .decimal(&format!("{field}.points"), Some(asked), points)
                .map(RedemptionAsk::Points),
            Some(Ask::Amount(asked)) => fields
                .decimal(&format!("{field}.amount"), Some(asked), amounts.positive())
                .map(RedemptionAsk::Amount),
            Some(Ask::Product(asked)) => Some(RedemptionAsk::Product {
                product_id: fields.text(&format!("{field}.product.product_id"), asked.product_id, 1, 64),
                quantity: match asked.quantity {
                    None => Decimal::ONE,
                    given => fields.required_decimal(&format!("{field}.product.quantity"), given, UNITS),
                },
            }),
            Some(Ask::Reward(asked)) => Some(reward(fields, &field, asked)),
            None => {
                fields.wrong(&field, "must ask for points, an amount, a product or a reward");
                None
            }
        };
        let accounting = Accounting {
            expense_account: fields.text(&format!("{field}.expense_account"), given.expense_account, 0, 64),
            cost_center: fields.text(&format!("{field}.cost_center"), given.cost_center, 0, 64),
        };
        redemptions.extend(ask.map(|ask| SaleRedemption {
            ask,
            clamp: given.clamp,
            accounting,
        }));
    }
    redemptions
}

fn reward(fields: &mut Fields, field: &str, asked: wire::RewardRedemption) -> RedemptionAsk {
    if asked.quantity > MOST_OF_A_REWARD {
        fields.wrong(
            format!("{field}.reward.quantity"),
            format!("must be at most {MOST_OF_A_REWARD}"),
        );
    }
    RedemptionAsk::Reward {
        reward_id: fields.slug(&format!("{field}.reward.reward_id"), asked.reward_id),
        quantity: Decimal::from(asked.quantity.max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::AMOUNT_LIMIT;

    #[test]
    fn the_limit_is_what_the_contract_says() {
        assert_eq!(AMOUNT_LIMIT.to_string(), "100000000000");
    }
}
