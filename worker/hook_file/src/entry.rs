//! One entry below an event type: from its keys to a hook as the API takes it. What a key may hold is the contract's
//! business.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use uuid::Uuid;
use zerodb_hooks_contract::Fault;
use zerodb_hooks_contract::check::faults;
use zerodb_hooks_contract::hook_type::FUNCTION;
use zerodb_hooks_contract::hooks::HANDLERS;
use zerodb_hooks_contract::schema::OF_APPLY;
use zerodb_hooks_lexical::nearest;

use crate::declared::{Declared, Named, place_of, without_nulls};
use crate::mistake::{Mistake, Place};
use crate::tree::{Content, Found, Key, Node, once};

/// Keys of an entry that are not of its config.
const OWN: &[&str] = &["type", "name", "project", "active"];
/// The key that holds the config of a handler of one's own.
const CONFIG: &str = "config";
/// Words of YAML 1.1 for true and false, which are texts in 1.2.
const OLD_BOOLEANS: &[&str] = &["y", "n", "yes", "no", "on", "off"];

/// An entry that is being read.
struct Reader<'n> {
    place: Place,
    path: String,
    entries: Vec<(&'n Key, &'n Node)>,
    found: Found,
}

/// The hook of an entry, unless too little of it can be read, and all that is wrong with it.
pub fn read(event: &Key, path: String, node: &Node) -> (Option<Declared>, Vec<Mistake>) {
    let mut found = Found::default();
    let Content::Map(entries) = &node.content else {
        let what = format!("this is {}, not a hook", node.kind());
        let mistake = Mistake::new(
            node.place,
            &path,
            what,
            "Write its keys: `- type: webhook`, then `url: …`.",
        );
        return (None, vec![mistake]);
    };
    let entries = once(entries, &path, &mut found.mistakes);
    let mut reader = Reader {
        place: node.place,
        path,
        entries,
        found,
    };
    let declared = reader.hook_type().map(|named| reader.declared(event, &named));
    (declared, reader.found.mistakes)
}

impl<'n> Reader<'n> {
    fn wrong(&mut self, key: &str, place: Place, what: impl Into<String>, hint: impl Into<String>) {
        let path = if key.is_empty() {
            self.path.clone()
        } else {
            format!("{}.{key}", self.path)
        };
        self.found.mistakes.push(Mistake::new(place, &path, what, hint));
    }

    /// A key that is there and not null.
    fn given(&self, name: &str) -> Option<(Place, &'n Node)> {
        let (_, node) = self.entries.iter().find(|(key, _)| key.name == name)?;
        (!node.is_null()).then_some((node.place, *node))
    }

