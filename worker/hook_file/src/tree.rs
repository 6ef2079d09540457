//! A YAML document as a tree in which everything has its place, and keys that are there twice are there twice.

use serde_json::{Number, Value};

use crate::mistake::{Mistake, Place};

/// A value and where it is.
#[derive(Clone, Debug)]
pub struct Node {
    pub place: Place,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Null,
    Bool(bool),
    /// With the digits of the file.
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub struct Key {
    pub name: String,
    pub place: Place,
}

impl Node {
    /// What it is, for somebody who expected something else.
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "true or false",
            Content::Number(_) => "a number",
            Content::Text(_) => "a text",
            Content::List(_) => "a list",
            Content::Map(_) => "keys with values",
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// As JSON. Notes the places of what is within objects by their paths, and keys that are there twice as mistakes;
    /// `within` is the path of this node for people, `key` the one that the contract tells.
    pub fn json(&self, within: &str, key: &str, found: &mut Found) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(is_true) => Value::Bool(*is_true),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(list) => {
                let items = list.iter().enumerate();
                let path = |at| (format!("{within}[{at}]"), format!("{key}[{at}]"));
                let items = items.map(|(at, node)| node.json(&path(at).0, &path(at).1, found));
                Value::Array(items.collect())
            }
            Content::Map(entries) => {
                let once = once(entries, within, &mut found.mistakes);
                let values = once.into_iter().map(|(name, node)| {
                    let (within, key) = (format!("{within}.{}", name.name), format!("{key}.{}", name.name));
                    found.places.push((key.clone(), name.place));
                    (name.name.clone(), node.json(&within, &key, found))
                });
                Value::Object(values.collect())
            }
        }
    }
}

/// What was met on the way to JSON.
#[derive(Default)]
pub struct Found {
    pub places: Vec<(String, Place)>,
    pub mistakes: Vec<Mistake>,
}

/// The entries of a map, those that are there twice once; these are mistakes.
pub fn once<'n>(
    entries: &'n [(Key, Node)],
    within: &str,
    mistakes: &mut Vec<Mistake>,
) -> Vec<(&'n Key, &'n Node)> {
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = Vec::with_capacity(entries.len());
    for (key, node) in entries {
        if seen.insert(key.name.as_str()) {
            kept.push((key, node));
        } else {
            let path = if within.is_empty() {
                key.name.clone()
            } else {
                format!("{within}.{}", key.name)
            };
            mistakes.push(Mistake::new(
                key.place,
                &path,
                "this key is there twice",
                "Leave one of them out.",
            ));
        }
    }
    kept
}
