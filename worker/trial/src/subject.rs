//! The event of a trial: one of the log, or one that has not happened.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use zerodb_hooks_contract::hooks::{HookType, Webhook};
use zerodb_hooks_contract::pattern::covers;
use zerodb_hooks_delivery::event_data::EventData;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_store::{EventKey, EventRow, Installation, Store, Xid};

use crate::error::TrialError;
use crate::sample;

/// Which event a hook is tried with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One of the log, by its id.
    Past(String),
    /// One with this JSON text as its data, of this type; without one of a type that the hook is for.
    Data {
        event_type: Option<String>,
        text: String,
    },
    /// One with a value for each field of this type; without one of a type that the hook is for.
    Sample { event_type: Option<String> },
}

/// Where the event is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// From the log.
    Past,
    /// From the log; but the hook's condition is not true for it, so that no worker would deliver it.
    Unwanted,
    /// Its data were given.
    Given,
    /// Made from the fields of its type.
    Sample,
}

impl Subject {
    /// # Errors
    /// Where there is no such event, it is none of the hook's, or the text is no JSON object.
    pub(crate) async fn event(
        &self,
        store: &Store,
        installation: &Installation,
        hook: &Hook,
        pattern: &str,
    ) -> Result<(EventRow, About), TrialError> {
        match self {
            Self::Past(id) => past(store, hook, id).await,
            Self::Data { event_type, text } => {
                let data = EventData::new(text)?;
                if !matches!(data.value()?, Value::Object(_)) {
                    return Err(TrialError::NoObject);
                }
                let name = type_of(installation, pattern, event_type.as_deref())?;
                Ok((made(hook, &name, data), About::Given))
            }
            Self::Sample { event_type } => {
                let name = type_of(installation, pattern, event_type.as_deref())?;
                let known = installation.event_types.get(&name);
                let mut fields = known.map(|known| known.fields.to_vec()).unwrap_or_default();
                if includes_content(hook) {
                    fields.push("content".into());
                }
                let data = sample::data(&fields, hook.tenant(), Timestamp::now());
                Ok((made(hook, &name, EventData::from(&data)), About::Sample))
            }
        }
    }
}

/// Whether the data of an event would have the text of its row.
fn includes_content(hook: &Hook) -> bool {
    hook.hook_type == HookType::Webhook
        && hook
            .config::<Webhook>()
            .is_ok_and(|webhook| webhook.include_content)
}

async fn past(store: &Store, hook: &Hook, id: &str) -> Result<(EventRow, About), TrialError> {
    let found = store.bounded(store.load_event(id, hook.id)).await?;
    let Some(found) = found else {
        return Err(TrialError::NoEvent { id: id.into() });
    };
    if !found.is_of_hook {
        let event_type = found.event.event_type;
        return Err(TrialError::NotOfHook {
            id: id.into(),
            event_type,
        });
    }
    let about = if found.is_wanted {
        About::Past
    } else {
        About::Unwanted
    };
    Ok((found.event, about))
}

/// The type that was asked for, or the first of those that the hook is for.
fn type_of(installation: &Installation, pattern: &str, wanted: Option<&str>) -> Result<String, TrialError> {
    if let Some(name) = wanted {
        if !installation.event_types.contains_key(name) {
            return Err(TrialError::NoType { name: name.into() });
        }
        return match covers(pattern, name) {
            true => Ok(name.into()),
            false => Err(TrialError::NotOfPattern {
                pattern: pattern.into(),
                name: name.into(),
            }),
        };
    }
    let names = installation.event_types.keys();
    let first = names.filter(|name| covers(pattern, name)).min().cloned();
    first.ok_or_else(|| TrialError::NoneOfPattern {
        pattern: pattern.into(),
    })
}

/// An event that is in no log: of no transaction, now.
fn made(hook: &Hook, event_type: &str, data: EventData) -> EventRow {
    let bank = data.value().ok().and_then(|data| data.get("bank_id"));
    EventRow {
        key: EventKey { xid: Xid(0), ord: 0 },
        event_type: event_type.into(),
        user_id: hook.tenant(),
        project_id: None,
        bank_id: bank.and_then(Value::as_str).map(str::to_owned),
        traceparent: None,
        created_at: Timestamp::now(),
        relid: 0,
        data: Arc::new(data),
    }
}
