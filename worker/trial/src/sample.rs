//! Data of an event that has not happened: a value for each field of its type. What kind of value a field has is not
//! registered, so its name decides. Pure.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Parts of names whose values are numbers.
const NUMBERS: &[&str] = &[
    "age",
    "amount",
    "bytes",
    "confidence",
    "count",
    "depth",
    "dimensions",
    "distance",
    "latency",
    "length",
    "level",
    "max",
    "min",
    "ms",
    "n",
    "number",
    "percent",
    "price",
    "quantity",
    "score",
    "seconds",
    "similarity",
    "size",
    "total",
];
/// Parts of names whose values are times.
const TIMES: &[&str] = &["at", "date", "time", "timestamp", "until", "since"];
/// Parts of names whose values are true or false.
const TRUTHS: &[&str] = &["active", "enabled", "has", "is", "used", "was"];
/// Parts of names whose values are lists.
const LISTS: &[&str] = &["actions", "ids", "items", "tags"];

/// An object with these fields. The user is the hook's; ids are texts that say what they are.
pub fn data(fields: &[String], user: Option<Uuid>, now: Timestamp) -> Value {
    let values = fields
        .iter()
        .map(|field| (field.clone(), value(field, user, now)));
    Value::Object(values.collect::<Map<_, _>>())
}

fn value(field: &str, user: Option<Uuid>, now: Timestamp) -> Value {
    let name = field.to_ascii_lowercase();
    if name == "user_id" {
        return user.map_or(Value::Null, |user| user.to_string().into());
    }
    let words: Vec<&str> = name.split('_').collect();
    let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
    match words.last() {
        Some(&"id") => format!("sample-{}", name.replace('_', "-")).into(),
        _ if has(LISTS) => json!(["sample"]),
        Some(last) if TIMES.contains(last) => now.to_string().into(),
        _ if has(TRUTHS) => true.into(),
        _ if has(NUMBERS) => 1.into(),
        _ => format!("sample {}", name.replace('_', " ")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_a_value_that_fits_its_name() {
        let fields = [
            "order_id",
            "total",
            "customer",
            "user_id",
            "is_paid",
            "paid_at",
            "tags",
            "size_bytes",
        ];
        let user = Uuid::from_u128(7);
        let made = data(&fields.map(str::to_owned), Some(user), Timestamp::UNIX_EPOCH);
        let expected = json!({
            "order_id": "sample-order-id", "total": 1, "customer": "sample customer", "user_id": user, "is_paid": true,
            "paid_at": "1970-01-01T00:00:00Z", "tags": ["sample"], "size_bytes": 1,
        });
        assert_eq!(made, expected);
        assert_eq!(data(&[], None, Timestamp::UNIX_EPOCH), json!({}));
    }
}
