//! The text of the row that an event is about, for a webhook with `include_content`: read with the rights of the hook's
//! owner, and added to the event's data. It must show the text, and what a table's code says, to nobody else.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use zerodb_hooks_contract::hooks::Webhook;
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::event::Event;
use zerodb_hooks_delivery::event_data::EventData;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::{Context, verdict};
use zerodb_hooks_store::StoreError;

/// The longest text that is sent, in bytes; `zerodb._content_limit` is the same number of characters.
const MOST: usize = 1024 * 1024;
const CONTENT: &str = "content";
const TRUNCATED: &str = "content_truncated";

/// A row's text, as the action `content_read` answers. `None` for a row without one.
#[derive(Default, Deserialize)]
struct Content {
    content: Option<String>,
    truncated: Option<bool>,
}

/// The delivery with the row's text in the event's data, where the hook asks for it; null where there is none, or none
/// that the hook's owner may read. Data that have a field of the name keep their own.
///
/// # Errors
/// Deferred while the database is away; transient when the table could not be read. Safe to cancel.
pub async fn added<'a>(
    context: &Context,
    delivery: &'a Delivery,
    config: &Webhook,
) -> Result<Cow<'a, Delivery>, HandlerError> {
    if !config.include_content || delivery.event.data.field(CONTENT).is_some() {
        return Ok(Cow::Borrowed(delivery));
    }
    let event = with(&delivery.event, read(context, delivery).await?);
    Ok(Cow::Owned(Delivery {
        event: Arc::new(event),
        ..delivery.clone()
    }))
}

async fn read(context: &Context, delivery: &Delivery) -> Result<Content, HandlerError> {
    let (hook, event) = (delivery.hook.id, &delivery.event);
    if event.relid == 0 {
        return Ok(Content::default());
    }
    let args = json!({ "event_id": event.id.to_string() });
    let store = &context.store;
    match store
        .as_owner(hook, event.relid, "content_read", &args, None)
        .await
    {
        Ok(found) => serde_json::from_value::<Option<Content>>(found)
            .map(Option::unwrap_or_default)
            .map_err(|error| verdict::of_answer(&error)),
        Err(error) => refused(&error),
    }
}

/// No content where the table gives the hook none: waiting does not mend it, and the event is worth telling.
fn refused(error: &StoreError) -> Result<Content, HandlerError> {
    match error {
        StoreError::Misfit { .. } => Ok(Content::default()),
        error if error.is_config() => Ok(Content::default()),
        // Its message may be by the table's code, of the text.
        StoreError::Database { sqlstate, .. } => Err(HandlerError::transient(format!(
            "content: the row was not read, SQLSTATE {sqlstate}"
        ))),
        error => Err(verdict::of_table(error)),
    }
}

fn with(event: &Event, Content { content, truncated }: Content) -> Event {
    let content = content.map(|mut text| {
        text.truncate(text.floor_char_boundary(MOST));
        text
    });
    let mut data = event.data.with_field(CONTENT, &content.into());
    if truncated == Some(true) {
        data = data.with_field(TRUNCATED, &Value::Bool(true));
    }
    let fields = event.fields.as_ref().map(|known| {
        let known = known.iter().cloned();
        known.chain([CONTENT, TRUNCATED].map(str::to_owned)).collect()
    });
    Event {
        data: Arc::<EventData>::new(data),
        fields,
        ..event.clone()
    }
}
