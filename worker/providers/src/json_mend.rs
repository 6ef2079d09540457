//! JSON as models write it, made into JSON: trailing commas, single quotes, comments, the words of Python, line ends
//! within texts, halves of surrogate pairs. Pure, in one pass without recursion, whatever the text: readers of JSON5
//! recurse without a bound, and know neither the words of Python nor a line end within a text.

use std::iter::Peekable;
use std::str::Chars;

/// The text in the grammar of JSON, as far as that is clear. What follows its first value is left out; a value that
/// does not end is returned without its end.
pub fn mended(text: &str) -> String {
    let mut mender = Mender {
        rest: text.chars().peekable(),
        made: String::with_capacity(text.len()),
        depth: 0,
    };
    while mender.step() {}
    mender.made
}

struct Mender<'a> {
    rest: Peekable<Chars<'a>>,
    made: String,
    depth: usize,
}

impl Mender<'_> {
    /// Takes what comes next; false at the end of the value.
    fn step(&mut self) -> bool {
        let Some(next) = self.rest.next() else {
            return false;
        };
        match next {
            '"' => self.string(&['"']),
            '\'' => self.string(&['\'']),
            '“' | '”' => self.string(&['”', '"']),
            '‘' => self.string(&['’', '\'']),
            '/' if matches!(self.rest.peek(), Some('/' | '*')) => self.comment(),
            '#' => self.line(),
            '{' | '[' => {
                self.depth += 1;
                self.made.push(next);
            }
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                self.close(next);
                return self.depth > 0;
            }
            c if c.is_alphabetic() || c == '_' || c == '$' => self.word(c),
            other => self.made.push(other),
        }
        true
    }

    /// Without the comma that may stand before it.
    fn close(&mut self, bracket: char) {
        let bare = self.made.trim_end();
        if bare.ends_with(',') {
            self.made.truncate(bare.len() - 1);
        }
        self.made.push(bracket);
    }

    /// A text up to one of `ends`.
    fn string(&mut self, ends: &[char]) {
        self.made.push('"');
        while let Some(next) = self.rest.next() {
            match next {
                '\\' => self.escape(),
                c if ends.contains(&c) => {
                    self.made.push('"');
                    return;
                }
                '"' => self.made.push_str("\\\""),
                '\n' => self.made.push_str("\\n"),
                c if c < ' ' => self.made.push(' '),
                other => self.made.push(other),
            }
        }
    }

    fn escape(&mut self) {
        match self.rest.next() {
            Some('u') => self.code(),
            Some(plain @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => self.made.extend(['\\', plain]),
            Some('\n') | None => {}
            // JSON has no escape for it, and needs none.
            Some(other) => self.made.push(other),
        }
    }

    /// Half of a pair stands for a letter that was cut.
    fn code(&mut self) {
        const CUT: &str = "\\ufffd";
        let Some(first) = self.hex() else {
            return self.made.push_str(CUT);
        };
        if !(0xd800..0xe000).contains(&first) {
            return self.made.push_str(&format!("\\u{first:04x}"));
        }
        let mut ahead = self.rest.clone();
        let has_next = ahead.next() == Some('\\') && ahead.next() == Some('u');
        let second = has_next.then(|| hex_of(&mut ahead)).flatten();
        match second {
            Some(second) if first < 0xdc00 && (0xdc00..0xe000).contains(&second) => {
                self.rest = ahead;
                self.made.push_str(&format!("\\u{first:04x}\\u{second:04x}"));
            }
            _ => self.made.push_str(CUT),
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let mut ahead = self.rest.clone();
        let code = hex_of(&mut ahead)?;
        self.rest = ahead;
        Some(code)
    }

    fn comment(&mut self) {
        if self.rest.next() == Some('/') {
            return self.line();
        }
        let mut last = ' ';
        for next in self.rest.by_ref() {
            if last == '*' && next == '/' {
                return;
            }
            last = next;
        }
    }

    fn line(&mut self) {
        for next in self.rest.by_ref() {
            if next == '\n' {
                return;
            }
        }
    }

    /// A key without quotes, a word of JSON or of Python, or the exponent of a number.
    fn word(&mut self, first: char) {
        let mut word = String::from(first);
        while let Some(next) = self
            .rest
            .next_if(|c| c.is_alphanumeric() || *c == '_' || *c == '$')
        {
            word.push(next);
        }
        let is_exponent = self.made.ends_with(|c: char| c.is_ascii_digit() || c == '.');
        let plain = match word.as_str() {
            "true" | "True" => "true",
            "false" | "False" => "false",
            "null" | "None" | "undefined" | "NaN" => "null",
            exponent if is_exponent => exponent,
            key => {
                self.made.push('"');
                self.made.push_str(key);
                "\""
            }
        };
        self.made.push_str(plain);
    }
}

fn hex_of(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    (0..4).try_fold(0, |code, _| Some(code * 16 + rest.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Number, Value, json};

    #[test]
    fn what_models_write_for_json_is_made_json() {
        for (text, expected) in [
            (
                r#"{"a": [1, 2,], "b": {"c": 3,},}"#,
                json!({"a": [1, 2], "b": {"c": 3}}),
            ),
            ("{'a': 'it\\'s \"x\"'}", json!({"a": "it's \"x\""})),
            (
                "{a: True, b_1: None, c: False}",
                json!({"a": true, "b_1": null, "c": false}),
            ),
            ("{\"a\": 1, // one\n /* two */ \"b\": 2}", json!({"a": 1, "b": 2})),
            ("{\"a\": \"two\nlines\ttab\"}", json!({"a": "two\nlines tab"})),
            (
                r#"{"a": "\ud83d\ude00 \ud83d \udc00x"}"#,
                json!({"a": "😀 \u{fffd} \u{fffd}x"}),
            ),
            (r#"{"a": "C:\Users \u12"}"#, json!({"a": "C:Users \u{fffd}12"})),
            ("{“a”: “b”}", json!({"a": "b"})),
            (
                r#"{"a": -1.5e3, "b": 1E2, "c": NaN}"#,
                json!({"a": "-1.5e3".parse::<Number>().ok(), "b": "1E2".parse::<Number>().ok(), "c": null}),
            ),
            (
                r#"{"a": "// no comment, # none"} and more }"#,
                json!({"a": "// no comment, # none"}),
            ),
            (
                r#"{"a": "null", "b": "it’s “so”",}"#,
                json!({"a": "null", "b": "it’s “so”"}),
            ),
        ] {
            let made = mended(text);
            assert_eq!(
                serde_json::from_str::<Value>(&made).ok(),
                Some(expected),
                "{text} became {made}"
            );
        }
    }

    #[test]
    fn what_is_cut_stays_cut_and_depth_is_no_harm() {
        for text in ["{\"a\": [1, 2", "{\"a\": \"x", "{\"a", "{\"a\": \"\\u00"] {
            assert!(serde_json::from_str::<Value>(&mended(text)).is_err(), "{text}");
        }
        assert_eq!(mended(&"[".repeat(1_000_000)).len(), 1_000_000);
    }
}
