//! The order in which a route's behaviour and fault decide what a request is answered. It must not send anything.

use std::sync::{Arc, PoisonError};

use super::Shared;
use super::behaviour::Behaviour;
use super::chat::ChatRequest;
use super::embeddings::EmbeddingsRequest;
use super::fault::{Fault, model_not_found, unauthorized};
use super::hint::Hint;
use super::reply::{Reply, go_duration, open_ai, rate_limited};
use super::route::{Admitted, Operation};
use crate::wait;

/// The answer: key, fault, limit, then after the latency what the request itself deserves.
pub(crate) async fn reply(
    shared: &Shared,
    operation: Operation,
    admitted: &mut Admitted,
    key: Option<&str>,
    body: &[u8],
) -> Reply {
    let behaviour = Arc::clone(&admitted.behaviour);
    if behaviour.key.is_some() && behaviour.key.as_deref() != key {
        return unauthorized(key);
    }
    if let Some(most) = behaviour.max_body
        && body.len() > most
    {
        return open_ai(413, "Payload Too Large", "invalid_request_error", None, None);
    }
    let read = match operation {
        Operation::Embeddings => EmbeddingsRequest::read(body).map(Read::Embeddings),
        Operation::Chat => ChatRequest::read(body).map(Read::Chat),
    };
    let inputs = match &read {
        Ok(Read::Embeddings(request)) => request.inputs(),
        _ => Vec::new(),
    };
    admitted.asks_for(&inputs);
    let model = read.as_ref().map_or("", Read::model).to_owned();
    if let Some(reply) = admitted.fault.as_ref().and_then(|fault| fault.reply(&model, key)) {
        return reply;
    }
    let mut remaining = Vec::new();
    if let Some(limit) = behaviour.rate_limit {
        match admitted.take(limit) {
            Err(time) => return rate_limited(limit.hint, time, limit.requests),
            Ok(left) if limit.hint == Hint::Everything => {
                remaining.push(("x-ratelimit-limit-requests", limit.requests.to_string()));
                remaining.push(("x-ratelimit-remaining-requests", left.to_string()));
                remaining.push(("x-ratelimit-reset-requests", go_duration(limit.per)));
            }
            Ok(_) => {}
        }
    }
    if !behaviour.latency.is_zero() {
        wait::delay(behaviour.latency).await;
    }
    if let Some(held) = &behaviour.held {
        held.passed().await;
    }
    let fault = admitted.fault.as_ref();
    match read.and_then(|request| request.answer(shared, &behaviour, &inputs, fault)) {
        Ok(body) => Reply {
            headers: remaining,
            ..Reply::new(200, body)
        },
        Err(refusal) => refusal,
    }
}

enum Read {
    Embeddings(EmbeddingsRequest),
    Chat(ChatRequest),
}

impl Read {
    fn model(&self) -> &str {
        match self {
            Self::Embeddings(request) => &request.model,
            Self::Chat(request) => &request.model,
        }
    }

    fn answer(
        &self,
        shared: &Shared,
        behaviour: &Behaviour,
        inputs: &[String],
        fault: Option<&Fault>,
    ) -> Result<Vec<u8>, Reply> {
        if let Some(models) = &behaviour.models
            && !models.iter().any(|model| model == self.model())
        {
            return Err(model_not_found(self.model()));
        }
        match self {
            Self::Embeddings(request) => match request.refusal(behaviour, inputs) {
                Some(refusal) => Err(refusal),
                None => Ok(request.answer(behaviour, inputs, fault)),
            },
            Self::Chat(request) => match request.refusal(behaviour) {
                Some(refusal) => Err(refusal),
                None => {
                    let script = Arc::clone(&shared.script.lock().unwrap_or_else(PoisonError::into_inner));
                    Ok(request.answer(behaviour, script(request), fault))
                }
            },
        }
    }
}
