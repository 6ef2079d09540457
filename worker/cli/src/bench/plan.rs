//! What the bench says before it starts: what it will do, how much it writes, what stays. Pure.

use zerodb_hooks_measure::{BenchServer, EVENT_TYPE, Load, OthersPresent};

use crate::render;

/// Measured with PostgreSQL 18: an event with its delivery and its attempt, and the WAL of all of it.
const KB_AN_EVENT: f64 = 0.9;
/// A row with its index, and the WAL of it.
const KB_A_ROW: f64 = 0.3;
/// What the size is said for; nobody knows the rate before it is measured.
const ROWS_A_SECOND: u32 = 10_000;

/// The lines, for a person who may still press Ctrl-C.
pub(super) fn text(load: Load, server: &BenchServer, others: &OthersPresent) -> String {
    let own_worker = others.workers.is_empty();
    let mut lines = vec![format!(
        "zerodb-hooks bench in database {}, PostgreSQL {}",
        server.database, server.version
    )];
    lines.extend(if own_worker {
        alone(load)
    } else {
        beside(load, &others.workers)
    });
    lines.extend([
        format!("It makes the schema zerodb_hooks_bench, a hook, and the event type {EVENT_TYPE}."),
        format!(
            "Where the server takes {ROWS_A_SECOND} rows a second it writes about {:.0} MB, WAL included.",
            megabytes(load, own_worker)
        ),
        "Schema and hook are removed at the end, also after Ctrl-C. The event type stays.".into(),
        format!(
            "Events and deliveries stay in the log until its retention ({}).",
            server.retention
        ),
    ]);
    if own_worker && others.active > 0 {
        let hooks = render::count(others.active, "active hook", "active hooks");
        lines.extend([
            format!(
                "Meanwhile it is a worker of this database, which has {hooks}: it delivers what others write."
            ),
            "Hooks of type function, and secrets that are not set here, fail with it and are tried again."
                .into(),
        ]);
    }
    render_lines(&lines)
}

fn alone(load: Load) -> Vec<String> {
    vec![
        format!(
            "  write tax  {} clients insert single rows, {} s each: untouched table, with a hook and no worker,",
            load.clients, load.seconds
        ),
        "             with a hook and a worker, untouched table again".into(),
        format!("  latency    {} events, one at a time", load.samples),
        format!("  burn-down  a backlog of {} events", load.events),
    ]
}

fn beside(load: Load, workers: &[String]) -> Vec<String> {
    vec![
        format!(
            "  write tax  {} clients insert single rows, {} s each: untouched table, with a hook, \
             untouched table again",
            load.clients, load.seconds
        ),
        format!("Other workers are alive and deliver: {}.", workers.join(", ")),
        "The hook is of type log, level debug, which every worker can run. Latency and burn-down are left out:".into(),
        "they need a worker of this command alone.".into(),
    ]
}

/// Names come from the database.
fn render_lines(lines: &[String]) -> String {
    let clean: Vec<_> = lines.iter().map(|line| render::clean(line)).collect();
    clean.join("\n")
}

fn megabytes(load: Load, own_worker: bool) -> f64 {
    let rows = f64::from(load.seconds) * f64::from(ROWS_A_SECOND);
    let (watched, single) = if own_worker {
        (2.0, f64::from(load.samples) + f64::from(load.events))
    } else {
        (1.0, 0.0)
    };
    (2.0 * rows * KB_A_ROW + (watched * rows + single) * (KB_A_ROW + KB_AN_EVENT)) / 1000.0
}
