//! Programs set up from presets.

use super::Client;
use crate::{
    error::{Error, FieldViolation},
    id::{ProgramId, RewardId, RuleId},
    preset::{AppliedPreset, Preset, settings},
    program::{NewProgram, Program},
    reward::{NewReward, Reward},
    rule::{NewRule, Rule},
};

impl Client {
    /// Sets up what a preset says: creates what is not there, and changes what is there to what the preset says. Rules,
    /// products and rewards of the program that the preset does not name stay as they are.
    ///
    /// Can be run again, also after it broke off: what is as it should be is left alone, and makes no new version. Each
    /// part is a call of its own, under a request id of its own: sales of a program that is in use meet them one after
    /// the other.
    ///
    /// # Errors
    ///
    /// Those of the calls that create and change the parts; [`Error::InvalidFields`] also when the program is there with
    /// another unit, currency or number of decimals, and when the program, a rule or a reward has no id.
    /// [`Error::RuleArchived`] and its like when a part was taken out of use: it needs another id.
    pub async fn apply_preset(&self, preset: &Preset) -> Result<AppliedPreset, Error> {
        let parts = named(preset)?;
        // Many writes cannot have one request id.
        let client = Self {
            request_id: None,
            ..self.clone()
        };
        client.apply_program(parts.program_id, &preset.program).await?;
        let mut rules = Vec::with_capacity(parts.rules.len());
        for (rule_id, rule) in parts.rules {
            rules.push(client.apply_rule(parts.program_id, rule_id, rule).await?);
        }
        let products = match preset.products.as_slice() {
            [] => None,
            products => Some(client.upsert_products(parts.program_id, products).await?),
        };
        let mut rewards = Vec::with_capacity(parts.rewards.len());
        for (reward_id, reward) in parts.rewards {
            rewards.push(client.apply_reward(parts.program_id, reward_id, reward).await?);
        }
        Ok(AppliedPreset {
            program: client.get_program(parts.program_id).await?,
            rules,
            products,
            rewards,
        })
    }

    async fn apply_program(&self, program_id: &ProgramId, wanted: &NewProgram) -> Result<Program, Error> {
        match self.get_program(program_id).await {
            Ok(program) => {
                let update = settings::program_update(&program, wanted)?;
                self.update_program(&update).await
            }
            Err(Error::ProgramNotFound { .. }) => self.create_program(wanted).await,
            Err(error) => Err(error),
        }
    }

    async fn apply_rule(&self, program_id: &ProgramId, rule_id: &RuleId, wanted: &NewRule) -> Result<Rule, Error> {
        match self.get_rule(program_id, rule_id).await {
            Ok(rule) => self.update_rule(&settings::rule_update(&rule, wanted)).await,
            Err(Error::RuleNotFound { .. }) => {
                let mut rule = wanted.clone();
                rule.program_id = program_id.clone();
                self.create_rule(&rule).await
            }
            Err(error) => Err(error),
        }
    }

    async fn apply_reward(
        &self,
        program_id: &ProgramId,
        reward_id: &RewardId,
        wanted: &NewReward,
    ) -> Result<Reward, Error> {
        match self.get_reward(program_id, reward_id).await {
            Ok(reward) => self.update_reward(&settings::reward_update(&reward, wanted)).await,
            Err(Error::RewardNotFound { .. }) => {
                let mut reward = wanted.clone();
                reward.program_id = program_id.clone();
                self.create_reward(&reward).await
            }
            Err(error) => Err(error),
        }
    }
}

/// The parts of a preset with their ids: what has none could not be found again.
struct Named<'a> {
    program_id: &'a ProgramId,
    rules: Vec<(&'a RuleId, &'a NewRule)>,
    rewards: Vec<(&'a RewardId, &'a NewReward)>,
}

fn named(preset: &Preset) -> Result<Named<'_>, Error> {
    let mut violations = Vec::new();
    let (mut rules, mut rewards) = (Vec::new(), Vec::new());
    for (place, rule) in preset.rules.iter().enumerate() {
        match &rule.rule_id {
            Some(rule_id) => rules.push((rule_id, rule)),
            None => violations.push(missing(format!("rules[{place}].rule_id"))),
        }
    }
    for (place, reward) in preset.rewards.iter().enumerate() {
        match &reward.reward_id {
            Some(reward_id) => rewards.push((reward_id, reward)),
            None => violations.push(missing(format!("rewards[{place}].reward_id"))),
        }
    }
    match &preset.program.program_id {
        Some(program_id) if violations.is_empty() => Ok(Named {
            program_id,
            rules,
            rewards,
        }),
        Some(_) => Err(Error::InvalidFields(violations)),
        None => {
            violations.push(missing("program.program_id".to_owned()));
            Err(Error::InvalidFields(violations))
        }
    }
}

fn missing(field: String) -> FieldViolation {
    FieldViolation {
        field,
        description: "is missing".to_owned(),
    }
}
