//! The files that the documents name are there.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::links::{pages, text};
use crate::markdown::code;

/// Pages that tell what was: files that they name may have gone.
const PAST: [&str; 1] = ["CHANGELOG.md"];
/// Endings of the names that are looked for.
const ENDINGS: [&str; 7] = [".rs", ".sql", ".sh", ".md", ".toml", ".yaml", ".txt"];
/// Folders of the tree that are not ours.
const FOREIGN: [&str; 4] = [".git", ".dev", "target", "node_modules"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of the tree, each with a slash before its path below the root.
fn files() -> Result<Vec<String>> {
    let (mut found, mut folders) = (Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && !FOREIGN.contains(&name.as_str()) {
                folders.push(path);
            } else {
                found.push(format!("/{}", path.strip_prefix(root())?.display()));
            }
        }
    }
    Ok(found)
}

/// Whether a piece of code is the name of one file: no pattern, no command, nothing of another machine.
fn names_a_file(code: &str) -> bool {
    ENDINGS.iter().any(|ending| code.ends_with(ending))
        && !code.starts_with('/')
        && !code.contains("OLD")
        && code
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
}

/// A name may be the end of a path, as in a table whose head says what all of them lie below.
#[test]
fn every_file_that_a_page_names_is_there() -> Result<()> {
    let files = files()?;
    let mut missing = Vec::new();
    for page in pages()?
        .into_iter()
        .filter(|page| !PAST.iter().any(|past| page == Path::new(past)))
    {
        for name in code(&text(&page)?).into_iter().filter(|code| names_a_file(code)) {
            let end = format!("/{}", name.trim_start_matches("./"));
            if !files.iter().any(|file| file.ends_with(&end)) {
                missing.push(format!("{}: {name}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    Ok(())
}
