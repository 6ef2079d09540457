//! The argument of a trigger, as `zerodb.watch` writes it: JSON that says which events a table's rows make. Anybody who
//! may attach a trigger can write one by hand, so nothing of it is trusted here. Must not look at the table or the
//! catalog.

use serde_json::Value;

use super::row::Operation;

/// Bytes that an argument may have; `zerodb.watch` makes none that is longer.
const LONGEST: usize = 256 * 1024;
/// Bytes of an event type.
const LONGEST_TYPE: usize = 100;

pub struct Argument {
    /// All of it, as it was read.
    pub text: Vec<u8>,
    pub event: String,
    pub operations: Vec<Operation>,
    pub fields: Vec<(String, Origin)>,
    pub user_id: Origin,
    pub project_id: Origin,
    pub bank_id: Origin,
    pub update_of: Option<Vec<String>>,
    /// Columns of which a change counts only where the other column stays: whoever writes both does not count.
    pub given: Vec<(String, String)>,
    /// The field that has a list of what the rows of one event have in it; all else of them is the same.
    pub list: Option<String>,
    pub batch: Option<Batch>,
}

/// The origin of a value.
pub enum Origin {
    Column(String),
    Constant(Value),
    Nothing,
}

/// The companion type of a statement that stores several rows.
pub struct Batch {
    pub event: String,
    pub fields: Vec<String>,
}

impl Argument {
    /// `None` when it is not what `zerodb.watch` writes.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let argument: Value = serde_json::from_str(text).ok()?;
        let argument = argument.as_object()?;
        let origin = |key: &str| Origin::read(argument.get(key).unwrap_or(&Value::Null));
        let fields = argument.get("fields")?.as_array()?;
        Some(Self {
            text: text.as_bytes().to_vec(),
            event: event_type(argument.get("event")?)?,
            operations: strings(argument.get("operations")?)?
                .iter()
                .map(|name| operation(name))
                .collect::<Option<_>>()?,
            fields: fields
                .iter()
                .map(|pair| match pair.as_array()?.as_slice() {
                    [Value::String(name), origin] => Some((name.clone(), Origin::read(origin)?)),
                    _ => None,
                })
                .collect::<Option<_>>()?,
            user_id: origin("user_id")?,
            project_id: origin("project_id")?,
            bank_id: origin("bank_id")?,
            update_of: match argument.get("update_of") {
                Some(names) => Some(strings(names)?),
                None => None,
            },
            given: match argument.get("given") {
                Some(given) => pairs(given)?,
                None => Vec::new(),
            },
            list: match argument.get("list") {
                Some(field) => Some(field.as_str()?.to_owned()),
                None => None,
            },
            batch: match argument.get("batch") {
                Some(batch) => Some(Batch {
                    event: event_type(batch.get("event")?)?,
                    fields: strings(batch.get("fields")?)?,
                }),
                None => None,
            },
        })
    }
}

impl Origin {
    /// Reads what `zerodb._field_source` writes.
    fn read(origin: &Value) -> Option<Self> {
        match origin {
            Value::Null => Some(Self::Nothing),
            Value::String(column) => Some(Self::Column(column.clone())),
            Value::Object(constant) if constant.len() == 1 => {
                constant.get("value").cloned().map(Self::Constant)
            }
            _ => None,
        }
    }
}

fn event_type(name: &Value) -> Option<String> {
    let name = name.as_str()?;
    (1..=LONGEST_TYPE).contains(&name.len()).then(|| name.to_owned())
}

fn strings(names: &Value) -> Option<Vec<String>> {
    let names = names.as_array()?.iter();
    names.map(|name| name.as_str().map(str::to_owned)).collect()
}

fn pairs(given: &Value) -> Option<Vec<(String, String)>> {
    let given = given.as_object()?.iter();
    given
        .map(|(column, other)| Some((column.clone(), other.as_str()?.to_owned())))
        .collect()
}

fn operation(name: &str) -> Option<Operation> {
    match name {
        "insert" => Some(Operation::Insert),
        "update" => Some(Operation::Update),
        "delete" => Some(Operation::Delete),
        _ => None,
    }
}
