//! Every word of the engine's modules and public types stands in the glossary of ARCHITECTURE.md, or is plain English.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use syn::{Item, Visibility};

use super::excused::only_excused;
use super::workspace::{files, root};

/// Words that mean here what they mean everywhere.
const PLAIN: &[&str] = &[
    "builder", "error", "id", "mod", "name", "settings", "state", "tests", "time", "timer",
];

/// Where the engine is written: a crate of its own, or a module of the worker's.
fn engine() -> Result<PathBuf> {
    let places = ["worker/engine/src", "worker/src/engine"].map(|place| root().join(place));
    places
        .into_iter()
        .find(|place| place.exists())
        .context("there is no engine")
}

/// The terms of the table below the heading `Words` or `Glossary`, word by word, each as it is written and without its
/// plural.
fn glossary() -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let heading = |line: &str| {
        line.starts_with("## ")
            && ["Words", "Glossary"]
                .iter()
                .any(|name| line[3..].starts_with(name))
    };
    let section = text.lines().skip_while(|line| !heading(line)).skip(1);
    let rows = section
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| {
            let row = line.strip_prefix("| ")?;
            row.split(" | ").next()
        });
    let words: BTreeSet<String> = rows
        .flat_map(|terms| terms.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(|word| singular(&word.to_lowercase()).to_owned())
        .collect();
    ensure!(
        words.contains("delivery"),
        "ARCHITECTURE.md has no table of words"
    );
    Ok(words)
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s')
        .filter(|stem| stem.len() > 2 && !stem.ends_with('s'))
        .unwrap_or(word)
}

/// The words of `snake_case` and `CamelCase`.
fn words(name: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for part in name.split('_') {
        for letter in part.chars() {
            if letter.is_uppercase() || found.last().is_none_or(String::is_empty) {
                found.push(String::new());
            }
            if let Some(word) = found.last_mut() {
                word.extend(letter.to_lowercase());
            }
        }
        found.push(String::new());
    }
    found.retain(|word| !word.is_empty());
    found
}

/// The name of a type that others may see.
fn public_type(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    (!matches!(visibility, Visibility::Inherited)).then(|| name.to_string())
}

#[test]
fn every_word_of_the_engine_is_in_the_glossary() -> Result<()> {
    let glossary = glossary()?;
    let mut missing = BTreeSet::new();
    for path in files(&engine()?, "rs")? {
        let file = path
            .file_stem()
            .context("a file has a name")?
            .to_string_lossy()
            .into_owned();
        let syntax = syn::parse_file(&fs::read_to_string(&path)?)?;
        let names = [file]
            .into_iter()
            .chain(syntax.items.iter().filter_map(public_type));
        for word in names.flat_map(|name| words(&name)) {
            let is_known = PLAIN.contains(&word.as_str()) || glossary.contains(singular(&word));
            if !is_known && !["lib", "main"].contains(&word.as_str()) {
                missing.insert(word);
            }
        }
    }
    only_excused("word", missing);
    Ok(())
}

#[test]
fn names_fall_into_their_words() {
    assert_eq!(words("EndedAttempt"), ["ended", "attempt"]);
    assert_eq!(words("row_key"), ["row", "key"]);
    assert_eq!(words("pump"), ["pump"]);
}
