//! The crates of the workspace as Cargo knows them, and their files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub struct Package {
    pub name: String,
    pub folder: PathBuf,
    /// The roots of its library, programs, tests and examples.
    pub roots: Vec<PathBuf>,
    /// The names of what it depends on when it is built, its tests apart.
    pub dependencies: Vec<String>,
}

pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::canonicalize(&root).unwrap_or(root)
}

/// A path as the rules name it: from the top of the repository.
pub fn name_of(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.display().to_string()
}

/// All crates of the workspace, whoever has added them.
pub fn packages() -> Result<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata: {said}");
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    list(&metadata, "packages").iter().map(package).collect()
}

fn package(said: &Value) -> Result<Package> {
    let manifest = PathBuf::from(text(said, "manifest_path"));
    let mut dependencies: Vec<_> = list(said, "dependencies")
        .iter()
        .filter(|one| one["kind"].is_null())
        .map(|one| text(one, "name"))
        .collect();
    dependencies.sort();
    dependencies.dedup();
    let targets = list(said, "targets").iter();
    Ok(Package {
        name: text(said, "name"),
        folder: manifest.parent().context("a manifest lies in a folder")?.into(),
        roots: targets.map(|target| text(target, "src_path").into()).collect(),
        dependencies,
    })
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

/// The files below a folder whose name ends so, without those of a crate of its own further down.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| next.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                let is_own = !path.join("Cargo.toml").exists() && !path.ends_with("target");
                folders.extend(is_own.then_some(path));
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
