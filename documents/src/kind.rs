//! The kinds of documents that are read, with their names. It must not look at bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of document that a file was read as.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    PlainText,
    Markdown,
    Html,
    Pdf,
    /// Word, since 2003.
    Docx,
    /// Excel, also before 2007.
    Spreadsheet,
    /// `PowerPoint`, since 2007.
    Slides,
    /// Texts, spreadsheets and slides of `LibreOffice`.
    OpenDocument,
    Epub,
    Rtf,
    /// One message, or a mailbox of some.
    Mail,
    /// A page of the web, saved with what belongs to it (MHTML).
    WebArchive,
    /// A notebook of Jupyter.
    Notebook,
    Json,
    Csv,
    /// Program text, configuration, XML: anything with a grammar of its own that is kept as it is.
    Source,
}

impl Kind {
    /// The kind's name in rows and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PlainText => "text",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Spreadsheet => "spreadsheet",
            Self::Slides => "slides",
            Self::OpenDocument => "opendocument",
            Self::Epub => "epub",
            Self::Rtf => "rtf",
            Self::Mail => "mail",
            Self::WebArchive => "web archive",
            Self::Notebook => "notebook",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Source => "source",
        }
    }

    /// Whether the text of such a document is Markdown, and should be cut as Markdown.
    #[must_use]
    pub fn is_markdown(self) -> bool {
        match self {
            Self::Markdown | Self::Html | Self::Docx | Self::Spreadsheet | Self::Slides => true,
            Self::OpenDocument | Self::Epub | Self::WebArchive | Self::Notebook => true,
            Self::PlainText | Self::Pdf | Self::Rtf | Self::Mail | Self::Json | Self::Csv | Self::Source => {
                false
            }
        }
    }

    /// Whether its first bytes always tell, so that without them it is broken.
    pub(crate) fn is_binary(self) -> bool {
        matches!(
            self,
            Self::Pdf
                | Self::Docx
                | Self::Spreadsheet
                | Self::Slides
                | Self::OpenDocument
                | Self::Epub
                | Self::Rtf
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
