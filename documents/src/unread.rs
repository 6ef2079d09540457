//! The types of files that are known and not read, with what to do about each.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A type of files that is known by its first bytes, or by what it is called, and that is not read.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unread {
    /// `.doc`
    Word97,
    /// `.ppt`
    PowerPoint97,
    /// `.msg`
    OutlookMessage,
    /// Another compound file.
    CompoundFile,
    /// `.pages`, `.numbers`, `.key`
    IWork,
    /// `.zip`, `.gz`, `.7z`, `.rar`, `.tar`, …
    Archive,
    /// `.ps`, `.eps`
    PostScript,
    /// A document within a document of Word.
    Embedded,
    /// Bytes written as letters, and nothing else.
    Base64,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Word97 => "a document of Word 97 to 2003 (.doc); save it as DOCX or PDF",
            Self::PowerPoint97 => "slides of PowerPoint 97 to 2003 (.ppt); save them as PPTX or PDF",
            Self::OutlookMessage => "a message of Outlook (.msg); save it as EML",
            Self::CompoundFile => "a file of an older program; save it as DOCX, XLSX, PPTX or PDF",
            Self::IWork => "a document of Pages, Numbers or Keynote; export it as DOCX, XLSX, PPTX or PDF",
            Self::Archive => "an archive; store the files that are in it one by one",
            Self::PostScript => "PostScript; convert it to PDF",
            Self::Embedded => {
                "it embeds a document of a kind that is not read; open it in Word and save it as DOCX"
            }
            Self::Base64 => "bytes in base64; decode them and store the bytes",
        })
    }
}
