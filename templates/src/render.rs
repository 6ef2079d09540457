//! Rendering. The environment has no loader and no function that reaches outside; steps and output are bounded.

use std::collections::BTreeMap;
use std::io;

use minijinja::{Environment, Value};
use serde_json::Map;

use crate::{Fault, guard};

/// Steps that one rendering may take.
const FUEL: u64 = 100_000;

/// What an event has beside the fields of its data. `event` among it is the envelope without them.
pub type Own = Map<String, serde_json::Value>;

/// Renders with the fields of `data` as variables, and with `own` and `data` itself where there is an `own`.
///
/// # Errors
/// Whatever is wrong with the template for these data, and when it takes too many steps or writes more than `most` bytes.
pub fn render(
    template: &str,
    data: &serde_json::Value,
    own: Option<&Own>,
    most: usize,
) -> Result<String, Fault> {
    guard::check(template)?;
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    let parsed = environment
        .template_from_str(template)
        .map_err(|error| Fault::of(&error))?;
    let mut written = Bounded {
        bytes: Vec::new(),
        most,
        is_full: false,
    };
    let ended = parsed
        .render_captured_to(variables(data, own), &mut written)
        .map(drop);
    match ended {
        Err(_) if written.is_full => Err(Fault::TooMuch { most }),
        Err(error) => Err(Fault::of(&error)),
        Ok(()) => String::from_utf8(written.bytes).map_err(|_| Fault::Wrong {
            what: "it writes what is not text".into(),
            line: None,
        }),
    }
}

/// The values are shared, so that data that are named three times are kept once.
fn variables(data: &serde_json::Value, own: Option<&Own>) -> Value {
    let shared = Value::from_serialize(data);
    let mut variables = BTreeMap::<String, Value>::new();
    for name in data.as_object().into_iter().flat_map(Map::keys) {
        variables.insert(name.clone(), shared.get_attr(name).unwrap_or_default());
    }
    for (name, value) in own.into_iter().flatten() {
        let value = match value.as_object() {
            Some(envelope) if name == "event" => with_data(envelope, &shared),
            _ => Value::from_serialize(value),
        };
        variables.insert(name.clone(), value);
    }
    if own.is_some() {
        variables.insert("data".into(), shared);
    }
    Value::from(variables)
}

fn with_data(envelope: &Own, data: &Value) -> Value {
    let mut whole: BTreeMap<String, Value> = envelope
        .iter()
        .map(|(name, value)| (name.clone(), Value::from_serialize(value)))
        .collect();
    whole.insert("data".into(), data.clone());
    Value::from(whole)
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

    #[test]
    fn fields_data_and_envelope_are_variables() {
        let data = json!({"a": 1, "event_type": "forged", "text": "x\"y"});
        let template =
            "{{a}} {{data.a}} {{event.data.a}} {{event.id}} {{event_type}} {{text|tojson}} {{none_such}}";
        assert_eq!(
            render(template, &data, Some(&own()), 100).unwrap(),
            r#"1 1 1 evt_1 t "x\"y" "#
        );
        assert_eq!(render("{{a}}{{data}}", &data, None, 100).unwrap(), "1");
    }

    #[test]
    fn steps_and_output_are_bounded() {
        let endless = "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}";
        let said = render(endless, &json!({}), None, 1 << 20)
            .unwrap_err()
            .to_string();
        assert!(said.contains("fuel"), "{said}");
        let long = render("{{ a }}{{ a }}", &json!({"a": "x".repeat(60)}), None, 100);
        assert_eq!(long, Err(Fault::TooMuch { most: 100 }));
    }
}
