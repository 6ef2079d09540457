//! References to secrets: `${ZERODB_SECRET_NAME}` in a hook's config. Only variables with that prefix can be named, so
//! that a hook cannot read the rest of the worker's environment; the rules of the worker's file say whose and where
//! each may be used. Values never appear in an error, a log or a row.

mod masking;
mod rules;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use uuid::Uuid;

pub use rules::{Binding, HostPattern, Rules, Users};
pub use zerodb_hooks_contract::secret::{PREFIX, PROVIDER_PREFIX, SIGNING, references};
use zerodb_hooks_contract::secret::{Part, parts};

/// The key under which signing secrets are sealed. No text can refer to it.
pub const SEALING: &str = "ZERODB_SEALING_KEY";

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    #[error("the secret {name} is not set where the worker runs")]
    NotSet { name: String },
    #[error("only variables named {PREFIX}… can be referenced, not {name}")]
    NotASecret { name: String },
    #[error("a reference is not closed: expected ${{{PREFIX}NAME}}")]
    NotClosed,
    #[error("the secret {name} is not bound to this hook's user in the worker's file")]
    NotOfUser { name: String },
    #[error("the secret {name} is not bound to this hook's host in the worker's file")]
    NotOfHost { name: String },
    #[error("the variable {name} is the key of a provider, which hooks cannot use")]
    OfProvider { name: String },
}

/// The secrets of the environment, read once, and the rules for their use.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Arc<HashMap<String, String>>,
    rules: Arc<Rules>,
}

impl Secrets {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let named =
            |name: &str| name.starts_with(PREFIX) || name.starts_with(PROVIDER_PREFIX) || name == SEALING;
        let values = variables.into_iter().filter(|(name, _)| named(name)).collect();
        Self {
            values: Arc::new(values),
            rules: Arc::default(),
        }
    }

    /// The same secrets under the rules of a file.
    #[must_use]
    pub fn under(self, rules: Rules) -> Self {
        Self {
            rules: Arc::new(rules),
            ..self
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Replaces every reference in a text of the worker's own file, which may name the keys of providers too.
    ///
    /// # Errors
    /// `NotSet`, `NotASecret`, `NotClosed`.
    pub fn expand(&self, text: &str) -> Result<String, SecretError> {
        replace(text, |name| {
            if !name.starts_with(PREFIX) && !name.starts_with(PROVIDER_PREFIX) {
                return Err(SecretError::NotASecret { name: name.into() });
            }
            self.get(name)
                .ok_or_else(|| SecretError::NotSet { name: name.into() })
        })
    }

    /// The secrets that a hook of `tenant`, or of none, may use.
    pub fn of_hook(&self, tenant: Option<Uuid>) -> HookSecrets<'_> {
        HookSecrets {
            secrets: self,
            tenant,
            used: BTreeSet::new(),
        }
    }
}

/// The secrets for one delivery. Every name that was replaced must be permitted for the host before anything is sent.
pub struct HookSecrets<'a> {
    secrets: &'a Secrets,
    tenant: Option<Uuid>,
    used: BTreeSet<String>,
}

impl HookSecrets<'_> {
    /// Replaces every reference in a text of the hook's config.
    ///
    /// # Errors
    /// A secret that is not for this hook's user is refused before it is known whether it is set.
    pub fn expand(&mut self, text: &str) -> Result<String, SecretError> {
        let Self {
            secrets,
            tenant,
            used,
        } = self;
        replace(text, |name| {
            if !name.starts_with(PREFIX) {
                return Err(SecretError::NotASecret { name: name.into() });
            }
            secrets.rules.check_user(name, *tenant)?;
            used.insert(name.to_owned());
            secrets
                .get(name)
                .ok_or_else(|| SecretError::NotSet { name: name.into() })
        })
    }

    /// Refuses a host to which one of the secrets that were expanded may not go.
    ///
    /// # Errors
    /// `NotOfHost` with the first that may not.
    pub fn check_host(&self, host: &str, port: Option<u16>) -> Result<(), SecretError> {
        self.used
            .iter()
            .try_for_each(|name| self.secrets.rules.check_host(name, host, port))
    }
}

fn replace<'v>(
    text: &str,
    mut value: impl FnMut(&str) -> Result<&'v str, SecretError>,
) -> Result<String, SecretError> {
    let mut expanded = String::with_capacity(text.len());
    for part in parts(text) {
        expanded.push_str(match part {
            Part::Plain(plain) => plain,
            Part::Reference(name) => value(name)?,
            Part::NotClosed(_) => return Err(SecretError::NotClosed),
        });
    }
    Ok(expanded)
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new([
            ("ZERODB_SECRET_KEY".into(), "k3y".into()),
            ("ZERODB_PROVIDER_KEY".into(), "pr0v".into()),
            ("HOME".into(), "/root".into()),
        ])
    }

    #[test]
    fn references_are_replaced() {
        let text = "Bearer ${ZERODB_SECRET_KEY}!";
        assert_eq!(secrets().expand(text).unwrap(), "Bearer k3y!");
        assert_eq!(secrets().of_hook(None).expand(text).unwrap(), "Bearer k3y!");
        assert_eq!(secrets().expand("${ZERODB_PROVIDER_KEY}").unwrap(), "pr0v");
    }

    #[test]
    fn other_variables_are_refused_and_absent_ones_named() {
        for name in ["HOME", "ZERODB_PROVIDER_KEY", ""] {
            let refused = secrets().of_hook(None).expand(&format!("${{{name}}}"));
            assert_eq!(refused, Err(SecretError::NotASecret { name: name.into() }));
        }
        let absent = SecretError::NotSet {
            name: "ZERODB_SECRET_X".into(),
        };
        assert_eq!(secrets().expand("${ZERODB_SECRET_X}"), Err(absent));
        assert_eq!(
            secrets().expand("${ZERODB_SECRET_KEY"),
            Err(SecretError::NotClosed)
        );
    }

    #[test]
    fn without_a_file_a_tenants_hook_has_no_secret_and_does_not_learn_which_are_set() {
        let tenant = Some(Uuid::from_u128(1));
        for name in ["ZERODB_SECRET_KEY", "ZERODB_SECRET_X"] {
            let refused = secrets().of_hook(tenant).expand(&format!("${{{name}}}"));
            assert_eq!(refused, Err(SecretError::NotOfUser { name: name.into() }));
        }
    }

    #[test]
    fn values_are_not_shown() {
        assert!(!format!("{:?}", secrets()).contains("k3y"));
    }
}
