//! The rules of the source tree that a compiler does not keep.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below a folder with their text.
fn sources(folder: &str, extension: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let name = path.strip_prefix(root())?.to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    Ok(found)
}

/// Fails for every file of `folder`, outside `rooms`, that mentions one of `words`.
fn only_in(folder: &str, rooms: &[&str], words: &[&str]) -> Result<()> {
    for (name, text) in sources(folder, "rs")? {
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
        &["worker/store/", "worker/cli/"],
        &["tokio_postgres", "deadpool_postgres"],
    )
}

#[test]
fn only_http_knows_the_http_client() -> Result<()> {
    only_in("worker", &["worker/http/"], &["reqwest"])
}

#[test]
fn the_words_of_the_worker_are_values_without_io() -> Result<()> {
    for name in [
        "event",
        "event_data",
        "hook",
        "delivery",
        "outcome",
        "retry",
        "secret",
    ] {
        let text = fs::read_to_string(root().join(format!("worker/delivery/src/{name}.rs")))?;
        for word in [
            "tokio",
            "reqwest",
            "tracing",
            "std::env",
            "Timestamp::now",
            "rand::",
            "zerodb_hooks_store",
        ] {
            assert!(!text.contains(word), "worker/delivery/src/{name}.rs names {word}");
        }
    }
    Ok(())
}

#[test]
fn the_extension_has_no_runtime_and_neither_half_imports_the_other() -> Result<()> {
    only_in(
        "extension/src",
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
            &["harness/src/wait.rs", "tests/tests/contract/architecture.rs"],
            &["time::sleep", "thread::sleep"],
        )?;
    }
    Ok(())
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() -> Result<()> {
    for (folder, extension) in [
        ("worker", "rs"),
        ("extension", "rs"),
        ("harness", "rs"),
        ("tests", "rs"),
        ("demo", "rs"),
        ("bench", "rs"),
        ("sql", "sql"),
    ] {
        for (name, text) in sources(folder, extension)? {
            assert!(
                text.lines().count() <= 400,
                "{name} has {} lines",
                text.lines().count()
            );
        }
    }
    Ok(())
}
