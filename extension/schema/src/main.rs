//! Writes the script that `CREATE EXTENSION` runs, from what pgrx's macros left in the extension's library. As `cargo
//! pgrx schema` does it, without the three minutes that building cargo-pgrx takes. Writes to stdout and nowhere else.
//!
//! `zerodb_hooks_schema libzerodb_hooks.so zerodb_hooks.control >zerodb_hooks--0.1.0.sql`

use std::io::Write;

use anyhow::{Context, Result, bail};
use object::{File, Object, ObjectSection};
use pgrx_sql_entity_graph::section::{decode_entities, is_schema_section_name};
use pgrx_sql_entity_graph::{ControlFile, PgrxSql, SqlGraphEntity};

/// The version of the whole workspace, which is the extension's.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const EXTENSION: &str = "zerodb_hooks";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, control] = arguments.as_slice() else {
        bail!("usage: zerodb_hooks_schema LIBRARY CONTROL_FILE");
    };
    let script = script(library, control)?;
    std::io::stdout().write_all(script.as_bytes())?;
    Ok(())
}

fn script(library: &str, control: &str) -> Result<String> {
    let bytes = std::fs::read(library).with_context(|| format!("cannot read {library}"))?;
    let object = File::parse(bytes.as_slice()).with_context(|| format!("{library} is no library"))?;
    let section = object
        .sections()
        .find(|section| section.name().is_ok_and(is_schema_section_name))
        .with_context(|| format!("{library} has no section of pgrx: the linker dropped it"))?;
    let control = ControlFile::from_path_with_cargo_version(control, VERSION)
        .with_context(|| format!("cannot read {control}"))?;
    let mut entities = vec![SqlGraphEntity::ExtensionRoot(control)];
    entities.extend(decode_entities(section.data()?).map_err(anyhow::Error::msg)?);
    // The control file names the library, so its name has no version in it.
    let is_versioned = false;
    let graph =
        PgrxSql::build(entities.into_iter(), EXTENSION.into(), is_versioned).map_err(anyhow::Error::msg)?;
    graph.to_sql().map_err(anyhow::Error::msg)
}
