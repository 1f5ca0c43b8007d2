//! What templates can name.

use super::Document;

/// A list whose elements are printed one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// What points bought.
    Items,
    /// What the member's points buy.
    Rewards,
}

/// Declares the placeholders: name, and the documents that have it.
macro_rules! placeholders {
    ($($variant:ident $name:literal $documents:ident,)+) => {
        /// A value that templates can name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Placeholder {
            $($variant,)+
        }

        /// All, in the order in which they are explained to people.
        const ALL: &[(&str, Placeholder, &[Document])] = &[
            $(($name, Placeholder::$variant, $documents),)+
        ];
    };
}

const ANY: &[Document] = &Document::ALL;
const SALE: &[Document] = &[Document::Sale];
const RETURN: &[Document] = &[Document::Return];
const GIVING_BACK: &[Document] = &[Document::Return, Document::Reversal];
const REDEEMING: &[Document] = &[Document::Sale, Document::Redemption];
const BUYING: &[Document] = &[Document::Sale, Document::Redemption, Document::Hold];
const HOLD: &[Document] = &[Document::Hold];
const HOLDING: &[Document] = &[Document::Hold, Document::Release];
const REVERSAL: &[Document] = &[Document::Reversal];

placeholders! {
    Program "program" ANY,
    Earned "earned" SALE,
    Rated "rated" SALE,
    Used "used" REDEEMING,
    Paid "paid" REDEEMING,
    Due "due" SALE,
    Item "item" BUYING,
    ItemPoints "item_points" BUYING,
    PendingUntil "pending_until" SALE,
    EarnedExpire "earned_expire" SALE,
    Amount "amount" RETURN,
    Refund "refund" RETURN,
    GivenBack "given_back" GIVING_BACK,
    GivenBackLapsed "given_back_lapsed" GIVING_BACK,
    TakenBack "taken_back" RETURN,
    Owed "owed" RETURN,
    Forgiven "forgiven" RETURN,
    SetAside "set_aside" HOLDING,
    Pays "pays" HOLD,
    Until "until" HOLD,
    Unpaid "unpaid" REVERSAL,
    BalanceBefore "balance_before" ANY,
    Balance "balance" ANY,
    Worth "worth" ANY,
    Pending "pending" ANY,
    Held "held" ANY,
    NextExpiry "next_expiry" ANY,
    Expiring "expiring" ANY,
    Tier "tier" ANY,
    NextTier "next_tier" ANY,
    MissingSpend "missing_spend" ANY,
    Reward "reward" ANY,
    RewardPoints "reward_points" ANY,
}

impl Placeholder {
    /// The one of this name, if documents of the kind have it.
    pub(super) fn named(document: Document, name: &str) -> Option<Self> {
        let mut of_document = ALL.iter().filter(|(_, _, documents)| documents.contains(&document));
        of_document
            .find(|(other, _, _)| *other == name)
            .map(|(_, placeholder, _)| *placeholder)
    }

    /// The names that documents of a kind have.
    pub(super) fn names(document: Document) -> Vec<&'static str> {
        let of_document = ALL.iter().filter(|(_, _, documents)| documents.contains(&document));
        of_document.map(|(name, _, _)| *name).collect()
    }

    /// The list whose elements have it.
    pub(super) fn list(self) -> Option<List> {
        match self {
            Self::Item | Self::ItemPoints => Some(List::Items),
            Self::Reward | Self::RewardPoints => Some(List::Rewards),
            _ => None,
        }
    }
}
