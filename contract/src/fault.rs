//! What can be wrong with a hook, in words: what happened, why, what to do. Never holds a value of a config, which may
//! be a secret that somebody wrote there.

use std::fmt;

use crate::secret::{self, PREFIX};

/// Why a hook cannot be made, or its config not be read. A key is told with its path: `headers.x-team`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    UnknownHookType {
        hook_type: String,
        known: Vec<&'static str>,
    },
    UnknownFirstParty {
        hook_name: String,
        known: Vec<&'static str>,
        /// The other texts of the column `hook_type`.
        others: Vec<&'static str>,
    },
    BadHookName {
        hook_name: String,
    },
    ConfigNotAnObject,
    UnknownKey {
        key: String,
        handler: &'static str,
        known: Vec<&'static str>,
    },
    MissingKey {
        key: &'static str,
        handler: &'static str,
    },
    /// One of them makes the other do nothing.
    ExcludedKey {
        key: &'static str,
        other: &'static str,
    },
    BadValue {
        key: String,
        expected: String,
    },
    LiteralSecret {
        key: String,
    },
    UserInUrl {
        key: String,
    },
    ForeignVariable {
        key: String,
        /// What the variable would have to be called, where it has a name.
        renamed: Option<String>,
    },
    PrivateAddress {
        key: String,
    },
    ReservedHeader {
        name: String,
    },
    BadTemplate {
        key: String,
        reason: String,
    },
    ReferenceInTemplate {
        key: String,
    },
    ReferenceInTag {
        key: String,
    },
}

impl Fault {
    pub(crate) fn bad_value(key: &str, expected: impl Into<String>) -> Self {
        Self::BadValue {
            key: key.into(),
            expected: expected.into(),
        }
    }

    /// A text of a config refers to a variable that is no secret.
    pub(crate) fn foreign_variable(key: &str, text: &str) -> Self {
        Self::ForeignVariable {
            key: key.into(),
            renamed: secret::first_foreign(text).and_then(secret::renamed),
        }
    }

    /// The key that is wrong, with its path; `None` where it is the hook as a whole.
    pub fn path(&self) -> Option<String> {
        match self {
            Self::UnknownKey { key, .. }
            | Self::BadValue { key, .. }
            | Self::LiteralSecret { key }
            | Self::UserInUrl { key }
            | Self::ForeignVariable { key, .. }
            | Self::PrivateAddress { key }
            | Self::ReferenceInTag { key }
            | Self::BadTemplate { key, .. }
            | Self::ReferenceInTemplate { key } => Some(key.clone()),
            Self::ReservedHeader { name } => Some(format!("headers.{name}")),
            Self::MissingKey { key, .. } | Self::ExcludedKey { key, .. } => Some((*key).into()),
            _ => None,
        }
    }

    /// What happened, to what.
    pub fn message(&self) -> String {
        match self {
            Self::UnknownHookType { hook_type, .. } => format!("unknown hook type '{hook_type}'"),
            Self::UnknownFirstParty { hook_name, .. } => format!("'{hook_name}' is not a first-party hook"),
            Self::BadHookName { hook_name } => format!("invalid hook name '{hook_name}'"),
            Self::ConfigNotAnObject => "hook_config must be a JSON object".into(),
            Self::UnknownKey { key, handler, .. } => {
                format!("unknown key \"{key}\" in the config of a {handler} hook")
            }
            Self::MissingKey { key, handler } => format!("the config of a {handler} hook needs \"{key}\""),
            Self::ExcludedKey { key, other } => {
                format!("\"{key}\" and \"{other}\" in hook_config exclude each other")
            }
            Self::BadValue { key, .. } => format!("invalid value for \"{key}\" in hook_config"),
            Self::LiteralSecret { key } => format!("\"{key}\" in hook_config holds a literal secret"),
            Self::UserInUrl { key } => format!("\"{key}\" in hook_config holds a user or password"),
            Self::ForeignVariable { key, .. } => {
                format!("\"{key}\" in hook_config refers to a variable that is no secret")
            }
            Self::PrivateAddress { key } => {
                format!("\"{key}\" in hook_config leads to an address that is not public")
            }
            Self::ReservedHeader { name } => format!("a hook cannot set the header \"{name}\""),
            Self::BadTemplate { key, .. } => format!("\"{key}\" in hook_config is not a template"),
            Self::ReferenceInTag { key } => {
                format!("\"{key}\" in hook_config refers to a secret within a tag")
            }
            Self::ReferenceInTemplate { key } => format!("\"{key}\" in hook_config refers to a variable"),
        }
    }

