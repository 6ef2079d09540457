//! Which part of an Office package refers to which others (Open Packaging Conventions, ECMA-376-2, 9.3). Names say
//! nothing.

use std::ops::ControlFlow;

use super::{Archive, Node, walk};
use crate::ParseError;

/// More than any part has.
const MAX_RELATIONSHIPS: usize = 10_000;

/// The relationships of one part, or of the package.
#[derive(Default)]
pub(crate) struct Relationships(Vec<Target>);

/// The target of a relationship.
pub(crate) struct Target {
    pub(crate) id: String,
    /// The last word of the type, which is the same in the strict form of the format: `officeDocument`, `styles`, …
    role: String,
    /// The name of the part in the package.
    pub(crate) name: String,
}

impl Relationships {
    /// The relationships of the part with that name; of the package itself if it is empty. Broken ones are none.
    ///
    /// # Errors
    /// The same as [`Archive::read`] but `malformed_document`.
    pub(crate) fn of(archive: &mut Archive<'_>, part: &str) -> Result<Self, ParseError> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let relationships = archive.read_if_whole(&format!("{folder}/_rels/{name}.rels"), |part| {
            let mut found = Vec::new();
            walk(part, |node| {
                if let Node::Open(element) = node
                    && element.name() == "Relationship"
                    && element.attribute("TargetMode").as_deref() != Some("External")
                    && let (Some(id), Some(role), Some(target)) = (
                        element.attribute("Id"),
                        element.attribute("Type"),
                        element.attribute("Target"),
                    )
                {
                    let role = role.rsplit('/').next().unwrap_or_default().to_owned();
                    let name = resolved(folder, &target);
                    found.push(Target { id, role, name });
                }
                if found.len() < MAX_RELATIONSHIPS {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            Ok(Self(found))
        })?;
        Ok(relationships.unwrap_or_default())
    }

    /// The first part in that role.
    pub(crate) fn role(&self, role: &str) -> Option<&str> {
        let target = self.0.iter().find(|target| target.role == role)?;
        Some(&target.name)
    }

    /// All parts in that role, in the order of the file.
    pub(crate) fn all<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a Target> {
        self.0.iter().filter(move |target| target.role == role)
    }

    /// The part that a reference with that id means.
    pub(crate) fn id(&self, id: &str) -> Option<&Target> {
        self.0.iter().find(|target| target.id == id)
    }
}

/// The name of a target, which is absolute or relative to the folder of the part that refers to it.
pub(crate) fn resolved(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut names: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        folder.split('/').collect()
    };
    for name in target.split(['#', '?']).next().unwrap_or_default().split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names.retain(|name| !name.is_empty());
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_absolute_or_relative_to_the_part() {
        for (folder, target, name) in [
            ("word", "styles.xml", "word/styles.xml"),
            ("word", "/word/styles.xml", "word/styles.xml"),
            ("word", "../docProps/core.xml", "docProps/core.xml"),
            ("word", ".\\media\\a.html", "word/media/a.html"),
            ("", "word/document2.xml", "word/document2.xml"),
            ("", "../../../etc/passwd", "etc/passwd"),
            ("ppt/slides", "../slides/a.xml#b", "ppt/slides/a.xml"),
        ] {
            assert_eq!(resolved(folder, target), name, "{folder} {target}");
        }
    }
}
