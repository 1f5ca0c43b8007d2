//! The calls of the client, each waiting for its answer.

use std::{ops::RangeBounds, time::Duration};

use super::Client;
use crate::{
    Adjustment, AdjustmentReceipt, Balance, BalanceSummary, Cancellation, ConfigurationChange, ConfigurationFilter,
    DateTime, Entry, EntryFilter, Error, ExpiryCounts, ExpirySchedule, Hold, HoldCapture, HoldId, HoldReceipt,
    HoldRelease, Identifier, Liability, Member, MemberBalance, MemberChange, MemberFilter, MemberId, MemberKey,
    MemberQuery, MemberUpdate, NewHold, NewMember, NewProgram, NewReason, NewReward, NewRule, OfflinePolicy, Operation,
    Page, PageRequest, Product, ProductChange, ProductId, ProductLoad, ProductUpdate, Program, ProgramId,
    ProgramUpdate, QueuedOperation, Reason, ReasonUpdate, Receipt, ReceiptLanguage, ReceiptTemplate, ReceiptTemplates,
    RecordedSale, RedemptionFilter, RedemptionId, RedemptionQuestion, RedemptionQuote, RedemptionReceipt,
    RedemptionRecord, RedemptionRequest, RedemptionReversal, ReportGrouping, ReportPeriod, RequestId, ReturnReceipt,
    ReversalReceipt, Reward, RewardId, RewardUpdate, RollForward, Rule, RuleId, RuleUpdate, RuleVersion, Sale,
    SaleFilter, SaleReturn, SaleSummary, SyncOutcome, Utc,
};
#[cfg(feature = "presets")]
use crate::{AppliedPreset, Preset};

