//! A hook as a file declares it, and the hook types as files name them: a first-party hook by its own name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;
use zerodb_hooks_contract::Key as ConfigKey;
use zerodb_hooks_contract::check::keys;
use zerodb_hooks_contract::hook_type::{FIRST_PARTY, FUNCTION};
use zerodb_hooks_contract::hooks::{DeliverySettings, HANDLERS, Handler};

use crate::mistake::Place;

/// A hook as a file has it.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Of the entry.
    pub place: Place,
    pub path: String,
    /// Of the key above the list that the entry is in.
    pub event_place: Place,
    pub event_type: String,
    /// The text of the column.
    pub hook_type: &'static str,
    /// `None` until the file gives it one.
    pub name: Option<String>,
    /// What its name is made of where the file has none.
    pub usual_name: &'static str,
    pub project_id: Option<Uuid>,
    /// `None` leaves it as it is.
    pub is_active: Option<bool>,
    /// Whether nothing is wrong with it by itself.
    pub is_sound: bool,
    /// Without the keys that are null.
    pub config: Map<String, Value>,
    /// Of the keys of the config, by their paths.
    pub places: BTreeMap<String, Place>,
}

impl Declared {
    /// Where a key of the config is, or what it is in; the entry where it is not there.
    pub fn place_of(&self, key: &str) -> Place {
        place_of(&self.places, key).unwrap_or(self.place)
    }

    pub fn hook_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.usual_name)
    }
}

/// Where a key is, or the nearest one that it is in.
pub fn place_of(places: &BTreeMap<String, Place>, mut key: &str) -> Option<Place> {
    loop {
        if let Some(place) = places.get(key) {
            return Some(*place);
        }
        key = key.rsplit_once(['.', '['])?.0;
    }
}

/// A hook type as files name it.
pub struct Named {
    pub name: &'static str,
    pub handler: Option<&'static Handler>,
}

impl Named {
    pub fn all() -> impl Iterator<Item = Self> {
        let described = HANDLERS.iter().map(|handler| Self {
            name: handler.name,
            handler: Some(handler),
        });
        let own = Self {
            name: FUNCTION,
            handler: None,
        };
        described.chain([own])
    }

    pub fn hook_type(&self) -> &'static str {
        match self.handler {
            Some(handler) if handler.is_first_party => FIRST_PARTY,
            _ => self.name,
        }
    }

    pub fn keys(&self) -> Vec<&'static ConfigKey> {
        match self.handler {
            Some(handler) => keys(handler).collect(),
            None => DeliverySettings::KEYS.iter().collect(),
        }
    }
}

/// As the extension keeps a config: a key that is null was left out.
pub fn without_nulls(config: Map<String, Value>, named: &Named) -> Map<String, Value> {
    let is_known = |name: &str| DeliverySettings::KEYS.iter().any(|key| key.name == name);
    match named.handler {
        Some(_) => stripped(config),
        None => config
            .into_iter()
            .filter(|(name, value)| !(value.is_null() && is_known(name)))
            .collect(),
    }
}

fn stripped(entries: Map<String, Value>) -> Map<String, Value> {
    let kept = entries.into_iter().filter(|(_, value)| !value.is_null());
    kept.map(|(name, value)| match value {
        Value::Object(inner) => (name, Value::Object(stripped(inner))),
        other => (name, other),
    })
    .collect()
}
