//! The page that goes through the Astrocyte document names tests that there are, and leaves no event type out.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use zerodb_hooks_contract::event_types::BUILT_IN;

use crate::markdown::code;

const PAGE: &str = include_str!("../../../docs/guide/astrocyte.md");

/// The text of a file, below the tests or at the top.
fn text(file: &str) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [root.join("tests").join(file), root.join("..").join(file)];
    let found = places.iter().find(|path| path.is_file());
    std::fs::read_to_string(found.with_context(|| format!("there is no file {file}"))?)
        .context(file.to_owned())
}

#[test]
fn every_line_names_a_test_that_there_is_or_says_that_it_is_not_built() -> Result<()> {
    let (mut lines, mut tests) = (0, 0);
    for line in PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
    {
        let last = line
            .trim_end_matches(" |")
            .rsplit(" | ")
            .next()
            .unwrap_or_default();
        if last == "test" {
            continue;
        }
        lines += 1;
        let mut file = None;
        for word in code(last) {
            if word.ends_with(".rs") {
                file = Some(text(word)?);
            } else if let Some(text) = &file {
                ensure!(
                    text.contains(&format!("fn {word}(")),
                    "{line}\nthere is no test {word}"
                );
                tests += 1;
            }
        }
        ensure!(
            file.is_some() || last.starts_with("not built"),
            "{line}\nnames no test"
        );
    }
    ensure!(lines > 40 && tests > 25, "{lines} lines with {tests} tests");
    Ok(())
}

#[test]
fn every_type_of_the_document_is_on_the_page() {
    let types = BUILT_IN
        .iter()
        .filter(|kind| kind.channel == "astrocyte" && kind.name != "on_hook_failure");
    let (_, section) = PAGE.split_once("## 1.").expect("section 1");
    let (section, _) = section.split_once("## 2.").expect("section 2");
    let named = code(section);
    let missing: Vec<&str> = types
        .map(|kind| kind.name)
        .filter(|name| !named.contains(name))
        .collect();
    assert_eq!(missing, [] as [&str; 0]);
}
