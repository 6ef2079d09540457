//! Real text to store: the documents of this checkout, read when the demo runs, and their paragraphs.

use std::path::Path;

/// As many as the store's vectors have.
pub const DIMENSIONS: usize = 256;

/// Those that do not exist are left out.
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "docs/guide/deliveries.md",
    "docs/guide/secrets.md",
    "CHANGELOG.md",
    "LICENSE",
];

pub struct Document {
    pub name: &'static str,
    pub text: String,
}

impl Document {
    pub fn content_type(&self) -> &'static str {
        if self.name.ends_with(".md") {
            "text/markdown"
        } else {
            "text/plain"
        }
    }
}

pub fn documents() -> Vec<Document> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &'static str| {
        Some(Document {
            name,
            text: std::fs::read_to_string(checkout.join(name)).ok()?,
        })
    };
    DOCUMENTS.into_iter().filter_map(read).collect()
}

/// The paragraphs of a document that are prose: no code, no headings, no tables, no lists. Without the marks of bold
/// words, with which a paragraph may begin.
pub fn paragraphs(document: &Document) -> Vec<String> {
    let mut fenced = false;
    let mut text = String::new();
    for line in document.text.lines() {
        fenced ^= line.starts_with("```");
        // The closing fence becomes a blank line, which ends the paragraph.
        text.push_str(if fenced || line.starts_with("```") {
            ""
        } else {
            line
        });
        text.push('\n');
    }
    let prose = |text: &String| text.len() >= 60 && !text.starts_with(['|', '#', '`', '<', '-', '*']);
    text.split("\n\n")
        .filter(|block| !block.starts_with("    "))
        .map(|block| {
            block
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace("**", "")
        })
        .filter(prose)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prose_is_a_paragraph() {
        let prose = "Words that go on and on until they are\nlong enough to be a paragraph of a document.";
        let text = format!(
            "# Title\n\n**{prose}**\n\n```sql\n{prose}\n\n{prose}\n```\n\n    {prose}\n\n| {prose} |\n"
        );
        assert_eq!(
            paragraphs(&Document { name: "x.md", text }),
            [prose.replace('\n', " ")]
        );
    }
}
