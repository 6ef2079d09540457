//! The files of the schema and the list of their order say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use zerodb_hooks_harness::Result;

/// The paths below `sql/schema`, as `folder/file.sql`.
fn files() -> Result<BTreeSet<String>> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/schema");
    let mut found = BTreeSet::new();
    for folder in fs::read_dir(&schema)? {
        for file in fs::read_dir(folder?.path())? {
            let path = file?.path();
            found.insert(path.strip_prefix(&schema)?.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

#[test]
fn every_file_of_the_schema_stands_in_the_list_once() -> Result<()> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../extension/src/schema.rs");
    let list = fs::read_to_string(list)?;
    let named = list.split("\"../../sql/schema/").skip(1);
    let listed: Vec<_> = named
        .filter_map(|rest| rest.split_once('"'))
        .map(|(path, _)| path.to_owned())
        .collect();
    let once: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a file stands there twice");
    assert_eq!(once, files()?);
    Ok(())
}
