//! Tells Markdown from program text in a column: at the begin of a line a `#` is a heading in the one and a comment in
//! the other. The formats of files are found by their parser. Pure.

use zerodb_hooks_documents::{Kind, body};

use super::text::FileLabel;

/// Lines that are looked at, and bytes.
const LINES: usize = 400;
const BYTES: usize = 64 * 1024;

/// Decides by the name or the type that the table gives, where it is known; else by the text. Text that is neither code
/// nor configuration counts as Markdown: without headings it is cut as plain text would be.
pub fn is_markdown(text: &str, label: FileLabel<'_>) -> bool {
    match Kind::claimed(label.content_type.unwrap_or(""), label.name.unwrap_or("")) {
        Some(kind) => kind.is_markdown(),
        None => !is_code(text),
    }
}

/// True where most lines are program text or configuration.
fn is_code(text: &str) -> bool {
    if text.starts_with("#!") {
        return true;
    }
    let text = body(text);
    let text = &text[..text.floor_char_boundary(BYTES)];
    let (mut code, mut other, mut in_fence) = (0, 0, false);
    for line in text.lines().filter(|line| !line.trim().is_empty()).take(LINES) {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
        } else if !in_fence && !line.starts_with('#') {
            *(if is_code_line(line) { &mut code } else { &mut other }) += 1;
        }
    }
    code > other
}

/// A statement, an assignment, a key with a value, or what belongs to one by its indent.
fn is_code_line(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "import", "from", "def", "class", "return", "if", "elif", "else", "for", "while", "try", "except",
        "with", "raise", "const", "let", "var", "fn", "func", "function", "use", "pub", "package", "export",
        "struct", "end",
    ];
    let words = line.trim();
    let first = words
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or("");
    let ends = |ends: &[char]| words.ends_with(ends);
    let is_item =
        words.starts_with(['-', '*', '+', '•', '>', '|']) || words.starts_with(|c: char| c.is_ascii_digit());
    (line.starts_with([' ', '\t']) && !is_item)
        || ends(&[';', '{', '}'])
        || words.starts_with(['@', '}', '[', '"'])
        || is_assignment(words)
        || is_key(words)
        || WORDS.contains(&first) && ends(&[':', ')', ']'])
        || matches!(first, "import" | "from" | "package" | "use") && !ends(&['.', '!', '?'])
}

/// `name = value`, `object.name[0] += value`.
fn is_assignment(words: &str) -> bool {
    words.split_once('=').is_some_and(|(name, _)| {
        let name = name
            .trim_end_matches(['+', '-', '*', '/', '|', '&', ':'])
            .trim_end();
        !name.is_empty() && !name.contains(char::is_whitespace)
    })
}

/// `key:` or `key: value`, the key a single word in lower case; also within a list.
fn is_key(words: &str) -> bool {
    let words = words.strip_prefix("- ").unwrap_or(words);
    words.split_once(':').is_some_and(|(key, value)| {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c);
        !key.is_empty() && key.chars().all(is_name) && (value.is_empty() || value.starts_with(' '))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: FileLabel<'_> = FileLabel {
        name: None,
        content_type: None,
    };

    #[test]
    fn name_and_type_decide_before_the_text() {
        let of = |name, content_type| is_markdown("# a\n\nwords", FileLabel { name, content_type });
        assert!(of(Some("a.md"), None) && of(Some("a.md"), Some("text/plain")));
        assert!(!of(Some("a.txt"), None) && !of(None, Some("text/plain")) && !of(Some("a.py"), None));
        assert!(!of(Some("log"), Some("application/x-yaml")));
        assert!(is_markdown(
            "key: value\n",
            FileLabel {
                name: Some("a.md"),
                ..NOTHING
            }
        ));
    }

    #[test]
    fn a_column_of_words_is_markdown_and_one_of_code_is_not() {
        for text in [
            "# About bread\n\nThe dough rests.\n\n## Oven\nIt is hot.",
            "Plain words.\nMore of them.",
            "# Use it\n\n```python\n# a comment\nx = 1\ny = 2\nz = 3\n```\n\nSome words.",
            "---\ntitle: a\ntags: [b]\nx: y\n---\n# A\n\nWords.",
            "# Changes\n- fixed: the login\n- added a limit\n* more\n",
            "# Notes\n\nFrom: Alice\nTo: Bob\n\nIf we can, we come.\n",
            "",
        ] {
            assert!(is_markdown(text, NOTHING), "{text}");
        }
        for text in [
            "#!/bin/sh\n# install\necho done\n",
            "# TODO remove this\nimport os\n\ndef main():\n    # begin\n    return os.getcwd()\n",
            "# the server\nserver:\n  port: 80\n# the log\nlog: info\n",
            "# comment\n[section]\nname = value\nother=1\n",
            "# build\nFROM_TAG=1\nx = y\n",
            "#include <a.h>\nint main() {\n  return 0;\n}\n",
        ] {
            assert!(!is_markdown(text, NOTHING), "{text}");
        }
    }
}
