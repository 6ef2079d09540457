//! The report: tables for people on standard output, every reading in `results.json`.

use std::path::PathBuf;

use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::json;

use crate::args::Options;
use crate::cases;
use crate::figures::{Figures, Spread};
use crate::machine::Machine;
use crate::{ratios, rivals};

pub fn print(machine: &Machine, options: &Options, figures: &Figures) {
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
        "{} rounds; single rows: {} clients for {} s; bulk: {} rows; backlogs: {} events; idle: {} events a round",
        options.rounds, options.clients, options.seconds, options.rows, options.events, options.samples
    );
    machine
        .warnings
        .iter()
        .for_each(|warning| println!("WARNING: {warning}"));
    println!("\n{}\n\n{}", figure_table(figures), ratio_table(figures));
    if rivals::all().is_empty() {
        println!("\nRivals: none is built in yet, and none ran.");
    }
}

fn figure_table(figures: &Figures) -> Table {
    let titles: Vec<_> = cases::all()
        .into_iter()
        .chain(rivals::all())
        .map(|case| (case.name(), case.title()))
        .collect();
    let mut table = table(["figure", "", "unit", "median", "min", "max"], 3);
    let mut last = "";
    for figure in figures.all() {
        let title = titles
            .iter()
            .find(|(name, _)| *name == figure.case)
            .map_or("", |(_, title)| title);
        let (case, title) = if last == figure.case {
            ("", "")
        } else {
            (figure.case.as_str(), title)
        };
        last = &figure.case;
        let Spread { median, min, max } = figure.spread;
        let what = if title.is_empty() {
            figure.metric.to_owned()
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
        ["ratio (median of the rounds' ratios)", "median", "min", "max"],
        1,
    );
    for ratio in ratios::ALL {
        if let Some(rounds) = figures.ratio(ratio.of, ratio.to) {
            let Spread { median, min, max } = Spread::of(&rounds);
            let [median, min, max] = [median, min, max].map(|value| format!("{value:.3}"));
            table.add_row([ratio.says, &median, &min, &max]);
        }
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

/// With as many digits as mean something.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => grouped(value),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// 1234567 as 1,234,567.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes `bench/results.json` and returns its path.
pub fn save(machine: &Machine, options: &Options, figures: &Figures) -> Result<PathBuf> {
    let ratios: Vec<_> = ratios::ALL
        .iter()
        .filter_map(|ratio| {
            let rounds = figures.ratio(ratio.of, ratio.to)?;
            let (of, to) = (ratio.of.0, ratio.to.0);
            Some(json!({"says": ratio.says, "of": of, "to": to, "spread": Spread::of(&rounds), "rounds": rounds}))
        })
        .collect();
    let rivals: Vec<_> = rivals::all().iter().map(|rival| rival.name()).collect();
    let results = json!({"machine": machine, "options": options, "figures": figures.all(), "ratios": ratios, "rivals": rivals});
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results.json");
    std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            (grouped(1_234_567.0), grouped(123.4), grouped(-4567.0)),
            ("1,234,567".into(), "123".into(), "-4,567".into())
        );
    }
}
