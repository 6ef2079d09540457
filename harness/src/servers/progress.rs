//! How far the deliveries of a database are: what tests wait for and count. It writes nothing.

use std::fmt::Display;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::servers::session::Session;
use crate::wait::{SOON, eventually};

const ERRORS: &str =
    "SELECT DISTINCT last_error FROM zerodb.deliveries WHERE last_error IS NOT NULL LIMIT 20";

fn count_in(state: &str) -> String {
    format!("SELECT count(*) FROM zerodb.deliveries WHERE state = '{state}'")
}

impl Session {
    /// Waits until a query returns one value that reads as `expected`; an error of the query is no value.
    pub async fn becomes(&self, query: &str, expected: impl Display) -> Result<()> {
        self.becomes_within(SOON, query, expected).await
    }

    /// `becomes` with a deadline of its own.
    pub async fn becomes_within(
        &self,
        deadline: Duration,
        query: &str,
        expected: impl Display,
    ) -> Result<()> {
        let expected = expected.to_string();
        let look = async || (self.text(query).await.ok()? == expected).then_some(());
        if eventually(deadline, look).await.is_err() {
            let found = self.text(query).await?;
            let errors = self.texts(ERRORS).await.unwrap_or_default();
            bail!("{found}, not {expected}, from: {query}\nerrors of deliveries: {errors:?}");
        }
        Ok(())
    }

    /// Waits until so many deliveries have completed, and no more.
    pub async fn completed(&self, count: impl Display) -> Result<()> {
        self.becomes(&count_in("completed"), count).await
    }

    /// Waits until so many deliveries were given up, and no more.
    pub async fn discarded(&self, count: impl Display) -> Result<()> {
        self.becomes(&count_in("discarded"), count).await
    }

    /// The deliveries that are in a state now.
    pub async fn in_state(&self, state: &str) -> Result<i64> {
        self.number(&count_in(state)).await
    }

    /// Waits until every committed event is dispatched and no delivery is due or runs. One that waits for a later
    /// attempt does not count.
    pub async fn idle(&self) -> Result<()> {
        let wait = format!("SELECT zerodb.wait_idle('{} s')", SOON.as_secs());
        let idle = self.text(&wait).await?;
        ensure!(
            idle == "t",
            "not idle: {}",
            self.text("SELECT zerodb.status()").await?
        );
        Ok(())
    }
}
