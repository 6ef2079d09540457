//! From the columns `hook_type` and `hook_name` to the type of a hook, and what is known of each type.

use crate::fault::Fault;
use crate::hooks::{HANDLERS, Handler, HookType};

/// The text of the column `hook_type` for hooks that `hook_name` names.
pub const FIRST_PARTY: &str = "first_party";
/// The text of the column `hook_type` for handlers of one's own.
pub const FUNCTION: &str = "function";

impl HookType {
    /// # Errors
    /// `UnknownHookType`, `UnknownFirstParty`.
    pub fn of(hook_type: &str, hook_name: &str) -> Result<Self, Fault> {
        let named = |name: &str, is_first_party| {
            let mut handlers = HANDLERS.iter();
            let found = handlers.find(|it| it.name == name && it.is_first_party == is_first_party);
            found.map(|handler| handler.hook_type.clone())
        };
        match hook_type {
            FUNCTION => Ok(Self::Function {
                name: hook_name.into(),
            }),
            FIRST_PARTY => named(hook_name, true).ok_or_else(|| Fault::UnknownFirstParty {
                hook_name: hook_name.into(),
                known: first_party_names(),
                others: column_texts()
                    .into_iter()
                    .filter(|text| *text != FIRST_PARTY)
                    .collect(),
            }),
            other => named(other, false).ok_or_else(|| Fault::UnknownHookType {
                hook_type: other.into(),
                known: column_texts(),
            }),
        }
    }

    /// What is known of the type; `None` for handlers of one's own.
    pub fn described(&self) -> Option<&'static Handler> {
        HANDLERS.iter().find(|handler| handler.hook_type == *self)
    }

    pub fn is_first_party(&self) -> bool {
        self.described().is_some_and(|handler| handler.is_first_party)
    }
}

/// The key whose template names fields of the event's data, of hooks of a type; `None` where there is none.
pub fn event_template(hook_type: &str) -> Option<&'static str> {
    let described = HookType::of(hook_type, "").ok()?.described()?;
    let key = described.keys.iter().find(|key| key.names_fields)?;
    Some(key.name)
}

/// The texts of the column `hook_type`.
pub fn column_texts() -> Vec<&'static str> {
    let by_type = HANDLERS.iter().filter(|handler| !handler.is_first_party);
    let mut texts = vec![FIRST_PARTY];
    texts.extend(by_type.map(|handler| handler.name));
    texts.push(FUNCTION);
    texts
}

/// The names of first-party hooks.
pub fn first_party_names() -> Vec<&'static str> {
    let first_party = HANDLERS.iter().filter(|handler| handler.is_first_party);
    first_party.map(|handler| handler.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_by_its_columns() {
        assert_eq!(HookType::of("webhook", "audit"), Ok(HookType::Webhook));
        assert_eq!(HookType::of("first_party", "auto_embed"), Ok(HookType::AutoEmbed));
        let name = "mine".to_owned();
        assert_eq!(HookType::of("function", "mine"), Ok(HookType::Function { name }));
        for (hook_type, hook_name) in [("auto_embed", "x"), ("", ""), ("first_party", "webhook")] {
            assert!(HookType::of(hook_type, hook_name).is_err(), "{hook_type}");
        }
    }

    #[test]
    fn the_templates_over_events_are_known() {
        assert_eq!(event_template("log"), Some("message"));
        assert_eq!(event_template("webhook"), Some("body_template"));
        assert_eq!(event_template("first_party"), None);
        assert_eq!(event_template("sql"), None);
    }

    #[test]
    fn the_types_are_told_as_they_are() {
        let hint = |hook_type, hook_name| HookType::of(hook_type, hook_name).map_err(|fault| fault.hint());
        let types = "Use first_party, webhook, log, sql or function.";
        assert_eq!(hint("x", ""), Err(types.into()));
        let names = "Use auto_embed, auto_summarize or auto_graph, or give hook_type => 'webhook', 'log', 'sql' or 'function'.";
        assert_eq!(hint("first_party", "x"), Err(names.into()));
    }
}
