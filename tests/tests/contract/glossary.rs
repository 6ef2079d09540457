//! The glossary of ARCHITECTURE.md has every word of the engine: the names of its modules and of its public types.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::markdown::code;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the glossary shows as code.
fn glossary() -> Result<BTreeSet<String>> {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let (_, from) = page.split_once("\n## Words\n").context("there is a glossary")?;
    let (words, _) = from.split_once("\n## ").context("something follows it")?;
    Ok(code(words).into_iter().map(str::to_owned).collect())
}

/// The name of the type that a line declares for the whole crate or for all.
fn public_type(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("pub ")
        .or_else(|| line.strip_prefix("pub(crate) "))?;
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let name = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    name.split(|c: char| !c.is_alphanumeric()).next()
}

#[test]
fn every_word_of_the_engine_is_in_the_glossary() -> Result<()> {
    let known = glossary()?;
    let mut unknown = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("worker/engine/src"))? {
        let path = entry?.path();
        let module = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // Values that the engine's own tests are made of.
        if module == "testing" {
            continue;
        }
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)?;
            let types = text.lines().filter_map(public_type).map(str::to_owned);
            unknown.extend(types.filter(|name| !known.contains(name)));
        }
        if module != "lib" && !known.contains(&module) {
            unknown.insert(module);
        }
    }
    assert!(
        unknown.is_empty(),
        "not in the glossary of ARCHITECTURE.md: {unknown:?}"
    );
    Ok(())
}
