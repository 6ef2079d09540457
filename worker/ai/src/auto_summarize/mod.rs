//! `auto_summarize`: a summary of a text or a file, stored beside it.
//!
//! The summary of a row is written only where the row still holds what it was made from; no transaction is open while a
//! file is parsed or a model asked. A long text is summarised part by part, and the summary of a part is kept for the
//! next version of the text.

mod by_model;
mod length;
mod parts;
mod pieces;
mod plan;
mod prompt;
mod recipe;
mod row_locks;
mod selection;
mod summary;
mod table;
mod units;
mod update;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use async_trait::async_trait;

use crate::plans::{Plans, Watched};
use crate::round::Round;
use crate::source::Files;
use plan::{SummaryPlan, plan_args};
use recipe::SummaryRecipe;
use row_locks::{RowLocks, RowName};
use table::SummaryTable;
use update::SummaryUpdate;
use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler, verdict};

/// Documents of one hook at once.
const AT_ONCE: usize = 16;
/// Documents of all hooks at once; each may hold as much text as a parser gives.
const OF_ALL_HOOKS: usize = 32;

pub struct AutoSummarize {
    plans: Plans<SummaryPlan>,
    files: Arc<Files>,
    locks: RowLocks,
}

impl AutoSummarize {
    pub fn new(files: Arc<Files>) -> Self {
        Self {
            plans: Plans::default(),
            files,
            locks: RowLocks::default(),
        }
    }
}

#[async_trait]
impl Handler for AutoSummarize {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let (hook, event) = (&delivery.hook, &delivery.event);
        let until = Instant::now() + verdict::time(hook);
        let config = hook.config::<hooks::AutoSummarize>()?;
        let provider = context.providers.get(config.provider.as_deref());
        let provider = provider.map_err(|error| verdict::of_model(&error))?;
        let (watched, args) = (Watched::of(event), plan_args(&event.event_type));
        let plan = self
            .plans
            .get(context, hook, watched, "summary_plan", &args)
            .await?;
        let recipe = SummaryRecipe::of(config, &plan, &provider)?;
        let key = plan.row.of(event)?;
        let lock = self.locks.take(RowName {
            hook: hook.id,
            relid: event.relid,
            key: key.clone(),
        });
        let Ok(_lock) = tokio::time::timeout(verdict::time(hook) / 2, lock).await else {
            return Err(HandlerError::Deferred {
                message: "busy: an earlier event of this row is worked on".into(),
                after: verdict::CHANGING,
            });
        };
        let update = SummaryUpdate {
            table: SummaryTable {
                context,
                delivery,
                plan: &plan,
                key: &key,
            },
            provider: &provider,
            config,
            recipe: &recipe,
            until,
            progress: AtomicBool::new(false),
        };
        let result = self.rounds(&update).await;
        if result.is_err() {
            // It may be the table that has changed.
            self.plans.forget(hook, watched);
        }
        result
    }

    fn concurrency_of_hook(&self) -> Option<usize> {
        Some(AT_ONCE)
    }

    fn concurrency(&self) -> usize {
        OF_ALL_HOOKS
    }
}

impl AutoSummarize {
    async fn rounds(&self, update: &SummaryUpdate<'_>) -> Result<Done, HandlerError> {
        for _round in 0..verdict::ROUNDS {
            if update.once(&self.files).await? == Round::Done {
                return Ok(Done::default());
            }
        }
        Err(verdict::source_changing(
            "the row changed each time while it was summarised",
        ))
    }
}
