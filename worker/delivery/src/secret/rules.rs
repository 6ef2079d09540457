//! The users of each secret and the hosts to which it may go: the rules of the worker's file, and those without it.
//! Pure.
//!
//! A secret that the file does not name is for hooks without a tenant, which administrators make, and any host. One
//! that it names is for the users and hosts that it names and nobody else. The keys of providers are for no hook.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::SecretError;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The rules by the whole name of the variable.
    pub bindings: BTreeMap<String, Binding>,
    /// Variables that providers use.
    pub of_providers: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    pub hosts: Vec<HostPattern>,
    pub users: Users,
}

/// The users whose hooks may use a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// Hooks without a tenant.
    NoTenant,
    Every,
    /// The hooks of these tenants.
    Only(BTreeSet<Uuid>),
}

/// `host`, `*.domain`, either with `:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// The name is that of a domain, and any host within it is meant.
    within: bool,
    name: String,
    port: Option<u16>,
}

impl Rules {
    /// # Errors
    /// `NotOfUser`, `OfProvider`.
    pub fn check_user(&self, name: &str, tenant: Option<Uuid>) -> Result<(), SecretError> {
        let users = self
            .bindings
            .get(name)
            .map_or(&Users::NoTenant, |binding| &binding.users);
        let may = match users {
            Users::NoTenant => tenant.is_none(),
            Users::Every => true,
            Users::Only(users) => tenant.is_some_and(|tenant| users.contains(&tenant)),
        };
        match may {
            false => Err(SecretError::NotOfUser { name: name.into() }),
            true if self.of_providers.contains(name) => Err(SecretError::OfProvider { name: name.into() }),
            true => Ok(()),
        }
    }

    /// # Errors
    /// `NotOfHost`.
    pub fn check_host(&self, name: &str, host: &str, port: Option<u16>) -> Result<(), SecretError> {
        match self.bindings.get(name) {
            Some(binding) if !binding.hosts.iter().any(|pattern| pattern.matches(host, port)) => {
                Err(SecretError::NotOfHost { name: name.into() })
            }
            _ => Ok(()),
        }
    }
}

impl HostPattern {
    /// `None` when it is not the name of a host or a domain.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => {
                (name, Some(port.parse().ok()?))
            }
            _ => (text.as_str(), None),
        };
        let (within, name) = match name.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, name),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_ipv6 = name.starts_with('[') && name.ends_with(']') && !within;
        let is_name =
            !name.is_empty() && name.chars().all(plain) && !name.starts_with('.') && !name.ends_with('.');
        (is_ipv6 || is_name).then(|| Self {
            within,
            name: name.to_owned(),
            port,
        })
    }

    pub fn names_a_port(&self) -> bool {
        self.port.is_some()
    }

    /// `host` as a URL has it, in lower case.
    pub fn matches(&self, host: &str, port: Option<u16>) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let named = if self.within {
            host.strip_suffix(&self.name)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|rest| !rest.is_empty())
        } else {
            host == self.name
        };
        named && (self.port.is_none() || self.port == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "ZERODB_SECRET_A";

    fn rules(hosts: &[&str], users: Users) -> Rules {
        let hosts = hosts
            .iter()
            .map(|host| HostPattern::parse(host).unwrap())
            .collect();
        Rules {
            bindings: [(NAME.to_owned(), Binding { hosts, users })].into(),
            of_providers: ["ZERODB_SECRET_P".to_owned()].into(),
        }
    }

    #[test]
    fn hosts_match_as_they_are_written() {
        let rules = rules(
            &["api.example.com", "*.Example.org", "127.0.0.1:81", "[::1]"],
            Users::Every,
        );
        for (host, port, may) in [
            ("api.example.com", Some(443), true),
            ("api.example.com.", Some(443), true),
            ("xapi.example.com", None, false),
            ("example.com", None, false),
            ("a.b.example.org", None, true),
            ("example.org", None, false),
            ("evilexample.org", None, false),
            (".example.org", None, false),
            ("example.org.evil.net", None, false),
            ("127.0.0.1", Some(81), true),
            ("127.0.0.1", Some(82), false),
            ("[::1]", Some(1), true),
        ] {
            assert_eq!(rules.check_host(NAME, host, port).is_ok(), may, "{host}");
        }
        assert!(rules.check_host("ZERODB_SECRET_B", "anywhere", None).is_ok());
    }

    #[test]
    fn users_are_those_that_are_named() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for (users, of_none, of_one, of_two) in [
            (Users::NoTenant, true, false, false),
            (Users::Every, true, true, true),
            (Users::Only([one].into()), false, true, false),
        ] {
            let rules = rules(&["h"], users);
            let may = |tenant| rules.check_user(NAME, tenant).is_ok();
            assert_eq!(
                (may(None), may(Some(one)), may(Some(two))),
                (of_none, of_one, of_two)
            );
        }
    }

    #[test]
    fn a_providers_key_is_for_no_hook() {
        let refused = rules(&["h"], Users::Every).check_user("ZERODB_SECRET_P", None);
        assert!(matches!(refused, Err(SecretError::OfProvider { .. })));
    }

    #[test]
    fn what_is_no_host_is_no_pattern() {
        for text in [
            "",
            "*",
            "*.",
            "https://a",
            "a/b",
            "a b",
            "a:b",
            "*a.b",
            "a.*.b",
            "a:99999",
            ".a",
        ] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }
}
