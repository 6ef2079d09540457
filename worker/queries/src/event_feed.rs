//! Events as they are written, by the pages of `zerodb.list_events`. No payload is read.
//!
//! The log is in the order of transaction ids, and a transaction that is open may still write below what was seen. So
//! each look goes back to the oldest transaction that was open at the look before, and drops what it has seen.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::{QueryError, statements};

/// Pages that one look reads at most, of 1,000 events each.
const PAGES: usize = 5;

/// An event, without its data.
#[derive(Debug, Clone, Serialize)]
pub struct EventRecord {
    pub id: String,
    pub event: String,
    pub channel: String,
    pub user_id: Option<Uuid>,
    pub created_at: Timestamp,
}

/// A place in the log.
pub struct EventFeed {
    event_type: Option<String>,
    /// Nothing older is wanted; of the first look alone.
    since: Option<Timestamp>,
    /// The begin of the ids below which nothing is new.
    horizon: String,
    seen: HashSet<String>,
    has_skipped: bool,
}

impl EventFeed {
    /// At the log's end, or at `since`. With `event_type`, a type or a pattern, only events of it.
    ///
    /// # Errors
    /// Those of the statement, also that the type is none.
    pub async fn open(
        client: &Client,
        event_type: Option<String>,
        since: Option<Timestamp>,
    ) -> Result<Self, QueryError> {
        let mut feed = Self {
            event_type,
            since,
            horizon: String::new(),
            seen: HashSet::new(),
            has_skipped: false,
        };
        // Also where older ones are wanted: the server refuses what is no type.
        let page = feed.page(client, None).await?;
        if since.is_none() {
            feed.horizon = page.horizon;
            feed.look(client).await?;
        }
        Ok(feed)
    }

    /// Whether the last look found more than it reads, and left the oldest out.
    pub fn has_skipped(&self) -> bool {
        self.has_skipped
    }

    /// The events that were not there at the last look, oldest first.
    ///
    /// # Errors
    /// Those of the statement. What was new is then found by the next look. Safe to cancel.
    pub async fn look(&mut self, client: &Client) -> Result<Vec<EventRecord>, QueryError> {
        let (mut before, mut horizon) = (None, None);
        let (mut new, mut met, mut is_whole) = (Vec::new(), HashSet::new(), false);
        for _ in 0..PAGES {
            let page = self.page(client, before.as_deref()).await?;
            // That of the first page: what began later is looked for again.
            let horizon: &String = horizon.get_or_insert(page.horizon);
            let old = page.events.iter().position(|event| event.id < self.horizon);
            let within = &page.events[..old.unwrap_or(page.events.len())];
            new.extend(
                within
                    .iter()
                    .filter(|event| !self.seen.contains(&event.id))
                    .cloned(),
            );
            met.extend(
                within
                    .iter()
                    .map(|event| event.id.clone())
                    .filter(|id| id >= horizon),
            );
            is_whole = old.is_some() || page.cursor.is_none();
            before = page.cursor;
            if is_whole {
                break;
            }
        }
        self.has_skipped = !is_whole;
        self.horizon = horizon.unwrap_or_default();
        self.seen = met;
        self.since = None;
        new.reverse();
        Ok(new)
    }

    async fn page(&self, client: &Client, before: Option<&str>) -> Result<Page, QueryError> {
        let rows = client
            .query(statements::NEW_EVENTS, &[&self.event_type, &before, &self.since])
            .await?;
        let mut page = Page::default();
        for row in &rows {
            page.horizon = row.try_get("horizon")?;
            page.cursor = row.try_get("cursor")?;
            page.events.extend(record(row)?);
        }
        Ok(page)
    }
}

#[derive(Default)]
struct Page {
    events: Vec<EventRecord>,
    /// `None` where no row follows.
    cursor: Option<String>,
    horizon: String,
}

/// The event of a row; `None` for one that has a cursor alone.
fn record(row: &Row) -> Result<Option<EventRecord>, tokio_postgres::Error> {
    let Some(id) = row.try_get("id")? else {
        return Ok(None);
    };
    Ok(Some(EventRecord {
        id,
        event: row.try_get("event")?,
        channel: row.try_get("channel")?,
        user_id: row.try_get("user_id")?,
        created_at: row.try_get("created_at")?,
    }))
}
