//! Memories: the first ones in full, the others at once, with what they cost in sum.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::follow::{Sent, follow};
use crate::screen::{self, Tone};
use crate::stage::Stage;
use crate::texts;

/// Memories that are followed one by one.
const IN_FULL: usize = 3;

/// From the event to the end of its webhook's delivery.
const LATENCY: &str = "
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY l.ms), percentile_cont(0.95) WITHIN GROUP (ORDER BY l.ms), max(l.ms)
FROM (SELECT extract(epoch FROM d.finished_at - e.timestamp)::float8 * 1000 AS ms
    FROM zerodb.deliveries AS d JOIN zerodb.events AS e ON e.id = d.event_id
    JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
    WHERE h.hook_name = 'memories' AND d.state = 'completed' AND e.data ->> 'entity_id' = ANY ($1)) AS l";

pub async fn play(stage: &mut Stage) -> Result<()> {
    let documents = texts::documents();
    let markdown = documents
        .iter()
        .filter(|document| document.content_type() == "text/markdown");
    let all: Vec<_> = markdown
        .flat_map(|one| texts::paragraphs(one).into_iter().map(|text| (one.name, text)))
        .collect();
    screen::section(
        &format!(
            "Memories: {} paragraphs of these documents, by zerodb.remember()",
            all.len()
        ),
        &["The first three one by one, the others as fast as one client can, each in its own transaction."],
    );
    for (name, text) in all.iter().take(IN_FULL) {
        let sent = Sent::now();
        let id = remember(stage, text, name, "default").await?;
        sent.answered(&format!(
            "remember('{}…', '{name}')",
            screen::clip(text, 34).trim_end_matches('…')
        ));
        follow(&stage.session, &sent, "memory_id", &id).await?;
    }
    let sent = Sent::now();
    for (name, text) in all.iter().skip(IN_FULL) {
        remember(stage, text, name, "default").await?;
    }
    sent.answered(&format!(
        "remember(…) {} times more",
        all.len().saturating_sub(IN_FULL)
    ));
    stage.wait_for_everything(Duration::from_secs(20)).await?;
    let names: Vec<_> = documents.iter().map(|document| document.name).collect();
    let row = stage.session.client.query_one(LATENCY, &[&names]).await?;
    let (count, times): (i64, [Option<f64>; 3]) = (row.get(0), [row.get(1), row.get(2), row.get(3)]);
    let [median, most, worst] = times.map(|time| screen::ms(time.unwrap_or_default()));
    screen::row(
        Tone::Good,
        "deliver",
        &format!("webhook     memories       {count} of {} → 204", all.len()),
        "",
    );
    let line = format!("median {median}, 95 % {most}, all {worst}");
    screen::row(
        Tone::Faint,
        "",
        &format!("event to end, server's clock: {line}"),
        "",
    );
    let wanted = i64::try_from(all.len())?;
    stage.expect(count == wanted, || {
        format!("{count} of {wanted} memories were delivered")
    });
    Ok(())
}

/// Stores one memory and notes that it is owed a request.
pub async fn remember(stage: &mut Stage, text: &str, about: &str, namespace: &str) -> Result<String> {
    let sql = "SELECT zerodb.remember($1, $2, namespace => $3)";
    let row = stage
        .session
        .client
        .query_one(sql, &[&text, &about, &namespace])
        .await
        .context("remember")?;
    let id: String = row.get(0);
    stage.written.push(id.clone());
    Ok(id)
}

/// Stores many memories in one transaction and notes that each is owed a request: paragraphs of the documents, from the
/// first again when there are not enough.
pub async fn remember_many(stage: &mut Stage, count: usize, namespace: &str) -> Result<()> {
    let documents = texts::documents();
    let all: Vec<_> = documents.iter().flat_map(texts::paragraphs).collect();
    let some: Vec<_> = all.iter().cycle().take(count).collect();
    let sql = "SELECT zerodb.remember(t, 'demo', namespace => $2) FROM unnest($1::text[]) AS u (t)";
    let rows = stage
        .session
        .client
        .query(sql, &[&some, &namespace])
        .await
        .context("remember")?;
    stage
        .written
        .extend(rows.iter().map(|row| row.get::<_, String>(0)));
    Ok(())
}
