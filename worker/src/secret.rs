//! References to secrets: `${ZERODB_SECRET_NAME}` in a hook's config. Only variables with that prefix can be named, so
//! that a hook cannot read the rest of the worker's environment. Values never appear in an error, a log or a row.

use std::collections::HashMap;

const OPEN: &str = "${";
const PREFIX: &str = "ZERODB_SECRET_";

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    #[error("the secret {name} is not set where the worker runs")]
    NotSet { name: String },
    #[error("only variables named {PREFIX}… can be referenced, not {name}")]
    NotASecret { name: String },
    #[error("a reference is not closed: expected ${{{PREFIX}NAME}}")]
    NotClosed,
}

/// The secrets of the environment, read once.
#[derive(Clone, Default)]
pub struct Secrets(HashMap<String, String>);

impl Secrets {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            variables
                .into_iter()
                .filter(|(name, _)| name.starts_with(PREFIX))
                .collect(),
        )
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Replaces every reference in `text` by its value.
    pub fn expand(&self, text: &str) -> Result<String, SecretError> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(OPEN) {
            expanded.push_str(&rest[..start]);
            let (name, after) = rest[start + OPEN.len()..]
                .split_once('}')
                .ok_or(SecretError::NotClosed)?;
            if !name.starts_with(PREFIX) {
                return Err(SecretError::NotASecret { name: name.into() });
            }
            expanded.push_str(
                self.get(name)
                    .ok_or_else(|| SecretError::NotSet { name: name.into() })?,
            );
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new([
            ("ZERODB_SECRET_KEY".into(), "k3y".into()),
            ("HOME".into(), "/root".into()),
        ])
    }

    #[test]
    fn references_are_replaced() {
        assert_eq!(
            secrets().expand("Bearer ${ZERODB_SECRET_KEY}!").unwrap(),
            "Bearer k3y!"
        );
    }

    #[test]
    fn other_variables_are_refused_and_absent_ones_named() {
        assert_eq!(
            secrets().expand("${HOME}"),
            Err(SecretError::NotASecret { name: "HOME".into() })
        );
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
    fn values_are_not_shown() {
        assert!(!format!("{:?}", secrets()).contains("k3y"));
    }
}
