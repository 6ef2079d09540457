//! Questions to the model with answers of a schema. The only place of this handler that sends a request.

use std::time::Instant;

use parking_lot::Mutex;
use serde_json::Value;

use super::config::{Config, Embedding};
use crate::spending::Spent;
use zerodb_hooks_providers::{ChatRequest, Class, EmbedRequest, ProviderError, Schema, Usage};

/// How many times as many tokens an answer gets that ended too soon.
const RAISED: u32 = 4;

pub struct Question<'a> {
    pub system: &'a str,
    pub user: &'a str,
    pub schema: &'a Schema,
    pub max_tokens: u32,
}

/// What requests cost, those that failed included.
#[derive(Debug, Default, Clone, Copy)]
pub struct Cost {
    pub chat: Spent,
    pub embedding: Spent,
}

/// Asks until the time of the attempt is over, and counts what it costs.
pub struct Asker<'a> {
    config: &'a Config,
    until: Instant,
    cost: Mutex<Cost>,
}

impl<'a> Asker<'a> {
    pub fn new(config: &'a Config, until: Instant) -> Self {
        Self {
            config,
            until,
            cost: Mutex::default(),
        }
    }

    pub fn cost(&self) -> Cost {
        *self.cost.lock()
    }

    /// Asks once, and once more with room for a longer answer where the first one ended within its JSON.
    ///
    /// # Errors
    /// Those of `Provider::chat`. Safe to cancel; what was sent may then be paid.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Value, ProviderError> {
        match self.send(question, question.max_tokens).await {
            Err(error) if error.class == Class::Truncated => {
                self.send(question, question.max_tokens.saturating_mul(RAISED))
                    .await
            }
            answered => answered,
        }
    }

    /// A vector for each name.
    ///
    /// # Errors
    /// Those of `Provider::embed`. Safe to cancel; what was sent may then be paid.
    pub async fn embed(
        &self,
        by: &Embedding,
        dimensions: usize,
        names: &[String],
    ) -> Result<Vec<Vec<f32>>, ProviderError> {
        let request = EmbedRequest {
            who: Some(&self.config.who),
            model: by.model.as_deref(),
            dimensions: Some(dimensions),
            inputs: names,
        };
        let left = self.until.saturating_duration_since(Instant::now());
        let embedded = by.provider.embed(&request, left).await;
        let usage = match &embedded {
            Ok(embedded) => Some(embedded.usage),
            Err(error) => error.usage,
        };
        self.cost.lock().embedding.add(spent(names.len(), usage));
        embedded.map(|embedded| embedded.vectors)
    }

    async fn send(&self, question: &Question<'_>, max_tokens: u32) -> Result<Value, ProviderError> {
        let request = ChatRequest {
            who: Some(&self.config.who),
            model: self.config.model.as_deref(),
            system: question.system,
            user: question.user,
            schema: Some(question.schema),
            max_tokens: Some(max_tokens),
            temperature: Some(0.0),
        };
        let left = self.until.saturating_duration_since(Instant::now());
        let answer = self.config.provider.chat(&request, left).await;
        let usage = match &answer {
            Ok(answer) => Some(answer.usage),
            Err(error) => error.usage,
        };
        self.cost.lock().chat.add(spent(1, usage));
        answer.map(|answer| answer.json.unwrap_or_default())
    }
}

/// One request.
fn spent(inputs: usize, usage: Option<Usage>) -> Spent {
    Spent {
        requests: 1,
        inputs: inputs as u64,
        usage: usage.unwrap_or_default(),
    }
}
