//! Links between the documents lead somewhere, and the site has every page.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::markdown::{anchors, links};

/// Folders whose pages are read, besides the top.
const FOLDERS: [&str; 3] = ["docs", "docs/guide", "docs/reference"];
/// Pages elsewhere.
const PAGES: [&str; 6] = [
    "bench/README.md",
    "bench/models/README.md",
    "bench/search/README.md",
    "sql/README.md",
    "tests/README.md",
    "examples/README.md",
];
/// The contents of the site.
const SUMMARY: &str = "docs/SUMMARY.md";
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page, with its path below the root.
pub fn pages() -> Result<BTreeSet<PathBuf>> {
    let mut pages: BTreeSet<PathBuf> = PAGES.iter().map(PathBuf::from).collect();
    for folder in ["."].iter().chain(&FOLDERS) {
        for entry in std::fs::read_dir(root().join(folder))? {
            let name = Path::new(folder).join(entry?.file_name());
            if name.extension().is_some_and(|extension| extension == "md") {
                pages.insert(name.strip_prefix(".").unwrap_or(&name).to_owned());
            }
        }
    }
    Ok(pages)
}

pub fn text(page: &Path) -> Result<String> {
    std::fs::read_to_string(root().join(page)).with_context(|| page.display().to_string())
}

/// Where a link of a page leads, as a path below the root.
fn target(page: &Path, link: &str) -> PathBuf {
    let mut path = page.parent().unwrap_or(Path::new("")).to_owned();
    for part in link.split('/') {
        match part {
            ".." => drop(path.pop()),
            "." | "" => {}
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() -> Result<()> {
    let mut broken = Vec::new();
    for page in pages()? {
        for link in links(&text(&page)?) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() {
                page.clone()
            } else {
                target(&page, file)
            };
            let leads = match text(&file) {
                Ok(found) => heading.is_empty() || anchors(&found).iter().any(|known| known == heading),
                Err(_) => false,
            };
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn every_page_is_in_the_contents_of_the_site() -> Result<()> {
    let summary = text(Path::new(SUMMARY))?;
    let listed: BTreeSet<PathBuf> = links(&summary)
        .iter()
        .map(|link| target(Path::new(SUMMARY), link))
        .collect();
    let left_out: Vec<_> = pages()?
        .into_iter()
        .filter(|page| !listed.contains(page) && page != Path::new(SUMMARY))
        .collect();
    assert!(left_out.is_empty(), "not in {SUMMARY}: {left_out:?}");
    Ok(())
}
