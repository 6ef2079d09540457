//! The block `secrets`: to which hosts and for which users each secret is. Without it, and for what it does not name,
//! the rules of `secret::Rules` hold.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Spanned;
use uuid::Uuid;
use zerodb_hooks_contract::secret::is_name;

use super::ConfigError;
use super::file::{Entry, Secret};
use zerodb_hooks_delivery::secret::{
    Binding, HostPattern, PREFIX, PROVIDER_PREFIX, Rules, Users, references,
};

/// The word for all users, and for hooks without one.
const EVERY: &str = "every";

/// # Errors
/// With the line and the key, for a value that is no host or user, and for a secret that is the key of a provider too.
pub fn rules<'f>(
    file: &str,
    entries: Option<BTreeMap<String, Spanned<Secret>>>,
    providers: impl Iterator<Item = (&'f String, &'f Spanned<Entry>)>,
) -> Result<Rules, ConfigError> {
    let of_providers: BTreeSet<String> = providers.flat_map(|(_, entry)| keys(&entry.value)).collect();
    let mut bindings = BTreeMap::new();
    for (written, entry) in entries.unwrap_or_default() {
        let line = entry.referenced.line();
        let wrong = |what: &str| ConfigError(format!("{file}:{line}: secrets.{written}: {what}"));
        let name = match written.strip_prefix(PREFIX) {
            Some(_) => written.clone(),
            None => format!("{PREFIX}{written}"),
        };
        if written.starts_with(PROVIDER_PREFIX) {
            return Err(wrong(
                "the key of a provider, which no hook can use; leave it out",
            ));
        }
        if !is_name(&name) {
            return Err(wrong(
                "not the name of a secret; write ZERODB_SECRET_NAME, in capitals",
            ));
        }
        if of_providers.contains(&name) {
            return Err(wrong(
                "a provider uses it, so no hook can; give the provider a variable ZERODB_PROVIDER_NAME",
            ));
        }
        let binding = binding(file, &written, entry)?;
        if bindings.insert(name, binding).is_some() {
            return Err(wrong("there twice, with and without the prefix; leave one"));
        }
    }
    Ok(Rules {
        bindings,
        of_providers,
    })
}

fn binding(file: &str, name: &str, entry: Spanned<Secret>) -> Result<Binding, ConfigError> {
    let line = entry.referenced.line();
    let wrong = |line, key: &str, what: &str| {
        Err(ConfigError(format!(
            "{file}:{line}: secrets.{name}.{key}: {what}"
        )))
    };
    let Secret { hosts, users } = entry.value;
    let mut patterns = Vec::new();
    for host in hosts.unwrap_or_default() {
        match HostPattern::parse(&host.value) {
            Some(pattern) => patterns.push(pattern),
            None => {
                let what = "not a host; write api.example.com, *.example.com or either with :port";
                return wrong(host.referenced.line(), "hosts", what);
            }
        }
    }
    if patterns.is_empty() {
        return wrong(
            line,
            "hosts",
            "missing; name the hosts to which the secret may be sent",
        );
    }
    let Some(named) = users else {
        return Ok(Binding {
            hosts: patterns,
            users: Users::NoTenant,
        });
    };
    let mut ids = BTreeSet::new();
    for user in &named {
        match Uuid::try_parse(&user.value) {
            _ if user.value == EVERY => {}
            Ok(id) if !id.is_nil() => drop(ids.insert(id)),
            _ => {
                return wrong(
                    user.referenced.line(),
                    "users",
                    "not a user; write a user's UUID, or \"every\"",
                );
            }
        }
    }
    let users = match named.iter().any(|user| user.value == EVERY) {
        true => Users::Every,
        false if ids.is_empty() => {
            return wrong(
                line,
                "users",
                "empty; name users, or leave it out for hooks without one",
            );
        }
        false => Users::Only(ids),
    };
    Ok(Binding {
        hosts: patterns,
        users,
    })
}

