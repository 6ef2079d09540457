//! What the value of a key may be: numbers in a range, words of a list, texts, references. No error repeats a value: it
//! may be a secret that somebody wrote there.

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::secret;

/// A value that a key may have.
pub trait Setting: Sized {
    /// What it is in JSON, for the reference pages.
    const JSON_TYPE: &'static str;
    /// Whether null stands for a key that was left out. Where it does not, null is refused.
    const NULL_IS_ABSENT: bool = true;
    /// Whether it names fields of the event's data, as a template does.
    const NAMES_FIELDS: bool = false;

    /// What it must be, as it goes on after "Expected".
    fn expected() -> String;

    /// Its JSON Schema. It may let more pass than `check`, and must refuse nothing that `check` takes.
    fn schema() -> Value {
        json!({"type": type_of(Self::JSON_TYPE)})
    }

    /// How the reference pages show it where it is a default.
    fn shown(&self) -> String {
        String::new()
    }

    /// The value, if it has the right form.
    ///
    /// # Errors
    /// `BadValue` with the path of the key.
    fn read(path: &str, value: &Value) -> Result<Self, Fault>;

    /// Whether a hook may be made with it. Rows that are there already are not held to this.
    ///
    /// # Errors
    /// For the first thing that is wrong, with the path of the key.
    fn check(&self, _path: &str) -> Result<(), Fault> {
        Ok(())
    }
}

/// The word of JSON Schema for what the reference pages call a type.
fn type_of(json_type: &str) -> &str {
    match json_type {
        "text" => "string",
        "number" => "integer",
        other => other,
    }
}

/// An enumeration that has a text form, see `words!`.
pub trait Word: Copy + 'static {
    const ALL: &'static [Self];

    fn as_str(self) -> &'static str;
}

impl<W: Word> Setting for W {
    const JSON_TYPE: &'static str = "text";

    fn expected() -> String {
        let quoted: Vec<String> = W::ALL
            .iter()
            .map(|word| format!("\"{}\"", word.as_str()))
            .collect();
        format!("one of {}", quoted.join(", "))
    }

    fn schema() -> Value {
        let words: Vec<&str> = W::ALL.iter().map(|word| word.as_str()).collect();
        json!({"enum": words})
    }

    fn shown(&self) -> String {
        format!("`\"{}\"`", self.as_str())
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        let text = value.as_str();
        let found = W::ALL.iter().find(|word| text == Some(word.as_str()));
        found
            .copied()
            .ok_or_else(|| Fault::bad_value(path, Self::expected()))
    }
}

impl Setting for bool {
    const JSON_TYPE: &'static str = "boolean";

    fn expected() -> String {
        "true or false".into()
    }

    fn shown(&self) -> String {
        format!("`{self}`")
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        value
            .as_bool()
            .ok_or_else(|| Fault::bad_value(path, Self::expected()))
    }
}

/// A whole number in a range, whose ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const LEAST: u32, const MOST: u32>(u32);

impl<const LEAST: u32, const MOST: u32> Whole<LEAST, MOST> {
    /// The nearest number of the range.
    pub const fn new(number: u32) -> Self {
        Self(if number < LEAST {
            LEAST
        } else if number > MOST {
            MOST
        } else {
            number
        })
    }

    pub const fn get(self) -> u32 {
        self.0
    }

    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const LEAST: u32, const MOST: u32> Setting for Whole<LEAST, MOST> {
    const JSON_TYPE: &'static str = "number";

    fn expected() -> String {
        format!("a whole number from {LEAST} to {MOST}")
    }

    fn schema() -> Value {
        json!({"type": "integer", "minimum": LEAST, "maximum": MOST})
    }

    fn shown(&self) -> String {
        format!("`{}`", self.0)
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number {
            Some(number) if (LEAST..=MOST).contains(&number) => Ok(Self(number)),
            _ => Err(Fault::bad_value(path, Self::expected())),
        }
    }
}

/// A name of a table, column, model, function or provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// In characters.
    const LONGEST: usize = 1024;
}

read_as_text!(Name, SecretReference);

impl Setting for Name {
    const JSON_TYPE: &'static str = "text";

    fn expected() -> String {
        format!(
            "a text that is not empty, of at most {} characters",
            Self::LONGEST
        )
    }

    fn schema() -> Value {
        json!({"type": "string", "pattern": "\\S", "maxLength": Self::LONGEST})
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        match text_within(value, Self::LONGEST) {
            Some(text) => Ok(Self(text.to_owned())),
            None => Err(Fault::bad_value(path, Self::expected())),
        }
    }
}

/// A jsonpath of at most so many characters; the database says whether it is one. Null is refused: no condition would
/// be one that always holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath<const MOST: usize>(String);

impl<const MOST: usize> Setting for JsonPath<MOST> {
    const JSON_TYPE: &'static str = "text";
    const NULL_IS_ABSENT: bool = false;

    fn expected() -> String {
        format!("a jsonpath of at most {MOST} characters")
    }

    fn schema() -> Value {
        json!({"type": "string", "pattern": "\\S", "maxLength": MOST})
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        match text_within(value, MOST) {
            Some(text) => Ok(Self(text.to_owned())),
            None => Err(Fault::bad_value(path, Self::expected())),
        }
    }
}

fn text_within(value: &Value, most: usize) -> Option<&str> {
    value
        .as_str()
        .filter(|text| !text.trim().is_empty() && text.chars().count() <= most)
}

/// One reference to a secret, and nothing else: `${ZERODB_SECRET_…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretReference(String);

impl Setting for SecretReference {
    const JSON_TYPE: &'static str = "text";

    fn expected() -> String {
        format!("a reference such as \"${{{}NAME}}\"", secret::PREFIX)
    }

    fn schema() -> Value {
        json!({"type": "string", "pattern": format!("^\\$\\{{{}[A-Z0-9_]+\\}}$", secret::PREFIX)})
    }

    fn read(path: &str, value: &Value) -> Result<Self, Fault> {
        match value.as_str() {
            Some(text) => Ok(Self(text.to_owned())),
            None => Err(Fault::bad_value(path, Self::expected())),
        }
    }

    fn check(&self, path: &str) -> Result<(), Fault> {
        if secret::is_reference(self) {
            return Ok(());
        }
        Err(Fault::LiteralSecret { key: path.into() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_whole_and_in_its_range() {
        let read = |value| Whole::<1, 1000>::read("n", &value).ok().map(Whole::get);
        assert_eq!(read(json!(1)), Some(1));
        assert_eq!(read(json!(1000)), Some(1000));
        for bad in [
            json!(0),
            json!(1001),
            json!(-1),
            json!(1.5),
            json!("1"),
            json!(4_294_967_297_u64),
        ] {
            assert_eq!(read(bad.clone()), None, "{bad}");
        }
    }
}
