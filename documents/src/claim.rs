//! The sender's claim about a file, by the content type and the end of the name.

use crate::{Kind, Unread};

/// The kind of file that the sender claims.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Claim {
    Kind(Kind),
    /// Files that Excel opens: its own before 2007, and under their name pages and lists; browsers call a CSV that,
    /// too.
    OldSpreadsheet,
    /// A type that is known and not read.
    Unread(Unread),
    /// One without a name here, such as an image.
    Other,
    Unknown,
}

/// `text/plain` and `application/octet-stream` are what clients send that do not know, so there the name is asked
/// first.
pub(crate) fn claim(content_type: &str, file_name: &str) -> Claim {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let by_type = by_content_type(&essence);
    let by_name = by_extension(file_name);
    match (by_type, by_name) {
        // Mail and saved pages have one form, and programs call either by the type of the other.
        (Claim::Kind(Kind::Mail), Claim::Kind(Kind::WebArchive)) => by_name,
        (Claim::Unknown, _) | (Claim::OldSpreadsheet, Claim::Kind(_)) => by_name,
        (_, Claim::Unknown) => by_type,
        _ if essence == "text/plain" => by_name,
        _ => by_type,
    }
}

fn by_content_type(essence: &str) -> Claim {
    let kind = match essence {
        "text/plain" => Kind::PlainText,
        "text/markdown" | "text/x-markdown" => Kind::Markdown,
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "application/pdf" | "application/x-pdf" => Kind::Pdf,
        "application/json" | "application/x-ndjson" | "application/jsonl" => Kind::Json,
        "text/csv" | "text/tab-separated-values" => Kind::Csv,
        "application/epub+zip" => Kind::Epub,
        "application/rtf" | "text/rtf" | "text/richtext" | "application/x-rtf" => Kind::Rtf,
        "message/rfc822" | "application/mbox" => Kind::Mail,
        "multipart/related" | "application/x-mimearchive" => Kind::WebArchive,
        "application/x-ipynb+json" => Kind::Notebook,
        "" | "application/octet-stream" | "binary/octet-stream" => return Claim::Unknown,
        "application/xml" | "application/javascript" | "application/sql" | "application/toml" => Kind::Source,
        "application/yaml" | "application/x-yaml" | "application/x-sh" => Kind::Source,
        other => return by_family(other),
    };
    Claim::Kind(kind)
}

/// The types of the office programs, and those that are known by their beginning or end.
fn by_family(essence: &str) -> Claim {
    let unread = |unread| Claim::Unread(unread);
    if let Some(rest) = essence.strip_prefix("application/vnd.openxmlformats-officedocument.") {
        return match rest.split('.').next() {
            Some("wordprocessingml") => Claim::Kind(Kind::Docx),
            Some("spreadsheetml") => Claim::Kind(Kind::Spreadsheet),
            Some("presentationml") => Claim::Kind(Kind::Slides),
            _ => Claim::Unknown,
        };
    }
    match essence {
        _ if essence.starts_with("application/vnd.ms-word.") => Claim::Kind(Kind::Docx),
        "application/vnd.ms-excel" => Claim::OldSpreadsheet,
        _ if essence.starts_with("application/vnd.ms-excel.") => Claim::Kind(Kind::Spreadsheet),
        _ if essence.starts_with("application/vnd.ms-powerpoint.") => Claim::Kind(Kind::Slides),
        _ if essence.starts_with("application/vnd.oasis.opendocument.") => Claim::Kind(Kind::OpenDocument),
        "application/msword" => unread(Unread::Word97),
        "application/vnd.ms-powerpoint" => unread(Unread::PowerPoint97),
        "application/vnd.ms-outlook" => unread(Unread::OutlookMessage),
        "application/postscript" => unread(Unread::PostScript),
        "application/zip" | "application/gzip" | "application/x-tar" | "application/x-7z-compressed" => {
            unread(Unread::Archive)
        }
        _ if essence.ends_with("+json") => Claim::Kind(Kind::Json),
        _ if essence.ends_with("+xml") && !essence.starts_with("image/") => Claim::Kind(Kind::Source),
        _ if essence.starts_with("text/") => Claim::Kind(Kind::Source),
        _ if ["image/", "audio/", "video/", "font/", "model/"]
            .iter()
            .any(|family| essence.starts_with(family)) =>
        {
            Claim::Other
        }
        _ => Claim::Unknown,
    }
}

