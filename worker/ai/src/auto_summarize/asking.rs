//! One question to a model, asked again where its answer ended too soon. The only place of this handler that sends a request.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::prompt;
use crate::spending::Spent;
use parking_lot::Mutex;
use zerodb_hooks_delivery::hook::Principal;
use zerodb_hooks_providers::{Advice, ChatAnswer, ChatRequest, Class, Finish, Provider, ProviderError};

/// How many times as many tokens an answer gets that ended too soon.
const RAISED: u32 = 4;

#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub model: Option<&'a str>,
    pub system: &'a str,
    /// Sent as data, within marks.
    pub text: &'a str,
    pub max_tokens: u32,
    /// Characters of an answer that are as good as all of it: it is cut to that anyway.
    pub enough: usize,
}

/// The text of an answer.
#[derive(Debug)]
pub struct Said {
    pub text: String,
    /// The model was stopped before its end.
    pub is_cut: bool,
}

impl From<ChatAnswer> for Said {
    fn from(answer: ChatAnswer) -> Self {
        Self {
            is_cut: answer.finish == Finish::Length,
            text: answer.text,
        }
    }
}

/// Asks a provider until the time of the attempt is over.
pub struct Asker<'a> {
    provider: &'a Provider,
    who: Principal,
    until: Instant,
    /// By the model as the hook names it.
    spent: Mutex<BTreeMap<Option<String>, Spent>>,
}

impl<'a> Asker<'a> {
    pub fn new(provider: &'a Provider, who: Principal, time: Duration) -> Self {
        Self {
            provider,
            who,
            until: Instant::now() + time,
            spent: Mutex::default(),
        }
    }

    pub fn provider(&self) -> &Provider {
        self.provider
    }

    /// What the requests to a model cost so far, those that failed included.
    pub fn spent(&self, model: Option<&str>) -> Spent {
        let spent = self.spent.lock();
        spent
            .get(&model.map(ToOwned::to_owned))
            .copied()
            .unwrap_or_default()
    }

    /// Asks once, and once more with room for a longer answer where the first one ended at its limit. Where that fails too, what
    /// the first one said is kept.
    ///
    /// # Errors
    /// Those of `Provider::chat`. Safe to cancel; what was sent may then be paid.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Said, ProviderError> {
        let said = match self.send(question, question.max_tokens).await {
            Ok(answer) => Some(Said::from(answer)),
            Err(error) if error.class == Class::Truncated => None,
            Err(error) => return Err(error),
        };
        let said = match said {
            Some(said) if !said.is_cut || said.text.chars().count() >= question.enough => return Ok(said),
            cut => cut,
        };
        let raised = question.max_tokens.saturating_mul(RAISED);
        match (self.send(question, raised).await, said) {
            (Ok(answer), _) => Ok(answer.into()),
            // The model has no room for more.
            (Err(error), Some(said)) if error.advice == Advice::ItemsAtFault => Ok(said),
            (Err(error), _) => Err(error),
        }
    }

    async fn send(&self, question: &Question<'_>, max_tokens: u32) -> Result<ChatAnswer, ProviderError> {
        let user = prompt::fenced(question.text);
        let request = ChatRequest {
            who: Some(&self.who),
            model: question.model,
            system: question.system,
            user: &user,
            schema: None,
            max_tokens: Some(max_tokens),
            temperature: Some(0.0),
        };
        let left = self.until.saturating_duration_since(Instant::now());
        let answer = self.provider.chat(&request, left).await;
        let usage = match &answer {
            Ok(answer) => Some(answer.usage),
            Err(error) => error.usage,
        };
        let mut spent = self.spent.lock();
        let of_model = spent.entry(question.model.map(ToOwned::to_owned)).or_default();
        of_model.add(Spent {
            requests: 1,
            inputs: 1,
            usage: usage.unwrap_or_default(),
        });
        answer
    }
}
