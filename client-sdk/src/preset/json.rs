//! Presets as JSON.

use loyalty_api::FILE_DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, DynamicMessage, prost::Message};
use serde::Deserialize;
use serde_json::Value;

use super::Preset;
use crate::{
    error::Error, id::ProgramId, product::ProductUpdate, program::NewProgram, reward::NewReward, rule::NewRule,
};

/// Why a text is no preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {description}")]
pub struct PresetError {
    /// The part that is wrong, such as `rules[2]`.
    pub part: String,
    /// What is wrong with it.
    pub description: String,
}

/// The parts of a preset, each in the protobuf JSON mapping of its message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    title: String,
    #[serde(default)]
    description: String,
    program: Value,
    #[serde(default)]
    rules: Vec<Value>,
    #[serde(default)]
    products: Vec<Value>,
    #[serde(default)]
    rewards: Vec<Value>,
}

impl Preset {
    /// Reads a preset: an object with `title`, `description`, `program`, `rules`, `products` and `rewards`, where only
    /// `title` and `program` must be there.
    ///
    /// The parts are the messages `Program`, `Rule`, `Product` and `Reward` of the contract in the protobuf JSON mapping
    /// (names of fields in either spelling), so that each can be pasted into a call of grpcurl, and an answer of the
    /// server into a preset: what the server sets (`etag`, `version` …) is passed over. What is left out is the default.
    /// Bounds are the server's to check.
    ///
    /// # Errors
    ///
    /// [`PresetError`] names the part that is no such message, has no id, or belongs to another program.
    pub fn from_json(text: &str) -> Result<Self, PresetError> {
        let parts: Parts = serde_json::from_str(text).map_err(|error| wrong("preset", &error))?;
        let reader = Reader::new()?;
        let program = reader.message("program", "Program", parts.program, NewProgram::from_message)?;
        let Some(program_id) = program.program_id.clone() else {
            return Err(wrong("program", &"program_id is missing"));
        };
        let rules = reader.messages("rules", "Rule", parts.rules, NewRule::from_message)?;
        for (place, rule) in rules.iter().enumerate() {
            let is_named = rule.rule_id.is_some();
            check(format!("rules[{place}]"), &rule.program_id, &program_id, is_named)?;
        }
        let rewards = reader.messages("rewards", "Reward", parts.rewards, NewReward::from_message)?;
        for (place, reward) in rewards.iter().enumerate() {
            let is_named = reward.reward_id.is_some();
            check(format!("rewards[{place}]"), &reward.program_id, &program_id, is_named)?;
        }
        let preset = Self {
            title: parts.title,
            description: parts.description,
            program,
            rules,
            products: reader.messages("products", "Product", parts.products, ProductUpdate::from_message)?,
            rewards,
        };
        Ok(preset.in_program(program_id))
    }
}

/// A part has a name, and belongs to the program of the preset, also when it does not say so.
fn check(part: String, of: &ProgramId, program_id: &ProgramId, is_named: bool) -> Result<(), PresetError> {
    if !is_named {
        return Err(wrong(part, &"its id is missing"));
    }
    if !of.as_str().is_empty() && of != program_id {
        return Err(wrong(part, &format!("belongs to the program {of}, not {program_id}")));
    }
    Ok(())
}

/// Reads messages by the descriptors of the contract, so that every field of it can be in a preset.
struct Reader(DescriptorPool);

impl Reader {
    fn new() -> Result<Self, PresetError> {
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(|error| wrong("preset", &error))?;
        Ok(Self(pool))
    }

    fn messages<M: Message + Default, T>(
        &self,
        list: &str,
        name: &str,
        parts: Vec<Value>,
        value: fn(M) -> Result<T, Error>,
    ) -> Result<Vec<T>, PresetError> {
        let parts = parts.into_iter().enumerate();
        parts
            .map(|(place, json)| self.message(&format!("{list}[{place}]"), name, json, value))
            .collect()
    }

    fn message<M: Message + Default, T>(
        &self,
        part: &str,
        name: &str,
        json: Value,
        value: fn(M) -> Result<T, Error>,
    ) -> Result<T, PresetError> {
        let Some(descriptor) = self.0.get_message_by_name(&format!("loyalty.v1.{name}")) else {
            return Err(wrong(part, &format!("the contract has no {name}")));
        };
        let message = DynamicMessage::deserialize(descriptor, json).map_err(|error| wrong(part, &error))?;
        let message = message.transcode_to().map_err(|error| wrong(part, &error))?;
        value(message).map_err(|error| match error {
            Error::InvalidAnswer { field, value } if value.is_empty() => wrong(part, &format!("{field} is missing")),
            Error::InvalidAnswer { field, value } => wrong(part, &format!("{field} cannot be `{value}`")),
            other => wrong(part, &other),
        })
    }
}

fn wrong(part: impl Into<String>, description: &dyn std::fmt::Display) -> PresetError {
    PresetError {
        part: part.into(),
        description: description.to_string(),
    }
}

#[cfg(test)]
mod tests;