/// The variables that an entry of `providers` references.
fn keys(entry: &Entry) -> impl Iterator<Item = String> {
    let headers = entry.headers.iter().flat_map(BTreeMap::values);
    let texts = entry.api_key.iter().chain(headers);
    texts.flat_map(|text| references(&text.value).map(str::to_owned).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use zerodb_hooks_delivery::secret::Secrets;

    fn parse(text: &str) -> Result<Rules, String> {
        let secrets = Secrets::new([
            ("ZERODB_SECRET_OLD".to_owned(), "k3y".to_owned()),
            ("ZERODB_PROVIDER_NEW".to_owned(), "k3y".to_owned()),
        ]);
        Config::parse("worker.yaml", text, &secrets)
            .map(|config| config.secrets)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_bound_to_hosts_and_users() {
        let rules = parse(
            r#"
secrets:
  STRIPE: { hosts: ["api.stripe.com", "*.example.org"], users: ["AAAAAAAA-0000-4000-8000-000000000001"] }
  ZERODB_SECRET_SLACK: { hosts: [hooks.slack.com], users: [every] }
  ADMINS: { hosts: [a.example] }
"#,
        )
        .unwrap();
        let may = |name: &str, tenant| rules.check_user(name, tenant).is_ok();
        let one = Some(Uuid::try_parse("aaaaaaaa-0000-4000-8000-000000000001").unwrap());
        let two = Some(Uuid::from_u128(2));
        assert!(
            may("ZERODB_SECRET_STRIPE", one)
                && !may("ZERODB_SECRET_STRIPE", two)
                && !may("ZERODB_SECRET_STRIPE", None)
        );
        assert!(may("ZERODB_SECRET_SLACK", two) && may("ZERODB_SECRET_SLACK", None));
        assert!(may("ZERODB_SECRET_ADMINS", None) && !may("ZERODB_SECRET_ADMINS", one));
        assert!(
            rules
                .check_host("ZERODB_SECRET_STRIPE", "x.example.org", None)
                .is_ok()
        );
        assert!(
            rules
                .check_host("ZERODB_SECRET_STRIPE", "hooks.slack.com", None)
                .is_err()
        );
    }

    #[test]
    fn the_keys_of_providers_are_for_no_hook() {
        let providers = "providers: { a: { url: 'https://h', api_key: '${ZERODB_SECRET_OLD}' } }\n";
        let rules = parse(providers).unwrap();
        assert!(rules.check_user("ZERODB_SECRET_OLD", None).is_err());
        assert!(parse(&providers.replace("SECRET_OLD", "PROVIDER_NEW")).is_ok());
        let both = format!("{providers}secrets:\n  OLD: {{ hosts: [a.example] }}\n");
        let said = parse(&both).unwrap_err();
        assert!(
            said.starts_with("worker.yaml:3: secrets.OLD: a provider uses it"),
            "{said}"
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, expected) in [
            (
                "secrets:\n  A: { host: [a] }\n",
                "worker.yaml:2: host: unknown key; write hosts; known are hosts, users",
            ),
            ("secrets:\n  A: {}\n", "worker.yaml:2: secrets.A.hosts: missing"),
            (
                "secrets:\n  A: { hosts: [] }\n",
                "worker.yaml:2: secrets.A.hosts: missing",
            ),
            (
                "secrets:\n  A: { hosts: ['*'] }\n",
                "worker.yaml:2: secrets.A.hosts: not a host",
            ),
            (
                "secrets:\n  A: { hosts: [a], users: [] }\n",
                "worker.yaml:2: secrets.A.users: empty",
            ),
            (
                "secrets:\n  A: { hosts: [a], users: [bob] }\n",
                "worker.yaml:2: secrets.A.users: not a user",
            ),
            (
                "secrets:\n  a: { hosts: [a] }\n",
                "worker.yaml:2: secrets.a: not the name of a secret",
            ),
            (
                "secrets:\n  ZERODB_PROVIDER_A: { hosts: [a] }\n",
                "secrets.ZERODB_PROVIDER_A: the key of a provider",
            ),
            (
                "secrets:\n  A: { hosts: [a] }\n  ZERODB_SECRET_A: { hosts: [a] }\n",
                "there twice",
            ),
            (
                "secret:\n  A: { hosts: [a] }\n",
                "secret: unknown key; write secrets",
            ),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(expected), "{text}\n{said}");
        }
    }
}
