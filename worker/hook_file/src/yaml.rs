//! Reading YAML into a tree: within bounds of size, depth and repetition, and with words for what is no YAML.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Options, Spanned};

use crate::mistake::{Mistake, Place};
use crate::tree::{Content, Key, Node};

/// The largest file, in bytes.
const LARGEST: usize = 4 << 20;
/// Values of a file, those counted anew that an alias repeats.
const MOST_VALUES: usize = 100_000;
const DEEPEST: usize = 32;
const PLAIN_FORM: &str = "Check the indentation, the quotes and the brackets.";

/// The tree of a file; `None` where there is nothing in it.
///
/// # Errors
/// The first thing that is no YAML of one document, or passes a bound.
pub fn parse(bytes: &[u8]) -> Result<Option<Node>, Mistake> {
    if bytes.len() > LARGEST {
        let what = format!("the file has more than {LARGEST} bytes");
        return Err(Mistake::new(START, "", what, "Divide it."));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let place = place_after(&String::from_utf8_lossy(before));
        Mistake::new(place, "", "this is not UTF-8", "Save the file as UTF-8.")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed: Result<Option<Raw>, Error> = serde_saphyr::from_str_with_options(text, options());
    match parsed {
        Ok(raw) => raw.map(|raw| raw.node(text)).transpose(),
        Err(error) => Err(explained(text, &error)),
    }
}

const START: Place = Place { line: 1, column: 1 };

/// YAML 1.2, in which `yes` and `on` are texts and 010 is not eight. No tags of anybody's own.
fn options() -> Options {
    let mut options = Options::default();
    options.with_snippet = false;
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    options.underscored_numbers_as_strings = true;
    options.reject_unsupported_tags = true;
    // One that only its digits say is a number of JSON all the same.
    options.non_finite_float_policy = NonFiniteFloatPolicy::PassThrough;
    options.alias_limits.max_total_replayed_events = MOST_VALUES;
    let mut budget = options.budget.take().unwrap_or_default();
    budget.max_depth = DEEPEST;
    budget.max_nodes = MOST_VALUES;
    // The second one is told as such.
    budget.max_documents = 2;
    options.budget = Some(budget);
    options
}

fn place_after(text: &str) -> Place {
    let line = text.matches('\n').count();
    let last = text.rsplit('\n').next().unwrap_or_default();
    let count = |number: usize| u64::try_from(number + 1).unwrap_or(u64::MAX);
    Place {
        line: count(line),
        column: count(last.chars().count()),
    }
}

fn place(location: Location) -> Place {
    Place {
        line: location.line().max(1),
        column: location.column().max(1),
    }
}

/// Never the reader's own words, which repeat what is in the file.
fn explained(text: &str, error: &Error) -> Mistake {
    let place = error.location().map_or(START, place);
    let (what, hint) = match inner(error) {
        Error::MultipleDocuments { .. } => ("this is a second document", "Keep one, without `---` between."),
        Error::UnknownAnchor { .. } => ("there is no anchor of this name before it", "Correct the alias."),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => (
            "the file has too many values, nests too deep, or repeats too much by aliases",
            "Divide it, or write it flat.",
        ),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("this alias repeats what it is a part of", "Write it out.")
        }
        Error::NullIntoString { .. } => ("a key must be a text", "Put it into quotes."),
        _ if is_tab(text, place.line) => ("a tab indents this line", "Indent with blanks."),
        _ => ("this is no YAML", PLAIN_FORM),
    };
    Mistake::new(place, "", what, hint)
}

/// What is wrong with what an alias repeats is wrong where it is repeated.
fn inner(mut error: &Error) -> &Error {
    while let Error::AliasError { error: repeated, .. } = error {
        error = repeated;
    }
    error
}

/// Whether the line, or the one before, at whose end a parser notices, begins with a tab among its blanks.
fn is_tab(text: &str, line: u64) -> bool {
    let at = usize::try_from(line).unwrap_or(usize::MAX);
    let near = text
        .lines()
        .enumerate()
        .filter(|(number, _)| *number + 1 == at || *number + 2 == at);
    near.into_iter().any(|(_, line)| {
        let blank = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        blank.contains('\t')
    })
}

/// A value as the reader gives it, with its span.
struct Raw(Spanned<RawContent>);

enum RawContent {
    Null,
    Bool(bool),
    /// `None` where it is too large to be counted with, or no number.
    Number(Option<Number>),
    Text(String),
    List(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn node(self, text: &str) -> Result<Node, Mistake> {
        let Spanned {
            value,
            referenced,
            defined,
        } = self.0;
        let content = match value {
            RawContent::Null => Content::Null,
            RawContent::Bool(is_true) => Content::Bool(is_true),
            RawContent::Number(number) => {
                let endless = || {
                    let hint = "Write a finite one, or a text in quotes.";
                    Mistake::new(place(referenced), "", "this number has no end", hint)
                };
                Content::Number(written(text, defined).or(number).ok_or_else(endless)?)
            }
            RawContent::Text(text) => Content::Text(text),
            RawContent::List(list) => {
                let list = list.into_iter().map(|raw| raw.node(text));
                Content::List(list.collect::<Result<_, _>>()?)
            }
            RawContent::Map(entries) => {
                let entries = entries.into_iter().map(|(key, raw)| {
                    let place = place(key.referenced);
                    Ok((
                        Key {
                            name: key.value,
                            place,
                        },
                        raw.node(text)?,
                    ))
                });
                Content::Map(entries.collect::<Result<_, _>>()?)
            }
        };
        Ok(Node {
            place: place(referenced),
            content,
        })
    }
}

/// A number as it stands in the file, where that is a number of JSON too: with all its digits.
fn written(text: &str, location: Location) -> Option<Number> {
    let span = location.span();
    let from = usize::try_from(span.byte_offset()?).ok()?;
    let to = from.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    text.get(from..to)?.parse().ok()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyContent)
    }
}

struct AnyContent;

impl<'de> Visitor<'de> for AnyContent {
    type Value = RawContent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(RawContent::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(RawContent::Null)
    }

    fn visit_bool<E>(self, is_true: bool) -> Result<Self::Value, E> {
        Ok(RawContent::Bool(is_true))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(RawContent::Number(Some(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(RawContent::Number(Some(number.into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(RawContent::Number(Number::from_f64(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(RawContent::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(RawContent::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(RawContent::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(RawContent::Map(entries))
    }
}
