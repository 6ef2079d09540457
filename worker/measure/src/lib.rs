//! Measures a user's own server: what hooks cost its writers, and how fast they run there. Looks first, sets up,
//! measures, and clears up whatever happened. Changes nothing but a schema of its own, its hook and its event type;
//! prints nothing.

mod burn_down;
mod check;
mod figures;
mod latency;
mod refusal;
mod series;
mod setting;
mod stage;
pub mod statements;
mod worker;
mod write;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

pub use check::{BenchServer, OthersPresent, Ready, ready};
pub use figures::{BurnDown, Latency, Measured, Writes, percentile};
pub use refusal::BenchRefusal;
pub use setting::Load;
pub use stage::EVENT_TYPE;

use setting::Setting;
use stage::BenchStage;

/// Measures in a database that is ready, and clears up also after an error and once `stop` is set. `note` is told what
/// is done.
///
/// # Errors
/// `BenchRefusal` when it was stopped or does not come to its end, else what went wrong first. Not to be cancelled:
/// what was made would stay.
pub async fn measure(
    ready: Ready,
    url: &str,
    load: Load,
    stop: &CancellationToken,
    note: &dyn Fn(&str),
) -> Result<Measured> {
    let Ready {
        client,
        store,
        others,
        ..
    } = ready;
    let own_worker = others.workers.is_empty();
    let stage = BenchStage::set_up(client, own_worker).await?;
    let setting = Setting {
        load,
        url,
        stage: &stage,
        stop,
        note,
    };
    let measured = series::run(&setting, own_worker).await;
    let cleared = stage.clear(url, &store).await;
    match (measured, cleared) {
        (Ok(measured), cleared) => cleared.map(|()| measured),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(left)) => {
            let left = zerodb_hooks_queries::explain(left.as_ref());
            note(&format!(
                "not cleared up: {}; the next `zerodb-hooks bench` does it first",
                left.message()
            ));
            Err(error)
        }
    }
}
