//! Notebooks of Jupyter as Markdown: what is written, the code, and what it printed. Images and the states of widgets,
//! which are most of such a file, are not read.

use serde::Deserialize;

use crate::markdown::Writer;
use crate::{Document, Kind, ParseError};

/// The most of one output that is kept: what a loop prints says little after its beginning.
const MAX_OUTPUT: usize = 20_000;

/// The parts that are read of the format, versions 3 and 4; everything else in the JSON is passed over.
#[derive(Deserialize)]
struct Notebook {
    #[serde(default)]
    cells: Vec<NotebookCell>,
    #[serde(default)]
    worksheets: Vec<Worksheet>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Worksheet {
    #[serde(default)]
    cells: Vec<NotebookCell>,
}

#[derive(Deserialize)]
struct NotebookCell {
    cell_type: String,
    #[serde(default, alias = "input")]
    source: MultilineString,
    #[serde(default)]
    outputs: Vec<CellOutput>,
}

#[derive(Default, Deserialize)]
struct CellOutput {
    /// The text of a stream. In version 3 also the plain form of a result.
    #[serde(default)]
    text: MultilineString,
    #[serde(default)]
    data: Forms,
    #[serde(default)]
    ename: String,
    #[serde(default)]
    evalue: String,
}

#[derive(Default, Deserialize)]
struct Forms {
    #[serde(default, rename = "text/markdown")]
    markdown: MultilineString,
    #[serde(default, rename = "text/plain")]
    plain: MultilineString,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    language_info: Language,
}

#[derive(Default, Deserialize)]
struct Language {
    #[serde(default)]
    name: String,
}

/// A text, in one piece or by lines.
#[derive(Deserialize)]
#[serde(untagged)]
enum MultilineString {
    One(String),
    Many(Vec<String>),
    Other(serde::de::IgnoredAny),
}

impl Default for MultilineString {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl MultilineString {
    fn text(&self) -> String {
        match self {
            Self::One(text) => text.clone(),
            Self::Many(lines) => lines.concat(),
            Self::Other(_) => String::new(),
        }
    }
}

/// # Errors
/// `malformed_document` for what is no JSON, or no notebook.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let json = crate::sniff::text_start(bytes);
    let notebook: Notebook =
        serde_json::from_slice(json).map_err(|_| ParseError::MalformedDocument(Kind::Notebook))?;
    let language = notebook.metadata.language_info.name;
    let fence = if language.chars().all(char::is_alphanumeric) {
        format!("```{language}")
    } else {
        "```".to_owned()
    };
    let sheets = notebook.worksheets.into_iter().flat_map(|sheet| sheet.cells);
    let mut text = Writer::new();
    for cell in notebook.cells.into_iter().chain(sheets) {
        let source = cell.source.text();
        if cell.cell_type == "code" {
            code(&mut text, &fence, &source);
            for output in &cell.outputs {
                code(&mut text, "```", &printed(output));
            }
        } else {
            text.markdown(&source);
        }
        if text.is_full() {
            break;
        }
    }
    let (text, truncated) = text.finish();
    Ok(Document {
        title: crate::chunk::title(&text),
        text,
        kind: Kind::Notebook,
        truncated,
    })
}

fn code(text: &mut Writer, fence: &str, code: &str) {
    let code = code.trim_matches('\n').trim_end();
    if !code.is_empty() {
        text.markdown(&format!("{fence}\n{code}\n```"));
    }
}

/// The text that a reader sees of an output.
fn printed(output: &CellOutput) -> String {
    let forms = [&output.text, &output.data.markdown, &output.data.plain];
    let mut printed = forms
        .into_iter()
        .map(MultilineString::text)
        .find(|text| !text.trim().is_empty())
        .unwrap_or_default();
    if printed.is_empty() && !output.ename.is_empty() {
        printed = format!("{}: {}", output.ename, output.evalue);
    }
    printed.truncate(printed.floor_char_boundary(MAX_OUTPUT));
    without_colours(&printed)
}

/// Without the sequences by which a terminal changes colours (ECMA-48, 5.4).
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1B}[");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let mut rest = piece
            .trim_start_matches(|c: char| (' '..='?').contains(&c))
            .chars();
        rest.next();
        kept.push_str(rest.as_str());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_what_they_printed_are_kept_and_images_are_not() {
        let notebook = r##"{"nbformat": 4, "nbformat_minor": 5,
            "metadata": {"language_info": {"name": "python"}}, "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# Bread\n", "\n", "Flour."],
             "attachments": {"a.png": {"image/png": "iVBORw0KGgo"}}},
            {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "plot(x)\n", "outputs": [
                {"output_type": "stream", "name": "stdout", "text": ["a \u001b[31mred\u001b[0m word\n"]},
                {"output_type": "display_data", "metadata": {},
                 "data": {"image/png": "iVBORw0KGgo", "text/plain": ["<Figure>"]}},
                {"output_type": "error", "ename": "E", "evalue": "no oven", "traceback": ["\u001b[0mx"]}]}]}"##;
        let document = parse(notebook.as_bytes()).unwrap();
        assert_eq!(
            document.text,
            "# Bread\n\nFlour.\n\n```python\nplot(x)\n```\n\n```\na red word\n```\n\n```\n<Figure>\n```\n\n```\nE: no \
             oven\n```"
        );
        assert_eq!(document.title.as_deref(), Some("Bread"));
    }

    #[test]
    fn notebooks_of_version_3_are_read_and_other_json_is_not() {
        let old = r#"{"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["1 + 1"], "outputs":
            [{"output_type": "pyout", "text": ["2"], "png": "iVBORw0KGgo"}]}]}]}"#;
        assert_eq!(
            parse(old.as_bytes()).unwrap().text,
            "```\n1 + 1\n```\n\n```\n2\n```"
        );
        let malformed = Err(ParseError::MalformedDocument(Kind::Notebook));
        assert_eq!(parse(b"{\"cells\": 1}"), malformed);
        assert_eq!(parse("[".repeat(100_000).as_bytes()), malformed);
    }
}
