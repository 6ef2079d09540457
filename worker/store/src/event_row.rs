//! Events as answers of the database hold them. The data of one event is kept once, however many deliveries it has.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;
use uuid::Uuid;

use super::StoreError;
use super::place::{EventKey, Json};
use zerodb_hooks_delivery::event_data::EventData;

#[derive(Debug, Clone)]
pub struct EventRow {
    pub key: EventKey,
    pub event_type: String,
    pub data: Arc<EventData>,
    pub user_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub bank_id: Option<String>,
    pub traceparent: Option<String>,
    pub created_at: jiff::Timestamp,
    /// The table whose row it is about; 0 when it was emitted.
    pub relid: u32,
}

// The columns of an event, counted from the first of them.
const XID: usize = 0;
const ORD: usize = 1;
const EVENT_TYPE: usize = 2;
const DATA: usize = 3;
const USER_ID: usize = 4;
const PROJECT_ID: usize = 5;
const BANK_ID: usize = 6;
const TRACEPARENT: usize = 7;
const CREATED_AT: usize = 8;
const RELID: usize = 9;

/// The events of one answer, by their keys.
#[derive(Default)]
pub(super) struct Events(HashMap<EventKey, EventRow>);

impl Events {
    /// The event whose columns begin at `first`, read once; `None` when the row has none.
    pub fn read(&mut self, row: &Row, first: usize) -> Result<Option<EventRow>, StoreError> {
        let Some(xid) = row.try_get(first + XID)? else {
            return Ok(None);
        };
        let key = EventKey {
            xid,
            ord: row.try_get(first + ORD)?,
        };
        if let Some(known) = self.0.get(&key) {
            return Ok(Some(known.clone()));
        }
        let event = EventRow {
            key,
            event_type: row.try_get(first + EVENT_TYPE)?,
            data: Arc::new(row.try_get::<_, Json>(first + DATA)?.0),
            user_id: row.try_get(first + USER_ID)?,
            project_id: row.try_get(first + PROJECT_ID)?,
            bank_id: row.try_get(first + BANK_ID)?,
            traceparent: row.try_get(first + TRACEPARENT)?,
            created_at: row.try_get(first + CREATED_AT)?,
            relid: row.try_get(first + RELID)?,
        };
        self.0.insert(key, event.clone());
        Ok(Some(event))
    }

    pub fn get(&self, key: EventKey) -> Option<&EventRow> {
        self.0.get(&key)
    }
}
