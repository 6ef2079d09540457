//! How the result reads: one table with a few lines that say how to read it, or one JSON document. Pure.

use serde_json::{Value, json};

use zerodb_hooks_measure::{BenchServer, EVENT_TYPE, Load, Measured, OthersPresent, Writes, percentile};

use crate::render::{self, Screen, Tone};

/// One document for programs. What was not measured is null.
pub(super) fn json(load: Load, server: &BenchServer, others: &OthersPresent, measured: &Measured) -> Value {
    let plain = measured.plain_rate();
    let rates: Vec<_> = measured
        .plain
        .iter()
        .map(|writes| rounded(writes.rate()))
        .collect();
    let untouched = json!({
        "rate": rounded(plain), "rates": rates, "commit_ms": quantiles(&measured.plain_took()),
    });
    let mut busy = written(&measured.busy_worker, plain);
    busy["delivered_meanwhile"] = json!(measured.delivered_meanwhile.map(rounded));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "server_version": server.version,
        "durable": server.fsync,
        "clients": load.clients,
        "seconds": load.seconds,
        "other_workers": others.workers,
        "write_tax": {
            "untouched": untouched,
            "hook_no_worker": measured.no_worker.as_ref().map(|writes| written(writes, plain)),
            "hook_busy_worker": busy,
        },
        "latency": measured.latency.as_ref().map(|latency| json!({
            "samples": latency.from_commit.len(),
            "from_commit_ms": quantiles(&latency.from_commit),
            "from_statement_ms": quantiles(&latency.from_statement),
        })),
        "burn_down": measured.burn_down.as_ref().map(|burn_down| json!({
            "deliveries": burn_down.deliveries,
            "seconds": rounded(burn_down.seconds),
            "rate": rounded(burn_down.rate()),
            "record_attempts": if server.record_all { "all" } else { "failures" },
        })),
        "stays": {"event_type": EVENT_TYPE, "events": measured.events(), "retention": server.retention},
    })
}

fn written(writes: &Writes, plain: f64) -> Value {
    json!({
        "rate": rounded(writes.rate()),
        "share": rounded(writes.rate() / plain),
        "commit_ms": quantiles(&writes.took),
    })
}

fn quantiles(values: &[f64]) -> Value {
    json!({"p50": rounded(percentile(values, 0.5)), "p99": rounded(percentile(values, 0.99))})
}

/// To three places.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The table and how to read it.
pub(super) fn text(
    load: Load,
    server: &BenchServer,
    others: &OthersPresent,
    measured: &Measured,
    screen: Screen,
) -> String {
    let mut lines = vec![table(measured, screen), String::new()];
    let [before, after] = &measured.plain;
    lines.extend([
        "OF UNTOUCHED is the share of the untouched table's rate that the hook leaves to writers.".into(),
        format!(
            "P50 and P99 are of an insert with its commit by one of {} clients, \
             and of one event's way when nothing else happens.",
            load.clients
        ),
        format!(
            "The untouched table gave {:.0}/s before and {:.0}/s after: differences of that size mean nothing.",
            before.rate(),
            after.rate()
        ),
        format!(
            "The clients{} ran in this program and took time from the server where they share its processors.",
            if others.workers.is_empty() { " and the worker" } else { "" }
        ),
    ]);
    if let Some(delivered) = measured.delivered_meanwhile {
        lines.push(format!(
            "When the writers stopped, the worker had delivered {:.0} % of what they had written.",
            delivered * 100.0
        ));
    }
    if !server.fsync {
        lines.push(
            "fsync is off on this server: nothing here was durable, and with it on all is slower.".into(),
        );
    }
    if !others.notify {
        lines.push(
            "zerodb.notify is off: events wait for the worker's next poll, which is what the latency shows."
                .into(),
        );
    }
    lines.push(format!(
        "Schema and hook are removed; {} and the event type stay, the events until the log's retention ({}).",
        render::count(
            i64::try_from(measured.events()).unwrap_or(i64::MAX),
            "event with its delivery",
            "events with their deliveries"
        ),
        server.retention
    ));
    lines.join("\n")
}

fn table(measured: &Measured, screen: Screen) -> String {
    let mut table = screen.table(&["MEASURED", "RATE", "OF UNTOUCHED", "P50", "P99"]);
    let mut row = |name: &str, rate: Option<f64>, share: Option<f64>, took: Option<&[f64]>| {
        let blank = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        table.add_row([
            screen.cell(Tone::Plain, name),
            screen.cell(Tone::Plain, &blank(rate.map(|rate| format!("{rate:.0}/s")))),
            screen.cell(
                Tone::Plain,
                &blank(share.map(|share| format!("{:.0} %", share * 100.0))),
            ),
            screen.cell(Tone::Plain, &blank(took.map(|took| milliseconds(took, 0.5)))),
            screen.cell(Tone::Plain, &blank(took.map(|took| milliseconds(took, 0.99)))),
        ]);
    };
    let plain = measured.plain_rate();
    row(
        "insert, untouched table",
        Some(plain),
        Some(1.0),
        Some(&measured.plain_took()),
    );
    if let Some(writes) = &measured.no_worker {
        row(
            "insert, hook, no worker",
            Some(writes.rate()),
            Some(writes.rate() / plain),
            Some(&writes.took),
        );
    }
    let writes = &measured.busy_worker;
    row(
        "insert, hook, worker delivering",
        Some(writes.rate()),
        Some(writes.rate() / plain),
        Some(&writes.took),
    );
    if let Some(latency) = &measured.latency {
        row("idle, commit to handler", None, None, Some(&latency.from_commit));
        row(
            "idle, start of insert to handler",
            None,
            None,
            Some(&latency.from_statement),
        );
    }
    if let Some(burn_down) = &measured.burn_down {
        let name = format!("burn-down of {} events", burn_down.deliveries);
        row(&name, Some(burn_down.rate()), None, None);
    }
    render::lines(&table)
}

fn milliseconds(values: &[f64], share: f64) -> String {
    format!("{:.2} ms", percentile(values, share))
}
