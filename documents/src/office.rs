//! Which document an archive or a compound file is: by its content, never by what it is called.

use std::ops::ControlFlow;

use crate::claim::Claim;
use crate::package::{Archive, Node, Relationships, walk};
use crate::sniff::within;
use crate::{Kind, ParseError, Unread};

/// The longest of the types that a file named `mimetype` names.
const LONGEST_TYPE: usize = 200;

/// The kind of a ZIP archive.
///
/// # Errors
/// `unsupported_type` by its name; `malformed_document` for what claims to be a document, and `zip_bomb`.
pub(crate) fn kind_of_archive(bytes: &[u8], claimed: Claim) -> Result<Kind, ParseError> {
    let named = match claimed {
        Claim::Kind(kind @ (Kind::Docx | Kind::Spreadsheet | Kind::Slides)) => Some(kind),
        Claim::Kind(kind @ (Kind::OpenDocument | Kind::Epub)) => Some(kind),
        _ => None,
    };
    let mut archive = match Archive::open(bytes, named.unwrap_or(Kind::Docx)) {
        Ok(archive) => archive,
        Err(ParseError::MalformedDocument(_)) if named.is_none() => {
            return Err(ParseError::Unread(Unread::Archive));
        }
        Err(error) => return Err(error),
    };
    if let Some(kind) = by_mimetype(&mut archive)? {
        return Ok(kind);
    }
    if let Some(kind) = by_relationship(&mut archive)? {
        return Ok(kind);
    }
    if let Some(kind) = by_parts(&archive) {
        return Ok(kind);
    }
    if archive
        .names()
        .any(|name| name.ends_with(".iwa") || name == "index.zip")
    {
        return Err(ParseError::Unread(Unread::IWork));
    }
    named.ok_or(ParseError::Unread(Unread::Archive))
}

/// `OpenDocument` and EPUB say it in a part of their own.
fn by_mimetype(archive: &mut Archive<'_>) -> Result<Option<Kind>, ParseError> {
    let mimetype = match archive.bytes("mimetype") {
        Err(ParseError::MalformedDocument(_)) => None,
        result => result?,
    };
    let mimetype = mimetype
        .filter(|mimetype| mimetype.len() < LONGEST_TYPE)
        .unwrap_or_default();
    let mimetype = String::from_utf8_lossy(&mimetype);
    Ok(match mimetype.trim() {
        "application/epub+zip" => Some(Kind::Epub),
        text if text.starts_with("application/vnd.oasis.opendocument.") => Some(Kind::OpenDocument),
        _ => None,
    })
}

/// Office has a main part, whose first element says it.
fn by_relationship(archive: &mut Archive<'_>) -> Result<Option<Kind>, ParseError> {
    let package = Relationships::of(archive, "")?;
    let Some(main) = package.role("officeDocument") else {
        return Ok(None);
    };
    if main.ends_with(".bin") {
        return Ok(Some(Kind::Spreadsheet));
    }
    let root = archive.read_if_whole(main, |part| {
        let mut root = None;
        walk(part, |node| match node {
            Node::Open(element) => {
                root = Some(element.name().to_owned());
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        })?;
        Ok(root)
    })?;
    Ok(match root.flatten().as_deref() {
        Some("document") => Some(Kind::Docx),
        Some("workbook") => Some(Kind::Spreadsheet),
        Some("presentation") => Some(Kind::Slides),
        _ => None,
    })
}

fn by_parts(archive: &Archive<'_>) -> Option<Kind> {
    [
        ("word/document.xml", Kind::Docx),
        ("xl/workbook.xml", Kind::Spreadsheet),
        ("xl/workbook.bin", Kind::Spreadsheet),
        ("ppt/presentation.xml", Kind::Slides),
        ("META-INF/container.xml", Kind::Epub),
        ("content.xml", Kind::OpenDocument),
    ]
    .into_iter()
    .find_map(|(name, kind)| archive.has(name).then_some(kind))
}

/// The kind of a compound file, by the names of its streams, which are in UTF-16.
///
/// # Errors
/// `encrypted_document` for an office document with a password, else `unsupported_type` by its name.
pub(crate) fn kind_of_compound_file(bytes: &[u8], claimed: Claim) -> Result<Kind, ParseError> {
    let has = |stream: &str| {
        let name: Vec<u8> = stream.bytes().flat_map(|byte| [byte, 0]).collect();
        within(bytes, bytes.len(), &name)
    };
    // [MS-OFFCRYPTO] 2.3
    if has("EncryptedPackage") {
        return Err(ParseError::EncryptedDocument(match claimed {
            Claim::Kind(kind @ (Kind::Spreadsheet | Kind::Slides)) => kind,
            Claim::OldSpreadsheet => Kind::Spreadsheet,
            Claim::Unread(Unread::PowerPoint97) => Kind::Slides,
            _ => Kind::Docx,
        }));
    }
    // A message may hold documents, and a document spreadsheets: what can hold more comes first.
    Err(ParseError::Unread(if has("__properties_version1.0") {
        Unread::OutlookMessage
    } else if has("WordDocument") {
        Unread::Word97
    } else if has("PowerPoint Document") {
        Unread::PowerPoint97
    } else if has("Workbook\0") || has("Book\0") {
        return Ok(Kind::Spreadsheet);
    } else {
        Unread::CompoundFile
    }))
}
