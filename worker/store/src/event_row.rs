//! The events in answers of the database. The data of one event is kept once, however many deliveries it has.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::columns::columns;
use super::error::StoreError;
use super::xid::EventKey;
use zerodb_hooks_delivery::event_data::EventData;

/// An event as the log holds it.
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

columns! {
    /// The columns of an event. All are null in a row that has none.
    EventColumns {
        xid,
        ord,
        event_type,
        data,
        user_id,
        project_id,
        bank_id,
        traceparent,
        created_at,
        relid,
    }
}

/// The events of one answer, by their keys.
#[derive(Default)]
pub(super) struct Events {
    columns: Option<EventColumns>,
    known: HashMap<EventKey, EventRow>,
}

impl Events {
    /// The event of a row; `None` when it has none. Each event is read once.
    pub fn read(&mut self, row: &Row) -> Result<Option<EventRow>, StoreError> {
        let columns = match &self.columns {
            Some(columns) => columns,
            None => self.columns.insert(EventColumns::of(row)?),
        };
        let Some(xid) = row.try_get(columns.xid)? else {
            return Ok(None);
        };
        let key = EventKey {
            xid,
            ord: row.try_get(columns.ord)?,
        };
        if let Some(known) = self.known.get(&key) {
            return Ok(Some(known.clone()));
        }
        let event = EventRow {
            key,
            event_type: row.try_get(columns.event_type)?,
            data: Arc::new(row.try_get::<_, Json>(columns.data)?.0),
            user_id: row.try_get(columns.user_id)?,
            project_id: row.try_get(columns.project_id)?,
            bank_id: row.try_get(columns.bank_id)?,
            traceparent: row.try_get(columns.traceparent)?,
            created_at: row.try_get(columns.created_at)?,
            relid: row.try_get(columns.relid)?,
        };
        self.known.insert(key, event.clone());
        Ok(Some(event))
    }

    pub fn get(&self, key: EventKey) -> Option<&EventRow> {
        self.known.get(&key)
    }
}

/// A `json` value with every digit that the server has.
struct Json(EventData);

impl<'a> FromSql<'a> for Json {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(EventData::new(std::str::from_utf8(raw)?)?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }
}
