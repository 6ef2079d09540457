//! Endpoints as all workers share them: admissions, pauses, circuits, and what answers have taught. Limits come with
//! every call; no URL and no key goes here.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::types::Json;

use super::error::StoreError;
use super::statements::{
    CLOSE_CIRCUIT, ENTER_ENDPOINT, LEARN_ENDPOINT, LOAD_ENDPOINT, OPEN_CIRCUIT, PAUSE_ENDPOINT,
    SETTLE_ENDPOINT, THROTTLE_ENDPOINT,
};
use super::store::Store;
use zerodb_hooks_providers::gate::RateLimits;

/// The answer to one who wants to send a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// Let in: counted, to be sent after that time, which is at most the patience that was asked with. `probe` where it
    /// shows whether an endpoint is back whose circuit is open.
    In { after: Duration, probe: bool },
    /// Not counted. `after` is how long it lasts at least, by the server's clock.
    Held { after: Duration, by: HeldBy },
}

/// The reason why a request may not be sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldBy {
    /// Somebody paused the endpoint, for this reason.
    Pause(String),
    /// The limit of requests per minute.
    Requests,
    /// The limit of tokens per minute.
    Tokens,
}

impl Store {
    /// Asks to send `requests` requests of `tokens` tokens together. An admission that comes within `patience` is
    /// given ahead. Without limits only the pause is read.
    ///
    /// # Errors
    /// Those of any statement; passing when the endpoint is locked for half a second. Safe to cancel: the admission may
    /// then be lost.
    pub async fn enter_endpoint(
        &self,
        endpoint: &str,
        limits: RateLimits,
        requests: u32,
        tokens: u32,
        patience: Duration,
    ) -> Result<Admission, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(ENTER_ENDPOINT).await?;
        let row = connection
            .query_one(
                &statement,
                &[
                    &endpoint,
                    &limits.requests_per_minute.map(bounded),
                    &limits.tokens_per_minute.map(bounded),
                    &bounded(requests),
                    &bounded(tokens),
                    &i32::try_from(patience.as_millis()).unwrap_or(i32::MAX),
                ],
            )
            .await?;
        let after = Duration::from_millis(u64::try_from(row.try_get::<_, i64>("wait_ms")?).unwrap_or(0));
        if row.try_get("entered")? {
            let probe = row.try_get("probe")?;
            return Ok(Admission::In { after, probe });
        }
        let by = match row.try_get::<_, Option<&str>>("held_by")? {
            Some("pause") => HeldBy::Pause(
                row.try_get::<_, Option<String>>("pause_reason")?
                    .unwrap_or_default(),
            ),
            Some("tokens") => HeldBy::Tokens,
            _ => HeldBy::Requests,
        };
        let after = after.max(Duration::from_millis(1));
        Ok(Admission::Held { after, by })
    }

    /// Corrects the tokens of a request that was let in.
    ///
    /// # Errors
    /// As for `enter_endpoint`.
    pub async fn settle_endpoint(
        &self,
        endpoint: &str,
        tokens_per_minute: u32,
        estimated: u32,
        used: u32,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(SETTLE_ENDPOINT).await?;
        let parameters = [tokens_per_minute, estimated, used].map(bounded);
        connection
            .query_one(
                &statement,
                &[&endpoint, &parameters[0], &parameters[1], &parameters[2]],
            )
            .await?;
        Ok(())
    }

    /// Lets nobody in for that long, whichever worker asks; of several pauses the one that ends last counts.
    ///
    /// # Errors
    /// Those of any statement. `reason` must be the name of an error class: lower-case letters and `_`.
    pub async fn pause_endpoint(
        &self,
        endpoint: &str,
        pause: Duration,
        reason: &str,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(PAUSE_ENDPOINT).await?;
        connection
            .execute(&statement, &[&endpoint, &pause_ms(pause), &reason])
            .await?;
        Ok(())
    }

    /// Opens the circuit for all workers, for at least `pause`, or keeps it open; tells hooks of its opening once.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn open_circuit(
        &self,
        endpoint: &str,
        pause: Duration,
        failures: u32,
        last_error: &str,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(OPEN_CIRCUIT).await?;
        let failures = bounded(failures);
        connection
            .execute(&statement, &[&endpoint, &pause_ms(pause), &failures, &last_error])
            .await?;
        Ok(())
    }

    /// Closes the circuit, if it is open, and tells hooks once.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn close_circuit(&self, endpoint: &str) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(CLOSE_CIRCUIT).await?;
        connection.execute(&statement, &[&endpoint]).await?;
        Ok(())
    }

    /// Pauses an endpoint that refused for its rate, and tells hooks once.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn throttle_endpoint(
        &self,
        endpoint: &str,
        pause: Duration,
        operation: &str,
        limit: Option<u32>,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(THROTTLE_ENDPOINT).await?;
        let limit = limit.map(bounded);
        connection
            .execute(&statement, &[&endpoint, &pause_ms(pause), &operation, &limit])
            .await?;
        Ok(())
    }

    /// Keeps a cap of a model that an endpoint has taught, and its value.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn learn_endpoint(
        &self,
        endpoint: &str,
        model: &str,
        cap: &str,
        value: i64,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(LEARN_ENDPOINT).await?;
        connection
            .execute(&statement, &[&endpoint, &model, &cap, &value])
            .await?;
        Ok(())
    }

    /// Loads the caps of a model that any worker has learned.
    ///
    /// # Errors
    /// Those of any statement.
    pub async fn load_endpoint(
        &self,
        endpoint: &str,
        model: &str,
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(LOAD_ENDPOINT).await?;
        let Some(row) = connection.query_opt(&statement, &[&endpoint, &model]).await? else {
            return Ok(BTreeMap::new());
        };
        Ok(row.try_get::<_, Json<_>>(0)?.0)
    }
}

/// A pause never lasts longer: somebody may have mended the cause and nobody knows.
const MOST_PAUSE: Duration = Duration::from_secs(24 * 3600);

fn pause_ms(pause: Duration) -> i64 {
    i64::try_from(pause.min(MOST_PAUSE).as_millis()).unwrap_or(i64::MAX)
}

fn bounded(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
