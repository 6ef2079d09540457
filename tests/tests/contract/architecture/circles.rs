//! No file of a crate uses, through others or at once, one that uses it. `imports` says what counts as a use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::excused::only_excused;
use super::imports::edges;
use super::tree::Tree;
use super::workspace::{name_of, packages};

#[test]
fn no_files_use_each_other_in_a_circle() -> Result<()> {
    let mut found = BTreeSet::new();
    for package in packages()? {
        for root in &package.roots {
            let tree = Tree::of(root)?;
            found.extend(
                circles(&edges(&tree))
                    .iter()
                    .map(|circle| described(&tree, circle)),
            );
        }
    }
    only_excused("circle", found);
    Ok(())
}

/// The folder that has all files of a circle, and which they are.
fn described(tree: &Tree, circle: &BTreeSet<usize>) -> String {
    let files: Vec<&Path> = circle.iter().map(|at| tree.files[*at].path.as_path()).collect();
    let shared = |folder: &&Path| files.iter().all(|file| file.starts_with(folder));
    let folder = files[0].ancestors().skip(1).find(shared).unwrap_or(files[0]);
    let names: Vec<_> = files
        .iter()
        .map(|file| file.strip_prefix(folder).unwrap_or(file).display().to_string())
        .collect();
    format!("{}: {}", name_of(folder), names.join(", "))
}

/// Sets of files each of which reaches every other one.
fn circles(edges: &BTreeSet<(usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut uses: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (user, used) in edges {
        uses.entry(*user).or_default().insert(*used);
    }
    let reached: BTreeMap<usize, BTreeSet<usize>> =
        uses.keys().map(|file| (*file, reaches(&uses, *file))).collect();
    let both = |one: usize, other: &usize| {
        reached[&one].contains(other) && reached.get(other).is_some_and(|from| from.contains(&one))
    };
    let mut found = Vec::new();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    for file in reached.keys() {
        if seen.contains(file) || !reached[file].contains(file) {
            continue;
        }
        let circle: BTreeSet<usize> = reached[file]
            .iter()
            .copied()
            .filter(|other| both(*file, other))
            .collect();
        seen.extend(&circle);
        found.push(circle);
    }
    found
}

fn reaches(uses: &BTreeMap<usize, BTreeSet<usize>>, from: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        let used = uses.get(&file).into_iter().flatten();
        next.extend(used.filter(|used| reached.insert(**used)));
    }
    reached
}

#[test]
fn a_circle_is_found_and_a_way_that_does_not_return_is_none() {
    let edges = BTreeSet::from([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (5, 0)]);
    assert_eq!(circles(&edges), [BTreeSet::from([0, 1, 2])]);
}
