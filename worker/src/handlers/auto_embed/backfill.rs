//! `auto_embed` on the rows that were there before its hook, or before its hook changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::plan::{Key, Plan};
use super::rows::{Embedded, Made, Work};
use super::{AutoEmbed, failed, recipe, requests};
use crate::handlers::spending::Account;
use crate::handlers::{Backfills, Context, Rows};
use crate::hook::Hook;
use crate::outcome::HandlerError;
use crate::providers::Provider;
use crate::store::{Backfill, Counted, Page};

/// Rows of a page.
const ROWS: usize = 1000;
/// The time that the requests of a page may take.
const TIME: Duration = Duration::from_secs(300);

/// A backfill's hook, table and provider.
struct Target {
    plan: Arc<Plan>,
    provider: Arc<Provider>,
    recipe: super::input::Recipe,
}

impl AutoEmbed {
    async fn target(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
    ) -> Result<Target, HandlerError> {
        let provider = context
            .providers
            .get(hook.text("provider"))
            .map_err(|error| requests::verdict(&error))?;
        let plan = self
            .plan(context, hook, backfill.relid, &backfill.event_type)
            .await?;
        let recipe = recipe(hook, &plan, &provider, backfill.replaces_given)?;
        Ok(Target {
            plan,
            provider,
            recipe,
        })
    }
}

impl Target {
    fn work<'a>(&'a self, context: &'a Context, hook: &'a Hook, backfill: &Backfill) -> Work<'a> {
        Work {
            context,
            hook,
            relid: backfill.relid,
            plan: &self.plan,
            provider: &self.provider,
            recipe: &self.recipe,
            user_id: (!hook.user_id.is_nil()).then_some(hook.user_id),
        }
    }
}

#[async_trait]
impl Backfills for AutoEmbed {
    async fn count(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
    ) -> Result<Counted, HandlerError> {
        let target = self.target(context, hook, backfill).await?;
        let counted = target.work(context, hook, backfill).count().await;
        counted.map_err(|error| failed(&error))
    }

    async fn read(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
        after: Option<&Value>,
    ) -> Result<Rows, HandlerError> {
        let target = self.target(context, hook, backfill).await?;
        let work = target.work(context, hook, backfill);
        let rows = work
            .page(after, ROWS, backfill.missing_only)
            .await
            .map_err(|error| failed(&error))?;
        let last = rows
            .as_array()
            .filter(|rows| rows.len() == ROWS)
            .and_then(|rows| rows.last()?.get("key").cloned());
        Ok(Rows { rows, last })
    }

    async fn run(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
        rows: Rows,
    ) -> Result<Page, HandlerError> {
        let target = self.target(context, hook, backfill).await?;
        let seen = rows.rows.as_array().map_or(0, Vec::len);
        let tenant = ((!hook.user_id.is_nil()).then_some(hook.user_id), None);
        let (account, refused) = Account::open(context, hook, std::iter::once(tenant)).await?;
        if let Some(over) = refused.into_values().next() {
            return Err(over);
        }
        let work = target.work(context, hook, backfill);
        let embedded = work.embed_page(rows.rows, TIME).await;
        let spent = embedded
            .as_ref()
            .map(|embedded| embedded.spent)
            .unwrap_or_default();
        account
            .close(context, hook, target.provider.name(), &target.recipe.model, spent)
            .await;
        page(embedded.map_err(|error| failed(&error))?, seen, rows.last)
    }
}

/// A page is done when each of its rows is embedded or can never be. Where one could be later, all of the page is seen again; what
/// is embedded by then costs nothing.
fn page(embedded: Embedded, seen: usize, last: Option<Value>) -> Result<Page, HandlerError> {
    let mut page = Page {
        last,
        seen: i64::try_from(seen).unwrap_or(i64::MAX),
        ..Page::default()
    };
    let results: HashMap<Key, _> = embedded.results;
    for (key, result) in results {
        match result {
            Ok(Made::Vector) => page.done += 1,
            Ok(Made::Nothing) => {}
            Err(HandlerError::Permanent { message, .. }) => page.failed.push((json!(key), message)),
            Err(passing) => return Err(passing),
        }
    }
    Ok(page)
}
