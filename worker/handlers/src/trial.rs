//! What one hook does with one event, for a person who wants to see it: the code that a delivery goes through, and no
//! delivery. Nothing is retried, and no hook is switched off.

use zerodb_hooks_contract::hooks::{self, HookType};
use zerodb_hooks_contract::setting::Word;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler};
use zerodb_hooks_http::{Answer, HttpError, Read, Request, Timings};

use crate::call_function::CallFunction;
use crate::refusal::refused_or_transient;
use crate::webhook::{Webhook, verdict};
use crate::{log, webhook_request};

/// What is kept of an answer.
const ANSWER: usize = 16 << 10;

/// What a hook does.
pub enum Action {
    /// Of a webhook. It holds the secrets.
    Request(Request),
    /// Of a `log` hook.
    Line { level: &'static str, message: String },
    /// Of a `sql` hook.
    Call { function: String },
}

/// What came of it.
pub struct Tried {
    /// The answer to a webhook's request, or why there is none.
    pub answer: Option<Result<Answer, HttpError>>,
    pub timings: Option<Timings>,
    /// What an attempt would end with.
    pub result: Result<Done, HandlerError>,
}

/// What the hook would do, without doing it.
///
/// # Errors
/// Those of an attempt that does not get as far. Permanent for hooks that work on rows, or are another program's.
pub async fn action(context: &Context, delivery: &Delivery) -> Result<Action, HandlerError> {
    let hook = &delivery.hook;
    match &hook.hook_type {
        HookType::Webhook => Ok(Action::Request(
            webhook_request::of(context, delivery).await?.request,
        )),
        HookType::Log => Ok(Action::Line {
            level: hook.config::<hooks::Log>()?.level.as_str(),
            message: log::compose(context, delivery).await?,
        }),
        HookType::Sql => Ok(Action::Call {
            function: hook.config::<hooks::Sql>()?.function.to_string(),
        }),
        HookType::Function { name } => Err(HandlerError::permanent(format!(
            "the handler {name:?} is in another program, which has it built in"
        ))),
        other => Err(HandlerError::permanent(format!(
            "{} works on rows of tables and not on an event alone: write a row, and follow it with tail",
            other.handler()
        ))),
    }
}

/// Does it, once. The line of a `log` hook is composed and not written: there is no worker whose log it would be in.
///
/// # Errors
/// As for `action`; what happens after that is in the value.
pub async fn attempt(context: &Context, delivery: &Delivery) -> Result<(Action, Tried), HandlerError> {
    let quietly = |result| Tried {
        answer: None,
        timings: None,
        result,
    };
    if delivery.hook.hook_type != HookType::Webhook {
        let action = action(context, delivery).await?;
        let result = match action {
            Action::Call { .. } => CallFunction.run(context, delivery).await,
            _ => Ok(Done::default()),
        };
        return Ok((action, quietly(result)));
    }
    let mut request = Webhook::default().request(context, delivery).await?;
    request.read = Read::Beginning { most: ANSWER };
    let (answer, timings) = context.http.send_timed(request.clone()).await;
    let result = match &answer {
        Ok(answer) => verdict(answer),
        Err(error) => Err(refused_or_transient(error.clone())),
    };
    let tried = Tried {
        answer: Some(answer),
        timings: Some(timings),
        result,
    };
    Ok((Action::Request(request), tried))
}
