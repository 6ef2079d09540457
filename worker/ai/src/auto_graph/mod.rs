//! `auto_graph`: entities and relations of a memory into the graph of its store. Config: `provider`, `model`, `extract_entities`,
//! `max_relations`, `embedding_provider`, `embedding_model`.
//!
//! A memory costs no request when its content has been extracted before, one when it has not, and a second one only where a
//! name may mean an entity that is spelled or meant almost alike. What is written stands in one transaction, and only where the
//! memory still says what was read. A memory that has gone is taken back. No transaction is open while a model is asked.

mod accounts;
mod asking;
mod config;
mod extraction;
mod fields;
mod memory;
mod prompt;
mod resolution;
mod said;
mod work;

use std::time::Instant;

use async_trait::async_trait;

use config::Config;
use memory::Memory;
use work::{Ended, Work};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Context, Handler, verdict};

/// Memories of one hook at once.
const AT_ONCE: usize = 16;

pub struct AutoGraph;

#[async_trait]
impl Handler for AutoGraph {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let hook = &delivery.hook;
        let memory = Memory::new(context, delivery)?;
        let config = Config::of(hook, delivery.event.user_id, &context.providers)?;
        let work = Work {
            memory: &memory,
            config: &config,
            until: Instant::now() + verdict::time(hook),
        };
        for _round in 0..verdict::ROUNDS {
            if work.once().await? == Ended::Done {
                return Ok(Done::default());
            }
        }
        Err(verdict::source_changing(
            "the memory changed each time while it was extracted",
        ))
    }

    fn concurrency_of_hook(&self) -> Option<usize> {
        Some(AT_ONCE)
    }
}
