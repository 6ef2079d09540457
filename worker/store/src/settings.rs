//! Settings, event channels and hooks, as the server has them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::error::StoreError;
use super::statements::{LOAD_CHANNELS, LOAD_HOOK, LOAD_PARTIES, LOAD_SETTINGS, SEAL_SECRET};
use super::store::Store;
use zerodb_hooks_delivery::hook::{Hook, Party, SigningSecret};

/// The installation as the server describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// The salt of event and message ids.
    pub salt: u32,
    /// `zerodb.retention`, as an interval.
    pub retention: String,
    /// The ledger keeps completed attempts too.
    pub record_all: bool,
    /// The partition that is written now.
    pub slot: i32,
    pub version: String,
    /// The event types by name.
    pub event_types: HashMap<String, EventType>,
}

/// What the register says of an event type.
#[derive(Debug, Clone, PartialEq)]
pub struct EventType {
    pub channel: Arc<str>,
    /// Those that its events may have.
    pub fields: Arc<[String]>,
}

/// The signing secrets of a hook, from three arrays.
fn signing(row: &tokio_postgres::Row) -> Result<Arc<[SigningSecret]>, tokio_postgres::Error> {
    let numbers: Vec<i32> = row.try_get("numbers")?;
    let sealed: Vec<Option<Vec<u8>>> = row.try_get("sealed")?;
    let ends: Vec<Option<Timestamp>> = row.try_get("ends")?;
    let secrets = numbers.into_iter().zip(sealed).zip(ends);
    Ok(secrets
        .map(|((number, sealed), valid_until)| SigningSecret {
            number,
            sealed,
            valid_until,
        })
        .collect())
}

fn event_type(row: &tokio_postgres::Row) -> Result<EventType, tokio_postgres::Error> {
    Ok(EventType {
        channel: row.try_get::<_, &str>("channel")?.into(),
        fields: row.try_get::<_, Vec<String>>("fields")?.into(),
    })
}

impl Store {
    /// # Errors
    /// `SchemaMismatch` when the extension is missing or of another version than this worker.
    pub async fn load_installation(&self) -> Result<Installation, StoreError> {
        let connection = self.connection().await?;
        let row = connection.query_one(LOAD_SETTINGS, &[]).await?;
        let version: String = row.try_get("version")?;
        let own = env!("CARGO_PKG_VERSION");
        if version != own {
            let reason = format!(
                "zerodb_hooks is {version}, the worker {own}; install the newer of both and ALTER EXTENSION \
                 zerodb_hooks UPDATE"
            );
            return Err(StoreError::SchemaMismatch { reason });
        }
        let event_types = connection.query(LOAD_CHANNELS, &[]).await?;
        Ok(Installation {
            salt: row.try_get::<_, i32>("salt")?.cast_unsigned(),
            retention: row.try_get("retention")?,
            record_all: row.try_get::<_, String>("record_attempts")? != "failures",
            slot: row.try_get("slot")?,
            version,
            event_types: event_types
                .iter()
                .map(|row| Ok((row.try_get("name")?, event_type(row)?)))
                .collect::<Result<_, tokio_postgres::Error>>()?,
        })
    }

    /// Keeps a signing secret that was drawn, where there is none yet, and returns the one that is kept; `None` when
    /// it is held by another session, or gone.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn seal_secret(
        &self,
        hook: Uuid,
        number: i32,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let connection = self.connection().await?;
        Ok(connection
            .query_one(SEAL_SECRET, &[&hook, &number, &sealed])
            .await?
            .try_get(0)?)
    }

    /// A hook as it is now, `None` when it was deleted.
    pub async fn load_hook(&self, id: Uuid) -> Result<Option<Hook>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(LOAD_HOOK).await?;
        let Some(row) = connection.query_opt(&statement, &[&id]).await? else {
            return Ok(None);
        };
        let hook = Hook::new(
            row.try_get("id")?,
            row.try_get("version")?,
            row.try_get("user_id")?,
            row.try_get("hook_type")?,
            row.try_get("hook_name")?,
            &row.try_get("hook_config")?,
        );
        let owner = row.try_get::<_, Option<&str>>("owner")?.map(Arc::from);
        let signing = signing(&row)?;
        Ok(Some(Hook {
            owner,
            signing,
            ..hook
        }))
    }

    /// The active hooks of these users and of these owners, each with the party that it is for.
    pub async fn load_parties(
        &self,
        users: &[Uuid],
        owners: &[String],
    ) -> Result<Vec<(Uuid, Party)>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(LOAD_PARTIES).await?;
        let rows = connection.query(&statement, &[&users, &owners]).await?;
        let party = |row: &tokio_postgres::Row| {
            let owner = row.try_get::<_, Option<&str>>("owner")?.map(Arc::from);
            let user_id = row.try_get("user_id")?;
            Ok((row.try_get("id")?, Party { owner, user_id }))
        };
        rows.iter().map(party).collect()
    }
}
