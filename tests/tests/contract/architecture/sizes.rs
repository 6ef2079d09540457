//! Sizes that a reader takes in at once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::excused::only_excused;
use super::spans::{Function, functions, long_lines};
use super::workspace::{files, name_of, packages, root};

const MOST_LINES: usize = 350;
const MOST_LINES_OF_A_FUNCTION: usize = 70;
/// What nine of ten functions of a crate keep to.
const USUAL_LINES_OF_A_FUNCTION: usize = 35;
const MOST_COLUMNS: usize = 120;

/// The folders of the crates, and of the extension's tests in the server, which are mounted into it from outside.
fn folders() -> Result<Vec<(String, PathBuf)>> {
    let mut found: Vec<_> = packages()?
        .into_iter()
        .map(|one| (one.name, one.folder))
        .collect();
    found.push(("pgrx-tests".into(), root().join("pgrx-tests")));
    Ok(found)
}

fn parsed(path: &Path) -> Result<syn::File> {
    syn::parse_file(&fs::read_to_string(path)?).with_context(|| path.display().to_string())
}

#[test]
fn no_file_is_long() -> Result<()> {
    let mut long = Vec::new();
    let mut all = files(&root().join("sql"), "sql")?;
    for (_, folder) in folders()? {
        all.extend(files(&folder, "rs")?);
    }
    for path in all {
        let lines = fs::read_to_string(&path)?.lines().count();
        if lines > MOST_LINES {
            long.push(format!("{}: {lines} lines", name_of(&path)));
        }
    }
    only_excused("lines", long);
    Ok(())
}

/// The sizes of a crate's functions, each with where it stands.
fn sizes(folder: &Path) -> Result<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for path in files(folder, "rs")? {
        let size = |function: Function| (function.lines, format!("{} {}", name_of(&path), function.name));
        found.extend(functions(&parsed(&path)?).into_iter().map(size));
    }
    found.sort();
    Ok(found)
}

#[test]
fn no_function_is_long_and_nine_of_ten_are_short() -> Result<()> {
    let (mut long, mut usual) = (Vec::new(), Vec::new());
    for (name, folder) in folders()? {
        let sizes = sizes(&folder)?;
        let above = sizes
            .iter()
            .filter(|(lines, _)| *lines > MOST_LINES_OF_A_FUNCTION);
        long.extend(above.map(|(lines, function)| format!("{function}: {lines} lines")));
        let ninth = sizes.get(sizes.len() * 9 / 10).map_or(0, |(lines, _)| *lines);
        if ninth > USUAL_LINES_OF_A_FUNCTION {
            usual.push(format!("{name}: {ninth} lines"));
        }
    }
    only_excused("function", long);
    only_excused("p90", usual);
    Ok(())
}

#[test]
fn no_line_of_code_or_comment_is_long() -> Result<()> {
    let mut long = Vec::new();
    for (_, folder) in folders()? {
        for path in files(&folder, "rs")? {
            let lines = long_lines(&fs::read_to_string(&path)?, MOST_COLUMNS)?;
            if !lines.is_empty() {
                long.push(format!("{}: lines {lines:?}", name_of(&path)));
            }
        }
    }
    only_excused("columns", long);
    Ok(())
}
