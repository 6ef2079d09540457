//! An event of the log by its id, for one hook.

use uuid::Uuid;

use super::error::StoreError;
use super::event_row::{EventRow, Events};
use super::statements::LOAD_EVENT;
use super::store::Store;

/// An event of the log, and what one hook has to do with it.
#[derive(Debug)]
pub struct PastEvent {
    pub event: EventRow,
    /// Whether its type, user and project are those that the hook is for.
    pub is_of_hook: bool,
    /// Whether the hook's condition is true for it, or there is none.
    pub is_wanted: bool,
}

impl Store {
    /// `None` for an event that is not, or no longer, in the log. Evaluates the hook's condition, within the time that
    /// `bounded` gives.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn load_event(&self, id: &str, hook: Uuid) -> Result<Option<PastEvent>, StoreError> {
        let connection = self.connection().await?;
        let Some(row) = connection.query_opt(LOAD_EVENT, &[&id, &hook]).await? else {
            return Ok(None);
        };
        let Some(event) = Events::default().read(&row)? else {
            return Ok(None);
        };
        Ok(Some(PastEvent {
            event,
            is_of_hook: row.try_get("is_of_hook")?,
            is_wanted: row.try_get("is_wanted")?,
        }))
    }
}
