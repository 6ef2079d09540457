//! Whether each hook can get the secrets that its config refers to: by the rules of the worker's file, and in this
//! environment. A value is never shown, and is looked at only for the host that it may name.

use uuid::Uuid;

use super::DoctorArgs;
use super::finding::{Checked, Finding, some_of};
use crate::render;
use zerodb_hooks_contract::HookConfig;
use zerodb_hooks_contract::hooks::Webhook;
use zerodb_hooks_contract::secret::references;
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_http::host_and_port;
use zerodb_hooks_providers::Config;
use zerodb_hooks_queries::{Client, HookFilter, hooks, references as references_of};

/// Every active hook that cannot get a secret, each with the reason.
pub(super) async fn secrets(client: &Client, args: &DoctorArgs) -> Checked {
    let secrets = Secrets::new(std::env::vars());
    let secrets = match args
        .models
        .config
        .as_ref()
        .map(|file| Config::read(file, &secrets))
    {
        // What is wrong with the file is said by the check of models.
        None | Some(Err(_)) => secrets,
        Some(Ok(config)) => secrets.under(config.secrets),
    };
    let (mut referring, mut faults) = (0, Vec::new());
    for hook in hooks(client, &HookFilter::active()).await? {
        if references_of(&hook.hook_config).is_empty() {
            continue;
        }
        referring += 1;
        // What cannot be read is said by the check of hooks; only webhooks send secrets.
        let Ok(HookConfig::Webhook(webhook)) = hook.settings().map(|settings| settings.config) else {
            continue;
        };
        let tenant = (!hook.user_id.is_nil()).then_some(hook.user_id);
        if let Err(reason) = check(&secrets, tenant, &webhook) {
            faults.push(format!("{}: {reason}", hook.hook_name));
        }
    }
    Ok(found(referring, &faults))
}

fn found(referring: i64, faults: &[String]) -> Finding {
    if !faults.is_empty() {
        return Finding::warning(
            format!("hooks cannot get a secret: {}", some_of(faults)),
            "set it where the worker runs, and name its hosts and users below \"secrets\" in the worker's file; \
             run doctor with the worker's environment and --config to check that",
        );
    }
    Finding::ok(match referring {
        0 => "no hook refers to one".to_owned(),
        referring => render::count(
            referring,
            "hook refers to some, and can get all of them",
            "hooks refer to some, and can get all of them",
        ),
    })
}

/// As the webhook asks for them: the URL first, which says where they go.
fn check(secrets: &Secrets, tenant: Option<Uuid>, webhook: &Webhook) -> Result<(), String> {
    let mut of_hook = secrets.of_hook(tenant);
    let mut expanded = |text: &str| {
        let expanded = of_hook.expand(text).map_err(|error| error.to_string())?;
        let empty = references(text).find(|name| secrets.get(name).is_none_or(str::is_empty));
        match empty {
            Some(name) => Err(format!("the secret {name} is empty")),
            None => Ok(expanded),
        }
    };
    let url = expanded(&webhook.url)?;
    let headers = webhook.headers.iter().map(|(_, value)| value);
    for text in webhook.secret.as_deref().into_iter().chain(headers) {
        expanded(text)?;
    }
    match host_and_port(&url) {
        Some((host, port)) => of_hook.check_host(&host, port).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(config: &Value, tenant: Option<Uuid>) -> Result<(), String> {
        let file = "secrets:\n  A: { hosts: [a.example], users: ['aaaaaaaa-0000-4000-8000-000000000001'] }\n";
        let secrets = Secrets::new(
            [
                ("ZERODB_SECRET_A", "k3y"),
                ("ZERODB_SECRET_B", "b"),
                ("ZERODB_SECRET_E", ""),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let rules = Config::parse("worker.yaml", file, &secrets).unwrap().secrets;
        check(
            &secrets.under(rules),
            tenant,
            &Webhook::read(config.as_object().unwrap()).unwrap(),
        )
    }

    #[test]
    fn what_can_never_be_read_is_told() {
        let alice = Some(Uuid::try_parse("aaaaaaaa-0000-4000-8000-000000000001").unwrap());
        let header = |host: &str, name: &str| {
            let bearer = format!("Bearer ${{{name}}}");
            json!({"url": format!("https://{host}/x"), "headers": {"authorization": bearer}})
        };
        for (config, tenant, expected) in [
            (header("a.example", "ZERODB_SECRET_A"), alice, ""),
            (
                header("a.example", "ZERODB_SECRET_A"),
                None,
                "not bound to this hook's user",
            ),
            (
                header("b.example", "ZERODB_SECRET_A"),
                alice,
                "not bound to this hook's host",
            ),
            (header("b.example", "ZERODB_SECRET_B"), None, ""),
            (
                header("b.example", "ZERODB_SECRET_B"),
                alice,
                "not bound to this hook's user",
            ),
            (
                header("b.example", "ZERODB_SECRET_C"),
                None,
                "ZERODB_SECRET_C is not set",
            ),
            (
                header("b.example", "ZERODB_SECRET_E"),
                None,
                "ZERODB_SECRET_E is empty",
            ),
            (
                json!({"url": "https://b.example", "secret": "${ZERODB_SECRET_C}"}),
                None,
                "is not set",
            ),
        ] {
            match said(&config, tenant) {
                Ok(()) => assert_eq!(expected, "", "{config}"),
                Err(reason) => {
                    assert!(
                        !expected.is_empty() && reason.contains(expected),
                        "{config}: {reason}"
                    );
                    assert!(!reason.contains("k3y"), "{reason}");
                }
            }
        }
    }
}
