//! `auto_embed`: keeps a column of vectors up to date with a text, or a table of chunks with long texts and files.
//!
//! A pack of deliveries is one read, as few requests as the provider's limits allow, and one write; no transaction is
//! open in between. A vector is written only where the row still holds the text it was made from.

mod backfill;
mod chunks;
mod column;
mod embedded;
mod layout;
mod recipe;
mod requests;
mod scope;
mod search;
mod target;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use crate::plans::{Plans, Watched};
use crate::row_key::Key;
use crate::source::Files;
use crate::spending::{self, Account};
use chunks::learned::LearnedLengths;
use embedded::Embedded;
use layout::Layout;
use recipe::EmbedRecipe;
use scope::Scope;
use target::EmbedTarget;
use zerodb_hooks_contract::hooks;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};
use zerodb_hooks_engine::{Backfills, Context, Handler, verdict};

/// Packs of one hook at once.
const PACKS: usize = 8;
/// Deliveries of a pack: as many as the largest request that any provider is known to take.
const LARGEST_PACK: usize = 2048;

pub struct AutoEmbed {
    plans: Plans<Layout>,
    files: Arc<Files>,
    learned: Arc<LearnedLengths>,
}

impl AutoEmbed {
    pub fn new(files: Arc<Files>) -> Self {
        Self {
            plans: Plans::default(),
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
        let Ok(config) = hook.config::<hooks::AutoEmbed>() else {
            return 2;
        };
        match context.providers.get(config.provider.as_deref()) {
            Ok(provider) => provider
                .pack_limits(config.model.as_deref())
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
        let mut tables = HashMap::<Watched<'_>, Vec<usize>>::new();
        for (index, delivery) in deliveries.iter().enumerate() {
            tables
                .entry(Watched::of(&delivery.event))
                .or_default()
                .push(index);
        }
        for (watched, indexes) in tables {
            let of_table: Vec<&Delivery> = indexes.iter().map(|index| deliveries[*index].as_ref()).collect();
            let of_table = self.run_table(context, watched, &of_table).await;
            for (index, result) in indexes.into_iter().zip(of_table) {
                results[index] = Some(result);
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
    /// Runs deliveries of one hook about one table. One result for each.
    async fn run_table(
        &self,
        context: &Context,
        watched: Watched<'_>,
        deliveries: &[&Delivery],
    ) -> Vec<Result<Done, HandlerError>> {
        match self.try_table(context, watched, deliveries).await {
            Ok(results) => results,
            Err(error) => deliveries.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn try_table(
        &self,
        context: &Context,
        watched: Watched<'_>,
        deliveries: &[&Delivery],
    ) -> Result<Vec<Result<Done, HandlerError>>, HandlerError> {
        let Some(first) = deliveries.first() else {
            return Ok(Vec::new());
        };
        let hook = &first.hook;
        let target = self.target(context, hook, watched, false).await?;
        let tenants = deliveries.iter().map(|delivery| spending::tenant(delivery));
        let (account, refused) = Account::open(context, hook, tenants).await?;
        let is_admitted = |delivery: &&&Delivery| !refused.contains_key(&spending::tenant(delivery));
        let admitted: Vec<&Delivery> = deliveries.iter().filter(is_admitted).copied().collect();
        let mut embedded = Embedded::default();
        let written = embed_all(context, &target, watched, &admitted, &mut embedded).await;
        let (provider, model) = (target.provider.name(), &target.recipe.model);
        account
            .close(context, hook, provider, model, embedded.spent)
            .await;
        if written.is_err() || embedded.results.values().any(Result::is_err) {
            // It may be the table that has changed.
            self.plans.forget(hook, watched);
        }
        written?;
        let result = |delivery: &&Delivery| {
            if let Some(over) = refused.get(&spending::tenant(delivery)) {
                return Err(over.clone());
            }
            match embedded.results.get(&target.layout.row().of(&delivery.event)?) {
                Some(Err(error)) => Err(error.clone()),
                // A row that is gone needs nothing.
                Some(Ok(_)) | None => Ok(Done::default()),
            }
        };
        Ok(deliveries.iter().map(result).collect())
    }

    /// # Errors
    /// Deferred, when hook, table and the worker's file do not fit; permanent, when they never will.
    async fn target(
        &self,
        context: &Context,
        hook: &Hook,
        watched: Watched<'_>,
        replaces_given: bool,
    ) -> Result<EmbedTarget, HandlerError> {
        let config = hook.config::<hooks::AutoEmbed>()?;
        let provider = context.providers.get(config.provider.as_deref());
        let provider = provider.map_err(|error| verdict::of_model(&error))?;
        let args = layout::plan_args(config, watched.event_type);
        let layout = self
            .plans
            .get(context, hook, watched, "embed_plan", &args)
            .await?;
        let recipe = EmbedRecipe::of(config, &layout, &provider, replaces_given)?;
        Ok(EmbedTarget {
            layout,
            provider,
            recipe,
            files: Arc::clone(&self.files),
            learned: Arc::clone(&self.learned),
        })
    }
}

/// Embeds the rows of the deliveries, tenant by tenant, and adds the results to `embedded`.
///
/// # Errors
/// The last one of a tenant whose rows cannot be read or written; the other tenants' rows are done all the same.
async fn embed_all(
    context: &Context,
    target: &EmbedTarget,
    watched: Watched<'_>,
    deliveries: &[&Delivery],
    embedded: &mut Embedded,
) -> Result<(), HandlerError> {
    let mut written = Ok(());
    let Some(hook) = deliveries.first().map(|delivery| &delivery.hook) else {
        return written;
    };
    let config = hook.config()?;
    for (user_id, keys) in by_tenant(&target.layout, deliveries) {
        let scope = Scope {
            context,
            hook,
            config,
            relid: watched.relid,
            user_id,
        };
        match target.embed_keys(scope, &keys, verdict::time(hook)).await {
            Ok(of_tenant) => {
                embedded.results.extend(of_tenant.results);
                embedded.spent.add(of_tenant.spent);
            }
            Err(error) => written = Err(verdict::of_table(&error)),
        }
    }
    written
}

/// The keys of the deliveries' rows, each once; by tenant where row-level security holds.
fn by_tenant(layout: &Layout, deliveries: &[&Delivery]) -> HashMap<Option<Uuid>, Vec<Key>> {
    let mut keys = HashMap::<Option<Uuid>, Vec<Key>>::new();
    let mut seen = HashSet::new();
    for delivery in deliveries {
        let user_id = if layout.has_tenants() {
            delivery.event.user_id
        } else {
            delivery.hook.tenant()
        };
        if let Ok(key) = layout.row().of(&delivery.event)
            && seen.insert(key.clone())
        {
            keys.entry(user_id).or_default().push(key);
        }
    }
    keys
}
