//! `auto_summarize`: a summary of a text or a file, stored beside it. Config: `provider`, `model`, `map_model`, `content`,
//! `target_column`, `max_length`.
//!
//! The summary of a row is written only where the row still holds what it was made from; no transaction is open while a file is
//! parsed or a model asked. A long text is summarised part by part, and what a part gave is kept for the next version of it.

mod asking;
mod by_model;
mod length;
mod pieces;
mod plan;
mod prompt;
mod recipe;
mod stage;
mod summary;
mod table;
mod turns;
mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use async_trait::async_trait;

use crate::plans::{Plans, Watched};
use crate::source::Files;
use plan::Plan;
use recipe::Recipe;
use table::Table;
use turns::Turns;
use work::{Ended, Work};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler, verdict};
use zerodb_hooks_providers::Provider;

/// Documents of one hook at once.
const AT_ONCE: usize = 16;
/// Documents of all hooks at once; each may hold as much text as a parser gives.
const OF_ALL_HOOKS: usize = 32;

pub struct AutoSummarize {
    plans: Plans<Plan>,
    files: Arc<Files>,
    turns: Turns,
}

impl AutoSummarize {
    pub fn new(files: Arc<Files>) -> Self {
        Self {
            plans: Plans::default(),
            files,
            turns: Turns::default(),
        }
    }
}

#[async_trait]
impl Handler for AutoSummarize {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let (hook, event) = (&delivery.hook, &delivery.event);
        let until = Instant::now() + verdict::time(hook);
        let provider = context.providers.get(hook.text("provider"));
        let provider = provider.map_err(|error| verdict::of_model(&error))?;
        let question = plan::question(&event.event_type);
        let plan = self
            .plans
            .get(context, hook, Watched::of(event), "summary_plan", &question)
            .await?;
        let recipe = recipe(hook, &plan, &provider)?;
        let key = plan.row.of(event)?;
        let turn = self.turns.take((hook.id, event.relid, key.clone()));
        let Ok(_turn) = tokio::time::timeout(verdict::time(hook) / 2, turn).await else {
            return Err(HandlerError::Deferred {
                message: "busy: an earlier event of this row is worked on".into(),
                after: verdict::CHANGING,
            });
        };
        let work = Work {
            table: Table {
                context,
                delivery,
                plan: &plan,
                key: &key,
            },
            provider: &provider,
            recipe: &recipe,
            until,
            progress: AtomicBool::new(false),
        };
        let ended = self.rounds(&work).await;
        if ended.is_err() {
            // It may be the table that has changed.
            self.plans.forget(hook, Watched::of(event));
        }
        ended
    }

    fn concurrency_of_hook(&self) -> Option<usize> {
        Some(AT_ONCE)
    }

    fn concurrency(&self) -> usize {
        OF_ALL_HOOKS
    }
}

impl AutoSummarize {
    async fn rounds(&self, work: &Work<'_>) -> Result<Done, HandlerError> {
        for _round in 0..verdict::ROUNDS {
            if work.once(&self.files).await? == Ended::Done {
                return Ok(Done::default());
            }
        }
        Err(verdict::source_changing(
            "the row changed each time while it was summarised",
        ))
    }
}

/// What the summaries of this hook and table are made by.
fn recipe(hook: &Hook, plan: &Plan, provider: &Provider) -> Result<Recipe, HandlerError> {
    let identity = |name: Option<&str>| {
        if provider.can_chat() {
            provider.identity(name).map_err(|error| verdict::of_model(&error))
        } else {
            Ok(zerodb_hooks_lexical::MODEL.to_owned())
        }
    };
    let model = hook.text("model");
    Ok(Recipe {
        model: identity(model)?,
        map_model: identity(hook.text("map_model").or(model))?,
        max_length: plan.max_length(hook),
    })
}