    fn hook_type(&mut self) -> Option<Named> {
        let names = || {
            Named::all()
                .map(|named| named.name)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let Some((place, node)) = self.given("type") else {
            let place = self.place;
            self.wrong(
                "type",
                place,
                "a hook needs a type",
                format!("Write one of {}.", names()),
            );
            return None;
        };
        let text = match &node.content {
            Content::Text(text) => text.as_str(),
            _ => "",
        };
        let found = Named::all().find(|named| named.name == text);
        if found.is_none() {
            let meant = nearest(
                text,
                HANDLERS.iter().map(|handler| handler.name).chain([FUNCTION]),
            );
            let hint = match meant {
                Some(meant) => format!("Did you mean {meant}?"),
                None => format!("Write one of {}.", names()),
            };
            self.wrong("type", place, "there is no such type of hooks", hint);
        }
        found
    }

    fn declared(&mut self, event: &Key, named: &Named) -> Declared {
        let name = self.name(named);
        let project_id = self.project();
        let is_active = self.active();
        let config = self.config(named);
        let checked_name = match named.handler {
            Some(handler) if handler.is_first_party => handler.name,
            _ => name.as_deref().unwrap_or(named.name),
        };
        let places: BTreeMap<String, Place> = self.found.places.drain(..).collect();
        for fault in faults(named.hook_type(), checked_name, &Value::Object(config.clone())) {
            let key = fault.path().unwrap_or_default();
            let place = match fault {
                Fault::BadHookName { .. } => self.given("name").map(|(place, _)| place),
                _ => place_of(&places, &key),
            };
            let hint = self.hint(&fault, &key);
            self.wrong(&key, place.unwrap_or(self.place), fault.to_string(), hint);
        }
        Declared {
            place: self.place,
            path: self.path.clone(),
            event_place: event.place,
            event_type: event.name.clone(),
            hook_type: named.hook_type(),
            name,
            usual_name: named.name,
            project_id,
            is_active,
            is_sound: self.found.mistakes.is_empty(),
            config: without_nulls(config, named),
            places,
        }
    }

    fn name(&mut self, named: &Named) -> Option<String> {
        let fixed = named.handler.is_some_and(|handler| handler.is_first_party);
        match self.given("name") {
            None if named.handler.is_none() => {
                let place = self.place;
                self.wrong(
                    "name",
                    place,
                    "a function needs a name",
                    "Write that of its handler.",
                );
                None
            }
            None => None,
            Some((
                _,
                Node {
                    content: Content::Text(text),
                    ..
                },
            )) if !fixed || text == named.name => Some(text.clone()),
            Some((place, _)) if fixed => {
                let what = format!("a hook of type {0} has the name {0}", named.name);
                self.wrong("name", place, what, "Leave the name out.");
                None
            }
            Some((place, _)) => {
                self.wrong("name", place, "a name is a text", "Put it into quotes.");
                None
            }
        }
    }

    fn project(&mut self) -> Option<Uuid> {
        let (place, node) = self.given("project")?;
        let read = match &node.content {
            Content::Text(text) => Uuid::try_parse(text).ok(),
            _ => None,
        };
        if read.is_none() {
            self.wrong(
                "project",
                place,
                "this is not a project",
                "Write a project's UUID.",
            );
        }
        read
    }

    fn active(&mut self) -> Option<bool> {
        let (place, node) = self.given("active")?;
        if let Content::Bool(is_active) = node.content {
            return Some(is_active);
        }
        self.wrong("active", place, "expected true or false", "Write true or false.");
        None
    }

    /// The config, as far as its keys are known.
    fn config(&mut self, named: &Named) -> Map<String, Value> {
        let known: BTreeSet<&str> = named.keys().iter().map(|key| key.name).collect();
        let mut config = Map::new();
        for (key, node) in self.entries.clone() {
            let name = key.name.as_str();
            if OWN.contains(&name) {
                continue;
            }
            if name == CONFIG && named.handler.is_none() {
                self.own_config(node, &known, &mut config);
            } else if name == OF_APPLY {
                self.wrong(name, key.place, "this key is set by `apply`", "Leave it out.");
            } else if known.contains(name) {
                let value = node.json(&format!("{}.{name}", self.path), name, &mut self.found);
                self.found.places.push((name.to_owned(), node.place));
                config.insert(name.to_owned(), value);
            } else {
                self.unknown(key, named, &known);
            }
        }
        config
    }

    fn unknown(&mut self, key: &Key, named: &Named, known: &BTreeSet<&'static str>) {
        let own = OWN.iter().copied();
        let config = [CONFIG].into_iter().filter(|_| named.handler.is_none());
        let all: Vec<&str> = own
            .chain(config)
            .chain(known.iter().copied().filter(|key| *key != OF_APPLY))
            .collect();
        let hint = match (nearest(&key.name, all.iter().copied()), named.handler) {
            (Some(meant), _) => format!("Did you mean {meant}?"),
            (None, None) => "Write the handler's own keys below `config`.".into(),
            (None, Some(_)) => format!("Its keys are {}.", all.join(", ")),
        };
        let what = format!("unknown key in a hook of type {}", named.name);
        self.wrong(&key.name, key.place, what, hint);
    }

    /// The keys of a handler of one's own.
    fn own_config(&mut self, node: &Node, known: &BTreeSet<&'static str>, config: &mut Map<String, Value>) {
        let path = format!("{}.{CONFIG}", self.path);
        let Content::Map(entries) = &node.content else {
            if !node.is_null() {
                self.wrong(
                    CONFIG,
                    node.place,
                    "a config is keys with values",
                    "Indent them below it.",
                );
            }
            return;
        };
        for (key, node) in once(entries, &path, &mut self.found.mistakes) {
            if known.contains(key.name.as_str()) {
                let what = "this key is of every hook";
                self.wrong(
                    &format!("{CONFIG}.{}", key.name),
                    key.place,
                    what,
                    "Write it beside `config`.",
                );
                continue;
            }
            let value = node.json(&format!("{path}.{}", key.name), &key.name, &mut self.found);
            self.found.places.push((key.name.clone(), node.place));
            config.insert(key.name.clone(), value);
        }
    }

    /// What to do about a fault; of a word of YAML 1.1, what it is in 1.2.
    fn hint(&self, fault: &Fault, key: &str) -> String {
        let is_old = |node: &Node| match &node.content {
            Content::Text(text) => OLD_BOOLEANS.contains(&text.to_ascii_lowercase().as_str()),
            _ => false,
        };
        match (fault, self.given(key)) {
            (Fault::BadValue { .. }, Some((_, node))) if is_old(node) => {
                "In YAML 1.2 this word is a text. Write true or false, without quotes.".into()
            }
            _ => fault.hint(),
        }
    }
}
