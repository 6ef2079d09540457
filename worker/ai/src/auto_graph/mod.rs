//! `auto_graph`: writes the entities and relations of a memory into the graph of its store.
//!
//! A memory costs no request when its content has been extracted before, one when it has not, and a second one only
//! where a name may mean an entity that is spelled or meant almost alike. The graph is written in one transaction, and
//! only where the memory still has the content that was read. The part of a memory that has gone is taken back. No
//! transaction is open while a model is asked.

mod answer;
mod collecting;
mod extracting;
mod extraction;
mod fields;
mod names;
mod prompt;
mod recipe;
mod resolution;
mod resolving;
mod table;
mod update;

use std::time::Instant;

use async_trait::async_trait;

use crate::round::Round;
use recipe::GraphRecipe;
use table::Memory;
use update::GraphUpdate;
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
        let recipe = GraphRecipe::of(hook, &context.providers)?;
        let update = GraphUpdate {
            memory: &memory,
            recipe: &recipe,
            until: Instant::now() + verdict::time(hook),
        };
        for _round in 0..verdict::ROUNDS {
            if update.once().await? == Round::Done {
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
