//! A backlog of events that one no-op hook matches: from the start of the worker, before it has connected, to the last
//! completion, by the server's clock.

use std::time::Duration;

use anyhow::Result;

use super::figures::BurnDown;
use super::measure::Bench;
use super::stage;
use super::worker::{self, Count};
use crate::failure::Failure;

/// Writes the backlog, then starts the worker.
pub(super) async fn run(bench: &Bench<'_>) -> Result<BurnDown> {
    let events = i64::from(bench.args.events);
    worker::until_stopped(&bench.stop, bench.stage.fill(events)).await?;
    let deadline = Duration::from_secs(60 + u64::from(bench.args.events) / 500);
    let counted = Count::default();
    let since = bench.stage.clock().await?;
    let worker = worker::build(bench.url, counted.clone())?;
    let delivering = async {
        // Counting deliveries in the database while they are made would slow them down: the handler counts first.
        let handled = async || Ok(counted.handled() >= u64::from(bench.args.events));
        let late = || stage::undelivered(deadline);
        stage::until(deadline, Duration::from_millis(5), handled, late).await?;
        bench.stage.settles(deadline, Duration::from_millis(5)).await?;
        bench.stage.completed_since(since).await
    };
    let (deliveries, seconds) = worker::beside(worker, &bench.stop, delivering).await?;
    if deliveries != events {
        return Err(Failure::new(
            format!(
                "{events} events were written for the burn-down, and {deliveries} delivered by the bench"
            ),
            "another worker has started meanwhile: stop it, or give --with-other-workers",
        )
        .into());
    }
    Ok(BurnDown { deliveries, seconds })
}
