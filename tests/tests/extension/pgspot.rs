//! The linter of Timescale for SQL that runs with the rights of others, over the script that CREATE EXTENSION runs.

use std::path::Path;
use std::process::Command;

use zerodb_hooks_harness::{PgVersion, Result};

/// Unqualified operators, functions and types outside functions. They are safe here: pg_catalog comes first while the
/// script runs, and the script's first statement refuses a schema in which anything lies already, which the tests of
/// `privileges` prove. Inside functions, where the search path would be the caller's, it is fixed.
const SAFE_HERE: [&str; 3] = ["PS001", "PS016", "PS017"];

#[test]
fn pgspot_finds_nothing() -> Result<()> {
    let Some(pgspot) = std::env::var_os("ZERODB_PGSPOT") else {
        eprintln!("leaving out pgspot: ZERODB_PGSPOT names no program");
        return Ok(());
    };
    let mut command = Command::new(pgspot);
    for code in SAFE_HERE {
        command.args(["--ignore", code]);
    }
    let scripts = std::fs::read_dir(PgVersion::main().extension_dir())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("zerodb_hooks--"))
        })
        .collect::<Vec<_>>();
    assert!(scripts.iter().any(|path| Path::exists(path)));
    let output = command.args(scripts).output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}
