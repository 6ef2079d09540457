//! A hook as the worker knows it: a row of `zerodb_hooks`, at one version. Pure.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;
use zerodb_hooks_contract::hook_type::FIRST_PARTY;
use zerodb_hooks_contract::hooks::DISABLE_AFTER_HOURS;
use zerodb_hooks_contract::{Config, Fault, HookSettings, HookType};

use crate::outcome::HandlerError;
use crate::retry::Policy;

/// The owner and the user that work is done for. Turns are shared out by it: by owner, and by tenant within an owner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Party {
    pub owner: Option<Arc<str>>,
    pub user_id: Uuid,
}

/// A hook that asks for something, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    pub party: Party,
    pub hook: Uuid,
}

#[derive(Clone, Debug)]
pub struct Hook {
    pub id: Uuid,
    /// Changes with every write of the row; a cached hook of another version is loaded again.
    pub version: i64,
    pub user_id: Uuid,
    /// The role that made it, as the database names it; `None` for a role that is gone.
    pub owner: Option<Arc<str>>,
    pub hook_type: HookType,
    pub name: String,
    /// What its config says, or why it cannot be read.
    pub settings: Result<HookSettings, Fault>,
    pub policy: Policy,
    /// The signing secrets that were made for it, newest first; empty where its config says which one signs.
    pub signing: Arc<[SigningSecret]>,
}

/// A signing secret as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecret {
    /// 0 stands for what signed before the first one was made.
    pub number: i32,
    /// `None` for one that nobody has drawn yet.
    pub sealed: Option<Vec<u8>>,
    /// `None` for the newest.
    pub valid_until: Option<Timestamp>,
}

impl Hook {
    /// From the columns of its row. The config is read here, once.
    pub fn new(id: Uuid, version: i64, user_id: Uuid, hook_type: &str, name: String, config: &Value) -> Self {
        let (hook_type, settings) = match HookType::of(hook_type, &name) {
            Ok(hook_type) => {
                let settings = HookSettings::read(&hook_type, config);
                (hook_type, settings)
            }
            // Another worker may have a handler of that name.
            Err(fault) => {
                let handler = if hook_type == FIRST_PARTY {
                    &name
                } else {
                    hook_type
                };
                let name = handler.to_owned();
                (HookType::Function { name }, Err(fault))
            }
        };
        Self {
            id,
            version,
            user_id,
            owner: None,
            policy: Policy::of(&hook_type, settings.as_ref().ok()),
            hook_type,
            name,
            settings,
            signing: Arc::default(),
        }
    }

    /// The config of a hook of one type.
    ///
    /// # Errors
    /// Permanent, where the config cannot be read or is of another type.
    pub fn config<C: Config>(&self) -> Result<&C, HandlerError> {
        match &self.settings {
            Ok(settings) => C::of(&settings.config)
                .ok_or_else(|| HandlerError::permanent("the hook is of another type than its handler")),
            Err(fault) => Err(HandlerError::permanent(fault.to_string())),
        }
    }

    /// Deliveries of it, or packs of them, that one worker runs at once; `None` where its config does not say.
    pub fn concurrency(&self) -> Option<usize> {
        let concurrency = self.settings.as_ref().ok()?.delivery.concurrency?;
        Some(concurrency.as_usize())
    }

    /// The time of failing after which it is switched off; `None` for never.
    pub fn disable_after(&self) -> Option<Duration> {
        let hours = match &self.settings {
            Ok(settings) => settings.delivery.disable_after_hours,
            Err(_) => DISABLE_AFTER_HOURS,
        };
        let hours = u64::from(hours.get());
        (hours > 0).then(|| Duration::from_secs(hours * 3600))
    }

    pub fn party(&self) -> Party {
        Party {
            owner: self.owner.clone(),
            user_id: self.user_id,
        }
    }

    /// The principal for work on rows of `tenant`: a hook of every user asks for each of them.
    pub fn principal(&self, tenant: Option<Uuid>) -> Principal {
        let own = self.party();
        Principal {
            party: Party {
                user_id: tenant.unwrap_or(own.user_id),
                ..own
            },
            hook: self.id,
        }
    }

    /// The same hook with no longer a deadline than hooks of its type have by default.
    #[must_use]
    pub fn within_default_timeout(&self) -> Self {
        let default = Duration::from_millis(self.hook_type.timeout_ms().into());
        let mut hook = self.clone();
        hook.policy.timeout = hook.policy.timeout.min(default);
        hook
    }

    /// The name of the handler that runs it.
    pub fn handler(&self) -> &str {
        self.hook_type.handler()
    }

    /// The user whose rows it may touch; `None` for a hook of no user, which serves all.
    pub fn tenant(&self) -> Option<Uuid> {
        (!self.user_id.is_nil()).then_some(self.user_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zerodb_hooks_contract::hooks::{Log, Webhook};

    use super::*;

    fn hook(hook_type: &str, name: &str, config: &Value) -> Hook {
        Hook::new(Uuid::nil(), 1, Uuid::nil(), hook_type, name.into(), config)
    }

    #[test]
    fn an_hours_deadline_is_cut_to_the_default_and_a_shorter_one_stays() {
        let timeout_of = |timeout_ms| {
            let config = json!({"url": "https://a.example", "timeout_ms": timeout_ms});
            let hook = hook("webhook", "h", &config).within_default_timeout();
            hook.policy.timeout.as_millis()
        };
        assert_eq!(timeout_of(3_600_000), 5_000);
        assert_eq!(timeout_of(700), 700);
    }

    #[test]
    fn what_cannot_be_read_is_given_up_with_its_reason() {
        let unreadable = hook("webhook", "h", &json!({"url": 5}));
        assert_eq!(unreadable.handler(), "webhook");
        let refused = unreadable.config::<Webhook>().unwrap_err();
        assert!(matches!(refused, HandlerError::Permanent { .. }));
        assert!(refused.to_string().contains("\"url\""), "{refused}");
        assert!(hook("log", "h", &json!({})).config::<Webhook>().is_err());
        assert!(hook("log", "h", &json!({})).config::<Log>().is_ok());
    }

    /// As after an update of the extension that this worker has not had.
    #[test]
    fn a_type_that_is_not_known_is_that_of_a_handler_that_is_not_there() {
        assert_eq!(hook("telepathy", "h", &json!({})).handler(), "telepathy");
        assert_eq!(
            hook("first_party", "auto_magic", &json!({})).handler(),
            "auto_magic"
        );
        assert_eq!(hook("function", "mine", &json!([])).handler(), "mine");
    }
}
