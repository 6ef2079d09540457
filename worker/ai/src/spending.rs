//! Asks the budgets before a handler's requests are sent, and writes the ledger after. For all handlers that use
//! models; it knows no model and no table.

use std::collections::BTreeMap;

use uuid::Uuid;

use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Context, verdict};
use zerodb_hooks_metrics::ModelUse;
use zerodb_hooks_providers::Usage;
use zerodb_hooks_store::{Spending, UsageEntry};

/// The user and the project of an event.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tenant {
    pub user_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
}

/// The cost of requests.
#[derive(Debug, Default, Clone, Copy)]
pub struct Spent {
    pub requests: u64,
    pub inputs: u64,
    pub usage: Usage,
}

impl Spent {
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.inputs += other.inputs;
        self.usage = self.usage.plus(other.usage);
    }
}

/// The tenants that may spend now.
#[derive(Debug, Default)]
pub struct Account {
    tenants: BTreeMap<Tenant, LedgerShare>,
}

/// A tenant's share of what is spent.
#[derive(Debug)]
struct LedgerShare {
    /// The id of its entry in the ledger.
    entry: Uuid,
    deliveries: u64,
}

pub fn tenant(delivery: &Delivery) -> Tenant {
    Tenant {
        user_id: delivery.event.user_id,
        project_id: delivery.event.project_id,
    }
}

impl Account {
    /// Asks the budgets of the tenants. Those that have nothing left are in the map, each with the reason to wait.
    ///
    /// # Errors
    /// Transient, when the database does not answer.
    pub async fn open(
        context: &Context,
        hook: &Hook,
        tenants: impl Iterator<Item = Tenant>,
    ) -> Result<(Self, BTreeMap<Tenant, HandlerError>), HandlerError> {
        let mut account = Self::default();
        for tenant in tenants {
            account
                .tenants
                .entry(tenant)
                .or_insert_with(|| LedgerShare {
                    entry: Uuid::new_v4(),
                    deliveries: 0,
                })
                .deliveries += 1;
        }
        let wanted: Vec<Spending> = account
            .tenants
            .iter()
            .map(|(tenant, share)| spending(hook, *tenant, share.entry))
            .collect();
        let answers = context.store.check_budgets(&wanted).await;
        let answers = answers.map_err(|error| verdict::of_table(&error))?;
        let mut refused = BTreeMap::new();
        for (one, answer) in wanted.into_iter().zip(answers) {
            if let Some(over) = answer {
                let tenant = Tenant {
                    user_id: one.user_id,
                    project_id: one.project_id,
                };
                account.tenants.remove(&tenant);
                let deferred = HandlerError::Deferred {
                    message: over.to_string(),
                    after: over.after,
                };
                refused.insert(tenant, deferred);
            }
        }
        Ok((account, refused))
    }

    /// Asks the budgets of one delivery's tenant.
    ///
    /// # Errors
    /// Deferred, when a budget is used up; transient, when the database does not answer.
    pub async fn open_one(context: &Context, delivery: &Delivery) -> Result<Self, HandlerError> {
        let tenants = std::iter::once(tenant(delivery));
        let (account, refused) = Self::open(context, &delivery.hook, tenants).await?;
        refused.into_values().next().map_or(Ok(account), Err)
    }

    /// Writes what was spent for all tenants together, to each by its share of the deliveries. A ledger that cannot be
    /// written fails no delivery: what is paid is paid.
    pub async fn close(self, context: &Context, hook: &Hook, provider: &str, model: &str, spent: Spent) {
        count(context, hook, provider, spent);
        let all: u64 = self.tenants.values().map(|share| share.deliveries).sum();
        let several = self.tenants.len() > 1;
        let entries: Vec<UsageEntry> = self
            .tenants
            .into_iter()
            .map(|(tenant, share)| {
                let part = |number: u64| number * share.deliveries / all.max(1);
                UsageEntry {
                    id: share.entry,
                    user_id: tenant.user_id,
                    project_id: tenant.project_id,
                    handler: hook.handler().into(),
                    hook_id: Some(hook.id),
                    provider: provider.into(),
                    model: model.into(),
                    requests: to_u32(if several {
                        part(spent.requests).max(u64::from(spent.requests > 0))
                    } else {
                        spent.requests
                    }),
                    inputs: to_u32(part(spent.inputs)),
                    usage: Usage {
                        prompt_tokens: part(spent.usage.prompt_tokens),
                        completion_tokens: part(spent.usage.completion_tokens),
                        estimated: spent.usage.estimated || several,
                    },
                }
            })
            .collect();
        if let Err(error) = context.store.record_usage(&entries).await {
            tracing::warn!(hook.id = %hook.id, %error, "what was used of a model could not be recorded");
        }
    }
}

fn count(context: &Context, hook: &Hook, provider: &str, spent: Spent) {
    let used = ModelUse {
        requests: spent.requests,
        inputs: spent.inputs,
        prompt_tokens: spent.usage.prompt_tokens,
        completion_tokens: spent.usage.completion_tokens,
    };
    context.meters.model_used(provider, hook.handler(), used);
}

fn spending(hook: &Hook, tenant: Tenant, id: Uuid) -> Spending {
    Spending {
        id,
        user_id: tenant.user_id,
        project_id: tenant.project_id,
        handler: hook.handler().into(),
        tokens: 0,
    }
}

fn to_u32(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
