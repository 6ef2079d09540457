//! The metadata before a Markdown text, as Jekyll, Hugo, Docusaurus and Obsidian write it: YAML between `---`, TOML
//! between `+++`, or an object of JSON. It finds where it ends and its title; it reads nothing else of it.

use serde_json::Value;

/// Metadata is looked for within so many bytes.
const MOST: usize = 64 << 10;
/// Bytes of a title.
const LONGEST_TITLE: usize = 300;

enum Format {
    Yaml,
    Toml,
    Json,
}

struct FrontMatter<'text> {
    format: Format,
    inner: &'text str,
    /// The start of the text.
    end: usize,
}

/// A Markdown text without its metadata.
#[must_use]
pub fn body(markdown: &str) -> &str {
    &markdown[end(markdown)..]
}

/// The start of the text behind its metadata; 0 if it has none.
pub(super) fn end(markdown: &str) -> usize {
    read(markdown).map_or(0, |found| found.end)
}

/// The title that the metadata gives the text.
pub(super) fn title(markdown: &str) -> Option<String> {
    let FrontMatter { format, inner, .. } = read(markdown)?;
    let title = match format {
        Format::Yaml => of_yaml(inner),
        Format::Toml => of_toml(inner),
        Format::Json => serde_json::from_str::<Value>(inner).ok()?["title"]
            .as_str()
            .map(str::to_owned),
    }?;
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let title = &title[..title.floor_char_boundary(LONGEST_TITLE)];
    (!title.is_empty()).then(|| title.to_owned())
}

fn read(markdown: &str) -> Option<FrontMatter<'_>> {
    let start = markdown.len() - markdown.trim_start_matches('\u{feff}').len();
    let text = &markdown[start..];
    let text = &text[..text.floor_char_boundary(MOST)];
    match text.split('\n').next()?.trim_end() {
        "---" => fenced(text, start, Format::Yaml),
        "+++" => fenced(text, start, Format::Toml),
        _ if text.starts_with('{') => object(text, start),
        _ => None,
    }
}

/// Between a line like the first and the next one. A rule is followed by a blank line or by words.
fn fenced(text: &str, start: usize, format: Format) -> Option<FrontMatter<'_>> {
    let is_end = |line: &str| match format {
        Format::Yaml => matches!(line, "---" | "..."),
        _ => line == "+++",
    };
    let mut lines = text.split_inclusive('\n');
    let first = lines.next()?.len();
    let mut at = first;
    for line in lines {
        let length = line.len();
        if is_end(line.trim_end()) {
            let inner = &text[first..at];
            let end = start + at + length;
            return is_metadata(inner, &format).then_some(FrontMatter { format, inner, end });
        }
        at += length;
    }
    None
}

fn is_metadata(inner: &str, format: &Format) -> bool {
    let mut lines = inner.lines().filter(|line| !line.starts_with('#'));
    let Some(first) = lines.next() else {
        return true;
    };
    match format {
        Format::Yaml => is_yaml_key(first),
        _ => first.trim().is_empty() || first.contains('=') || first.starts_with('['),
    }
}

/// `key:`, `key: value`, also with a quoted key.
fn is_yaml_key(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else {
        return false;
    };
    let is_of_key = |c: char| c.is_alphanumeric() || "_-.$@/\"' ".contains(c);
    !key.is_empty()
        && !line.starts_with(' ')
        && key.chars().all(is_of_key)
        && (value.is_empty() || value.starts_with([' ', '\r']))
}

fn object(text: &str, start: usize) -> Option<FrontMatter<'_>> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    values.next()?.ok().filter(Value::is_object)?;
    let length = values.byte_offset();
    let is_alone = text[length..].split('\n').next()?.trim().is_empty();
    is_alone.then(|| FrontMatter {
        format: Format::Json,
        inner: &text[..length],
        end: start + length,
    })
}

fn of_yaml(inner: &str) -> Option<String> {
    let mut lines = inner.lines();
    let value = lines.by_ref().find_map(|line| after_key(line, ':'))?;
    if let Some(quoted) = unquoted(value) {
        return Some(quoted);
    }
    let is_block = value.is_empty() || value.starts_with(['|', '>']);
    let first = (!is_block).then(|| value.split(" #").next().unwrap_or(value));
    let rest = lines
        .take_while(|line| line.starts_with([' ', '\t']))
        .map(str::trim);
    Some(first.into_iter().chain(rest).collect::<Vec<_>>().join(" "))
}

fn of_toml(inner: &str) -> Option<String> {
    let mut lines = inner.lines().take_while(|line| !line.starts_with('['));
    let value = lines.find_map(|line| after_key(line, '='))?;
    unquoted(value)
}

/// The rest behind `title` and the sign.
fn after_key(line: &str, sign: char) -> Option<&str> {
    let (key, value) = line.split_once(sign)?;
    let key = key.trim_end().trim_matches(['"', '\'']);
    key.eq_ignore_ascii_case("title").then(|| value.trim())
}

/// The text between the quotes with which a value begins.
fn unquoted(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        let end = rest.replace("''", "\u{0}");
        let inner = end.split('\'').next()?.replace('\u{0}', "'");
        return Some(inner);
    }
    let mut strings = serde_json::Deserializer::from_str(value).into_iter::<String>();
    match (value.starts_with('"'), strings.next()) {
        (true, Some(Ok(text))) => Some(text),
        (true, _) => Some(value.trim_matches('"').to_owned()),
        (false, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_left_out_and_its_title_is_read() {
        for (text, expected) in [
            (
                "---\ntitle: Opening hours\ndate: 2026-09-18\n---\nText",
                Some("Opening hours"),
            ),
            (
                "---\r\ntitle: Opening hours\r\n---\r\nText",
                Some("Opening hours"),
            ),
            (
                "\u{feff}---\ntags:\n- a\ntitle: \"On \\\"x\\\"\" # why\n---\nText",
                Some("On \"x\""),
            ),
            ("---\ntitle: 'It''s so'\n---\nText", Some("It's so")),
            (
                "---\ntitle: >-\n  Opening\n  hours\nx: y\n---\nText",
                Some("Opening hours"),
            ),
            ("---\n# a comment\ntitle: A # not this\n...\nText", Some("A")),
            ("---\ndraft: true\nsub:\n  title: no\n---\nText", None),
            ("---\n---\nText", None),
            (
                "+++\ntitle = \"Opening hours\"\n[extra]\ntitle = 'no'\n+++\nText",
                Some("Opening hours"),
            ),
            (
                "{\n  \"title\": \"Opening hours\",\n  \"x\": {}\n}\nText",
                Some("Opening hours"),
            ),
        ] {
            assert_eq!(body(text).trim(), "Text", "{text}");
            assert_eq!(title(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_rule_at_the_beginning_is_no_metadata() {
        for text in [
            "---\n\nWords\n\n---\n",
            "---\nWords and more\n---\n",
            "---\ntitle: never closed\n",
            "--- \nhttp://example.com/a\n---\n",
            "+++\nwords\n+++\n",
            "{ not json }\nText",
            "{\"a\": 1} and words\n",
            "Text\n---\ntitle: a\n---\n",
            "",
        ] {
            assert_eq!(body(text), text, "{text}");
            assert_eq!(title(text), None, "{text}");
        }
    }
}
