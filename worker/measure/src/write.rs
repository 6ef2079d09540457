//! Durable inserts of single rows by many clients at once: each on a connection of its own, the next as soon as the
//! commit of the last is acknowledged.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use tokio_postgres::{Client, Error};

use crate::figures::Writes;
use crate::setting::Setting;
use crate::stage;

/// Rows of each client before the clock runs: the first ones load the library and fill the caches of their sessions.
const WARM_UP: usize = 20;

/// Connects the clients and lets them insert.
pub(crate) async fn run(setting: &Setting<'_>, statement: &str) -> Result<Writes> {
    let clients = try_join_all((0..setting.load.clients).map(|_| stage::session(setting.url))).await?;
    let prepared = try_join_all(clients.iter().map(|client| warm_up(client, statement))).await?;
    let started = Instant::now();
    let until = started + Duration::from_secs(setting.load.seconds.into());
    let inserting = clients
        .iter()
        .zip(&prepared)
        .map(|(client, prepared)| insert(client, prepared, until));
    let took = try_join_all(inserting).await?.concat();
    Ok(Writes {
        seconds: started.elapsed().as_secs_f64(),
        took,
        warm_up: clients.len() * WARM_UP,
    })
}

async fn warm_up(client: &Client, statement: &str) -> Result<tokio_postgres::Statement, Error> {
    let prepared = client.prepare(statement).await?;
    for _ in 0..WARM_UP {
        client.execute(&prepared, &[]).await?;
    }
    Ok(prepared)
}

/// The milliseconds of each insert.
async fn insert(
    client: &Client,
    statement: &tokio_postgres::Statement,
    until: Instant,
) -> Result<Vec<f64>, Error> {
    let mut took = Vec::new();
    let mut begun = Instant::now();
    while begun < until {
        client.execute(statement, &[]).await?;
        let ended = Instant::now();
        took.push((ended - begun).as_secs_f64() * 1000.0);
        begun = ended;
    }
    Ok(took)
}
