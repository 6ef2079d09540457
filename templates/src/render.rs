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
mod tests {
    use serde_json::json;

    use super::*;

    fn own() -> Own {
        let own = json!({"event_type": "t", "event": {"id": "evt_1", "event": "t"}});
        own.as_object().cloned().unwrap_or_default()
    }

    fn text(template: &str, data: &serde_json::Value) -> Result<String, Fault> {
        render(
            template,
            data,
            Some(&own()),
            Some(&["none_such".to_owned()]),
            TEXT,
        )
    }

    const TEXT: Form = Form {
        most: 1000,
        as_json: false,
    };
    const JSON: Form = Form {
        most: 1000,
        as_json: true,
    };

    #[test]
    fn fields_data_and_envelope_are_variables() {
        let data = json!({"a": 1, "event_type": "forged", "text": "x\"y"});
        let template =
            "{{a}} {{data.a}} {{event.data.a}} {{event.id}} {{event_type}} {{text|tojson}} {{none_such}}";
        assert_eq!(text(template, &data).unwrap(), r#"1 1 1 evt_1 t "x\"y" "#);
        assert_eq!(
            render("{{a}}{{b}}", &data, None, Some(&["b".to_owned()]), TEXT).unwrap(),
            "1"
        );
    }

    #[test]
    fn digits_stay_whatever_the_template_does() {
        let data: serde_json::Value = serde_json::from_str(
            r#"{"a":12345678901234567890.123456789,"b":10.50,"c":1e+400,"list":[{"p":7.10},{"p":8.20}]}"#,
        )
        .unwrap();
        for (template, expected) in [
            (
                "{{ a }} {{ b }} {{ c }}",
                "12345678901234567890.123456789 10.50 1e+400",
            ),
            (
                "{{ data.b|tojson }} {{ 'x' ~ a }}",
                "10.50 x12345678901234567890.123456789",
            ),
            ("{% for one in list %}{{ one.p }};{% endfor %}", "7.10;8.20;"),
            (
                "{% for one in list if one.p > 8 %}{{ one.p }}{% endfor %}",
                "8.20",
            ),
            (
                "{% if b > 10 %}{{ b }} {{ b * 2 }} {{ b|tojson }}{% endif %}",
                "10.50 21.0 10.50",
            ),
            (
                "{{ a|round(1) > 0 }} {{ a }}",
                "True 12345678901234567890.123456789",
            ),
            ("{{ list|tojson }}", r#"[{"p":7.10},{"p":8.20}]"#),
        ] {
            assert_eq!(text(template, &data).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn json_stays_json_whatever_a_text_holds() {
        let data = json!({"note": "He said \"hi\" \\ \n\t\u{1} </script> {{ x }}", "n": 1.5, "yes": true, "none": null,
            "map": {"k\"": [1, "a"]}});
        for (template, expected) in [
            (r#"{"t": "{{ note }}"}"#, json!({"t": data["note"]})),
            (
                r#"{"t": "a {{ note|upper|lower|trim }} b"}"#,
                json!({"t": format!("a {} b", data["note"].as_str().unwrap().to_lowercase())}),
            ),
            (
                r#"{"t": {{ note|tojson }}, "n": {{ n }}, "y": {{ yes }}, "z": {{ none }}, "m": {{ map }}}"#,
                json!({"t": data["note"], "n": 1.5, "y": true, "z": null, "m": data["map"]}),
            ),
            (
                r#"{"t": "{% if yes %}{{ note }}{% else %}no{% endif %}", "u": "{{ none_such }}"}"#,
                json!({"t": data["note"], "u": ""}),
            ),
            (
                r#"{% set t %}{"a": "{{ note }}"}{% endset %}{{ t }}"#,
                json!({"a": data["note"]}),
            ),
            (
                r#"{"t": "{{ note if yes else 'x' }}"}"#,
                json!({"t": data["note"]}),
            ),
        ] {
            let made = render(
                template,
                &data,
                Some(&own()),
                Some(&["none_such".to_owned()]),
                JSON,
            )
            .unwrap();
            let read: serde_json::Value = serde_json::from_str(&made).unwrap_or_else(|_| panic!("{made}"));
            assert_eq!(read, expected, "{template}");
        }
    }

    #[test]
    fn a_variable_is_there_or_known_or_asked_for() {
        let known = ["tags".to_owned()];
        let data = json!({"a": 1});
        for form in [TEXT, JSON] {
            for (template, expected) in [
                ("{{ a }}{{ tags }}", Some("1")),
                ("{{ a }}{{ none_such }}", None),
                ("{{ none_such|tojson }}", None),
                ("{{ none_such|upper }}", None),
                ("{{ none_such.deeper }}", None),
                ("{{ none_such ~ 'x' }}", None),
                ("{% for x in none_such %}{% endfor %}", None),
                ("{{ none_such|default('x') }}{{ tags }}{{ a }}", Some("x1")),
                ("{% if none_such is defined %}y{% else %}n{% endif %}", Some("n")),
                ("{% if none_such %}y{% else %}n{% endif %}", Some("n")),
                ("{% for i in range(2) %}{{ i }}{% endfor %}", Some("01")),
                ("{{ data.none_such }}{{ a }}", Some("1")),
            ] {
                let made = render(template, &data, Some(&own()), Some(&known), form);
                assert_eq!(made.ok().as_deref(), expected, "{template} {form:?}");
            }
        }
        assert_eq!(
            render("{{ tags|tojson }}", &data, None, Some(&known), TEXT).as_deref(),
            Ok("null")
        );
    }

    #[test]
    fn steps_and_output_are_bounded() {
        let endless = "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}";
        let large = Form {
            most: 1 << 20,
            ..TEXT
        };
        let said = render(endless, &json!({}), None, None, large)
            .unwrap_err()
            .to_string();
        assert!(said.contains("fuel"), "{said}");
        let small = Form { most: 100, ..TEXT };
        let long = render("{{ a }}{{ a }}", &json!({"a": "x".repeat(60)}), None, None, small);
        assert_eq!(long, Err(Fault::TooMuch { most: 100 }));
    }
}
