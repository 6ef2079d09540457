//! `auto_embed` on the rows that existed before its hook, or before its hook changed.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::AutoEmbed;
use super::embedded::{Effect, Embedded};
use super::scope::Scope;
use super::target::EmbedTarget;
use crate::plans::Watched;
use crate::row_key::Key;
use crate::spending::{Account, Tenant};
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Backfills, Context, Rows, verdict};
use zerodb_hooks_store::{Backfill, Counted, Page};

/// The time that the requests of a page may take.
const TIME: Duration = Duration::from_secs(300);

impl AutoEmbed {
    async fn target_of(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
    ) -> Result<EmbedTarget, HandlerError> {
        self.target(context, hook, watched(backfill), backfill.replaces_given)
            .await
    }

    fn forget(&self, hook: &Hook, backfill: &Backfill) {
        self.plans.forget(hook, watched(backfill));
    }
}

fn watched(backfill: &Backfill) -> Watched<'_> {
    Watched {
        relid: backfill.relid,
        event_type: &backfill.event_type,
    }
}

fn scope<'a>(context: &'a Context, hook: &'a Hook, backfill: &Backfill) -> Result<Scope<'a>, HandlerError> {
    Ok(Scope {
        context,
        hook,
        config: hook.config()?,
        relid: backfill.relid,
        user_id: hook.tenant(),
    })
}

#[async_trait]
impl Backfills for AutoEmbed {
    async fn count(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
    ) -> Result<Counted, HandlerError> {
        let target = self.target_of(context, hook, backfill).await?;
        let counted = target.count(scope(context, hook, backfill)?).await;
        counted.map_err(|error| {
            self.forget(hook, backfill);
            verdict::of_table(&error)
        })
    }

    async fn read(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
        after: Option<&Value>,
    ) -> Result<Rows, HandlerError> {
        let target = self.target_of(context, hook, backfill).await?;
        let rows = target
            .page(scope(context, hook, backfill)?, after, backfill.missing_only)
            .await;
        rows.map_err(|error| {
            self.forget(hook, backfill);
            verdict::of_table(&error)
        })
    }

    async fn run(
        &self,
        context: &Context,
        hook: &Hook,
        backfill: &Backfill,
        rows: Rows,
    ) -> Result<Page, HandlerError> {
        let target = self.target_of(context, hook, backfill).await?;
        let seen = rows.rows.as_array().map_or(0, Vec::len);
        let tenant = Tenant {
            user_id: hook.tenant(),
            project_id: None,
        };
        let (account, refused) = Account::open(context, hook, std::iter::once(tenant)).await?;
        if let Some(over) = refused.into_values().next() {
            return Err(over);
        }
        let scope = scope(context, hook, backfill)?;
        let embedded = target.embed_page(scope, rows.rows, TIME).await;
        let is_whole = embedded
            .as_ref()
            .is_ok_and(|embedded| embedded.results.values().all(Result::is_ok));
        if !is_whole {
            // It may be the table that has changed.
            self.forget(hook, backfill);
        }
        let spent = embedded
            .as_ref()
            .map(|embedded| embedded.spent)
            .unwrap_or_default();
        account
            .close(context, hook, target.provider.name(), &target.recipe.model, spent)
            .await;
        page(
            embedded.map_err(|error| verdict::of_table(&error))?,
            seen,
            rows.last,
        )
    }
}

/// A page is done when each of its rows is embedded or can never be. Where one could be later, the whole page is run
/// again; rows that are embedded by then cost nothing.
fn page(embedded: Embedded, seen: usize, last: Option<Value>) -> Result<Page, HandlerError> {
    let mut page = Page {
        last,
        seen: i64::try_from(seen).unwrap_or(i64::MAX),
        ..Page::default()
    };
    let results: HashMap<Key, _> = embedded.results;
    for (key, result) in results {
        match result {
            Ok(Effect::Vectors) => page.done += 1,
            Ok(Effect::Nothing) => {}
            Err(HandlerError::Permanent { message, .. }) => page.failed.push((json!(key), message)),
            Err(passing) => return Err(passing),
        }
    }
    Ok(page)
}
