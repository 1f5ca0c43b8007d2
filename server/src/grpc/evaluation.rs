//! The evaluation of sales by itself, without a database and a line: what rules come to before anything is written. A
//! benchmark measures it; so may whoever tries rules out.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use rust_decimal::Decimal;
use tonic::Status;

use super::fields::Fields;
use super::{convert, status};
use crate::domain::account::Attributes;
use crate::domain::counting::Counting;
use crate::domain::program::ProgramVersion;
use crate::domain::redemption::Bought;
use crate::domain::rule::set::RuleSet;
use crate::domain::rule_usage::RuleUsage;
use crate::domain::sale::Sale;
use crate::domain::tier::Prior;

/// A program with its rules, ready to rate sales.
#[derive(Debug)]
pub struct Evaluation(ProgramVersion);

/// A sale that is ready to be rated.
#[derive(Debug)]
pub struct EvaluatedSale(Sale);

impl Evaluation {
    /// A program as CreateProgram takes it, and rules as CreateRule does, whether some of them tie or not.
    ///
    /// # Errors
    ///
    /// Those of the calls for fields that are wrong.
    pub fn new(program: wire::Program, rules: Vec<wire::Rule>) -> Result<Self, Status> {
        let mut fields = Fields::default();
        let (defaults, edit) = convert::program::new_program(&mut fields, program);
        let mut arranged = Vec::with_capacity(rules.len());
        for given in rules {
            let rule_id = fields.slug("rule.rule_id", given.rule_id.clone());
            arranged.extend(convert::rule::new_rule(&mut fields, given).map(|rule| (rule_id, rule)));
        }
        fields.finish(())?;
        arranged.sort_by(|(one, _), (other, _)| one.cmp(other));
        let program = edit.apply(defaults);
        Ok(Self(ProgramVersion {
            program_id: "evaluated".into(),
            version: 1,
            program: program.map_err(|rejection| status::rejection(&rejection))?,
            rules: Arc::new(RuleSet::new(arranged)),
            rewards: Arc::default(),
            products: Arc::default(),
        }))
    }

    /// Reads a sale.
    ///
    /// # Errors
    ///
    /// Those of QuoteSale for fields that are wrong.
    pub fn read(sale: wire::Sale) -> Result<EvaluatedSale, Status> {
        let mut fields = Fields::default();
        let sale = convert::sale::sale(&mut fields, Some(sale));
        let sale = fields.finish(sale)?;
        sale.map(EvaluatedSale).ok_or_else(status::internal)
    }

    /// What a sale at `now` earns a member who never bought before, and how many rates, product points, campaigns and
    /// reasons explain it.
    ///
    /// # Errors
    ///
    /// LEDGER_RANGE, of more points than the ledger holds.
    pub fn rate(&self, sale: &EvaluatedSale, now: DateTime<Utc>) -> Result<(Decimal, usize), Status> {
        let EvaluatedSale(sale) = sale;
        let day = self.0.program.local_date(now);
        let counting = Counting {
            version: &self.0,
            occurred_at: now,
            day,
            member: &Attributes::default(),
            is_opted_out: false,
            prior: &Prior::default(),
            carry: None,
            allowances: &RuleUsage::default().allowances(&self.0, sale, day),
        };
        let counted = counting.count(sale, Decimal::ZERO, Bought::NOTHING);
        let counted = counted.map_err(|rejection| status::rejection(&rejection))?;
        Ok((counted.earning.points, counted.earning.rates.len()))
    }
}
