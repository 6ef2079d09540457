//! The data of an event: the JSON text that the log holds, which is passed on as it is, and read only by those who
//! must. Pure.
//!
//! The text is the truth: a JSON column may hold numbers of any length, `\u0000`, halves of surrogate pairs, one name
//! twice and thousands of levels, of which no reader takes all.

use std::sync::OnceLock;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::outcome::HandlerError;

/// JSON that was checked to be JSON, and nothing more.
#[derive(Debug)]
pub struct EventData {
    text: Box<RawValue>,
    /// Read once, by whoever needs it first.
    read: OnceLock<Result<Value, Unreadable>>,
}

/// The reason why data cannot be read, though they can be passed on. Holds nothing of them.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the event's data cannot be read: {reason}")]
pub struct Unreadable {
    reason: String,
}

impl EventData {
    /// # Errors
    /// When the text is no JSON; what the server calls JSON is.
    pub fn new(text: &str) -> Result<Self, Unreadable> {
        match RawValue::from_string(compact(text)) {
            Ok(text) => Ok(Self::of(text)),
            Err(error) => Err(Unreadable::new(&error)),
        }
    }

    fn of(text: Box<RawValue>) -> Self {
        Self {
            text,
            read: OnceLock::new(),
        }
    }

    /// The JSON text of the log, with every digit, but for white space between its parts.
    pub fn text(&self) -> &str {
        self.text.get()
    }

    pub fn raw(&self) -> &RawValue {
        &self.text
    }

