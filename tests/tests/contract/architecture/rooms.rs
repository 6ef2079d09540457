//! What only some folders may name, kept by the words of the source: finer than the arrows between crates.

use std::fs;

use anyhow::Result;

use super::workspace::{files, name_of, packages, root};

/// The files of the crates below a folder, with their text.
fn sources(folder: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for package in packages()? {
        if package.folder.starts_with(root().join(folder)) {
            for path in files(&package.folder, "rs")? {
                found.push((name_of(&path), fs::read_to_string(&path)?));
            }
        }
    }
    assert!(!found.is_empty(), "no crate is below {folder}");
    Ok(found)
}

/// Fails for every file of `folder`, outside `rooms`, that mentions one of `words`.
fn only_in(folder: &str, rooms: &[&str], words: &[&str]) -> Result<()> {
    for (name, text) in sources(folder)? {
        if !rooms.iter().any(|room| name.starts_with(room)) {
            for word in words {
                assert!(
                    !text.contains(word),
                    "{name} names {word}, which belongs in {rooms:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn only_the_store_and_the_operators_commands_know_the_database() -> Result<()> {
    only_in(
        "worker",
        &[
            "worker/store/",
            "worker/queries/",
            "worker/hook_file/",
            "worker/measure/",
        ],
        &["tokio_postgres", "deadpool_postgres"],
    )
}

#[test]
fn only_http_knows_the_http_client() -> Result<()> {
    only_in("worker", &["worker/http/"], &["reqwest"])
}

#[test]
fn what_the_rooms_of_the_worker_share_is_values_without_io() -> Result<()> {
    let io = [
        "tokio",
        "reqwest",
        "tracing",
        "std::env",
        "Timestamp::now",
        "rand::",
    ];
    only_in("worker/delivery", &[], &io)
}

#[test]
fn the_extension_has_no_runtime_and_neither_half_imports_the_other() -> Result<()> {
    only_in(
        "extension",
        &[],
        &["tokio", "reqwest", "zerodb_hooks_worker", "zerodb_hooks_store"],
    )?;
    only_in("worker", &[], &["pgrx"])
}

#[test]
fn only_the_harness_sleeps() -> Result<()> {
    for folder in ["harness", "tests", "demo", "bench"] {
        only_in(
            folder,
            &[
                "harness/src/wait.rs",
                "tests/tests/contract/architecture/rooms.rs",
            ],
            &["time::sleep", "thread::sleep"],
        )?;
    }
    Ok(())
}
