//! A file as a whole: its top keys, the hooks of each event type, and their names.

use std::collections::BTreeMap;

use uuid::Uuid;
use zerodb_hooks_contract::schema::TOP;
use zerodb_hooks_lexical::nearest;

use crate::declared::Declared;
use crate::entry;
use crate::mistake::{Mistake, Mistakes, Place};
use crate::tree::{Content, Key, Node, once};
use crate::yaml;

const HOOKS: &str = "hooks";
const NO_BLOCK: &str = "Write `hooks:` with event types below it; `hooks: {}` for none at all.";

/// What a file says of hooks, with all that is wrong in it.
#[derive(Clone, Debug)]
pub struct HookFile {
    /// As it was given, for people.
    pub name: String,
    /// Those that could be read, in the order of the file.
    pub hooks: Vec<Declared>,
    pub mistakes: Vec<Mistake>,
    /// Whether there is a block of hooks.
    pub has_hooks: bool,
}

impl HookFile {
    pub fn parse(name: &str, bytes: &[u8]) -> Self {
        let mut file = Self {
            name: name.into(),
            hooks: Vec::new(),
            mistakes: Vec::new(),
            has_hooks: false,
        };
        match yaml::parse(bytes) {
            Ok(Some(Node {
                content: Content::Map(entries),
                ..
            })) => file.read(&entries),
            Ok(Some(node)) => {
                let what = format!("the file is {}", node.kind());
                file.mistakes.push(Mistake::new(node.place, "", what, NO_BLOCK));
            }
            Ok(None) => {}
            Err(mistake) => file.mistakes.push(mistake),
        }
        file
    }

    /// A file that is there for its hooks: one without a block of hooks is a mistake.
    pub fn parse_whole(name: &str, bytes: &[u8]) -> Self {
        let mut file = Self::parse(name, bytes);
        if !file.has_hooks && file.mistakes.is_empty() {
            let place = Place { line: 1, column: 1 };
            file.mistakes
                .push(Mistake::new(place, "", "the file has no hooks", NO_BLOCK));
        }
        file
    }

    /// All that is wrong with it.
    pub fn mistakes(&self) -> Option<Mistakes> {
        (!self.mistakes.is_empty()).then(|| Mistakes::new(&self.name, self.mistakes.clone()))
    }

    /// What is wrong with its hooks; the rest of a worker's file is the worker's own business.
    pub fn mistakes_of_hooks(&self) -> Option<Mistakes> {
        let of_hooks = self
            .mistakes
            .iter()
            .filter(|mistake| mistake.path.starts_with(HOOKS));
        let list: Vec<Mistake> = of_hooks.cloned().collect();
        (!list.is_empty()).then(|| Mistakes::new(&self.name, list))
    }

    fn read(&mut self, entries: &[(Key, Node)]) {
        for (key, node) in once(entries, "", &mut self.mistakes) {
            match key.name.as_str() {
                HOOKS => {
                    self.has_hooks = true;
                    self.read_hooks(node);
                }
                name if TOP.contains(&name) => {}
                name => {
                    let hint = match nearest(name, TOP.into_iter()) {
                        Some(meant) => format!("Did you mean {meant}?"),
                        None => format!("A file has {}.", TOP.join(", ")),
                    };
                    self.mistakes
                        .push(Mistake::new(key.place, name, "unknown key", hint));
                }
            }
        }
        self.give_names();
    }

    fn read_hooks(&mut self, node: &Node) {
        let events = match &node.content {
            Content::Map(events) => once(events, HOOKS, &mut self.mistakes),
            Content::Null => return,
            _ => {
                let what = format!("this is {}, not event types with hooks", node.kind());
                self.mistakes
                    .push(Mistake::new(node.place, HOOKS, what, NO_BLOCK));
                return;
            }
        };
        for (event, node) in events {
            let path = format!("{HOOKS}.{}", event.name);
            match &node.content {
                Content::Null => {}
                Content::List(entries) => {
                    for (at, entry) in entries.iter().enumerate() {
                        let (declared, mistakes) = entry::read(event, format!("{path}[{at}]"), entry);
                        self.hooks.extend(declared);
                        self.mistakes.extend(mistakes);
                    }
                }
                _ => {
                    let what = format!("this is {}, not a list of hooks", node.kind());
                    let hint = "Begin each hook with `- `: `- type: webhook`.";
                    self.mistakes.push(Mistake::new(node.place, &path, what, hint));
                }
            }
        }
    }

    /// A hook without a name is called by its type, the second of a type `webhook-2`. So it is the same hook in the
    /// next version of the file, as long as none of its type is put before it.
    fn give_names(&mut self) {
        let mut unnamed: BTreeMap<(String, Option<Uuid>, &str), usize> = BTreeMap::new();
        let mut taken: BTreeMap<(String, Option<Uuid>, String), Place> = BTreeMap::new();
        for hook in &mut self.hooks {
            if hook.name.is_none() {
                let count = unnamed
                    .entry((hook.event_type.clone(), hook.project_id, hook.usual_name))
                    .or_default();
                *count += 1;
                let first_party = hook.hook_type == zerodb_hooks_contract::hook_type::FIRST_PARTY;
                hook.name = Some(match *count {
                    count if count == 1 || first_party => hook.usual_name.into(),
                    count => format!("{}-{count}", hook.usual_name),
                });
            }
            let key = (
                hook.event_type.clone(),
                hook.project_id,
                hook.hook_name().to_owned(),
            );
            if let Some(first) = taken.get(&key) {
                let what = format!("the hook in line {} has this name already", first.line);
                let path = format!("{}.name", hook.path);
                self.mistakes.push(Mistake::new(
                    hook.place,
                    &path,
                    what,
                    "Give one of them another `name`.",
                ));
            } else {
                taken.insert(key, hook.place);
            }
        }
    }
}

#[cfg(test)]
mod tests;
