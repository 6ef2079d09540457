//! `auto_embed`: keeps a column of vectors up to date with a text. Config: `provider`, `model`, `dimensions`, `content`,
//! `target_column`, `template`.
//!
//! A pack of deliveries is one read, as few requests as the provider's limits allow, and one write; no transaction is open
//! in between. A vector is written only where the row still holds the text it was made from.

mod backfill;
mod input;
mod plan;
mod requests;
mod rows;
mod search;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::spending::{self, Account, Spent};
use super::{Backfills, Context, Handler};
use crate::delivery::Delivery;
use crate::hook::Hook;
use crate::outcome::{Done, HandlerError};
use crate::providers::Provider;
use crate::store::StoreError;
use input::Recipe;
use plan::{Key, Plan};
use rows::Work;

/// Packs of one hook at once.
const PACKS: usize = 8;
/// Deliveries of a pack: as many as the largest request that any provider is known to take.
const LARGEST_PACK: usize = 2048;
/// Plans kept before all are forgotten.
const PLANS_KEPT: usize = 10_000;

/// A version of a hook, a table and an event type.
type PlanKey = (Uuid, i64, u32, String);

#[derive(Default)]
pub struct AutoEmbed {
    plans: Mutex<HashMap<PlanKey, Arc<Plan>>>,
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
        let (hook, event) = (&first.hook, &first.event);
        let provider = context
            .providers
            .get(hook.text("provider"))
            .map_err(|error| requests::verdict(&error))?;
        let plan = self.plan(context, hook, event.relid, &event.event_type).await?;
        let recipe = recipe(hook, &plan, &provider, false)?;
        let tenants = deliveries.iter().map(|delivery| spending::tenant(delivery));
        let (account, refused) = Account::open(context, hook, tenants).await?;
        let admitted: Vec<&Delivery> = deliveries
            .iter()
            .filter(|delivery| !refused.contains_key(&spending::tenant(delivery)))
            .copied()
            .collect();
        let (mut results, mut spent, mut broken) = (HashMap::new(), Spent::default(), None);
        for (user_id, keys) in by_tenant(&plan, &admitted) {
            let work = Work {
                context,
                hook,
                relid: event.relid,
                plan: &plan,
                provider: &provider,
                recipe: &recipe,
                user_id,
            };
            let time = time(hook);
            match work.embed_keys(&keys, time).await {
                Ok(embedded) => {
                    results.extend(embedded.results);
                    spent.add(embedded.spent);
                }
                Err(error) => broken = Some(failed(&error)),
            }
        }
        account
            .close(context, hook, provider.name(), &recipe.model, spent)
            .await;
        if let Some(error) = broken {
            return Err(error);
        }
        let result = |delivery: &&Delivery| {
            if let Some(over) = refused.get(&spending::tenant(delivery)) {
                return Err(over.clone());
            }
            match results.get(&plan.key_of(&delivery.event)?) {
                Some(Err(error)) => Err(error.clone()),
                // A row that is gone needs nothing.
                Some(Ok(_)) | None => Ok(Done::default()),
            }
        };
        Ok(deliveries.iter().map(result).collect())
    }

    async fn plan(
        &self,
        context: &Context,
        hook: &Hook,
        relid: u32,
        event_type: &str,
    ) -> Result<Arc<Plan>, HandlerError> {
        if relid == 0 {
            return Err(HandlerError::permanent(
                "no_row: an event that was emitted is about no row; watch the table instead",
            ));
        }
        let key = (hook.id, hook.version, relid, event_type.to_owned());
        let known = self
            .plans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(plan) = known {
            return Ok(plan);
        }
        let question = plan::question(hook, event_type);
        let store = &context.store;
        let found = store
            .as_owner(hook.id, relid, "embed_plan", &question, None)
            .await;
        let found = found.map_err(|error| failed(&error))?;
        let plan: Plan = serde_json::from_value(found)
            .map_err(|_| HandlerError::transient("the extension is of another version than this worker"))?;
        let plan = Arc::new(plan);
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= PLANS_KEPT {
            plans.clear();
        }
        plans.insert(key, Arc::clone(&plan));
        Ok(plan)
    }
}

/// What the vectors of this hook and table are made by.
fn recipe(
    hook: &Hook,
    plan: &Plan,
    provider: &Provider,
    replaces_given: bool,
) -> Result<Recipe, HandlerError> {
    let wanted = hook
        .number("dimensions")
        .and_then(|number| usize::try_from(number).ok());
    if let (Some(wanted), Some(has)) = (wanted, plan.dimensions)
        && wanted != has
    {
        return Err(HandlerError::permanent(format!(
            "wrong_dimensions: the hook wants {wanted}, column {} of {} has {has}",
            plan.target, plan.table
        )));
    }
    let model = provider
        .identity(hook.text("model"))
        .map_err(|error| requests::verdict(&error))?;
    Ok(Recipe {
        template: hook.text("template").map(ToOwned::to_owned),
        model,
        dimensions: wanted.or(plan.dimensions),
        replaces_given,
    })
}

/// The keys that deliveries are about, each once; by tenant where row-level security holds.
fn by_tenant(plan: &Plan, deliveries: &[&Delivery]) -> HashMap<Option<Uuid>, Vec<Key>> {
    let mut keys = HashMap::<Option<Uuid>, Vec<Key>>::new();
    let mut seen = std::collections::HashSet::new();
    for delivery in deliveries {
        let user_id = if plan.tenants {
            delivery.event.user_id
        } else {
            (!delivery.hook.user_id.is_nil()).then_some(delivery.hook.user_id)
        };
        if let Ok(key) = plan.key_of(&delivery.event)
            && seen.insert(key.clone())
        {
            keys.entry(user_id).or_default().push(key);
        }
    }
    keys
}

/// The time for requests: what the attempt has, less what reading and writing may take.
fn time(hook: &Hook) -> Duration {
    let timeout = hook.policy.timeout;
    timeout.saturating_sub(Duration::from_secs(2)).max(timeout / 2)
}

/// What a failed action means for a delivery.
fn failed(error: &StoreError) -> HandlerError {
    let message = format!("table: {error}");
    if error.is_config() {
        // Nothing is lost until somebody has changed it.
        let after = requests::UNTIL_CHANGED;
        HandlerError::Deferred { message, after }
    } else {
        HandlerError::transient(message)
    }
}
