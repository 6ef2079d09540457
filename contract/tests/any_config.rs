//! Whatever somebody writes into the config of a webhook is taken or refused, never a panic: this runs in the server's
//! process. What is taken can be read, and leads where it says.

use proptest::prelude::*;
use serde_json::json;
use url::{Host, Url};
use zerodb_hooks_contract::headers::is_reserved;
use zerodb_hooks_contract::network::is_public;
use zerodb_hooks_contract::{HookType, check, check_receiver};

/// Without a file of failures: what fails is made a test of its own.
fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: count,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Pieces of which URLs are made, odd ones too.
fn url() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("http://".to_owned()),
        Just("https://".to_owned()),
        "[0-9a-fxX.:]{0,12}",
        "(127|10|0x7f|0177|2130706433|169\\.254\\.169\\.254)",
        "\\[[0-9a-f:.%]{0,20}\\]",
        "[a-z0-9.-]{0,12}",
        Just("${ZERODB_SECRET_A}".to_owned()),
        "[@:/?#\\\\ \\t\\r\\n%]",
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn any_url_is_taken_or_refused(url in url()) {
        let config = json!({"url": url});
        if check("webhook", "h", &config).is_ok() && check_receiver(&HookType::Webhook, &config).is_ok() && !url.contains("${") {
            let read = Url::parse(&url);
            prop_assert!(read.is_ok(), "{url}");
            let host = read.ok().and_then(|url| url.host().map(|host| host.to_owned()));
            let is_fine = match host {
                Some(Host::Ipv4(address)) => is_public(address.into()),
                Some(Host::Ipv6(address)) => is_public(address.into()),
                Some(Host::Domain(name)) => !name.is_empty(),
                None => false,
            };
            prop_assert!(is_fine, "{url}");
        }
    }

    #[test]
    fn any_header_is_taken_or_refused(name in "\\PC{0,20}|[a-zA-Z-]{1,20}", value in "(?s).{0,40}") {
        let config = json!({"url": "https://a.example", "headers": {name.clone(): value}});
        if check("webhook", "h", &config).is_ok() {
            prop_assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
            prop_assert!(!value.contains(['\r', '\n', '\0']), "{value:?}");
            prop_assert!(!is_reserved(&name.to_ascii_lowercase()), "{name}");
        }
    }

    #[test]
    fn any_body_is_taken_or_refused(body in "(?s).{0,60}|(\\$\\{|\\{\\{|\\}\\}|\\}|ZERODB_SECRET_A|[ \"|a]){0,12}") {
        let config = json!({"url": "https://a.example", "body_template": body});
        let _ = check("webhook", "h", &config);
    }
}
