//! What breaks a rule today: `excused.txt`, one line each. A rule fails for what is not excused, and for what is
//! excused and keeps the rule again, so that the list only shrinks.

use std::collections::BTreeSet;

const LINES: &str = include_str!("excused.txt");

/// Panics unless `found` is just what is excused of a kind.
pub fn only_excused(kind: &str, found: impl IntoIterator<Item = String>) {
    let excused: BTreeSet<&str> = LINES
        .lines()
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))
        .collect();
    // What follows `: ` is for the reader, as how much it is.
    let found: Vec<String> = found.into_iter().collect();
    let names: BTreeSet<&str> = found.iter().map(|one| name(one)).collect();
    let new: Vec<&String> = found.iter().filter(|one| !excused.contains(name(one))).collect();
    let mended: Vec<_> = excused.difference(&names).collect();
    assert!(
        new.is_empty(),
        "against the rule, and not in excused.txt ({kind}):\n{new:#?}"
    );
    assert!(
        mended.is_empty(),
        "mended: take these out of excused.txt ({kind}):\n{mended:#?}"
    );
}

fn name(found: &str) -> &str {
    found.split_once(": ").map_or(found, |(name, _)| name)
}

#[test]
fn every_excuse_is_of_a_kind() {
    for line in LINES.lines() {
        let kind = line.split(' ').next().unwrap_or_default();
        let known = ["circle", "lines", "function", "columns", "p90", "word"];
        assert!(known.contains(&kind), "excused.txt: {line}");
    }
}
