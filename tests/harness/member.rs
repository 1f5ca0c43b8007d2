//! A member of a shop's `club`, as an actor.

use loyalty_sdk::{
    Balance, Cancellation, Entry, Error, Member, MemberKey, PageRequest, Receipt, ReturnReceipt, Sale, SaleReturn,
};
use rust_decimal::Decimal;

use super::{Shop, dec};

/// A member who buys.
pub(crate) struct ShopMember<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) key: MemberKey,
    pub(crate) member: Member,
}

impl<'a> ShopMember<'a> {
    pub(crate) fn new(shop: &'a Shop, key: MemberKey, member: Member) -> Self {
        Self { shop, key, member }
    }

    /// A sale of `total` euro to this member, not yet recorded.
    pub(crate) fn sale(&self, total: &str) -> Sale {
        Sale::new(self.shop.next_sale_id(), "store-1", self.key.clone(), "EUR", dec(total))
    }

    /// Buys for `total` euro.
    pub(crate) async fn buys(&self, total: &str) -> Receipt {
        self.records(&self.sale(total)).await
    }

    /// Records a sale that goes well.
    pub(crate) async fn records(&self, sale: &Sale) -> Receipt {
        self.tries(sale)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", sale.sale_id))
    }

    /// Records a sale that may be refused.
    pub(crate) async fn tries(&self, sale: &Sale) -> Result<Receipt, Error> {
        self.shop.client.record_sale(sale).await
    }

    /// A return to the store of a sale, of all of it unless told otherwise, not yet recorded.
    pub(crate) fn return_of(&self, sale: &Sale) -> SaleReturn {
        let return_id = format!("return-{}", self.shop.next_sale_id());
        SaleReturn::new(return_id, sale.store_id.as_str(), sale.sale_id.as_str())
    }

    /// Records a return that goes well.
    pub(crate) async fn returns(&self, sale_return: &SaleReturn) -> ReturnReceipt {
        let answer = self.shop.client.return_sale(sale_return).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}", sale_return.return_id))
    }

    /// Returns `amount` euro of a sale.
    pub(crate) async fn returns_amount(&self, sale: &Sale, amount: &str) -> ReturnReceipt {
        self.returns(&self.return_of(sale).amount(dec(amount))).await
    }

    /// Cancels a sale that can be cancelled.
    pub(crate) async fn cancels(&self, sale: &Sale) -> ReturnReceipt {
        let cancellation = Cancellation::new(sale.store_id.as_str(), sale.sale_id.as_str());
        let answer = self.shop.client.cancel_sale(&cancellation).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}", sale.sale_id))
    }

    /// What the member has.
    pub(crate) async fn balance(&self) -> Balance {
        let answer = self.shop.client.get_balance(self.key.clone()).await;
        answer.unwrap_or_else(|error| panic!("{error}")).balance
    }

    /// Points that can be spent.
    pub(crate) async fn points(&self) -> Decimal {
        self.balance().await.available
    }

    /// All entries, newest first.
    pub(crate) async fn history(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut next = Some(PageRequest::default());
        while let Some(page) = next {
            let page = self.shop.client.list_entries(self.key.clone(), &page).await;
            let page = page.unwrap_or_else(|error| panic!("{error}"));
            entries.extend(page.items);
            next = page.next;
        }
        entries
    }

    /// Points of all entries, oldest first.
    pub(crate) async fn movements(&self) -> Vec<Decimal> {
        self.history().await.iter().rev().map(|entry| entry.points).collect()
    }
}
