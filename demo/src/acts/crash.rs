//! A worker that is killed with SIGKILL in the middle of its work: the next one goes on, and nothing is lost.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use zerodb_hooks_harness::eventually;

use super::memories::remember_many;
use crate::screen::{self, Tone};
use crate::stage::Stage;

/// Memories before the kill, requests after which it comes, and memories while there is no worker.
const BEFORE: usize = 300;
const KILL_AT: usize = 150;
const ALONE: usize = 100;

/// Events of this act, and the deliveries of their webhook by state.
const STATES: &str = "
SELECT count(*), count(*) FILTER (WHERE d.state = 'completed'), count(*) FILTER (WHERE d.state = 'running'),
    count(*) FILTER (WHERE d.state IN ('pending', 'retryable')), count(*) FILTER (WHERE d.id IS NULL)
FROM zerodb.events AS e
LEFT JOIN (SELECT d.* FROM zerodb.deliveries AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
    WHERE h.hook_name = 'memories') AS d ON d.event_id = e.id
WHERE e.event = 'zeromemory.remembered' AND e.data ->> 'namespace' = 'crash'";

pub async fn play(stage: &mut Stage) -> Result<()> {
    screen::section(
        &format!(
            "A worker is killed with SIGKILL in the middle of {} memories",
            BEFORE + ALONE
        ),
        &["The endpoint takes 100 ms for each answer now, so that there is a middle."],
    );
    if let Some(listen) = stage.listen.take() {
        listen.terminate().await?;
    }
    stage.start_listen(Duration::from_millis(100)).await?;
    let first = stage.inbox.count();
    let begun = Instant::now();
    for _ in 0..3 {
        remember_many(stage, BEFORE / 3, "crash").await?;
    }
    screen::row(
        Tone::Title,
        "write",
        &format!("{BEFORE} memories in 3 transactions"),
        &screen::elapsed(begun.elapsed()),
    );
    kill(stage, first).await?;
    let begun = Instant::now();
    remember_many(stage, ALONE, "crash").await?;
    let line = format!("{ALONE} more, while no worker runs: writers do not notice");
    screen::row(Tone::Title, "write", &line, &screen::elapsed(begun.elapsed()));
    recover(stage, first).await
}

async fn kill(stage: &mut Stage, first: usize) -> Result<()> {
    let middle = eventually(Duration::from_secs(20), async || {
        (stage.inbox.count() >= first + KILL_AT).then_some(())
    });
    middle.await.context("the worker delivers")?;
    let worker = stage.worker.take().context("a worker runs")?;
    let id = worker.id();
    worker.kill9().await?;
    screen::row(
        Tone::Bad,
        "kill -9",
        &format!("process {id}: the worker is gone"),
        "",
    );
    let received = stage.inbox.count() - first;
    screen::row(
        Tone::Warning,
        "then",
        &format!("{received} requests had arrived of {BEFORE}"),
        "",
    );
    show_states(stage).await?;
    stage.expect(received < BEFORE, || {
        format!("the kill came too late: {received} had arrived")
    });
    Ok(())
}

async fn show_states(stage: &Stage) -> Result<()> {
    let row = stage.session.client.query_one(STATES, &[]).await?;
    let [events, completed, running, waiting, undispatched] = [0, 1, 2, 3, 4].map(|at| row.get::<_, i64>(at));
    let line = format!("{events} events: {completed} completed, {running} leased to the dead worker,");
    screen::row(Tone::Warning, "", &line, "");
    screen::row(
        Tone::Warning,
        "",
        &format!("{waiting} waiting, {undispatched} not looked at yet"),
        "",
    );
    Ok(())
}

async fn recover(stage: &mut Stage, first: usize) -> Result<()> {
    let begun = Instant::now();
    stage.start_worker().await?;
    stage.wait_for_everything(Duration::from_secs(30)).await?;
    let line = "all delivered (the leases of the dead run out after 2 s)";
    screen::row(Tone::Good, "deliver", line, &screen::elapsed(begun.elapsed()));
    let (requests, duplicates) = (stage.inbox.count() - first, stage.inbox.duplicates(first));
    let lost = stage.inbox.missing(&stage.written);
    let line = format!(
        "{requests} requests for {} memories: {lost} lost, {duplicates} twice",
        BEFORE + ALONE
    );
    screen::row(Tone::Good, "result", &line, "");
    let about = "twice: answered, but the worker died before it wrote that down; the webhook-id is the";
    screen::say(
        Tone::Faint,
        &format!("           {about}\n           same, so that a receiver can tell"),
    );
    let row = stage.session.client.query_one(STATES, &[]).await?;
    let (events, completed): (i64, i64) = (row.get(0), row.get(1));
    stage.expect(
        events == completed && usize::try_from(events)? == BEFORE + ALONE,
        || {
            format!(
                "after the crash {completed} of {events} deliveries were completed, {} memories written",
                BEFORE + ALONE
            )
        },
    );
    Ok(())
}
