//! A handle to the database: its pools, and the bound on every wait for an answer.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};

use super::connect::{SESSION, Target, Tls};
use super::error::StoreError;
use super::fenced::Ending;
use super::sessions::Sessions;
use super::stall::Stall;

/// Connections for the worker's own statements, beside the one that listens: the dispatcher, the completer, the
/// heartbeat, the judge and maintenance each hold one for a statement, so that none of them waits for another.
const POOL_SIZE: usize = 5;
/// Connections for what first-party handlers read and write of users' tables.
const ROW_CONNECTIONS: usize = 4;
/// The time that a task waits for a connection before it says that the database is not available.
const WAIT: Duration = Duration::from_secs(10);
/// The time that it waits for an answer. Machines between worker and server may take messages and never pass them on.
pub(super) const ANSWER: Duration = Duration::from_secs(15);

/// A handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    /// Sessions of `sql` hooks' functions.
    functions: Arc<Sessions>,
    /// Connections for actions on users' tables.
    rows: Pool,
    stall: Arc<Stall>,
    tls: Tls,
    url: String,
}

impl Store {
    /// Makes the pools; connects only when they are first used.
    ///
    /// # Errors
    /// `Config` when the URL does not parse or the system's certificates cannot be read.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let functions = Target::parse(url, "zerodb-hooks functions")?;
        Ok(Self {
            pool: pool(url, "zerodb-hooks", POOL_SIZE)?,
            tls: functions.tls.clone(),
            functions: Arc::new(Sessions::new(functions)),
            rows: pool(url, "zerodb-hooks rows", ROW_CONNECTIONS)?,
            stall: Arc::default(),
            url: url.to_owned(),
        })
    }

    /// Waits for the answer to a call of this store, but not for ever.
    ///
    /// # Errors
    /// Those of the call, and `Unavailable` after `ANSWER`. When the database is not available the idle connections are
    /// closed: they are likely as dead as the one that was tried.
    pub async fn bounded<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let result = answered(call).await;
        if let Err(StoreError::Unavailable { .. }) = &result {
            let _closed = self.pool.retain(|_, _| false);
            let _closed = self.rows.retain(|_, _| false);
        }
        result
    }

    /// A connection for one of the worker's own statements.
    pub(super) async fn connection(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(StoreError::from)
    }

    /// A connection for users' tables.
    pub(super) async fn row_connection(&self) -> Result<Object, StoreError> {
        self.rows.get().await.map_err(StoreError::from)
    }

    pub(super) fn functions(&self) -> &Sessions {
        &self.functions
    }

    pub(super) fn stall(&self) -> &Stall {
        &self.stall
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn ending(&self) -> Ending {
        Ending {
            tls: self.tls.clone(),
            pool: self.pool.clone(),
        }
    }
}

/// Waits for an answer, but not for ever.
///
/// # Errors
/// Those of the call, and `Unavailable` after `ANSWER`.
pub(super) async fn answered<T, E: Into<StoreError>>(
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWER, call).await {
        Ok(result) => result.map_err(Into::into),
        Err(_elapsed) => Err(StoreError::Unavailable {
            reason: format!("no answer within {} s", ANSWER.as_secs()),
        }),
    }
}

fn pool(url: &str, application_name: &str, size: usize) -> Result<Pool, StoreError> {
    let target = Target::parse(url, application_name)?;
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let prepare = Hook::async_fn(|connection: &mut ClientWrapper, _| {
        Box::pin(async move {
            connection
                .batch_execute(SESSION)
                .await
                .map_err(HookError::Backend)
        })
    });
    Pool::builder(Manager::from_config(target.config, target.tls, recycling))
        .post_create(prepare)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .build()
        .map_err(|error| StoreError::Config {
            reason: error.to_string(),
        })
}
