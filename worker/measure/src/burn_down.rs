//! A backlog of events that one no-op hook matches: from the start of the worker, before it has connected, to the last
//! completion, by the server's clock.

use std::time::Duration;

use anyhow::Result;

use crate::figures::BurnDown;
use crate::refusal::BenchRefusal;
use crate::setting::Setting;
use crate::stage;
use crate::worker::{self, Count};

/// Writes the backlog, then starts the worker.
pub(crate) async fn run(setting: &Setting<'_>) -> Result<BurnDown> {
    let events = i64::from(setting.load.events);
    worker::until_stopped(setting.stop, setting.stage.fill(events)).await?;
    let deadline = Duration::from_secs(60 + u64::from(setting.load.events) / 500);
    let counted = Count::default();
    let since = setting.stage.clock().await?;
    let worker = worker::build(setting.url, counted.clone())?;
    let delivering = async {
        // Counting deliveries in the database while they are made would slow them down: the handler counts first.
        let handled = async || Ok(counted.handled() >= u64::from(setting.load.events));
        let late = || BenchRefusal::undelivered(deadline);
        stage::until(deadline, Duration::from_millis(5), handled, late).await?;
        setting.stage.settles(deadline, Duration::from_millis(5)).await?;
        setting.stage.completed_since(since).await
    };
    let (deliveries, seconds) = worker::beside(worker, setting.stop, delivering).await?;
    if deliveries != events {
        return Err(BenchRefusal::new(
            format!(
                "{events} events were written for the burn-down, and {deliveries} delivered by the bench"
            ),
            "another worker has started meanwhile: stop it, or give --with-other-workers",
        )
        .into());
    }
    Ok(BurnDown { deliveries, seconds })
}
