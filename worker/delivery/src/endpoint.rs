//! The names by which all workers share what they know of the endpoints of hooks: circuits, pauses, limits. Each begins
//! with its user, so that no user's failures are another's. Pure.

use uuid::Uuid;

use crate::hook::Hook;
use zerodb_hooks_contract::url::Url;

/// The beginning of the names of webhooks' endpoints.
pub const WEBHOOK: &str = "webhook:";
/// The most bytes of an origin; what is longer is one with what begins as it does.
const LONGEST: usize = 400;

/// The endpoint of a webhook: scheme, host and port as the hook's user reaches them. A hook of every user has one for
/// each user of its events: one whose events its receiver cannot take holds up no other's.
pub fn of_webhook(hook: &Hook, event_user: Option<Uuid>, url: &Url) -> String {
    let mut origin = url.origin();
    origin.truncate(origin.floor_char_boundary(LONGEST));
    let name = format!("{WEBHOOK}{}:{origin}", hook.user_id);
    match event_user.filter(|_| hook.tenant().is_none()) {
        Some(user) => format!("{name} {user}"),
        None => name,
    }
}

/// The user, as text, in a name that `of_webhook` made.
pub fn user_of(name: &str) -> Option<&str> {
    name.strip_prefix(WEBHOOK)?.split(':').next()
}

/// A hook with a limit of its own.
pub fn of_hook(hook: &Hook) -> String {
    format!("hook:{}:{}", hook.user_id, hook.id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use zerodb_hooks_contract::hooks::Webhook;

    use super::*;

    fn endpoint(user: u128, url: &str, event_user: Option<u128>) -> String {
        let config = json!({"url": url});
        let hook = Hook::new(
            Uuid::nil(),
            1,
            Uuid::from_u128(user),
            "webhook",
            "h".into(),
            &config,
        );
        let url = &hook.config::<Webhook>().unwrap().url;
        of_webhook(&hook, event_user.map(Uuid::from_u128), url)
    }

    #[test]
    fn hooks_of_a_user_share_an_origin_however_it_is_written_and_users_share_none() {
        let one = endpoint(1, "https://A.example/x?y", None);
        assert_eq!(
            one,
            "webhook:00000000-0000-0000-0000-000000000001:https:a.example:443"
        );
        assert_eq!(endpoint(1, "HTTPS://a.example:443", Some(7)), one);
        assert_eq!(user_of(&one), Some(Uuid::from_u128(1).to_string().as_str()));
        for other in [
            endpoint(1, "http://a.example/x", None),
            endpoint(1, "https://a.example:8443/x", None),
            endpoint(2, "https://a.example/x", None),
        ] {
            assert_ne!(other, one);
        }
        let (of_one, of_other) = (
            endpoint(0, "https://a.example", Some(1)),
            endpoint(0, "https://a.example", Some(2)),
        );
        assert_ne!(of_one, of_other);
    }

    #[test]
    fn a_secret_stays_a_reference_and_no_path_is_in_the_name() {
        let whole = endpoint(1, "${ZERODB_SECRET_URL}", None);
        assert!(whole.ends_with(":${ZERODB_SECRET_URL}"), "{whole}");
        let host = endpoint(
            1,
            "https://${ZERODB_SECRET_HOST}.example/${ZERODB_SECRET_PATH}",
            None,
        );
        assert!(host.ends_with(":https:${ZERODB_SECRET_HOST}.example"), "{host}");
        let long = endpoint(1, &format!("https://{}.example", "a".repeat(2000)), None);
        assert!(long.len() < 500);
    }
}
