//! Arrows point down: no file of these crates imports one that imports it, by whatever way round.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Crates without a circle of imports between their files.
const CRATES: [&str; 5] = [
    "worker/delivery",
    "worker/engine",
    "worker/rendering",
    "worker/store",
    "worker/turns",
];

/// The imports of a module's own text, by the modules' paths: `["packing", "tests"]`; the crate's root has none.
type Imports = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

#[test]
fn no_file_imports_one_that_imports_it() -> Result<()> {
    for name in CRATES {
        let imports = imports_of(name)?;
        assert!(
            imports.values().map(BTreeSet::len).sum::<usize>() >= imports.len() / 2,
            "{name}"
        );
        for module in imports.keys() {
            let back = path_between(&imports, module, module);
            assert_eq!(back, None, "{name} has a circle of imports");
        }
    }
    Ok(())
}

#[test]
fn a_circle_of_imports_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let imports: Imports = [
        ("a", vec!["b"]),
        ("b", vec!["c"]),
        ("c", vec!["a"]),
        ("d", vec!["a"]),
    ]
    .into_iter()
    .map(|(from, to)| (module(from), to.into_iter().map(module).collect()))
    .collect();
    assert_eq!(path_between(&imports, &module("d"), &module("d")), None);
    let back = path_between(&imports, &module("a"), &module("a"));
    assert_eq!(back, Some(vec![module("b"), module("c"), module("a")]));
}

/// The modules by which one leads to another; `None` where it does not.
fn path_between(imports: &Imports, from: &[String], to: &[String]) -> Option<Vec<Vec<String>>> {
    let (mut seen, mut paths) = (BTreeSet::new(), vec![Vec::new()]);
    while let Some(path) = paths.pop() {
        let last = path.last().map_or(from, Vec::as_slice);
        for next in imports.get(last).into_iter().flatten() {
            let longer: Vec<_> = path.iter().chain([next]).cloned().collect();
            if next == to {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                paths.push(longer);
            }
        }
    }
    None
}

fn imports_of(name: &str) -> Result<Imports> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
        .join("src");
    let mut texts = BTreeMap::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| name.to_owned())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(&src)?.with_extension("");
                let mut module: Vec<String> = relative
                    .iter()
                    .map(|part| part.to_string_lossy().into_owned())
                    .collect();
                if matches!(module.last().map(String::as_str), Some("lib" | "mod")) {
                    module.pop();
                }
                texts.insert(module, fs::read_to_string(&path)?);
            }
        }
    }
    let found = texts.iter().map(|(module, text)| {
        let targets = paths_in(module, text).map(|path| owner_of(path, &texts));
        let others = targets.filter(|target| target != module);
        (module.clone(), others.collect())
    });
    Ok(found.collect())
}

/// The paths within the crate that a text names, apart from its tests. `super` counts from the text's own module.
fn paths_in(module: &[String], text: &str) -> impl Iterator<Item = Vec<String>> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let parent = &module[..module.len().saturating_sub(1)];
    let after = move |word: &'static str, root: Vec<String>| {
        code.match_indices(word).map(move |(at, _)| {
            let rest = &code[at + word.len()..];
            let end = rest.find(|sign: char| !(sign.is_alphanumeric() || sign == '_' || sign == ':'));
            let named = rest[..end.unwrap_or(rest.len())].split("::");
            let named = named.filter(|part| !part.is_empty()).map(str::to_owned);
            root.iter().cloned().chain(named).collect::<Vec<_>>()
        })
    };
    // Only the root names its children without a prefix.
    let root = if module.is_empty() { "use " } else { "crate::" };
    after(root, Vec::new())
        .chain(after("crate::", Vec::new()))
        .chain(after("super::", parent.to_vec()))
}

/// The module that has a path: the longest part of it that is a file.
fn owner_of(mut path: Vec<String>, texts: &BTreeMap<Vec<String>, String>) -> Vec<String> {
    while !texts.contains_key(&path) && path.pop().is_some() {}
    path
}
