//! From a hook's row to its typed settings. What can be read is read: a row that is there may be older than a rule that
//! [`check`](crate::check) has for new ones.

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::hooks::{DeliverySettings, HookConfig, HookType};

/// The config of one type of hooks.
pub trait Config: Sized + 'static {
    /// `None` where the config is of another type.
    fn of(config: &HookConfig) -> Option<&Self>;
}

/// What a hook's config says.
#[derive(Clone, Debug, PartialEq)]
pub struct HookSettings {
    pub delivery: DeliverySettings,
    pub config: HookConfig,
}

impl HookSettings {
    /// # Errors
    /// With the path of the first key that cannot be read, or the one that is missing.
    pub fn read(hook_type: &HookType, config: &Value) -> Result<Self, Fault> {
        let config = config.as_object().ok_or(Fault::ConfigNotAnObject)?;
        Ok(Self {
            delivery: DeliverySettings::read(config)?,
            config: HookConfig::read(hook_type, config)?,
        })
    }

    pub fn max_attempts(&self) -> u32 {
        let own = self.delivery.max_attempts.map(|most| most.get());
        own.unwrap_or_else(|| self.config.max_attempts())
    }

    /// Milliseconds that one attempt may take.
    pub fn timeout_ms(&self, hook_type: &HookType) -> u32 {
        let own = self.delivery.timeout_ms.map(|most| most.get());
        own.unwrap_or_else(|| hook_type.timeout_ms())
    }
}

/// The value of a key; one that is null was left out.
pub(crate) fn given<'c>(config: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    config.get(name).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::hooks::{Format, Method, Webhook};

    fn read(hook_type: &str, name: &str, config: &str) -> Result<HookSettings, Fault> {
        let hook_type = HookType::of(hook_type, name)?;
        HookSettings::read(&hook_type, &serde_json::from_str(config).unwrap())
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let settings = read("webhook", "w", r#"{"url": "https://a.example", "method": null}"#).unwrap();
        let webhook = Webhook::of(&settings.config).unwrap();
        assert_eq!((webhook.method, webhook.format), (Method::Post, Format::Native));
        assert_eq!(webhook.body_template, None);
        assert_eq!(
            (settings.max_attempts(), settings.timeout_ms(&HookType::Webhook)),
            (3, 5_000)
        );
    }

    #[test]
    fn a_number_of_attempts_goes_before_a_number_of_retries() {
        let settings = r#"{"url": "https://a.example", "retry_count": 0, "max_attempts": 7}"#;
        assert_eq!(read("webhook", "w", settings).unwrap().max_attempts(), 7);
        assert_eq!(
            read("sql", "s", r#"{"function": "f"}"#).unwrap().max_attempts(),
            5
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let said = |hook_type, config| read(hook_type, "x", config).unwrap_err().to_string();
        assert!(said("webhook", "{}").contains("\"url\""));
        assert!(
            said("webhook", r#"{"url": "https://a", "headers": {"x-a": 1}}"#).contains("\"headers.x-a\"")
        );
        assert!(said("log", r#"{"timeout_ms": 0}"#).contains("from 1 to 3600000"));
        assert!(said("log", "[1]").contains("object"));
    }

    /// A rule for new hooks stops none that is there.
    #[test]
    fn an_older_row_is_read() {
        let old = r#"{"url": "https://a.example", "secret": "written out", "unknown": 1}"#;
        assert!(read("webhook", "w", old).is_ok());
    }

    #[test]
    fn a_handler_of_ones_own_gets_every_digit() {
        let text = r#"{"big":12345678901234567890.123456789012345678901,"retry_delay_ms":20}"#;
        let settings = read("function", "mine", text).unwrap();
        assert_eq!(settings.config.retry_delay_ms(), 20);
        let HookConfig::Function(function) = settings.config else {
            unreachable!("a function's config")
        };
        assert_eq!(json!(function.own).to_string(), text);
    }
}
