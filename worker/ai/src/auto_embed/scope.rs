//! The rows of a table that a hook may see for one user, and the actions on them. It knows no column.

use serde_json::{Value, json};
use uuid::Uuid;

use zerodb_hooks_contract::hooks::AutoEmbed;
use zerodb_hooks_delivery::hook::{Hook, Principal};
use zerodb_hooks_engine::Context;
use zerodb_hooks_store::StoreError;

/// The rows of a table that a hook may see for a user.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub context: &'a Context,
    pub hook: &'a Hook,
    pub config: &'a AutoEmbed,
    pub relid: u32,
    /// The tenant of the rows, for row-level security.
    pub user_id: Option<Uuid>,
}

impl Scope<'_> {
    /// Who asks the models.
    pub fn principal(&self) -> Principal {
        self.hook.principal(self.user_id)
    }

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

    /// Adds the tenant, which a hook of every user needs; of another hook the server knows it.
    pub fn complete(&self, mut args: Value) -> Value {
        args["user_id"] = json!(self.user_id);
        args
    }
}
