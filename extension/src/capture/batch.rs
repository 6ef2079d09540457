//! The event of a statement that stored several rows, beside those of the rows. Must not count them.

use pgrx::pg_sys::MemoryContext;
use serde_json::Value;

use super::argument;
use super::memory::Text;
use super::tenant::Tenant;
use crate::outbox::Event;
use crate::settings::Id;

/// The companion type of a statement that stores several rows.
pub struct Batch {
    pub event: Vec<u8>,
    fields: Vec<String>,
}

impl Batch {
    pub fn of(batch: &argument::Batch) -> Self {
        Self {
            event: batch.event.clone().into_bytes(),
            fields: batch.fields.clone(),
        }
    }

    /// The event of `count` rows of one tenant.
    ///
    /// # Safety
    /// The context lives as long as the event.
    pub unsafe fn event(&self, tenant: &Tenant, count: u64, context: MemoryContext) -> Event {
        let id = |id: &Option<Id>| id.map_or(Value::Null, |id| pgrx::Uuid::from_bytes(id).to_string().into());
        let data: serde_json::Map<_, _> = self
            .fields
            .iter()
            .map(|field| {
                let value = match field.as_str() {
                    "count" => count.into(),
                    "user_id" => id(&tenant.user_id),
                    "project_id" => id(&tenant.project_id),
                    _ => Value::Null,
                };
                (field.clone(), value)
            })
            .collect();
        // SAFETY: handed on from the caller.
        let mut text = unsafe { Text::new(context) };
        text.extend(Value::Object(data).to_string().as_bytes());
        Event {
            data: text.into_datum(),
            user_id: tenant.user_id,
            project_id: tenant.project_id,
            bank_id: None,
        }
    }
}
