//! What breaks a rule today: `excused.txt`, one line each. A rule fails for what is not excused, and for what is
//! excused and keeps the rule again, so that the list only shrinks.

use std::collections::BTreeSet;

const LINES: &str = include_str!("excused.txt");

/// Panics unless `found` is just what is excused of a kind. What follows `: ` is for the reader, as how much it is.
pub fn only_excused(kind: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    let (new, mended) = compared(LINES, kind, &found);
    assert!(
        new.is_empty(),
        "against the rule, and not in excused.txt ({kind}):\n{new:#?}"
    );
    assert!(
        mended.is_empty(),
        "mended: take these out of excused.txt ({kind}):\n{mended:#?}"
    );
}

/// What is found and not excused, and what is excused and not found.
fn compared<'a>(lines: &'a str, kind: &str, found: &'a [String]) -> (Vec<&'a str>, Vec<&'a str>) {
    let of_kind = |line: &'a str| line.strip_prefix(kind)?.strip_prefix(' ');
    let excused: BTreeSet<&str> = lines.lines().filter_map(of_kind).collect();
    let names: BTreeSet<&str> = found.iter().map(|one| name(one)).collect();
    let new = found.iter().filter(|one| !excused.contains(name(one)));
    let mended = excused.difference(&names).copied();
    (new.map(String::as_str).collect(), mended.collect())
}

fn name(found: &str) -> &str {
    found.split_once(": ").map_or(found, |(name, _)| name)
}

#[test]
fn an_excuse_that_is_not_needed_any_more_is_told() {
    let lines = "lines a.rs\nlines b.rs\ncolumns c.rs\n";
    let found = ["b.rs: 400 lines".to_owned(), "d.rs: 351 lines".to_owned()];
    assert_eq!(
        compared(lines, "lines", &found),
        (vec!["d.rs: 351 lines"], vec!["a.rs"])
    );
}

#[test]
fn every_excuse_is_of_a_kind() {
    for line in LINES.lines() {
        let kind = line.split(' ').next().unwrap_or_default();
        let known = ["circle", "lines", "function", "columns", "p90", "word"];
        assert!(known.contains(&kind), "excused.txt: {line}");
    }
}
