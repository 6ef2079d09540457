//! Rendering. The environment has no loader and no function that reaches outside; steps and output are bounded.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, escape_formatter};
use serde_json::Map;

use crate::fault::Fault;
use crate::number::Numbers;
use crate::{guard, quoting, to_json};

/// Steps that one rendering may take.
const FUEL: u64 = 100_000;

/// The properties of an event beside the fields of its data. `event` among it is the envelope without them.
pub type Own = Map<String, serde_json::Value>;

/// The form of a rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Bytes that it may write.
    pub most: usize,
    /// Whether it writes JSON: a value within a string of it is then escaped.
    pub as_json: bool,
}

/// Functions that a template has without asking.
const FUNCTIONS: &[&str] = &["debug", "dict", "namespace", "range"];

/// Renders with the fields of `data` as variables, and with `own` and `data` itself where there is an `own`. Numbers
/// are written as the data have them. A field of `known` that the data leave out is
/// empty; where nothing is known, any is.
///
/// # Errors
/// Whatever is wrong with the template for these data, such as a variable that is neither there nor known, and when it
/// takes too many steps or writes more than it may.
pub fn render(
    template: &str,
    data: &serde_json::Value,
    own: Option<&Own>,
    known: Option<&[String]>,
    form: Form,
) -> Result<String, Fault> {
    guard::check(template)?;
    let marked = if form.as_json {
        quoting::mark(template)
    } else {
        template.to_owned()
    };
    let mut numbers = Numbers::of(template);
    let mut variables = variables(data, own, &mut numbers);
    let mut environment = environment(Arc::new(numbers));
    let named = environment
        .template_from_str(&marked)
        .map_err(|error| Fault::of(&error))?
        .undeclared_variables(false);
    let is_missing = |name: &String| !variables.contains_key(name) && !FUNCTIONS.contains(&name.as_str());
    let (left_out, unknown): (Vec<String>, Vec<String>) = named
        .into_iter()
        .filter(is_missing)
        .partition(|name| known.is_none_or(|known| known.contains(name)));
    if !unknown.is_empty() {
        // Whoever asks whether a variable is there, or gives what stands for it, may name any.
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        variables.extend(left_out.into_iter().map(|name| (name, Value::from(""))));
    }
    let variables = Value::from(variables);
    let parsed = environment
        .template_from_str(&marked)
        .map_err(|error| Fault::of(&error))?;
    let mut written = Bounded {
        bytes: Vec::new(),
        most: form.most,
        is_full: false,
    };
    let ended = parsed.render_captured_to(variables, &mut written).map(drop);
    match ended {
        Err(_) if written.is_full => Err(Fault::TooMuch { most: form.most }),
        Err(error) => Err(Fault::of(&error)),
        Ok(()) => String::from_utf8(written.bytes).map_err(|_| Fault::Wrong {
            what: "it writes what is not text".into(),
            line: None,
        }),
    }
}

fn environment<'a>(numbers: Arc<Numbers>) -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    let known = Arc::clone(&numbers);
    environment.add_filter(
        "tojson",
        move |state: &State<'_, '_>, value: &Value, indent: Option<Value>, arguments: Kwargs| {
            if value.is_undefined() && state.undefined_behavior() != UndefinedBehavior::Lenient {
                return Err(ErrorKind::UndefinedError.into());
            }
            to_json::filter(&known, value, indent, &arguments)
        },
    );
    let known = Arc::clone(&numbers);
    environment.add_filter(quoting::WITHIN, move |value: &Value| within(&known, value));
    let known = Arc::clone(&numbers);
    environment.add_filter(quoting::BESIDE, move |value: &Value| beside(&known, value));
    if !numbers.is_empty() {
        environment.set_formatter(move |out, state, value| match numbers.text(value)? {
            Some(text) => out.write_str(text).map_err(Error::from),
            None => escape_formatter(out, state, value),
        });
    }
    environment
}

/// A value within a string of JSON. What is safe already stays as it is.
fn within(numbers: &Numbers, value: &Value) -> Result<Value, Error> {
    if value.is_safe() || value.is_undefined() {
        return Ok(value.clone());
    }
    let text = match numbers.text(value)? {
        Some(digits) => digits.to_owned(),
        None => quoting::within(&value.to_string()),
    };
    Ok(Value::from_safe_string(text))
}

/// A value where JSON stands for itself. A text is taken for JSON: what it makes is looked at afterwards.
fn beside(numbers: &Numbers, value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::String => Ok(value.clone()),
        _ => to_json::text(numbers, value).map(Value::from_safe_string),
    }
}

/// The values are shared, so that data that are named three times are kept once.
fn variables(data: &serde_json::Value, own: Option<&Own>, numbers: &mut Numbers) -> BTreeMap<String, Value> {
    let shared = value(data, numbers);
    let mut variables = BTreeMap::<String, Value>::new();
    for name in data.as_object().into_iter().flat_map(Map::keys) {
        variables.insert(name.clone(), shared.get_attr(name).unwrap_or_default());
    }
    for (name, one) in own.into_iter().flatten() {
        let one = match one.as_object() {
            Some(envelope) if name == "event" => with_data(envelope, &shared, numbers),
            _ => value(one, numbers),
        };
        variables.insert(name.clone(), one);
    }
    if own.is_some() {
        variables.insert("data".into(), shared);
    }
    variables
}

fn with_data(envelope: &Own, data: &Value, numbers: &mut Numbers) -> Value {
    let mut whole: BTreeMap<String, Value> = envelope
        .iter()
        .map(|(name, one)| (name.clone(), value(one, numbers)))
        .collect();
    whole.insert("data".into(), data.clone());
    Value::from(whole)
}

/// JSON as the renderer's values. It nests no deeper than the reader of JSON lets it.
fn value(json: &serde_json::Value, numbers: &mut Numbers) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(is_true) => Value::from(*is_true),
        serde_json::Value::Number(number) => numbers.value(&number.to_string()),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(list) => {
            let list: Vec<Value> = list.iter().map(|one| value(one, numbers)).collect();
            Value::from(list)
        }
        serde_json::Value::Object(entries) => {
            let entries: BTreeMap<String, Value> = entries
                .iter()
                .map(|(name, one)| (name.clone(), value(one, numbers)))
                .collect();
            Value::from(entries)
        }
    }
}

/// A writer that fails when there is too much.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    is_full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
