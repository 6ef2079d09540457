//! The page of the reference, made from the table.

use crate::labels;
use crate::table::{Described, Source, TABLE};

const HEAD: &str = "# Metrics

<!-- Made from worker/metrics/src/table.rs by tests/tests/contract/reference.rs: change the table, not this page. -->

What `/metrics` of a worker with [`--http`](command_line.md#zerodb-hooks-worker) has, in the text format of OpenMetrics
or Prometheus as the scraper asks. A scrape asks the database nothing. [Monitoring](../guide/monitoring.md) says how to
set it up, and has the alert rules and the dashboard.
";

const OF_WORKER: &str = "
## Of the worker

Each worker counts its own work. Add them up over workers: `sum(rate(zerodb_hooks_attempts_total[5m]))`.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
";

const OF_DATABASE: &str = "
## Of the database

Read every 15 s, with a time limit, by one worker at a time. The others export none of them, so `sum` is right with any
number of workers. When that worker goes, another one takes over.

| metric | kind | labels | meaning |
| --- | --- | --- | --- |
";

const LABELS: &str = "
## Labels

| label | values |
| --- | --- |
";

/// `docs/reference/metrics.md`.
pub fn page() -> String {
    let rows = |source| -> String { TABLE.iter().filter(|one| one.source == source).map(row).collect() };
    let labels: String = labels::VALUES
        .iter()
        .map(|(label, values)| format!("| `{label}` | {values} |\n"))
        .collect();
    [
        HEAD,
        OF_WORKER,
        &rows(Source::Worker),
        OF_DATABASE,
        &rows(Source::Database),
        LABELS,
        &labels,
    ]
    .concat()
}

fn row(one: &Described) -> String {
    let labels: Vec<_> = one.labels.iter().map(|label| format!("`{label}`")).collect();
    format!(
        "| `{}` | {} | {} | {} |\n",
        one.name,
        one.kind.name(),
        labels.join(", "),
        one.help
    )
}
