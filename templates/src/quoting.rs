//! Templates that write JSON: where a tag stands within a string of it, and what a value is there. Pure.
//!
//! The text of the template tells where a string begins and ends, so that `{"text": "{{ note }}"}` is JSON whatever
//! the note holds. What is neither (a quote that only one branch of a condition opens) must be told by whoever reads
//! the result.

use minijinja::machinery::{Token, tokenize};

/// The filters that tags of a JSON template end in.
pub const WITHIN: &str = "_zerodb_within";
pub const BESIDE: &str = "_zerodb_beside";

/// Whether a template is written as JSON: the first of its own text begins an object, a list or a string, and no field
/// comes before it.
#[must_use]
pub fn begins_json(template: &str) -> bool {
    let mut in_block = false;
    for token in tokenize(template, false, Default::default(), Default::default()) {
        match token {
            Ok((Token::TemplateData(text), _)) => {
                if let Some(first) = text.trim_start().chars().next() {
                    return matches!(first, '{' | '[' | '"');
                }
            }
            Ok((Token::BlockStart, _)) => in_block = true,
            Ok((Token::BlockEnd, _)) => in_block = false,
            Ok((Token::VariableStart, _)) | Err(_) => return false,
            Ok(_) if in_block => {}
            Ok(_) => return false,
        }
    }
    false
}

/// The template with a filter at the end of each tag: `{{ (note)|_zerodb_within }}`. As it was, where it does not
/// parse.
pub fn mark(template: &str) -> String {
    let mut marked = String::with_capacity(template.len() + 64);
    let (mut written, mut place) = (0, Place::default());
    for token in tokenize(template, false, Default::default(), Default::default()) {
        let Ok((token, span)) = token else {
            return template.to_owned();
        };
        let (at, addition) = match token {
            Token::TemplateData(text) => {
                place.pass(text);
                continue;
            }
            Token::VariableStart => (span.end_offset, " (".to_owned()),
            Token::VariableEnd => {
                let filter = if place.in_string { WITHIN } else { BESIDE };
                (span.start_offset, format!(")|{filter} "))
            }
            _ => continue,
        };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let Some(before) = template.get(written..at) else {
            return template.to_owned();
        };
        marked.push_str(before);
        marked.push_str(&addition);
        written = at;
    }
    marked.push_str(template.get(written..).unwrap_or_default());
    marked
}

/// A position in a JSON text.
#[derive(Default)]
struct Place {
    in_string: bool,
    /// The last sign was a backslash that takes the next one with it.
    escaped: bool,
}

impl Place {
    fn pass(&mut self, text: &str) {
        for sign in text.chars() {
            match sign {
                _ if self.escaped => self.escaped = false,
                '\\' if self.in_string => self.escaped = true,
                '"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
    }
}

/// A text as it stands between the quotes of a JSON string.
pub fn within(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_json_by_its_own_first_text() {
        for (template, expected) in [
            (r#"{"a": {{ a }}}"#, true),
            ("  [{{ a }}]", true),
            ("\"{{ a }}\"", true),
            ("{# note #}{% if a %}{\"a\": 1}{% endif %}", true),
            ("{% if a == \"{\" %}text{% endif %}", false),
            ("{{ data|tojson }}", false),
            ("{{ a }} {{ b }}", false),
            ("order {{ a }}", false),
            ("", false),
            ("{{ a", false),
        ] {
            assert_eq!(begins_json(template), expected, "{template}");
        }
    }

    #[test]
    fn each_tag_knows_whether_it_is_in_a_string() {
        let marked =
            mark(r#"{"a{{ k }}": {{- n -}}, "b\"{{ x if y else "\"" }}": "{% raw %}{{"{% endraw %}"}"#);
        assert_eq!(
            marked,
            concat!(
                r#"{"a{{ ( k )|_zerodb_within }}": {{- ( n )|_zerodb_beside -}}, "#,
                r#""b\"{{ ( x if y else "\"" )|_zerodb_within }}": "{% raw %}{{"{% endraw %}"}"#
            )
        );
    }
}
