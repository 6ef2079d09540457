//! `auto_embed`: keeps a column of vectors up to date with a text, or a table of chunks with long texts and files. Config:
//! `provider`, `model`, `dimensions`, `content`, `target_column`, `template`, `chunk_table`, `chunk_tokens`, `chunk_overlap`.
//!
//! A pack of deliveries is one read, as few requests as the provider's limits allow, and one write; no transaction is open
//! in between. A vector is written only where the row still holds the text it was made from.

mod backfill;
mod chunked;
mod input;
mod plan;
mod requests;
mod rows;
mod search;
mod target;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::plans::Plans;
use crate::row_key::Key;
use crate::source::Files;
use crate::spending::{self, Account, Spent};
use target::{Scope, Way};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Backfills, Context, Handler, verdict};

/// Packs of one hook at once.
const PACKS: usize = 8;
/// Deliveries of a pack: as many as the largest request that any provider is known to take.
const LARGEST_PACK: usize = 2048;
pub struct AutoEmbed {
    ways: Plans<Way>,
    files: Arc<Files>,
    learned: Arc<chunked::Learned>,
}

impl AutoEmbed {
    pub fn new(files: Arc<Files>) -> Self {
        Self {
            ways: Plans::default(),
            files,
            learned: Arc::default(),
        }
    }
}

#[async_trait]
impl Handler for AutoEmbed {
    async fn run(&self, context: &Context, delivery: &Delivery) -> Result<Done, HandlerError> {
        let results = self.run_pack(context, &[Arc::new(delivery.clone())]).await;
        let missing = || Err(HandlerError::transient("the handler gave no result"));
        results.into_iter().next().unwrap_or_else(missing)
    }

    fn pack(&self, context: &Context, hook: &Hook) -> usize {
        match context.providers.get(hook.text("provider")) {
            Ok(provider) => provider
                .pack_limits(hook.text("model"))
                .inputs
                .clamp(2, LARGEST_PACK),
            Err(_) => 2,
        }
    }

    async fn run_pack(
        &self,
        context: &Context,
        deliveries: &[Arc<Delivery>],
    ) -> Vec<Result<Done, HandlerError>> {
        let mut results: Vec<Option<Result<Done, HandlerError>>> = deliveries.iter().map(|_| None).collect();
        let mut tables = HashMap::<(u32, &str), Vec<usize>>::new();
        for (place, delivery) in deliveries.iter().enumerate() {
            let event = &delivery.event;
            tables
                .entry((event.relid, &event.event_type))
                .or_default()
                .push(place);
        }
        for places in tables.into_values() {
            let of_table: Vec<&Delivery> = places.iter().map(|place| deliveries[*place].as_ref()).collect();
            let ended = self.run_table(context, &of_table).await;
            for (place, result) in places.into_iter().zip(ended) {
                results[place] = Some(result);
            }
        }
        results.into_iter().flatten().collect()
    }

    fn backfills(&self) -> Option<&dyn Backfills> {
        Some(self)
    }

    fn concurrency_of_hook(&self) -> Option<usize> {
        Some(PACKS)
    }
}

impl AutoEmbed {
    /// Deliveries of one hook about one table. One result for each.
    async fn run_table(
        &self,
        context: &Context,
        deliveries: &[&Delivery],
    ) -> Vec<Result<Done, HandlerError>> {
        match self.try_table(context, deliveries).await {
            Ok(results) => results,
            Err(error) => deliveries.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn try_table(
        &self,
        context: &Context,
        deliveries: &[&Delivery],
    ) -> Result<Vec<Result<Done, HandlerError>>, HandlerError> {
        let Some(first) = deliveries.first() else {
            return Ok(Vec::new());
        };
        let (hook, of) = (&first.hook, (first.event.relid, first.event.event_type.as_str()));
        let target = self.target(context, hook, of, false).await?;
        let tenants = deliveries.iter().map(|delivery| spending::tenant(delivery));
        let (account, refused) = Account::open(context, hook, tenants).await?;
        let is_admitted = |delivery: &&&Delivery| !refused.contains_key(&spending::tenant(delivery));
        let admitted: Vec<&Delivery> = deliveries.iter().filter(is_admitted).copied().collect();
        let (mut results, mut spent, mut broken) = (HashMap::new(), Spent::default(), None);
        for (user_id, keys) in by_tenant(&target.way, &admitted) {
            let scope = Scope {
                context,
                hook,
                relid: of.0,
                user_id,
            };
            match target.embed_keys(scope, &keys, verdict::time(hook)).await {
                Ok(embedded) => {
                    results.extend(embedded.results);
                    spent.add(embedded.spent);
                }
                Err(error) => broken = Some(verdict::of_table(&error)),
            }
        }
        let (provider, model) = (target.provider.name(), &target.recipe.model);
        account.close(context, hook, provider, model, spent).await;
        if broken.is_some() || results.values().any(Result::is_err) {
            // It may be the table that has changed.
            self.ways.forget(hook, of);
        }
        if let Some(error) = broken {
            return Err(error);
        }
        let result = |delivery: &&Delivery| {
            if let Some(over) = refused.get(&spending::tenant(delivery)) {
                return Err(over.clone());
            }
            match results.get(&target.way.row().of(&delivery.event)?) {
                Some(Err(error)) => Err(error.clone()),
                // A row that is gone needs nothing.
                Some(Ok(_)) | None => Ok(Done::default()),
            }
        };
        Ok(deliveries.iter().map(result).collect())
    }
}

/// The keys that deliveries are about, each once; by tenant where row-level security holds.
fn by_tenant(way: &Way, deliveries: &[&Delivery]) -> HashMap<Option<Uuid>, Vec<Key>> {
    let mut keys = HashMap::<Option<Uuid>, Vec<Key>>::new();
    let mut seen = std::collections::HashSet::new();
    for delivery in deliveries {
        let user_id = if way.has_tenants() {
            delivery.event.user_id
        } else {
            delivery.hook.tenant()
        };
        if let Ok(key) = way.row().of(&delivery.event)
            && seen.insert(key.clone())
        {
            keys.entry(user_id).or_default().push(key);
        }
    }
    keys
}
