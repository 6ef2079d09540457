//! What the tests read of a Markdown page: its SQL with the results that it shows, its links and its headings. Pure;
//! knows only the forms that the pages of this repository use.

use anyhow::{Result, ensure};

/// A comment in front of a block of SQL that is not run; the reason stands between the two.
const NOT_RUN: (&str, &str) = ("<!-- not run: ", " -->");

/// A block of SQL, and the text block that follows it directly: what its last statement prints.
pub struct Example {
    /// Of the block's first line in the page, counted from 1.
    pub line: usize,
    pub sql: String,
    pub output: Option<String>,
}

/// A fenced block.
struct Fenced<'a> {
    line: usize,
    language: &'a str,
    text: String,
    /// The last line before it that is not empty.
    before: &'a str,
}

fn fenced(page: &str) -> Result<Vec<Fenced<'_>>> {
    let mut blocks: Vec<Fenced<'_>> = Vec::new();
    let mut open: Option<Fenced<'_>> = None;
    let mut before = "";
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let (line, text) = (at + 2, String::new());
                open = Some(Fenced {
                    line,
                    language,
                    text,
                    before,
                });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
        if !line.trim().is_empty() {
            before = line;
        }
    }
    ensure!(open.is_none(), "a block does not end");
    Ok(blocks)
}

/// The examples of a page that are to be run, in their order.
///
/// # Errors
/// For a block that does not end, or that is left out without a reason.
pub fn examples(page: &str) -> Result<Vec<Example>> {
    let mut found: Vec<Example> = Vec::new();
    let mut follows = false;
    for block in fenced(page)? {
        match block.language {
            "sql" => {
                let marked = block.before.strip_prefix(NOT_RUN.0);
                if let Some(reason) = marked.and_then(|rest| rest.strip_suffix(NOT_RUN.1)) {
                    ensure!(!reason.trim().is_empty(), "line {}: no reason", block.line);
                } else {
                    let (line, sql) = (block.line, block.text);
                    found.push(Example {
                        line,
                        sql,
                        output: None,
                    });
                }
                follows = marked.is_none();
            }
            "text" => {
                if let Some(example) = found.last_mut()
                    && follows
                    && block.before == "```"
                {
                    example.output = Some(block.text);
                }
                follows = false;
            }
            _ => follows = false,
        }
    }
    Ok(found)
}

/// The text of a page without its fenced blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    page.lines().filter(move |line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// The targets of a page's links, without those of the web.
pub fn links(page: &str) -> Vec<&str> {
    prose(page)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.starts_with("http"))
        .collect()
}

/// The pieces of code within the text.
pub fn code(page: &str) -> Vec<&str> {
    prose(page)
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect()
}

/// What a heading is called in a link: its words in lower case, without punctuation, joined by hyphens.
pub fn anchors(page: &str) -> Vec<String> {
    prose(page)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words
                .chars()
                .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn only_a_text_that_follows_directly_is_an_examples_output() -> Result<()> {
    let page =
        "```sql\nSELECT 1;\n```\n\n```text\n1\n```\n\n```sql\nSELECT 2;\n```\n\nMore.\n\n```text\n3\n```\n
<!-- not run: it takes a day -->\n```sql\nSELECT 3;\n```\n\n```text\n3\n```\n";
    let found = examples(page)?;
    let outputs: Vec<_> = found
        .iter()
        .map(|example| (example.line, example.output.as_deref()))
        .collect();
    assert_eq!(outputs, [(2, Some("1\n")), (10, None)]);
    assert!(examples("<!-- not run:  -->\n```sql\nSELECT 1;\n```\n").is_err());
    assert!(examples("```sql\nSELECT 1;\n").is_err());
    Ok(())
}

#[test]
fn links_and_headings_are_read_outside_of_blocks() {
    let page = "# Don't lose it\n\n[a](b.md#c), [d](https://e.example)\n\n```text\n# no\n[f](g)\n```\n";
    assert_eq!(links(page), ["b.md#c"]);
    assert_eq!(code("a `b` c `d`\n```sql\n`e`\n```\n"), ["b", "d"]);
    assert_eq!(anchors(page), ["dont-lose-it"]);
}
