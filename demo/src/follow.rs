//! One write, from the statement to the ends of its deliveries. All times of one write count from the moment when the
//! client sent it: the client and the server of the demo share one machine and so one clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tokio_postgres::Row;
use zerodb_hooks_harness::Session;

use crate::screen::{self, Tone};

/// The moment when a statement was sent.
pub struct Sent {
    epoch_ms: f64,
    at: Instant,
}

impl Sent {
    pub fn now() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            epoch_ms: epoch.as_secs_f64() * 1000.0,
            at: Instant::now(),
        }
    }

    /// Prints the write, which has been answered just now.
    pub fn answered(&self, what: &str) {
        screen::row(Tone::Title, "write", what, &screen::elapsed(self.at.elapsed()));
    }
}

/// Events by one field of their data, with their times in milliseconds since 1970.
const EVENTS: &str = "
SELECT e.id, e.event, extract(epoch FROM e.timestamp)::float8 * 1000 AS at
FROM zerodb.events AS e WHERE e.data ->> $1::text = $2::text ORDER BY e.id";

const DELIVERIES: &str = "
SELECT h.hook_type::text, h.hook_name::text, d.state::text, d.attempts, a.status, d.last_error,
    extract(epoch FROM d.finished_at)::float8 * 1000 AS at
FROM zerodb.deliveries AS d
JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
LEFT JOIN zerodb.attempts AS a ON a.delivery_id = d.id AND a.attempt = d.attempts
WHERE d.event_id = $1::text ORDER BY d.finished_at";

/// Prints the events whose data field `key` is `value`, and how each delivery ended.
pub async fn follow(session: &Session, sent: &Sent, key: &str, value: &str) -> Result<()> {
    for event in session.client.query(EVENTS, &[&key, &value]).await? {
        event_row(session, sent, &event).await?;
    }
    Ok(())
}

/// Prints one event, waits for its deliveries and prints them.
async fn event_row(session: &Session, sent: &Sent, event: &Row) -> Result<()> {
    let (id, name, at): (String, String, f64) = (event.get(0), event.get(1), event.get(2));
    screen::row(
        Tone::Good,
        "event",
        &format!("{id}  {name}"),
        &plus(at - sent.epoch_ms),
    );
    deliveries(session, sent, &id).await
}

/// Waits for the deliveries of an event and prints them in the order of their ends.
pub async fn deliveries(session: &Session, sent: &Sent, event_id: &str) -> Result<()> {
    session
        .client
        .query_one("SELECT zerodb.await_event($1::text, '20 s')", &[&event_id])
        .await
        .context("await_event")?;
    for row in session.client.query(DELIVERIES, &[&event_id]).await? {
        let (kind, hook, state): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (attempts, status): (i32, Option<i32>) = (row.get(3), row.get(4));
        let answer = status.map_or(state.clone(), |status| status.to_string());
        let error: Option<String> = row.get(5);
        let body = format!(
            "{kind:<11} {hook:<14} → {answer:<10} attempt {attempts}   {}",
            error.filter(|_| state != "completed").unwrap_or_default()
        );
        let tone = if state == "completed" {
            Tone::Good
        } else {
            Tone::Bad
        };
        let time = row.get::<_, Option<f64>>(6).map(|at| plus(at - sent.epoch_ms));
        screen::row(tone, "deliver", &body, &time.unwrap_or_default());
    }
    Ok(())
}

fn plus(milliseconds: f64) -> String {
    format!("+{}", screen::ms(milliseconds))
}
