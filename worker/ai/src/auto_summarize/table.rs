//! One row of a user's table, as the actions `summary_…` read and write it. Each call is one short transaction.

use serde_json::{Value, json};

use super::plan::SummaryPlan;
use super::recipe::{SummarizedRow, SummaryBasis};
use super::summary::Summary;
use crate::row_key::Key;
use crate::source::Parts;
use crate::spending::Spent;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Context, verdict};
use zerodb_hooks_store::StoreError;

pub struct SummaryTable<'a> {
    pub context: &'a Context,
    pub delivery: &'a Delivery,
    pub plan: &'a SummaryPlan,
    pub key: &'a Key,
}

impl SummaryTable<'_> {
    /// The row without its content; `None` when it is gone.
    ///
    /// # Errors
    /// See `verdict::of_table`.
    pub async fn read(&self) -> Result<Option<SummarizedRow>, HandlerError> {
        let store = &self.context.store;
        let args = self.complete(json!({}));
        let found = store
            .read_summary(self.delivery.hook.id, self.delivery.event.relid, &args)
            .await;
        serde_json::from_value(of_table(found)?).map_err(|error| verdict::of_answer(&error))
    }

    /// Writes the summary, unless the source is no longer the one it was made from; says whether it did.
    ///
    /// # Errors
    /// See `verdict::of_table`.
    pub async fn write(
        &self,
        basis: &SummaryBasis,
        summary: &Summary,
        source: &str,
        spent: Spent,
    ) -> Result<bool, HandlerError> {
        let args = self.complete(json!({
            "source": basis.source,
            "hash": basis.hash,
            // A text of Postgres cannot hold a NUL.
            "summary": summary.text.as_ref().map(|text| text.replace('\0', "")),
            "model": summary.model,
            "info": summary.info(source, spent),
        }));
        let keeps_hash = self.plan.hash_column.is_none();
        let store = &self.context.store;
        of_table(
            store
                .write_summary(
                    self.delivery.hook.id,
                    self.delivery.event.relid,
                    &args,
                    keeps_hash,
                )
                .await,
        )
    }

    /// Adds what every action needs.
    fn complete(&self, mut args: Value) -> Value {
        let user_id = if self.plan.tenants {
            self.delivery.event.user_id
        } else {
            self.delivery.hook.tenant()
        };
        args["key"] = json!(self.key);
        args["user_id"] = json!(user_id);
        args
    }
}

impl Parts for SummaryTable<'_> {
    async fn part(&self, start: usize, count: usize) -> Result<Option<String>, HandlerError> {
        let store = &self.context.store;
        let args = self.complete(json!({ "start": start, "count": count }));
        let (hook, relid) = (self.delivery.hook.id, self.delivery.event.relid);
        let part = store.as_owner(hook, relid, "summary_part", &args, None).await;
        match of_table(part)? {
            Value::String(part) => Ok(Some(part)),
            _ => Ok(None),
        }
    }
}

fn of_table<T>(result: Result<T, StoreError>) -> Result<T, HandlerError> {
    result.map_err(|error| verdict::of_table(&error))
}
