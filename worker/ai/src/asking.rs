//! Asks one model for one delivery until the time of the attempt is over: asks the budgets of its tenant first, counts
//! what the requests cost, and writes the ledger at the end. The only place where summaries and graphs send a request.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::spending::{Account, Spent};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Principal;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::Context;
use zerodb_hooks_providers::{
    Advice, ChatAnswer, ChatRequest, Class, EmbedRequest, Finish, Provider, ProviderError, Schema, Usage,
};

/// The factor by which the tokens of an answer are raised that ended too soon.
const RAISED: u32 = 4;

/// A model by all of its names.
#[derive(Clone, Copy)]
pub struct NamedModel<'a> {
    pub provider: &'a Provider,
    /// The name in the hook; `None` for the provider's default.
    pub name: Option<&'a str>,
    /// The name in rows and in the ledger.
    pub identity: &'a str,
}

#[derive(Clone, Copy)]
pub struct ModelQuestion<'a> {
    pub system: &'a str,
    pub user: &'a str,
    pub form: AnswerForm<'a>,
    /// The most tokens of a first answer.
    pub max_tokens: u32,
}

#[derive(Clone, Copy)]
pub enum AnswerForm<'a> {
    Json(&'a Schema),
    /// An answer that was cut after `enough` characters is as good as a whole one.
    Text {
        enough: usize,
    },
}

pub struct Asker<'a> {
    model: NamedModel<'a>,
    who: Principal,
    until: Instant,
    account: Account,
    spent: Mutex<Spent>,
}

impl<'a> Asker<'a> {
    /// Asks the budgets of the delivery's tenant.
    ///
    /// # Errors
    /// Deferred, when a budget is used up; transient, when the database does not answer.
    pub async fn open(
        context: &Context,
        delivery: &Delivery,
        model: NamedModel<'a>,
        until: Instant,
    ) -> Result<Self, HandlerError> {
        Ok(Self {
            model,
            who: delivery.hook.principal(delivery.event.user_id),
            until,
            account: Account::open_one(context, delivery).await?,
            spent: Mutex::default(),
        })
    }

    /// Writes what was spent into the ledger, and returns it.
    pub async fn close(self, context: &Context, delivery: &Delivery) -> Spent {
        let spent = self.spent();
        let (provider, identity) = (self.model.provider.name(), self.model.identity);
        self.account
            .close(context, &delivery.hook, provider, identity, spent)
            .await;
        spent
    }

    /// The tokens that the model takes, question and answer together, as far as is known by now.
    pub fn context_tokens(&self) -> usize {
        self.model.provider.pack_limits(self.model.name).input_tokens
    }

    /// The cost of the requests so far, those that failed included.
    pub fn spent(&self) -> Spent {
        *self.spent.lock()
    }

    /// Asks once, and once more with room for a longer answer where the first one ended at its limit. Where the second
    /// one finds no room, the first is returned.
    ///
    /// # Errors
    /// Those of `Provider::chat`. Safe to cancel; what was sent may then be paid.
    pub async fn ask(&self, question: &ModelQuestion<'_>) -> Result<ChatAnswer, ProviderError> {
        let cut = match self.send(question, question.max_tokens).await {
            Ok(answer) if question.is_enough(&answer) => return Ok(answer),
            Ok(cut) => Some(cut),
            Err(error) if error.class == Class::Truncated => None,
            Err(error) => return Err(error),
        };
        let raised = question.max_tokens.saturating_mul(RAISED);
        match (self.send(question, raised).await, cut) {
            (Ok(answer), _) => Ok(answer),
            (Err(error), Some(cut)) if error.advice == Advice::ItemsAtFault => Ok(cut),
            (Err(error), _) => Err(error),
        }
    }

    /// A vector for each input, in one request.
    ///
    /// # Errors
    /// Those of `Provider::embed`. Safe to cancel; what was sent may then be paid.
    pub async fn embed(&self, dimensions: usize, inputs: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let request = EmbedRequest {
            who: Some(&self.who),
            model: self.model.name,
            dimensions: Some(dimensions),
            inputs,
        };
        let embedded = self.model.provider.embed(&request, self.time()).await;
        let usage = match &embedded {
            Ok(embedded) => Some(embedded.usage),
            Err(error) => error.usage,
        };
        self.count(inputs.len(), usage);
        embedded.map(|embedded| embedded.vectors)
    }

    async fn send(&self, question: &ModelQuestion<'_>, max_tokens: u32) -> Result<ChatAnswer, ProviderError> {
        let request = ChatRequest {
            who: Some(&self.who),
            model: self.model.name,
            system: question.system,
            user: question.user,
            schema: match question.form {
                AnswerForm::Json(schema) => Some(schema),
                AnswerForm::Text { .. } => None,
            },
            max_tokens: Some(max_tokens),
            temperature: Some(0.0),
        };
        let answer = self.model.provider.chat(&request, self.time()).await;
        let usage = match &answer {
            Ok(answer) => Some(answer.usage),
            Err(error) => error.usage,
        };
        self.count(1, usage);
        answer
    }

    /// Counts one request.
    fn count(&self, inputs: usize, usage: Option<Usage>) {
        self.spent.lock().add(Spent {
            requests: 1,
            inputs: inputs as u64,
            usage: usage.unwrap_or_default(),
        });
    }

    /// The time that is left of the attempt.
    fn time(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }
}

impl ModelQuestion<'_> {
    /// JSON that was taken is whole, whatever ended it.
    fn is_enough(&self, answer: &ChatAnswer) -> bool {
        match self.form {
            AnswerForm::Json(_) => true,
            AnswerForm::Text { enough } => {
                answer.finish != Finish::Length || answer.text.chars().count() >= enough
            }
        }
    }
}
