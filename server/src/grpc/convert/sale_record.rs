//! Recorded sales, to the wire.

use loyalty_api::v1 as wire;

use super::outcome::sale_outcome;
use super::sale_return::return_outcome;
use super::{decimal, money, timestamp};
use crate::domain::return_outcome::ReturnOutcome;
use crate::domain::sale::{MemberKey, RedemptionAsk, Sale, SaleLine, SaleLineFlag, SaleRedemption, Tender};
use crate::storage::sale::SaleRecord;

/// A sale with what came back of it.
pub(in crate::grpc) fn recorded(
    record: SaleRecord,
    returns: Vec<ReturnOutcome>,
    cancelled: bool,
) -> wire::RecordedSale {
    wire::RecordedSale {
        sale: Some(sale(record.sale)),
        outcome: Some(sale_outcome((*record.outcome).clone())),
        occurred_at: Some(timestamp(record.occurred_at)),
        recorded_at: Some(timestamp(record.recorded_at)),
        returns: returns
            .into_iter()
            .map(|outcome| wire::ReturnOutcome {
                lines: Vec::new(),
                rates: Vec::new(),
                ..return_outcome(outcome)
            })
            .collect(),
        cancelled,
    }
}

/// A sale in a list.
pub(in crate::grpc) fn summary(record: SaleRecord, return_count: u32, cancelled: bool) -> wire::SaleSummary {
    let SaleRecord {
        member_id,
        sale,
        outcome,
        occurred_at,
        recorded_at,
    } = record;
    wire::SaleSummary {
        store_id: sale.store_id,
        sale_id: sale.sale_id,
        member_id: member_id.to_string(),
        program_id: outcome.program_id.clone(),
        terminal_id: sale.terminal_id,
        cashier_id: sale.cashier_id,
        document_type: sale.document_type,
        document_number: sale.document_number,
        occurred_at: Some(timestamp(occurred_at)),
        recorded_at: Some(timestamp(recorded_at)),
        total: money(&outcome.currency, sale.total),
        points_earned: decimal(outcome.points_earned),
        points_redeemed: decimal(outcome.points_redeemed),
        return_count,
        cancelled,
    }
}

fn sale(sale: Sale) -> wire::Sale {
    wire::Sale {
        sale_id: sale.sale_id,
        store_id: sale.store_id,
        terminal_id: sale.terminal_id,
        cashier_id: sale.cashier_id,
        document_type: sale.document_type,
        document_number: sale.document_number,
        program_id: sale.program_id,
        member: Some(wire::MemberKey {
            key: Some(key(sale.member)),
        }),
        currency_code: sale.currency_code,
        total: decimal(sale.total),
        lines: sale.lines.into_iter().map(line).collect(),
        tenders: sale.tenders.into_iter().map(tender).collect(),
        redemptions: sale.redemptions.into_iter().map(redemption).collect(),
        occurred_at: sale.occurred_at.map(timestamp),
        quote_token: String::new(),
        do_not_earn: sale.do_not_earn,
        offline: sale.offline,
        customer: None,
    }
}

fn key(key: MemberKey) -> wire::member_key::Key {
    use wire::member_key::Key;
    match key {
        MemberKey::MemberId(id) => Key::MemberId(id.to_string()),
        MemberKey::CustomerId(value) => Key::CustomerId(value),
        MemberKey::Card(value) => Key::Card(value),
        MemberKey::Phone(value) => Key::Phone(value),
        MemberKey::Email(value) => Key::Email(value),
        MemberKey::QrCode(value) => Key::QrCode(value),
    }
}

fn line(line: SaleLine) -> wire::SaleLine {
    wire::SaleLine {
        product_id: line.product_id,
        category: line.category,
        brand: line.brand,
        quantity: decimal(line.quantity),
        unit_price: line.unit_price.and_then(decimal),
        discount_percent: line.discount_percent.and_then(decimal),
        discount_amount: line.discount_amount.and_then(decimal),
        amount: decimal(line.amount),
        tax_amount: decimal(line.tax_amount),
        flag: line.flag.map_or(wire::SaleLineFlag::Unspecified, flag).into(),
    }
}

fn flag(flag: SaleLineFlag) -> wire::SaleLineFlag {
    match flag {
        SaleLineFlag::Shipping => wire::SaleLineFlag::Shipping,
        SaleLineFlag::GiftCard => wire::SaleLineFlag::GiftCard,
        SaleLineFlag::Deposit => wire::SaleLineFlag::Deposit,
        SaleLineFlag::NonEarning => wire::SaleLineFlag::NonEarning,
    }
}

fn tender(tender: Tender) -> wire::Tender {
    wire::Tender {
        tender_type: tender.tender_type,
        amount: decimal(tender.amount),
    }
}

fn redemption(redemption: SaleRedemption) -> wire::SaleRedemption {
    use wire::sale_redemption::Ask;
    let ask = match redemption.ask {
        RedemptionAsk::Points(points) => decimal(points).map(Ask::Points),
        RedemptionAsk::Amount(amount) => decimal(amount).map(Ask::Amount),
        RedemptionAsk::Product { product_id, quantity } => Some(Ask::Product(wire::ProductRedemption {
            product_id,
            quantity: decimal(quantity),
        })),
        RedemptionAsk::Reward { reward_id, quantity } => Some(Ask::Reward(wire::RewardRedemption {
            reward_id,
            quantity: u32::try_from(quantity).unwrap_or_default(),
        })),
    };
    wire::SaleRedemption {
        ask,
        clamp: redemption.clamp,
        expense_account: redemption.accounting.expense_account,
        cost_center: redemption.accounting.cost_center,
    }
}
