//! The last table: what happened, and whether it adds up.

use anyhow::Result;

use crate::screen::{self, Tone};
use crate::stage::Stage;

const EVENTS: &str = "
WITH done AS (
    SELECT e.event, count(DISTINCT e.id) AS events, count(d.id) AS deliveries,
        count(d.id) FILTER (WHERE d.state = 'completed') AS completed, coalesce(sum(d.attempts), 0)::bigint AS attempts
    FROM zerodb.events AS e LEFT JOIN zerodb.deliveries AS d ON d.event_id = e.id GROUP BY e.event)
SELECT d.event, d.events, coalesce(c.n, 0), d.deliveries, d.completed, d.deliveries - d.completed, d.attempts
FROM done AS d LEFT JOIN public.counts AS c USING (event) ORDER BY d.event";

/// The identity of every webhook delivery, as receivers see it.
const WEBHOOK_IDS: &str = "
SELECT 'msg_' || lpad(to_hex(i.salt), 8, '0') || lpad(to_hex(d.id), 16, '0')
FROM zerodb.deliveries AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id, zerodb.instance AS i
WHERE h.hook_type = 'webhook'";

pub async fn play(stage: &mut Stage) -> Result<()> {
    screen::section(
        "What happened",
        &["counted: by the function that the sql hook calls, into a table of its own."],
    );
    let rows = stage.session.client.query(EVENTS, &[]).await?;
    let mut sums = [0_i64; 6];
    let mut lines = Vec::new();
    for row in &rows {
        let numbers = [1, 2, 3, 4, 5, 6].map(|at| row.get::<_, i64>(at));
        sums.iter_mut()
            .zip(numbers)
            .for_each(|(sum, number)| *sum += number);
        lines.push(line(row.get(0), &numbers));
    }
    lines.push(line("together", &sums));
    screen::table(
        &[
            "event",
            "events",
            "counted",
            "deliveries",
            "completed",
            "other",
            "attempts",
        ],
        &lines,
    );
    let [events, counted, _, _, other, _] = sums;
    stage.expect(events == counted, || {
        format!("the sql hook counted {counted} of {events} events")
    });
    stage.expect(other == 0, || format!("{other} deliveries are not completed"));
    receiver(stage).await
}

/// What the receiver saw, against what the client wrote and against what the database says it delivered.
async fn receiver(stage: &mut Stage) -> Result<()> {
    let owed = stage.session.texts(WEBHOOK_IDS).await?;
    let requests = stage.inbox.requests();
    let undelivered = owed
        .iter()
        .filter(|id| !requests.iter().any(|request| request.id == **id))
        .count();
    let strangers = requests
        .iter()
        .filter(|request| !owed.contains(&request.id))
        .count();
    let lost = stage.inbox.missing(&stage.written);
    let (duplicates, unsigned) = (stage.inbox.duplicates(0), stage.inbox.bad_signatures());
    let big = requests
        .iter()
        .filter(|request| request.path == "/big-files")
        .count();
    screen::say(Tone::Plain, "");
    let lines = [
        ("memories and files written by the client", stage.written.len()),
        ("webhook deliveries of them in the database", owed.len()),
        ("requests that the receiver got", requests.len()),
        (r#"of them for "when": "$.size_bytes > 8192""#, big),
        ("duplicates (a webhook-id again)", duplicates),
        ("signatures that did not verify", unsigned),
        ("lost", lost + undelivered),
    ];
    for (name, number) in lines {
        screen::say(Tone::Plain, &format!("  {name:<44} {number:>6}"));
    }
    stage.expect(lost == 0, || format!("{lost} writes never arrived"));
    stage.expect(undelivered == 0, || {
        format!("{undelivered} deliveries are completed, but no request arrived")
    });
    stage.expect(strangers == 0, || {
        format!("{strangers} requests belong to no delivery")
    });
    stage.expect(unsigned == 0, || format!("{unsigned} signatures did not verify"));
    Ok(())
}

fn line(name: &str, numbers: &[i64]) -> Vec<String> {
    std::iter::once(name.to_owned())
        .chain(numbers.iter().map(ToString::to_string))
        .collect()
}
