//! An endpoint that is down for five seconds: its deliveries are tried again until it is back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use zerodb_hooks_harness::eventually;

use super::memories::remember_many;
use crate::screen::{self, Tone};
use crate::stage::Stage;

const COUNT: usize = 60;
const DOWN: Duration = Duration::from_secs(5);

/// Deliveries of this act's webhook: completed or not, and their attempts in the ledger by outcome.
const PROGRESS: &str = "
SELECT count(DISTINCT d.id) FILTER (WHERE d.state = 'completed'), count(DISTINCT d.id) FILTER (WHERE d.state <> 'completed'),
    count(a.attempt) FILTER (WHERE a.outcome = 'failed'), coalesce(max(a.attempt), 0), max(a.error)
FROM zerodb.events AS e
JOIN zerodb.deliveries AS d ON d.event_id = e.id
JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id AND h.hook_name = 'memories'
LEFT JOIN zerodb.attempts AS a ON a.delivery_id = d.id
WHERE e.data ->> 'namespace' = 'outage'";

pub async fn play(stage: &mut Stage) -> Result<()> {
    screen::section(
        "The endpoint is down for five seconds",
        &[
            "After five failures its circuit opens: one request at a time tries it, the others wait and use up no attempt.",
        ],
    );
    let down = stop_listening(stage).await?;
    let first = stage.inbox.count();
    let begun = Instant::now();
    remember_many(stage, COUNT, "outage").await?;
    let line = format!("{COUNT} memories: writers do not notice");
    screen::row(Tone::Title, "write", &line, &screen::elapsed(begun.elapsed()));
    wait_out(stage, down).await?;
    let up = Instant::now();
    stage.start_listen(Duration::ZERO).await?;
    stage.wait_for_everything(Duration::from_secs(30)).await?;
    let row = stage.session.client.query_one(PROGRESS, &[]).await?;
    let (completed, failed, attempts): (i64, i64, i32) = (row.get(0), row.get(2), row.get(3));
    let line =
        format!("{completed} of {COUNT} → 204, at attempt {attempts} at the latest; since it is back:");
    screen::row(Tone::Good, "deliver", &line, &screen::elapsed(up.elapsed()));
    let requests = stage.inbox.count() - first;
    let lost = stage.inbox.missing(&stage.written);
    let line = format!("{failed} attempts failed; {requests} requests for {COUNT} memories: {lost} lost");
    screen::row(Tone::Good, "result", &line, "");
    stage.expect(usize::try_from(completed)? == COUNT && failed > 0, || {
        format!("after the outage {completed} of {COUNT} deliveries were completed, after {failed} failed attempts")
    });
    Ok(())
}

/// Stops the endpoint; the moment from which it is down.
async fn stop_listening(stage: &mut Stage) -> Result<Instant> {
    stage.listen.take().context("listen runs")?.terminate().await?;
    let line = "zerodb-hooks listen: connections are refused";
    screen::row(Tone::Bad, "stop", line, "");
    Ok(Instant::now())
}

/// Prints once a second what has been tried in vain.
async fn wait_out(stage: &Stage, down: Instant) -> Result<()> {
    for second in 1..=DOWN.as_secs() {
        let then = Duration::from_secs(second);
        eventually(then, async || (down.elapsed() >= then).then_some(())).await?;
        let row = stage.session.client.query_one(PROGRESS, &[]).await?;
        let (waiting, failed): (i64, i64) = (row.get(1), row.get(2));
        let error: Option<String> = row.get(4);
        let line = format!(
            "{waiting} wait, {failed} attempts failed: {}",
            error.unwrap_or_default()
        );
        screen::row(Tone::Warning, &format!("{second} s"), &line, "");
    }
    Ok(())
}