fn by_extension(file_name: &str) -> Claim {
    let Some((_, extension)) = file_name.rsplit_once('.') else {
        return Claim::Unknown;
    };
    let kind = match extension.to_ascii_lowercase().as_str() {
        "txt" | "text" | "log" => Kind::PlainText,
        "md" | "markdown" | "mdx" => Kind::Markdown,
        "html" | "htm" | "xhtml" => Kind::Html,
        "pdf" => Kind::Pdf,
        "docx" | "docm" | "dotx" | "dotm" => Kind::Docx,
        "xlsx" | "xlsm" | "xltx" | "xltm" | "xlsb" => Kind::Spreadsheet,
        "pptx" | "pptm" | "potx" | "potm" | "ppsx" | "ppsm" => Kind::Slides,
        "odt" | "ott" | "fodt" | "ods" | "ots" | "fods" | "odp" | "otp" | "fodp" => Kind::OpenDocument,
        "epub" => Kind::Epub,
        "rtf" => Kind::Rtf,
        "eml" | "mbox" => Kind::Mail,
        "mht" | "mhtml" => Kind::WebArchive,
        "ipynb" => Kind::Notebook,
        "json" | "jsonl" | "ndjson" => Kind::Json,
        "csv" | "tsv" => Kind::Csv,
        "rs" | "py" | "js" | "ts" | "tsx" | "jsx" | "go" | "java" | "kt" | "c" | "h" | "cc" | "cpp"
        | "hpp" => Kind::Source,
        "cs" | "rb" | "php" | "pl" | "swift" | "scala" | "sh" | "sql" | "r" | "lua" | "css" | "tex"
        | "rst" => Kind::Source,
        "xml" | "yaml" | "yml" | "toml" | "ini" | "cfg" | "conf" | "proto" | "graphql" | "adoc" | "org" => {
            Kind::Source
        }
        "xls" | "xlt" => return Claim::OldSpreadsheet,
        "doc" | "dot" => return Claim::Unread(Unread::Word97),
        "ppt" | "pps" | "pot" => return Claim::Unread(Unread::PowerPoint97),
        "msg" => return Claim::Unread(Unread::OutlookMessage),
        "pages" | "numbers" | "key" => return Claim::Unread(Unread::IWork),
        "ps" | "eps" => return Claim::Unread(Unread::PostScript),
        "b64" | "base64" => return Claim::Unread(Unread::Base64),
        "svg" => return Claim::Other,
        _ => return Claim::Unknown,
    };
    Claim::Kind(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_counts_unless_it_says_nothing() {
        let word = "application/vnd.openxmlformats-officedocument.wordprocessingml";
        for (content_type, name, expected) in [
            (&*format!("{word}.document"), "", Claim::Kind(Kind::Docx)),
            (&*format!("{word}.template"), "", Claim::Kind(Kind::Docx)),
            (
                "application/vnd.ms-word.document.macroEnabled.12",
                "",
                Claim::Kind(Kind::Docx),
            ),
            ("application/vnd.ms-excel", "a.xls", Claim::OldSpreadsheet),
            ("application/vnd.ms-excel", "a.csv", Claim::Kind(Kind::Csv)),
            (
                "application/vnd.ms-excel.sheet.macroEnabled.12",
                "",
                Claim::Kind(Kind::Spreadsheet),
            ),
            (
                "application/vnd.oasis.opendocument.text",
                "",
                Claim::Kind(Kind::OpenDocument),
            ),
            ("application/x-ipynb+json", "", Claim::Kind(Kind::Notebook)),
            ("application/ld+json", "", Claim::Kind(Kind::Json)),
            ("application/atom+xml", "", Claim::Kind(Kind::Source)),
            ("image/svg+xml", "", Claim::Other),
            ("message/rfc822", "page.mht", Claim::Kind(Kind::WebArchive)),
            ("message/rfc822", "mail.eml", Claim::Kind(Kind::Mail)),
            ("application/octet-stream", "a.EPUB", Claim::Kind(Kind::Epub)),
            ("text/plain", "notes", Claim::Kind(Kind::PlainText)),
            ("text/plain", "notes.md", Claim::Kind(Kind::Markdown)),
            ("text/csv", "a.json", Claim::Kind(Kind::Csv)),
            ("application/msword", "a.doc", Claim::Unread(Unread::Word97)),
            ("application/x-unheard-of", "a.unheard", Claim::Unknown),
        ] {
            assert_eq!(claim(content_type, name), expected, "{content_type} {name}");
        }
    }
}
