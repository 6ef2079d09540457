//! Chats at an endpoint: down the ladder of JSON forms where its server refuses or passes over the better ones.

use std::time::Duration;

use super::call::{Call, CallAnswer, CallError};
use super::{Endpoint, EndpointModel, estimate};
use crate::address::Operation;
use crate::chat::{self, ChatAnswer, ChatRequest};
use crate::completion::{self, Completion};
use crate::dialect::Dialect;
use crate::error::{Class, ProviderError};
use crate::refusal::Asked;
use crate::usage::{Usage, estimate_tokens};

impl Endpoint {
    /// # Errors
    /// See `Provider::chat`.
    pub async fn chat(
        &self,
        request: &ChatRequest<'_>,
        deadline: Duration,
    ) -> Result<ChatAnswer, ProviderError> {
        let model = self.model(request.model)?;
        let mut call = Call::new(self, request.who, Operation::Chat, &model, deadline);
        let mut dialect = self.models.dialect(&model.real);
        // Answers that were paid and not taken.
        let mut spent = Usage::default();
        let CallAnswer { taken, request_id } = loop {
            match call.answer(request, dialect).await {
                Ok(answered) => break answered,
                Err(mut refused) => {
                    spent = spent.plus(refused.error.usage.unwrap_or_default());
                    match self.next_step(&model, request, dialect, &refused) {
                        Some(next) => dialect = next,
                        None => {
                            refused.error.usage = (spent != Usage::default()).then_some(spent);
                            return Err(refused.error);
                        }
                    }
                }
            }
        };
        let is_json = request.schema.is_some();
        self.models
            .update(&model.real, |known| known.chatted(dialect, is_json));
        let usage = taken.usage.unwrap_or_else(|| {
            let prompt = estimate_tokens(request.system).saturating_add(estimate_tokens(request.user));
            estimate(prompt, estimate_tokens(&taken.text))
        });
        self.settle(chat::tokens(request), usage).await;
        Ok(ChatAnswer {
            text: taken.text,
            json: taken.json,
            usage: spent.plus(usage),
            finish: taken.finish,
            model: model.identity,
            request_id,
        })
    }

    /// The form in which to ask again, if one may help.
    fn next_step(
        &self,
        model: &EndpointModel,
        request: &ChatRequest<'_>,
        tried: Dialect,
        refused: &CallError,
    ) -> Option<Dialect> {
        if let Some(parameter) = refused.about {
            return self.without(model, tried, parameter);
        }
        request.schema?;
        match refused.error.class {
            Class::InvalidJson => tried.tell_schema(),
            // Whatever it says: many servers blame the messages for a form that they do not know.
            Class::BadRequest => tried.guess_json(),
            _ if refused.vague => tried.guess_json(),
            _ => None,
        }
    }
}

impl Call<'_> {
    async fn answer(
        &mut self,
        request: &ChatRequest<'_>,
        dialect: Dialect,
    ) -> Result<CallAnswer<Completion>, CallError> {
        let body = chat::body(self.model_name(), request, dialect);
        let asked = Asked {
            inputs: 1,
            tokens: usize::try_from(chat::tokens(request)).unwrap_or(usize::MAX),
            parameters: chat::parameters(request, dialect),
        };
        self.ask(&body, &asked, |body| completion::read(body, request.schema))
            .await
    }
}