    /// The value, whose numbers keep their digits. Of a name that is there twice the last one counts, as in jsonb.
    ///
    /// # Errors
    /// For more than 127 levels, and for text that is no Unicode.
    pub fn value(&self) -> Result<&Value, Unreadable> {
        let read = || serde_json::from_str(self.text()).map_err(|error| Unreadable::new(&error));
        self.read.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// The data with one more field behind the others; as they are where they are no object.
    #[must_use]
    pub fn with_field(&self, name: &str, value: &Value) -> Self {
        let name = Value::from(name);
        let more = match self.text().strip_suffix('}') {
            Some("{") => format!("{{{name}:{value}}}"),
            Some(fields) => format!("{fields},{name}:{value}}}"),
            _ => self.text().to_owned(),
        };
        // JSON with a field more is JSON.
        Self::of(RawValue::from_string(more).unwrap_or_else(|_| self.text.clone()))
    }

    /// The JSON text of one field, whatever the other fields hold; `None` where there is none. Null is a value.
    pub fn field(&self, name: &str) -> Option<Box<RawValue>> {
        Field::of(self.text(), name)
    }
}

/// The text without white space between the parts of it: one line, whatever lines a JSON column has.
fn compact(text: &str) -> String {
    let mut compact = String::with_capacity(text.len());
    let (mut rest, mut in_string) = (text, false);
    // Each piece ends where it may be decided anew: before white space, at a quote, or after what a backslash takes
    // with it.
    while let Some(at) = rest
        .bytes()
        .position(|sign| matches!(sign, b'"' | b'\\' | b' ' | b'\t' | b'\n' | b'\r'))
    {
        let (before, from) = rest.split_at(at);
        compact.push_str(before);
        let taken = match from.as_bytes()[0] {
            b'"' => {
                in_string = !in_string;
                1
            }
            b'\\' => from.char_indices().nth(2).map_or(from.len(), |(end, _)| end),
            _ => 1,
        };
        let (sign, after) = from.split_at(taken);
        if in_string || sign == "\"" {
            compact.push_str(sign);
        }
        rest = after;
    }
    compact.push_str(rest);
    compact
}

impl Unreadable {
    fn new(error: &serde_json::Error) -> Self {
        let reason = match error.classify() {
            // Of its words only these say nothing about a value.
            _ if error.to_string().starts_with("recursion limit") => "it nests deeper than 127 levels".into(),
            _ if error.to_string().contains("hex escape") => {
                "a text in it holds half of a surrogate pair".into()
            }
            _ => format!(
                "it is not valid at line {}, column {}",
                error.line(),
                error.column()
            ),
        };
        Self { reason }
    }
}

/// A handler that needs what cannot be read fails for good: it stays so.
impl From<Unreadable> for HandlerError {
    fn from(unread: Unreadable) -> Self {
        Self::permanent(unread.to_string())
    }
}

impl PartialEq for EventData {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl From<&Value> for EventData {
    fn from(value: &Value) -> Self {
        // A value is always JSON.
        Self::of(serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

/// Looks for one field of an object, and reads no other.
struct Field<'a>(&'a str);

impl Field<'_> {
    fn of(text: &str, name: &str) -> Option<Box<RawValue>> {
        use serde::de::DeserializeSeed;
        let mut reader = serde_json::Deserializer::from_str(text);
        Field(name).deserialize(&mut reader).ok().flatten()
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for Field<'_> {
    type Value = Option<Box<RawValue>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> serde::de::Visitor<'de> for Field<'_> {
    type Value = Option<Box<RawValue>>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = entries.next_key::<std::borrow::Cow<'_, str>>()? {
            if name == self.0 {
                found = Some(entries.next_value()?);
            } else {
                entries.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str, name: &str) -> Option<String> {
        let data = EventData::new(text).unwrap();
        data.field(name).map(|raw| raw.get().to_owned())
    }

    #[test]
    fn the_text_is_kept_whatever_it_holds() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(6000), "]".repeat(6000));
        for text in [
            r#"{"n":10.50,"m":-0,"x":1E400,"y":123456789012345678901234567890.123}"#,
            r#"{"a b":"c  d\" e\\","f\\\"":" "}"#,
            r#"{"a":"\u0000","b":"\ud800"}"#,
            r#"{"a":1,"a":2}"#,
            &deep,
        ] {
            assert_eq!(EventData::new(text).unwrap().text(), text);
        }
        assert!(EventData::new("{").is_err());
        let lines = "{ \"a\" :\t[ 1 ,\r\n 2.50 ] , \"b\":\" x \\\" y \" }";
        assert_eq!(
            EventData::new(lines).unwrap().text(),
            r#"{"a":[1,2.50],"b":" x \" y "}"#
        );
    }

    #[test]
    fn numbers_keep_their_digits_when_they_are_read() {
        let text = r#"{"n":10.50,"x":1e+400,"y":115792089237316195423570985008687907853269984665640564039457584007913129639935}"#;
        let data = EventData::new(text).unwrap();
        assert_eq!(data.value().unwrap().to_string(), text);
    }

    #[test]
    fn what_cannot_be_read_says_why_and_shows_nothing() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        let said = |text: &str| EventData::new(text).unwrap().value().unwrap_err().to_string();
        assert!(said(&deep).contains("deeper than 127 levels"), "{}", said(&deep));
        let half = said(r#"{"secret":"\ud800"}"#);
        assert!(half.contains("surrogate") && !half.contains("secret"), "{half}");
    }

    #[test]
    fn a_field_more_leaves_the_others_as_they_are() {
        let with = |text: &str| {
            EventData::new(text)
                .unwrap()
                .with_field("a", &Value::from("\""))
                .text()
                .to_owned()
        };
        assert_eq!(
            with(r#"{"n": 1.50, "x": "\ud800}"}"#),
            r#"{"n":1.50,"x":"\ud800}","a":"\""}"#
        );
        assert_eq!(with("{ }"), r#"{"a":"\""}"#);
        assert_eq!(with("[{}]"), "[{}]");
    }

    #[test]
    fn a_field_is_found_beside_what_cannot_be_read() {
        let deep = format!(
            "{{\"a\":{}1{},\"id\":1.50,\"b\":\"\\ud800\"}}",
            "[".repeat(200),
            "]".repeat(200)
        );
        assert_eq!(field(&deep, "id").as_deref(), Some("1.50"));
        assert_eq!(field(&deep, "none"), None);
        assert_eq!(field(r#"{"a":1,"a":null}"#, "a").as_deref(), Some("null"));
        assert_eq!(field("[1]", "a"), None);
    }
}
