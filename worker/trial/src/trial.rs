//! A hook with an event, ready to be looked at or done.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;
use zerodb_hooks_contract::HookType;
use zerodb_hooks_delivery::delivery::{Delivery, MessageId};
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, event};
use zerodb_hooks_handlers::{Tried, action, attempt};

use crate::error::TrialError;
use crate::means::Means;
use crate::shown::{self, Shown, ShownAnswer, ShownTimes};
use crate::subject::{About, Subject};

pub struct Trial {
    context: Context,
    delivery: Delivery,
    pub about: About,
}

/// What was done, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub action: Shown,
    pub answer: Option<ShownAnswer>,
    pub times: Option<ShownTimes>,
    /// Why it failed; `None` where it went well.
    pub error: Option<String>,
    /// Whether a delivery would be tried again.
    pub is_tried_again: bool,
}

impl Trial {
    /// A trial of the hook with this id, which is for `pattern`.
    ///
    /// # Errors
    /// Where the worker's role is missing, or the hook or the event is not there.
    pub async fn new(
        means: &Means,
        hook: Uuid,
        pattern: &str,
        subject: &Subject,
    ) -> Result<Self, TrialError> {
        let context = means.context()?;
        let store = &context.store;
        let installation = store.bounded(store.load_installation()).await?;
        let hook = store
            .bounded(store.load_hook(hook))
            .await?
            .ok_or(TrialError::NoHook)?;
        let (row, about) = subject.event(store, &installation, &hook, pattern).await?;
        let message_id = MessageId {
            salt: installation.salt,
            delivery: no_delivery(),
        };
        let delivery = Delivery {
            id: message_id.delivery,
            attempt: 1,
            epoch: 1,
            hook: Arc::new(hook),
            event: Arc::new(event(&installation, row)),
            message_id,
        };
        Ok(Self {
            context,
            delivery,
            about,
        })
    }

    pub fn event_id(&self) -> String {
        self.delivery.event.id.to_string()
    }

    pub fn event_type(&self) -> &str {
        &self.delivery.event.event_type
    }

    /// What the hook would do.
    ///
    /// # Errors
    /// `Handler` for a hook that would fail before.
    pub async fn preview(&self) -> Result<Shown, TrialError> {
        let action = action(&self.context, &self.delivery).await;
        Ok(self.shown(action.map_err(TrialError::Handler)?))
    }

    /// Does it, once.
    ///
    /// # Errors
    /// As for `preview`, and `OnlyPast`. What happens after that is in the report.
    pub async fn run(&self) -> Result<Report, TrialError> {
        let is_past = matches!(self.about, About::Past | About::Unwanted);
        if self.delivery.hook.hook_type == HookType::Sql && !is_past {
            return Err(TrialError::OnlyPast);
        }
        let attempted = attempt(&self.context, &self.delivery).await;
        let (action, tried) = attempted.map_err(TrialError::Handler)?;
        Ok(self.report(self.shown(action), &tried))
    }

    fn shown(&self, action: zerodb_hooks_handlers::Action) -> Shown {
        shown::action(
            &self.context.secrets,
            action,
            self.delivery.event.envelope().get(),
        )
    }

    fn report(&self, action: Shown, tried: &Tried) -> Report {
        let answer = tried.answer.as_ref().and_then(|answer| answer.as_ref().ok());
        let error = tried.result.as_ref().err();
        Report {
            action,
            answer: answer.map(|answer| shown::answer(&self.context.secrets, answer)),
            times: tried.timings.map(ShownTimes::from),
            error: error.map(ToString::to_string),
            is_tried_again: is_tried_again(&tried.result),
        }
    }
}

fn is_tried_again(result: &Result<Done, HandlerError>) -> bool {
    matches!(
        result,
        Err(HandlerError::Transient { .. } | HandlerError::Deferred { .. })
    )
}

/// A number that no delivery has: below zero, and another one each time, so that a receiver which drops what it has
/// seen takes each trial.
fn no_delivery() -> i64 {
    let (_, random) = Uuid::new_v4().as_u64_pair();
    random.cast_signed() | i64::MIN
}
