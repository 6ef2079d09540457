//! Addresses and fields of a webhook are looked at when the hook is made: what is accepted can be called.

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{Session, on_every_server};

const ACCEPTED: &[&str] = &[
    "https://example.com",
    "HTTP://example.com/x",
    "HttpS://EXAMPLE.com:8443/x?y=1#part",
    "http://127.0.0.1:65535/x",
    "http://[::1]:8080/x",
    "https://münchen.example/über?straße=ß",
    "https://例え.テスト/",
    "https://example.com./x",
    "https://example.com/?a=[1]&b={c}|d^e`",
    "https://${ZERODB_SECRET_HOST}/x",
    "https://example.com:${ZERODB_SECRET_PORT}/x",
    "https://api.${ZERODB_SECRET_DOMAIN}:8080/${ZERODB_SECRET_PATH}?token=${ZERODB_SECRET_TOKEN}",
    "${ZERODB_SECRET_URL}",
];

const REFUSED: &[&str] = &[
    "",
    "http://",
    "http:///x",
    "https:/example.com",
    "https:example.com",
    "//example.com/x",
    "example.com/x",
    "ftp://example.com/x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://127.0.0.1:0/x",
    "http://127.0.0.1:65536/x",
    "http://127.0.0.1:99999/x",
    "http://127.0.0.1:80a/x",
    "http://127.0.0.1:-1/x",
    "http://:80/x",
    "http://[::1/x",
    "http://[::1]x/",
    "http://[nonsense]/x",
    "http://[fe80::1%25eth0]/x",
    "http://999.1.1.1/x",
    "http://a b/x",
    "http://example.com/a b",
    " https://example.com",
    "https://example.com\n",
    "https://exa\tmple.com",
    "https:\\\\example.com\\x",
    "https://exa<mple>.com/",
    "https://exa%20mple.com/",
    "https://xn--0/x",
    "https://user@example.com/",
    "HTTPS://user:word@example.com/",
    "https://example.com/?api_key=literal",
    "https://${HOME}/x",
];

fn create(name: &str, url: &str) -> String {
    let config = json!({ "url": url });
    format!("SELECT zerodb.create_hook('*', '{name}', $z${config}$z$, hook_type => 'webhook')")
}

#[tokio::test]
async fn what_is_no_address_is_refused_and_what_is_one_is_not() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (place, url) in ACCEPTED.iter().enumerate() {
            let made = session.run(&create(&format!("good-{place}"), url)).await;
            assert!(made.is_ok(), "{url}: {made:?}");
        }
        for url in REFUSED {
            assert_eq!(session.error(&create("bad", url)).await?.code, "22023", "{url}");
        }
        Ok(())
    })
    .await
}

async fn refused(session: &Session, event: &str, kind: &str, config: &serde_json::Value) -> Result<String> {
    let create = format!("SELECT zerodb.create_hook('{event}', 'h', $z${config}$z$, hook_type => '{kind}')");
    let error = session.error(&create).await?;
    assert_eq!(error.code, "22023", "{config}");
    Ok(format!("{} {}", error.message, error.detail.unwrap_or_default()))
}

#[tokio::test]
async fn a_template_that_names_what_an_event_does_not_have_is_refused() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.register_event_type('doc.new', 'app', '{id,title,meta}', 'x')")
            .await?;
        let web = |template: &str| json!({"url": "https://example.com", "body_template": template});
        for (event, template, field) in [
            ("on_pii_detected", "{{ bank_idd }}", "bank_idd"),
            ("on_pii_detected", "{\"t\": \"{{ data.nothing }}\"}", "nothing"),
            ("zerodb.memory.stored", "{{ event.data.content }}", "content"),
            ("doc.new", "{{ titel }}", "titel"),
            ("doc.new", "{% if data.tittle %}x{% endif %}", "tittle"),
        ] {
            let said = refused(&session, event, "webhook", &web(template)).await?;
            assert!(said.contains(&format!("names '{field}'")), "{said}");
            let said = refused(&session, event, "log", &json!({ "message": template })).await?;
            assert!(said.contains(&format!("names '{field}'")), "{said}");
        }
        let said = refused(&session, "doc.new", "log", &json!({"message": "{{ titel }}"})).await?;
        assert!(said.contains("They have id, meta, title"), "{said}");
        // A type of one's own may have more; a pattern stands for many types.
        for (event, template) in [
            ("doc.new", "{{ title }} {{ meta.a.b }} {{ nothere }} {{ event.id }} {{ bank_id }} {{ trace_id }} {{ _truncated }}"),
            ("on_pii_detected", "{{ pii_type }} {{ bank_id }} {{ event_type }} {% for i in range(2) %}{{ loop.index }}{% endfor %}"),
            ("*", "{{ anything }}"),
        ] {
            let config = web(template);
            session
                .run(&format!("SELECT zerodb.create_hook('{event}', 'good', $z${config}$z$, hook_type => 'webhook')"))
                .await?;
        }
        let update = "SELECT zerodb.update_hook(id, '{\"url\": \"https://example.com\", \"body_template\": \"{{ titel }}\"}')
            FROM zerodb.list_hooks() WHERE event_type = 'doc.new'";
        assert_eq!(session.error(update).await?.code, "22023");
        Ok(())
    })
    .await
}