/// Declares the calls: each has the name, the arguments and the errors of the one that does not wait.
macro_rules! calls {
    ($($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Client {
            $($(#[$attribute])*
            ///
            /// # Errors
            ///
            #[doc = concat!("As [`", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
            pub fn $name(&self, $($argument: $type),*) -> Result<$answer, Error> {
                self.wait(self.client.$name($($argument),*))
            })*
        }
    };
}

calls! {
    /// Adds or removes points by hand, for a reason. Points that are removed are taken from what can be spent; what
    /// becomes of the rest the program's [`ShortfallPolicy`](crate::ShortfallPolicy) says. Who makes it is kept: see
    /// [`ClientBuilder::actor`](crate::ClientBuilder::actor).
    fn adjust_points(adjustment: &Adjustment) -> AdjustmentReceipt;

    /// Creates a reason for adjustments.
    fn create_reason(reason: &NewReason) -> Reason;

    /// The merchant's reasons in order of id, archived ones included.
    fn list_reasons(page: &PageRequest) -> Page<Reason>;

    /// Changes a reason, or takes it out of use. It holds for every adjustment after this call returned.
    fn update_reason(update: &ReasonUpdate) -> Reason;

    /// When lapsed points are written off by themselves, and what the last run did.
    fn get_expiry_schedule() -> ExpirySchedule;

    /// Changes how often lapsed points are written off by themselves: every minute to every 31 days, in whole
    /// seconds; `None`: only when it is asked for. The next run comes after that time.
    fn set_expiry_schedule(period: Option<Duration>) -> ExpirySchedule;

    /// Writes off what has lapsed of all members of the merchant, now, and waits until it is done: seconds for tens
    /// of thousands of members. While another run goes on, it waits for its end first.
    fn run_expiry() -> ExpiryCounts;

    /// Who changed what of programs, rules, rewards, products and reasons, and when, newest first.
    fn list_configuration_changes(filter: &ConfigurationFilter, page: &PageRequest) -> Page<ConfigurationChange>;

    /// What these versions of a program (`..`: all) changed of its products, of one product or (`None`) of all,
    /// oldest first.
    fn list_product_changes(program_id: impl Into<ProgramId> + Send, product_id: Option<ProductId>, versions: impl RangeBounds<u32> + Send, page: &PageRequest) -> Page<ProductChange>;

    /// All versions of a rule, newest first.
    fn list_rule_versions(program_id: impl Into<ProgramId> + Send, rule_id: impl Into<RuleId> + Send, page: &PageRequest) -> Page<RuleVersion>;

    /// What a sale would do if it were recorded now, without recording it: same rules, same answer, same refusals as
    /// [`record_sale`](Self::record_sale).
    fn quote_sale(sale: &Sale) -> Receipt;

    /// Records a sale: takes the points that pay for it and gives the points it earns, both or neither. The same sale
    /// recorded again gives the original answer, marked as [`replayed`](Receipt::replayed).
    fn record_sale(sale: &Sale) -> Receipt;

    /// What a member has now.
    fn get_balance(member: impl Into<MemberQuery> + Send) -> MemberBalance;

    /// The same with a [text](MemberBalance::text) for a customer who asks, ready to print.
    fn get_balance_in(member: impl Into<MemberQuery> + Send, language: ReceiptLanguage) -> MemberBalance;

    /// What of a member's points is what, now or at an instant `at` that is over; and what will lapse within so many
    /// days of it, unless 0 is asked.
    fn summarize_balance(member: impl Into<MemberQuery> + Send, at: Option<DateTime<Utc>>, expiring_within_days: u32) -> BalanceSummary;

    /// Entries, newest first: of a member, which is named by itself, or of a whole program or merchant and by more
    /// conditions, as an [`EntryFilter`]. Entries written meanwhile do not shift the pages. A page may be short, even empty,
    /// though it is not the last.
    fn list_entries(filter: impl Into<EntryFilter> + Send, page: &PageRequest) -> Page<Entry>;

    /// What became of a write, by its request id: settles an outcome that the caller did not learn.
    fn get_operation(request_id: impl Into<RequestId> + Send) -> Operation;

    /// Changes what is known of a member. A change of group, territory or assigned rule holds for every sale recorded
    /// after this call returned.
    fn update_member(update: &MemberUpdate) -> Member;

    /// Keeps points of a member from being redeemed ([`Error::MemberBlocked`]); what the member buys goes on earning.
    /// `reason`, 1 to 200 characters, is what tills are told; it is kept for good and should name nobody.
    fn block_member(member_id: impl Into<MemberId> + Send, reason: impl Into<String> + Send) -> Member;

    /// Lets points of a member be redeemed again. `reason` may be empty; it is kept for good and should name nobody.
    fn unblock_member(member_id: impl Into<MemberId> + Send, reason: impl Into<String> + Send) -> Member;

    /// Lets a member take no part any more: sales made from now on earn nothing, and none enrols the customer anew.
    /// What is there can be redeemed until it lapses. `reason` may be empty; it is kept for good and should name
    /// nobody.
    fn opt_out_member(member_id: impl Into<MemberId> + Send, reason: impl Into<String> + Send) -> Member;

    /// Lets a member who has opted out take part again; nothing else does. `reason` as in
    /// [`opt_out_member`](Self::opt_out_member).
    fn opt_in_member(member_id: impl Into<MemberId> + Send, reason: impl Into<String> + Send) -> Member;

    /// Merges `merged` into `member`, where both are one customer of a program: points with their expiry, debt, spend
    /// and identifiers move, and live holds of the merged member end. Whoever names that one afterwards means the
    /// other. It cannot be undone. `reason` may be empty; it is kept for good and should name nobody.
    fn merge_members(member: impl Into<MemberId> + Send, merged: impl Into<MemberId> + Send, reason: impl Into<String> + Send) -> Member;

    /// Forgets the person behind a member, and behind those who were merged into it; the books stay. Nothing else can
    /// be done for the member afterwards ([`Error::MemberErased`]) but what comes back of earlier sales. It cannot be
    /// undone.
    fn erase_member(member_id: impl Into<MemberId> + Send) -> Member;

    /// Gives a member a new identifier in the place of an old one, such as a lost card: after this call returned the
    /// old one finds the member no more. One of its kind can always take its place.
    fn replace_identifier(member_id: impl Into<MemberId> + Send, old: &Identifier, new: &Identifier) -> Member;

    /// Gives a member one more identifier, of at most 10.
    fn add_identifier(member_id: impl Into<MemberId> + Send, new: &Identifier) -> Member;

    /// Takes an identifier away from a member, who keeps at least one.
    fn remove_identifier(member_id: impl Into<MemberId> + Send, old: &Identifier) -> Member;

    /// Who changed a member, when and why, newest first.
    fn list_member_changes(member_id: impl Into<MemberId> + Send, page: &PageRequest) -> Page<MemberChange>;

    /// Enrols a customer in a program.
    fn enroll_member(member: &NewMember) -> Member;

    /// The member that a key belongs to, and what the member has.
    fn lookup_member(member: impl Into<MemberQuery> + Send) -> (Member, Balance);

    /// The whole record of a member, and what the member has.
    fn get_member(member_id: impl Into<MemberId> + Send) -> (Member, Balance);

    /// The members of a program in order of their ids, each with what the member has. Pages have up to 1,000 members;
    /// one may be short or empty though there are more behind it, where few members match the filter.
    fn list_members(filter: &MemberFilter, page: &PageRequest) -> Page<(Member, Balance)>;

    /// What tills of the merchant may do without a line.
    fn get_offline_policy() -> OfflinePolicy;

    /// Changes what tills of the merchant may do without a line.
    fn set_offline_policy(policy: &OfflinePolicy) -> OfflinePolicy;

    /// How the merchant prints what receipts say about points.
    fn get_receipt_templates() -> ReceiptTemplates;

    /// What is printed for merchants who have no templates of their own: one for each document, language and unit, to
    /// begin from.
    fn list_built_in_receipt_templates() -> Vec<ReceiptTemplate>;

    /// Changes how the merchant prints what receipts say about points. It holds for every text made after this call
    /// returned.
    fn set_receipt_templates(templates: &ReceiptTemplates) -> ReceiptTemplates;

    /// Sets up what a preset says: creates what is not there, and changes what is there to what the preset says.
    /// Rules, products and rewards of the program that the preset does not name stay as they are.
    #[cfg(feature = "presets")]
    fn apply_preset(preset: &Preset) -> AppliedPreset;

    /// Loads what products earn and cost, up to 200,000 at once: those given are set, the others stay. All of them
    /// are one new version of the program, or nothing. It holds for every sale recorded after this call returned.
    fn upsert_products(program_id: impl Into<ProgramId> + Send, products: &[ProductUpdate]) -> ProductLoad;

    /// The product as it is now.
    fn get_product(program_id: impl Into<ProgramId> + Send, product_id: impl Into<ProductId> + Send) -> Product;

    /// The products of a program whose id begins with `prefix` (all when it is empty), in order of id.
    fn list_products(program_id: impl Into<ProgramId> + Send, prefix: impl Into<String> + Send, page: &PageRequest) -> Page<Product>;

    /// Creates a program.
    fn create_program(program: &NewProgram) -> Program;

    /// The program as it is now.
    fn get_program(program_id: impl Into<ProgramId> + Send) -> Program;

    /// The merchant's programs, in order of id.
    fn list_programs(page: &PageRequest) -> Page<Program>;

    /// Changes settings or tiers of a program. The change holds for every sale recorded after this call returned.
    fn update_program(update: &ProgramUpdate) -> Program;

    /// Closes a program for good. `etag` is the one that was read.
    fn archive_program(program_id: impl Into<ProgramId> + Send, etag: impl Into<String> + Send) -> Program;

    /// What the points of a member can pay and buy now, and what is missing to what they cannot.
    fn quote_redemption(question: &RedemptionQuestion) -> RedemptionQuote;

    /// Redeems points without a sale, all that is asked or nothing. Points that pay for a sale go with
    /// [`record_sale`](Self::record_sale).
    fn redeem(request: &RedemptionRequest) -> RedemptionReceipt;

    /// Sets points aside for a redemption that is not certain yet.
    fn place_hold(hold: &NewHold) -> HoldReceipt;

    /// Redeems what a hold set aside, or less of it; the rest goes back to its lots.
    fn capture_hold(capture: &HoldCapture) -> RedemptionReceipt;

    /// Gives a hold up; `member`: whose it must be.
    fn release_hold(hold_id: impl Into<HoldId> + Send, member: Option<MemberKey>) -> HoldReceipt;

    /// The same, with all that can be said of it.
    fn release(release: &HoldRelease) -> HoldReceipt;

    /// Gives a redemption back, fully or partly: its points go to the lots they were taken from, which keep their
    /// expiry.
    fn reverse_redemption(reversal: &RedemptionReversal) -> ReversalReceipt;

    /// A redemption that stands alone.
    fn get_redemption(redemption_id: impl Into<RedemptionId> + Send) -> RedemptionRecord;

    /// Redemptions that stand alone, newest first.
    fn list_redemptions(filter: &RedemptionFilter, page: &PageRequest) -> Page<RedemptionRecord>;

    /// Holds, newest first.
    fn list_holds(filter: &RedemptionFilter, page: &PageRequest) -> Page<Hold>;

    /// What all members of a program earned, redeemed and lost in a period. `progress` is told how many members are
    /// done; when the stream breaks off it goes on behind them.
    fn get_roll_forward(period: &ReportPeriod, group_by: ReportGrouping, progress: impl FnMut(u64) + Send) -> RollForward;

    /// What a program owes its members, now or before an instant `at` that is over. `progress` is told how many
    /// members are done; when the stream breaks off it goes on behind them.
    fn get_liability(program_id: impl Into<ProgramId> + Send, at: Option<DateTime<Utc>>, progress: impl FnMut(u64) + Send) -> Liability;

    /// What a return would do if it were recorded now, without recording it: same answer, same refusals as
    /// [`return_sale`](Self::return_sale).
    fn quote_return(sale_return: &SaleReturn) -> ReturnReceipt;

    /// Records a return of goods: takes back what they earned, gives back the points that paid for them, and takes
    /// back what they added to the spend for tiers. The same return recorded again gives the original answer, marked
    /// as [`replayed`](ReturnReceipt::replayed).
    fn return_sale(sale_return: &SaleReturn) -> ReturnReceipt;

    /// Cancels what is left of a sale, once: everything it did is undone. The same cancellation again gives the
    /// original answer, marked as [`replayed`](ReturnReceipt::replayed).
    fn cancel_sale(cancellation: &Cancellation) -> ReturnReceipt;

    /// Creates a reward. It can be redeemed once this call returned.
    fn create_reward(reward: &NewReward) -> Reward;

    /// The reward as it is now.
    fn get_reward(program_id: impl Into<ProgramId> + Send, reward_id: impl Into<RewardId> + Send) -> Reward;

    /// The rewards of a program in order of id, archived ones included.
    fn list_rewards(program_id: impl Into<ProgramId> + Send, page: &PageRequest) -> Page<Reward>;

    /// Changes a reward. The change holds for every redemption after this call returned.
    fn update_reward(update: &RewardUpdate) -> Reward;

    /// Takes a reward out of use. `etag` is the one that was read.
    fn archive_reward(program_id: impl Into<ProgramId> + Send, reward_id: impl Into<RewardId> + Send, etag: impl Into<String> + Send) -> Reward;

    /// Creates a rule. It holds for every sale recorded after this call returned.
    fn create_rule(rule: &NewRule) -> Rule;

    /// The rule as it is now.
    fn get_rule(program_id: impl Into<ProgramId> + Send, rule_id: impl Into<RuleId> + Send) -> Rule;

    /// The rules of a program in order of id, archived ones included.
    fn list_rules(program_id: impl Into<ProgramId> + Send, page: &PageRequest) -> Page<Rule>;

    /// Changes a rule. The change holds for every sale recorded after this call returned.
    fn update_rule(update: &RuleUpdate) -> Rule;

    /// Takes a rule out of use. `etag` is the one that was read.
    fn archive_rule(program_id: impl Into<ProgramId> + Send, rule_id: impl Into<RuleId> + Send, etag: impl Into<String> + Send) -> Rule;

    /// A sale as it was recorded, and what came back of it.
    fn get_sale(store_id: impl Into<String> + Send, sale_id: impl Into<String> + Send) -> RecordedSale;

    /// Sales, newest first by the time of recording. Sales recorded meanwhile do not shift the pages. A page may be
    /// short, even empty, though it is not the last.
    fn list_sales(filter: &SaleFilter, page: &PageRequest) -> Page<SaleSummary>;

    /// Takes a queue of operations in order, and tells of each what became of it: carried out, carried out before, or
    /// refused, which does not keep the others from being carried out. The answers are in the order of the queue,
    /// which counts from 0.
    fn sync_sales(queue: &[QueuedOperation]) -> Vec<SyncOutcome>;
}
