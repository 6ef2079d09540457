//! What the hosted API asks of a `json_schema` before it looks at the prompt. Only the rules that its users meet; it
//! must not grow into a validator of JSON Schema.

use serde_json::Value;

use super::reply::{Reply, invalid};

/// Why a `json_schema` is refused: its name, or, where it is strict, an object that does not close itself or does not
/// require every property.
pub(crate) fn refusal(format: &Value) -> Option<Reply> {
    let name = format["name"].as_str().unwrap_or_default();
    if name.is_empty() {
        let message = "Missing required parameter: 'response_format.json_schema.name'.";
        return Some(invalid(
            message,
            Some("response_format.json_schema.name"),
            Some("missing_required_parameter"),
        ));
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if name.len() > 64 || !name.chars().all(fits) {
        let message = "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches \
                       the pattern '^[a-zA-Z0-9_-]+$'.";
        return Some(invalid(
            message,
            Some("response_format.json_schema.name"),
            Some("invalid_value"),
        ));
    }
    if format["strict"] != true {
        return None;
    }
    let (context, problem) = first_problem(&format["schema"], &mut Vec::new())?;
    let message = format!("Invalid schema for response_format '{name}': In context=({context}), {problem}");
    Some(invalid(&message, Some("response_format"), None))
}

/// The place and the name of the first broken rule.
fn first_problem(schema: &Value, path: &mut Vec<String>) -> Option<(String, String)> {
    let place = |path: &[String]| {
        path.iter()
            .map(|part| format!("'{part}'"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if let Some(properties) = schema["properties"].as_object() {
        if schema["additionalProperties"] != false {
            let problem = "'additionalProperties' is required to be supplied and to be false.";
            return Some((place(path), problem.to_owned()));
        }
        let required = schema["required"].as_array();
        let named = |name: &str| required.is_some_and(|names| names.iter().any(|found| found == name));
        if let Some(missing) = properties.keys().find(|name| !named(name)) {
            let problem = format!(
                "'required' is required to be supplied and to be an array including every key in properties. Missing '{missing}'."
            );
            return Some((place(path), problem));
        }
    }
    for keyword in ["properties", "$defs", "items", "anyOf"] {
        let children: Vec<(String, &Value)> = match &schema[keyword] {
            Value::Object(named) if keyword != "items" => {
                named.iter().map(|(name, child)| (name.clone(), child)).collect()
            }
            Value::Array(listed) => listed
                .iter()
                .enumerate()
                .map(|(at, child)| (at.to_string(), child))
                .collect(),
            Value::Object(_) => vec![(String::new(), &schema[keyword])],
            _ => continue,
        };
        path.push(keyword.to_owned());
        for (name, child) in children {
            let named = !name.is_empty();
            if named {
                path.push(name);
            }
            let found = first_problem(child, path);
            if found.is_some() {
                return found;
            }
            if named {
                path.pop();
            }
        }
        path.pop();
    }
    None
}
