//! The report for people: tables on standard output.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use crate::args::Options;
use crate::cases::Case;
use crate::digits::number;
use crate::figures::{Figures, Spread};
use crate::machine::Machine;
use crate::rivals::Presence;
use crate::rounds::Run;
use crate::{ratios, targets};

pub struct Report<'a> {
    pub machine: &'a Machine,
    pub options: &'a Options,
    pub cases: &'a [Box<dyn Case>],
    pub run: &'a Run,
    pub rivals: &'a [Presence],
}

pub fn print(report: &Report<'_>) {
    print_head(report.machine, report.options);
    for Presence { package, skipped } in report.rivals {
        match skipped {
            Some(reason) => println!("Rival SKIPPED: {package}: {reason}"),
            None => println!("Rival: {package}"),
        }
    }
    let figures = &report.run.figures;
    println!(
        "\n{}\n\n{}\n\n{}",
        figure_table(figures, report.cases),
        ratio_table(figures),
        target_table(figures)
    );
    for (case, turn, stolen) in &report.run.disturbed {
        println!("\nDISTURBED: {case} in {turn}: the host took {stolen:.0} % of the processors");
    }
    for (case, reason) in &report.run.failures {
        println!("\nFAILED: {case} in {reason}");
    }
}

fn print_head(machine: &Machine, options: &Options) {
    let server = |name: &str| machine.server.get(name).map_or("?", String::as_str);
    println!(
        "zerodb_hooks benchmark of {}, {} build\n{} × {}, {:.0} GiB, Linux {}, {}, load {} before the run",
        machine.at,
        machine.build,
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.kernel,
        machine.filesystem,
        machine.load
    );
    println!(
        "PostgreSQL {}: fsync {}, synchronous_commit {}, shared_buffers {}, max_wal_size {}",
        server("server_version"),
        server("fsync"),
        server("synchronous_commit"),
        server("shared_buffers"),
        server("max_wal_size")
    );
    println!(
        "{} rounds; single rows: {} clients for {} s; bulk: {} rows; backlogs: {} events; idle: {} events; endpoints: {} s; embedded: {} rows; graph: {} relations",
        options.rounds,
        options.clients,
        options.seconds,
        options.rows,
        options.events,
        options.samples,
        options.endpoint_seconds,
        options.embedded_rows,
        options.relations
    );
    println!(
        "Once, not in each round: held (2 × {} s), connections, embed/backlog-hnsw, embed/writer, graph, tenants/types, tenants/fan-out, history ({} events); where they are named: embed/limited, status, tenants with a million",
        options.held_seconds,
        options.history()
    );
    machine
        .warnings
        .iter()
        .for_each(|warning| println!("WARNING: {warning}"));
}

fn figure_table(figures: &Figures, cases: &[Box<dyn Case>]) -> Table {
    let mut table = table(["figure", "", "unit", "median", "min", "max"], 3);
    let mut last = "";
    for figure in figures.all() {
        let title = cases
            .iter()
            .find(|case| case.name() == figure.case)
            .map_or("", |case| case.title());
        let (case, title) = if last == figure.case {
            ("", "")
        } else {
            (figure.case.as_str(), title)
        };
        last = &figure.case;
        let Spread { median, min, max } = figure.spread;
        let what = if title.is_empty() {
            figure.metric.to_string()
        } else {
            format!("{title}: {}", figure.metric)
        };
        table.add_row([
            case,
            &what,
            figure.unit,
            &number(median),
            &number(min),
            &number(max),
        ]);
    }
    table
}

fn ratio_table(figures: &Figures) -> Table {
    let mut table = table(
        [
            "ratio (median of the rounds' ratios), no target",
            "median",
            "min",
            "max",
        ],
        1,
    );
    for ratio in ratios::ALL {
        if let Some(rounds) = ratio.rounds(figures) {
            let Spread { median, min, max } = Spread::of(&rounds);
            let [median, min, max] = [median, min, max].map(|value| format!("{value:.3}"));
            table.add_row([ratio.says, &median, &min, &max]);
        }
    }
    table
}

/// Every target, also those that this run did not measure.
fn target_table(figures: &Figures) -> Table {
    let head = ["#", "target", "", "to reach", "median", "min", "max", "unit"];
    let mut table = table(head, 3);
    for target in targets::ALL {
        let number_of = target.figure.to_string();
        let bound = target.bound.says();
        let Some(rounds) = target.rounds(figures) else {
            table.add_row([
                &number_of,
                target.says,
                "not measured",
                &bound,
                "",
                "",
                "",
                target.unit(),
            ]);
            continue;
        };
        let Spread { median, min, max } = Spread::of(&rounds);
        let verdict = if target.bound.is_reached(median) {
            "reached"
        } else {
            "MISSED"
        };
        let [median, min, max] = [median, min, max].map(|value| format!("{value:.3}"));
        table.add_row([
            &number_of,
            target.says,
            verdict,
            &bound,
            &median,
            &min,
            &max,
            target.unit(),
        ]);
    }
    table
}

/// The columns from `first_number` on are numbers.
fn table<const COLUMNS: usize>(head: [&str; COLUMNS], first_number: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(head);
    for column in table.column_iter_mut().skip(first_number) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
