//! One hook of a file: whether it is there already, and what makes it so. Each call is within a savepoint of the file's
//! transaction.

use serde_json::{Map, Value};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Error, Transaction};
use uuid::Uuid;
use zerodb_hooks_contract::schema::OF_APPLY;

use crate::change::{Action, Change, differences};
use crate::declared::Declared;
use crate::mistake::Mistake;
use crate::statements::{CREATE_HOOK, DELETE_HOOK, SET_ACTIVE, UPDATE_HOOK};
use crate::wish::Wish;

zerodb_hooks_store::row! {
    /// A hook that is there.
    #[derive(Debug)]
    pub struct Present {
        /// The place of the file's hook that it is; `None` where the file has none.
        pub place: Option<i32>,
        pub id: Uuid,
        pub event_type: String,
        pub hook_type: String,
        pub hook_name: String,
        pub project_id: Option<Uuid>,
        pub hook_config: Value,
        pub is_active: bool,
        /// Whether the file's config is the same.
        pub is_same: bool,
    }
}

impl Present {
    pub fn source(&self) -> Option<&str> {
        self.hook_config.get(OF_APPLY).and_then(Value::as_str)
    }

    pub fn change(&self, action: Action, details: Vec<String>) -> Change {
        Change {
            action,
            event_type: self.event_type.clone(),
            hook_type: self.hook_type.clone(),
            hook_name: self.hook_name.clone(),
            project_id: self.project_id,
            details,
        }
    }
}

/// Why a hook is not as the file says.
pub enum Refusal {
    Mistake(Mistake),
    Error(Error),
}

/// # Errors
/// A mistake for what the server says of the hook; else its error.
pub async fn one(
    transaction: &Transaction<'_>,
    declared: &Declared,
    there: Option<&Present>,
    wish: &Wish<'_>,
) -> Result<Option<Change>, Refusal> {
    let made = change(transaction, declared, there, wish).await;
    made.map_err(|refusal| match refusal {
        Refusal::Error(error) => match error.as_db_error() {
            Some(answer) if is_about_hook(answer.code()) => Refusal::Mistake(told(declared, answer)),
            _ => Refusal::Error(error),
        },
        mistake => mistake,
    })
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

async fn change(
    transaction: &Transaction<'_>,
    declared: &Declared,
    there: Option<&Present>,
    wish: &Wish<'_>,
) -> Result<Option<Change>, Refusal> {
    let mut config = declared.config.clone();
    config.insert(OF_APPLY.into(), wish.source.into());
    let Some(there) = there else {
        create(transaction, declared, config).await?;
        return Ok(Some(created(declared)));
    };
    let is_typed = there.hook_type == declared.hook_type;
    let is_active = declared.is_active.unwrap_or(there.is_active);
    let is_same = is_typed && there.is_same && is_active == there.is_active;
    let is_own = there.source() == Some(wish.source);
    if is_same && (is_own || !wish.adopt) {
        return Ok(None);
    }
    if !is_own && !wish.adopt {
        return Err(Refusal::Mistake(stranger(declared, there)));
    }
    if !is_typed {
        transaction.query_one(DELETE_HOOK, &[&there.id]).await?;
        create(transaction, declared, config).await?;
        let details = vec![format!("type: {} → {}", there.hook_type, declared.hook_type)];
        return Ok(Some(there.change(Action::Replace, details)));
    }
    let mut details = Vec::new();
    if !there.is_same || !is_own {
        details = differences(&there.hook_config, &config);
        transaction
            .query_one(UPDATE_HOOK, &[&there.id, &Value::Object(config)])
            .await?;
    }
    if is_active != there.is_active {
        details.push(format!("active: {} → {is_active}", there.is_active));
        transaction
            .query_one(SET_ACTIVE, &[&there.id, &is_active])
            .await?;
    }
    Ok(Some(there.change(Action::Update, details)))
}

async fn create(
    transaction: &Transaction<'_>,
    declared: &Declared,
    config: Map<String, Value>,
) -> Result<(), Error> {
    let config = Value::Object(config);
    let name = declared.hook_name();
    let made = transaction
        .query_one(
            CREATE_HOOK,
            &[
                &declared.event_type,
                &name,
                &config,
                &declared.project_id,
                &declared.hook_type,
            ],
        )
        .await?;
    if declared.is_active == Some(false) {
        let id: Uuid = made.try_get("id")?;
        transaction.query_one(SET_ACTIVE, &[&id, &false]).await?;
    }
    Ok(())
}

fn created(declared: &Declared) -> Change {
    Change {
        action: Action::Create,
        event_type: declared.event_type.clone(),
        hook_type: declared.hook_type.into(),
        hook_name: declared.hook_name().into(),
        project_id: declared.project_id,
        details: Vec::new(),
    }
}

/// A hook of this name that the file has not made.
fn stranger(declared: &Declared, there: &Present) -> Mistake {
    let maker = match there.source() {
        Some(source) => format!("the file {source} made it"),
        None => "no file made it".to_owned(),
    };
    let what = format!("there is a hook '{}' that differs, and {maker}", there.hook_name);
    let hint = "Give this one another `name`, or take that one over with --adopt.";
    Mistake::new(declared.place, &declared.path, what, hint)
}

/// What another session has done in between.
pub fn is_race(code: &SqlState) -> bool {
    let races = [
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::UNIQUE_VIOLATION,
    ];
    races.contains(&code) || *code == SqlState::NO_DATA_FOUND || *code == SqlState::LOCK_NOT_AVAILABLE
}

/// Errors that the server has for a hook; any other one is of the connection, the role or the moment.
fn is_about_hook(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    matches!(class, "22" | "23" | "42" | "53" | "P0") && !is_race(code)
}

/// What the server says of a hook, at the place of the key that it names.
fn told(declared: &Declared, answer: &DbError) -> Mistake {
    let key = answer.column().or_else(|| named_key(answer.message()));
    let (place, path) = match key {
        Some("event_type") => (declared.event_place, format!("hooks.{}", declared.event_type)),
        Some(key) => (declared.place_of(key), format!("{}.{key}", declared.path)),
        None => (declared.place, declared.path.clone()),
    };
    let detail = answer
        .detail()
        .map(|detail| format!(": {}", detail.trim_end_matches('.')));
    let what = format!("{}{}", answer.message(), detail.unwrap_or_default());
    Mistake::new(place, &path, what, answer.hint().unwrap_or_default())
}

/// The key that a message of the contract names, which comes without a column.
fn named_key(message: &str) -> Option<&str> {
    let (before, _) = message.split_once("\" in hook_config")?;
    before.rsplit('"').next()
}

#[cfg(test)]
mod tests {
    use super::named_key;

    #[test]
    fn a_message_of_the_contract_names_its_key() {
        for (message, key) in [
            ("\"url\" in hook_config holds a user or password", Some("url")),
            (
                "invalid value for \"headers.x-a\" in hook_config",
                Some("headers.x-a"),
            ),
            ("the config of a webhook hook needs \"url\"", None),
        ] {
            assert_eq!(named_key(message), key);
        }
    }
}
