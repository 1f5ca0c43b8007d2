//! Which of several rules goes first, and which two cannot be told apart.

use chrono::{NaiveDate, NaiveTime, Weekday};

use super::{Audience, LineSelector, Rule, Schedule};
use crate::domain::path;

/// How closely a rule names a line, the most telling first: a product before a category, a deep category before a
/// shallow one, a category before a brand, a brand before a terminal, a terminal before a store, any of them before a
/// time window, and a time window before an audience.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Specificity {
    product: bool,
    category_depth: usize,
    brand: bool,
    terminal: bool,
    store: bool,
    schedule: bool,
    audience: bool,
}

/// Place of a rule among those that could be the base of a line: by priority, then by how closely it names the line.
pub(crate) type Rank = (u32, Specificity);

/// How closely `rule` names a line of this category, which it selects.
pub(crate) fn rank(rule: &Rule, category: &str) -> Rank {
    let lines = &rule.selector.lines;
    let matched = lines.categories.iter().filter(|node| path::covers(node, category));
    let specificity = Specificity {
        product: !lines.product_ids.is_empty(),
        category_depth: matched.map(|node| path::depth(node)).max().unwrap_or_default(),
        brand: !lines.brands.is_empty(),
        terminal: !rule.selector.terminal_ids.is_empty(),
        store: !rule.selector.store_ids.is_empty(),
        schedule: !rule.schedule.is_empty(),
        audience: !rule.audience.is_empty(),
    };
    (rule.priority, specificity)
}

/// Whether a base rule is a program's default: it says nothing of when, where, what or whom, and yields to a tier's rate.
pub(crate) fn is_default(rule: &Rule) -> bool {
    rank(rule, "") == Rank::default() && rule.selector.is_empty() && !rule.is_campaign()
}

/// Whether there can be a sale for which it is open which of the two goes first. Two bases: a line that both select,
/// equally closely. Two campaigns of which one applies alone: a sale that both may meet.
pub(crate) fn tie(a: &Rule, b: &Rule) -> bool {
    if a.priority != b.priority || a.is_campaign() != b.is_campaign() {
        return false;
    }
    let somewhere = meet(&a.selector.store_ids, &b.selector.store_ids)
        && meet(&a.selector.terminal_ids, &b.selector.terminal_ids)
        && schedules_meet(&a.schedule, &b.schedule)
        && audiences_meet(&a.audience, &b.audience);
    if a.is_campaign() {
        return somewhere && (a.exclusive || b.exclusive);
    }
    // A member has one assigned rule, and it goes before all others.
    let comparable = !a.audience.assigned && !b.audience.assigned;
    comparable && somewhere && equally_close(a, b) && lines_meet(&a.selector.lines, &b.selector.lines)
}

/// Whether both name the same kinds of things; of categories it is the same node that has to be named.
fn equally_close(a: &Rule, b: &Rule) -> bool {
    let kinds = |rule: &Rule| {
        let (_, specificity) = rank(rule, "");
        (specificity, rule.selector.lines.categories.is_empty())
    };
    kinds(a) == kinds(b)
}

fn lines_meet(a: &LineSelector, b: &LineSelector) -> bool {
    meet(&a.product_ids, &b.product_ids) && meet(&a.categories, &b.categories) && meet(&a.brands, &b.brands)
}

fn audiences_meet(a: &Audience, b: &Audience) -> bool {
    meet(&a.tier_ids, &b.tier_ids)
        && paths_meet(&a.customer_groups, &b.customer_groups)
        && paths_meet(&a.territories, &b.territories)
}

fn schedules_meet(a: &Schedule, b: &Schedule) -> bool {
    let days = |schedule: &Schedule| {
        let first = schedule.valid_from.unwrap_or(NaiveDate::MIN);
        (first, schedule.valid_until.unwrap_or(NaiveDate::MAX))
    };
    let times = |schedule: &Schedule| (schedule.time_from.unwrap_or(NaiveTime::MIN), schedule.time_until);
    let ((first_a, last_a), (first_b, last_b)) = (days(a), days(b));
    let ((from_a, until_a), (from_b, until_b)) = (times(a), times(b));
    first_a <= last_b
        && first_b <= last_a
        && until_b.is_none_or(|until| from_a < until)
        && until_a.is_none_or(|until| from_b < until)
        && weekdays_meet(&a.weekdays, &b.weekdays)
}

fn weekdays_meet(a: &[Weekday], b: &[Weekday]) -> bool {
    a.is_empty() || b.is_empty() || a.iter().any(|day| b.contains(day))
}

fn meet(a: &[String], b: &[String]) -> bool {
    a.is_empty() || b.is_empty() || a.iter().any(|value| b.contains(value))
}

fn paths_meet(a: &[String], b: &[String]) -> bool {
    let related = |x: &String, y: &String| path::covers(x, y) || path::covers(y, x);
    a.is_empty() || b.is_empty() || a.iter().any(|x| b.iter().any(|y| related(x, y)))
}