    /// Why, as a sentence.
    pub fn detail(&self) -> Option<String> {
        Some(match self {
            Self::UnknownKey { known, .. } => format!("Its keys: {}.", known.join(", ")),
            Self::BadValue { expected, .. } => format!("Expected {expected}."),
            Self::LiteralSecret { .. } => {
                "A secret never reaches a row; the worker reads it from its environment.".into()
            }
            Self::UserInUrl { .. } => "A URL is kept in the row as it is.".into(),
            Self::ForeignVariable { .. } => {
                format!("Of the worker's environment only variables named {PREFIX}… can be used.")
            }
            Self::PrivateAddress { .. } => {
                "Addresses of the machine itself, of private networks and of a cloud's own services are refused.".into()
            }
            Self::ReservedHeader { .. } => {
                "It belongs to the connection, to the request's place and length, or to its signature.".into()
            }
            Self::BadTemplate { reason, .. } => format!("It is Jinja2: {reason}."),
            Self::ReferenceInTemplate { .. } | Self::ReferenceInTag { .. } => {
                "A template never sees a secret.".into()
            }
            _ => return None,
        })
    }

    /// What to do.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownHookType { known, .. } => format!("Use {}.", or(known)),
            Self::UnknownFirstParty { known, others, .. } => {
                let others: Vec<String> = others.iter().map(|text| format!("'{text}'")).collect();
                let others: Vec<&str> = others.iter().map(String::as_str).collect();
                format!("Use {}, or give hook_type => {}.", or(known), or(&others))
            }
            Self::ForeignVariable {
                renamed: Some(name), ..
            } => format!("Rename it: write ${{{name}}}, and set that variable where the worker runs."),
            other => other.advice().into(),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::BadHookName { .. } => {
                "A name starts with a letter or digit and goes on with letters, digits, '_', '-' or '.', at most 100."
            }
            Self::ConfigNotAnObject => "For example '{\"url\": \"https://example.com/hook\"}', or '{}'.",
            Self::UnknownKey { .. } => "Remove the key or correct its name.",
            Self::MissingKey { .. } => "Add the key to hook_config.",
            Self::ExcludedKey { .. } => "Leave one of them out.",
            Self::LiteralSecret { .. } => {
                "Write \"${ZERODB_SECRET_NAME}\" and set that variable where the worker runs."
            }
            Self::UserInUrl { .. } => {
                "Put it into a header: \"headers\": {\"authorization\": \"Basic ${ZERODB_SECRET_NAME}\"}, \
                 or the whole URL into a secret: \"url\": \"${ZERODB_SECRET_NAME}\"."
            }
            Self::ForeignVariable { .. } => {
                "Write ${ZERODB_SECRET_NAME}, with capitals, digits and '_', \
                 and set that variable where the worker runs."
            }
            Self::PrivateAddress { .. } => {
                "Give a public address. For receivers of your own set zerodb.allow_private_addresses, and either start the \
                 worker with --allow-private-addresses or name their hosts in its file."
            }
            Self::ReservedHeader { .. } => "Leave the header out; the worker sets what the request needs.",
            Self::BadTemplate { .. } => "Correct the template.",
            Self::ReferenceInTag { .. } => "Write ${ZERODB_SECRET_NAME} outside of {{ }} and {% %}.",
            Self::ReferenceInTemplate { .. } => {
                "Put the secret into a header or the URL of a webhook; write {{ '${' }} for the characters themselves."
            }
            Self::BadValue { .. } | Self::UnknownHookType { .. } | Self::UnknownFirstParty { .. } => {
                "Correct the value."
            }
        }
    }
}

/// "a, b or c".
fn or(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).into(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// On one line, for a log or a delivery's last error.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        match self.detail() {
            Some(detail) => write!(f, ": {}", detail.trim_end_matches('.')),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
