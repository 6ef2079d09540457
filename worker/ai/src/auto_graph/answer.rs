//! Reads the items of a model's answer: numbers that are texts, texts that are numbers, fields that are not there. It
//! judges none of them. Pure.

use serde_json::Value;

#[derive(Debug, Default, PartialEq)]
pub struct Entity {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub aliases: Vec<String>,
}

#[derive(Debug, Default, PartialEq)]
pub struct Relation {
    pub source: String,
    pub target: String,
    pub predicate: String,
    pub fact: String,
    pub confidence: Option<f64>,
    pub valid_at: String,
    pub invalid_at: String,
}

impl Entity {
    /// `other` is its id where it names none; a name alone is one too.
    pub fn of(item: &Value, other: String) -> Self {
        let id = id(&item["id"]);
        let name = if item.is_object() {
            text(&item["name"])
        } else {
            text(item)
        };
        Self {
            id: if id.is_empty() { other } else { id },
            name,
            kind: text(&item["type"]),
            aliases: match &item["aliases"] {
                Value::Array(names) => names.iter().map(text).collect(),
                one => vec![text(one)],
            }
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect(),
        }
    }
}

impl Relation {
    pub fn of(item: &Value) -> Self {
        Self {
            source: id(&item["source"]),
            target: id(&item["target"]),
            predicate: text(&item["predicate"]),
            fact: text(&item["fact"]),
            confidence: number(&item["confidence"]),
            valid_at: text(&item["valid_at"]),
            invalid_at: text(&item["invalid_at"]),
        }
    }
}

/// A number, also as a text or as a share in per cent.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            match text.strip_suffix('%') {
                Some(share) => share.trim().parse::<f64>().ok().map(|share| share / 100.0),
                None => text.parse().ok(),
            }
        }
        other => other.as_f64(),
    }
}

/// An index of a list; a negative number is none.
pub fn index(value: &Value) -> Option<usize> {
    id(value).parse().ok()
}

/// An id as one text, whether it is 3, 3.0 or "3".
fn id(value: &Value) -> String {
    let whole = value.as_f64().filter(|number| number.fract() == 0.0);
    match whole {
        Some(whole) => format!("{whole:.0}"),
        None => text(value),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
