//! What a hook has to do with a table: the plan of the server, the provider, and what vectors are made by. Rows have a vector each,
//! or chunks with vectors; who asks need not know which.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::AutoEmbed;
use super::chunked::{ChunkPlan, Documents, Learned};
use super::input::Recipe;
use super::plan::{self, Plan};
use super::rows::{Embedded, Work};
use crate::row_key::{Key, RowKey};
use crate::source::Files;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Context, Rows, verdict};
use zerodb_hooks_providers::Provider;
use zerodb_hooks_store::{Counted, StoreError};

/// Rows of a page of a backfill.
const ROWS: usize = 1000;
/// Rows of a page whose texts become chunks: each may be a whole file.
const DOCUMENTS: usize = 32;

/// What `zerodb._embed_plan` answers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Way {
    Chunks(ChunkPlan),
    Column(Plan),
}

impl Way {
    pub fn row(&self) -> &RowKey {
        match self {
            Self::Chunks(plan) => &plan.row,
            Self::Column(plan) => &plan.row,
        }
    }

    /// Row-level security holds for the acting role: each tenant's rows need a call of their own.
    pub fn has_tenants(&self) -> bool {
        match self {
            Self::Chunks(plan) => plan.tenants,
            Self::Column(plan) => plan.tenants,
        }
    }

    fn dimensions(&self) -> Option<usize> {
        match self {
            Self::Chunks(plan) => plan.dimensions,
            Self::Column(plan) => plan.dimensions,
        }
    }
}

pub struct Target {
    pub way: Arc<Way>,
    pub provider: Arc<Provider>,
    pub recipe: Recipe,
    pub files: Arc<Files>,
    pub learned: Arc<Learned>,
}

/// The rows of a table that a hook may see for a user.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub context: &'a Context,
    pub hook: &'a Hook,
    pub relid: u32,
    /// The tenant of the rows, for row-level security.
    pub user_id: Option<Uuid>,
}

impl Scope<'_> {
    /// Runs an action on the table.
    ///
    /// # Errors
    /// Those of `Store::as_owner`.
    pub async fn call(
        &self,
        action: &str,
        args: Value,
        vectors: Option<&[f32]>,
    ) -> Result<Value, StoreError> {
        let args = self.complete(args);
        let store = &self.context.store;
        store
            .as_owner(self.hook.id, self.relid, action, &args, vectors)
            .await
    }

    /// With the tenant, for a hook of every user; the server knows that of another hook.
    pub fn complete(&self, mut args: Value) -> Value {
        args["user_id"] = json!(self.user_id);
        args
    }
}

impl AutoEmbed {
    /// # Errors
    /// Deferred, when hook, table and the worker's file do not fit; permanent, when they never will.
    pub async fn target(
        &self,
        context: &Context,
        hook: &Hook,
        of: (u32, &str),
        replaces_given: bool,
    ) -> Result<Target, HandlerError> {
        let provider = context.providers.get(hook.text("provider"));
        let provider = provider.map_err(|error| verdict::of_model(&error))?;
        let question = plan::question(hook, of.1);
        let way = self.ways.get(context, hook, of, "embed_plan", &question).await?;
        let recipe = recipe(hook, &way, &provider, replaces_given)?;
        Ok(Target {
            way,
            provider,
            recipe,
            files: Arc::clone(&self.files),
            learned: Arc::clone(&self.learned),
        })
    }
}

impl Target {
    /// Brings the vectors of some rows up to date.
    ///
    /// # Errors
    /// When the table cannot be read or written; what was written stays.
    pub async fn embed_keys(
        &self,
        scope: Scope<'_>,
        keys: &[Key],
        time: Duration,
    ) -> Result<Embedded, StoreError> {
        match self.way.as_ref() {
            Way::Column(plan) => self.work(plan, scope).embed_keys(keys, time).await,
            Way::Chunks(_) => Ok(self.documents(scope).embed(keys, time).await),
        }
    }

    /// The rows after a key.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn page(
        &self,
        scope: Scope<'_>,
        after: Option<&Value>,
        missing: bool,
    ) -> Result<Rows, StoreError> {
        let (rows, most) = match self.way.as_ref() {
            Way::Column(plan) => (self.work(plan, scope).page(after, ROWS, missing).await?, ROWS),
            Way::Chunks(_) => {
                let documents = self.documents(scope);
                (documents.page(after, DOCUMENTS, missing).await?, DOCUMENTS)
            }
        };
        let full = rows.as_array().filter(|rows| rows.len() == most);
        let last = full.and_then(|rows| rows.last()).map(|row| match row.get("key") {
            Some(key) => key.clone(),
            None => row.clone(),
        });
        Ok(Rows { rows, last })
    }

    /// Brings the vectors of a page's rows up to date.
    ///
    /// # Errors
    /// As for `embed_keys`.
    pub async fn embed_page(
        &self,
        scope: Scope<'_>,
        rows: Value,
        time: Duration,
    ) -> Result<Embedded, StoreError> {
        match self.way.as_ref() {
            Way::Column(plan) => self.work(plan, scope).embed_page(rows, time).await,
            Way::Chunks(_) => {
                let keys: Vec<Key> = super::rows::parsed(rows)?;
                Ok(self.documents(scope).embed(&keys, time).await)
            }
        }
    }

    /// How many rows there are, and how many have a vector or chunks.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn count(&self, scope: Scope<'_>) -> Result<Counted, StoreError> {
        let counted = match self.way.as_ref() {
            Way::Column(_) => scope.call("embed_count", json!({}), None),
            Way::Chunks(_) => scope.call("chunk_count", json!({}), None),
        };
        let counted = counted.await?;
        let number = |field: &str| counted[field].as_i64().unwrap_or(0);
        Ok(Counted {
            total: number("total"),
            done: number("embedded"),
        })
    }

    fn work<'a>(&'a self, plan: &'a Plan, scope: Scope<'a>) -> Work<'a> {
        Work {
            scope,
            plan,
            provider: &self.provider,
            recipe: &self.recipe,
        }
    }

    fn documents<'a>(&'a self, scope: Scope<'a>) -> Documents<'a> {
        Documents {
            scope,
            provider: &self.provider,
            recipe: &self.recipe,
            files: &self.files,
            learned: &self.learned,
        }
    }
}

/// What the vectors of this hook and table are made by.
fn recipe(hook: &Hook, way: &Way, provider: &Provider, replaces_given: bool) -> Result<Recipe, HandlerError> {
    let wanted = hook
        .number("dimensions")
        .and_then(|number| usize::try_from(number).ok());
    if let (Some(wanted), Some(has)) = (wanted, way.dimensions())
        && wanted != has
    {
        return Err(HandlerError::permanent(format!(
            "wrong_dimensions: the hook wants {wanted}, the vectors of {} have {has}",
            way.row().table
        )));
    }
    let model = provider.identity(hook.text("model"));
    Ok(Recipe {
        template: hook.text("template").map(ToOwned::to_owned),
        model: model.map_err(|error| verdict::of_model(&error))?,
        dimensions: wanted.or(way.dimensions()),
        replaces_given,
    })
}
