//! The measurements in their order. The plain table comes first and last, so that a change of the server's mood shows;
//! what waits after one measurement is delivered before the next.

use std::time::Duration;

use anyhow::Result;

use crate::figures::{Measured, Writes, number};
use crate::setting::Setting;
use crate::worker::{self, Count};
use crate::{burn_down, latency, statements, write};

/// How often the end of what waits is looked for where nothing is measured.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// All measurements with a worker of the bench's own, or the write tax with the workers that are there.
pub(crate) async fn run(setting: &Setting<'_>, own_worker: bool) -> Result<Measured> {
    (setting.note)("write tax: untouched table");
    let before = writes(setting, statements::INSERT_PLAIN).await?;
    let (no_worker, busy_worker, delivered_meanwhile) = if own_worker {
        (setting.note)("write tax: with a hook, no worker");
        let without = writes(setting, statements::INSERT_WATCHED).await?;
        let (with, delivered) = with_worker(setting, without.rows()).await?;
        (Some(without), with, Some(delivered))
    } else {
        (setting.note)("write tax: with a hook, the workers that are here");
        let with = writes(setting, statements::INSERT_WATCHED).await?;
        let settling = setting.stage.settles(time_for(with.rows()), LOOK_EVERY);
        worker::until_stopped(setting.stop, settling).await?;
        (None, with, None)
    };
    (setting.note)("write tax: untouched table again");
    let after = writes(setting, statements::INSERT_PLAIN).await?;
    let (mut latency, mut burn_down) = (None, None);
    if own_worker {
        (setting.note)("latency");
        latency = Some(latency::run(setting).await?);
        (setting.note)("burn-down");
        burn_down = Some(burn_down::run(setting).await?);
    }
    Ok(Measured {
        plain: [before, after],
        no_worker,
        busy_worker,
        delivered_meanwhile,
        latency,
        burn_down,
    })
}

async fn writes(setting: &Setting<'_>, statement: &str) -> Result<Writes> {
    worker::until_stopped(setting.stop, write::run(setting, statement)).await
}

/// Inserts while a worker delivers; and how much of them it had delivered when they stopped. It begins with nothing to
/// catch up: the `waiting` events are delivered first.
async fn with_worker(setting: &Setting<'_>, waiting: usize) -> Result<(Writes, f64)> {
    (setting.note)("write tax: with a hook, a worker delivering (which first delivers what waits)");
    let counted = Count::default();
    let worker = worker::build(setting.url, counted.clone())?;
    let writing = async {
        setting.stage.runs(&worker::name()).await?;
        setting.stage.settles(time_for(waiting), LOOK_EVERY).await?;
        let before = counted.handled();
        let written = write::run(setting, statements::INSERT_WATCHED).await?;
        let delivered = (counted.handled() - before) as f64 / number(written.rows());
        setting
            .stage
            .settles(time_for(written.rows()), LOOK_EVERY)
            .await?;
        Ok((written, delivered))
    };
    worker::beside(worker, setting.stop, writing).await
}

/// Longer than any server takes that is not stuck.
fn time_for(events: usize) -> Duration {
    Duration::from_secs(60 + events as u64 / 500)
}
