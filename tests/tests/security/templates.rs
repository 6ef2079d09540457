//! Templates that take time, memory or the stack: their own deliveries fail for good, and nobody else notices. Texts
//! that forge what stands beside them in the worker's log.

use std::time::Duration;

use serde_json::{Value, json};
use zerodb_hooks_harness::{Receiver, Result, SOON, Session, Worker, on_every_server};

use crate::actors::Stage;

/// Many templates that each take what one may, on a slow machine.
const LATE: Duration = Duration::from_secs(300);

/// Each grows without end, computes without end, or goes deeper than its stack.
const HOSTILE: &[(&str, &str)] = &[
    (
        "doubling",
        r#"{% set n = namespace(x="xxxxxxxxxxxxxxxx") %}{% for i in range(40) %}{% set n.x = n.x ~ n.x %}{% endfor %}"#,
    ),
    (
        "doubling-by-capture",
        "{% set n = namespace(x='xxxx') %}{% for i in range(40) %}{% set t %}{{ n.x }}{{ n.x }}{% endset %}{% set n.x = t %}{% endfor %}",
    ),
    (
        "doubling-by-macro",
        "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}{% set n = namespace(x='xxxx') %}{% for i in range(40) %}{% set n.x = m(n.x) %}{% endfor %}",
    ),
    (
        "doubling-by-plus",
        "{% set n = namespace(x='xxxx') %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}",
    ),
    (
        "doubling-by-replace",
        r#"{% set n = namespace(x="aa") %}{% for i in range(40) %}{% set n.x = n.x|replace("a", "aa") %}{% endfor %}"#,
    ),
    (
        "doubling-by-join",
        r#"{% set n = namespace(x="aa") %}{% for i in range(40) %}{% set n.x = [n.x, n.x]|join("-") %}{% endfor %}"#,
    ),
    (
        "doubling-by-json",
        r#"{% set n = namespace(x="\"") %}{% for i in range(60) %}{% set n.x = n.x|tojson %}{% endfor %}{{ n.x }}"#,
    ),
    (
        "doubling-by-format",
        r#"{% set n = namespace(x="aa") %}{% for i in range(40) %}{% set n.x = "%s%s"|format(n.x, n.x) %}{% endfor %}"#,
    ),
    (
        "replace-on-a-large-text",
        r#"{% set x = "a" * 20000000 %}{% for i in range(3000) %}{% if x|replace("b","c") == "z" %}1{% endif %}{% endfor %}"#,
    ),
    (
        "upper-on-a-large-text",
        r#"{% set x = "a" * 20000000 %}{% for i in range(3000) %}{% if x|upper == "z" %}1{% endif %}{% endfor %}"#,
    ),
    (
        "a-list-of-itself",
        "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    ),
    (
        "a-list-of-itself-as-json",
        "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson|length }}",
    ),
    (
        "a-list-of-itself-compared",
        "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
    ),
    (
        "a-map-of-itself",
        "{% set n = namespace(x={'a': 1}) %}{% for i in range(60) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}{{ n.x ~ '' }}",
    ),
    (
        "a-large-product",
        r#"{% set x = "a" * 1000000000 %}{% set y = x ~ x %}{{ y|length }}"#,
    ),
    ("an-indent", r#"{{ "a\nb"|indent(4000000000) }}"#),
    (
        "a-large-range",
        "{% set x = range(99999)|list %}{% set n = namespace(x=x) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x|list|length }}",
    ),
    (
        "loops",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% for k in range(99999) %}x{% endfor %}{% endfor %}{% endfor %}",
    ),
    (
        "a-macro-of-itself",
        "{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('a') }}",
    ),
    (
        "output",
        r#"{% set x = "a" * 1000000 %}{% for i in range(20000) %}{{ x }}{% endfor %}"#,
    ),
];

fn hook(name: &str, template: &str, hook_type: &str, url: &str) -> String {
    let config = match hook_type {
        "log" => json!({"message": template, "timeout_ms": 600_000, "max_attempts": 30}),
        _ => json!({"body_template": template, "url": url, "timeout_ms": 600_000, "max_attempts": 30}),
    };
    let config = config.to_string().replace('\'', "''");
    format!("SELECT zerodb.create_hook('app.thing', '{name}', '{config}', hook_type => '{hook_type}')")
}

/// Waits until so many deliveries of the session's tenant are given up for their templates. An attempt for which the
/// machine had no processor time says nothing of a template; every other one is the last.
async fn all_given_up(session: &Session, count: usize) -> Result<()> {
    let ended =
        "SELECT count(*) FROM zerodb.deliveries WHERE state IN ('discarded', 'completed', 'cancelled')";
    let ended = session.becomes_within(LATE, ended, count).await;
    let rest =
        "SELECT h.hook_name || ': ' || d.state || ' ' || coalesce(d.last_error, '') FROM zerodb.deliveries d
        JOIN zerodb.zerodb_hooks h ON h.id = d.hook_id
        WHERE d.state <> 'discarded' OR d.last_error NOT LIKE 'the template %'
            OR (SELECT count(*) FROM zerodb.attempts AS a WHERE a.delivery_id = d.id
                AND coalesce(a.error, '') NOT LIKE '%got no processor time within%') <> 1";
    let rest = session.texts(rest).await?;
    assert!(ended.is_ok() && rest.is_empty(), "{rest:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_template_takes_the_worker_or_holds_up_a_neighbour() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let receiver = Receiver::start()?;
        for (name, template) in HOSTILE {
            stage.mallory.run(&hook(name, template, "log", "")).await?;
        }
        let web = hook("web", HOSTILE[0].1, "webhook", &receiver.url("/mallory"));
        stage.mallory.run(&web).await?;
        let honest =
            r#"{"ids": [{% for i in [id, id] %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}]}"#;
        stage
            .victim
            .run(&hook("honest", honest, "webhook", &receiver.url("/victim")))
            .await?;
        let mut worker = Worker::start_with(&db.worker_url(), &["--lease-s", "15", "--poll-ms", "200"], &[])?;
        stage
            .mallory
            .run("SELECT zerodb.emit('app.thing', '{\"id\": 1}')")
            .await?;
        for id in 1..=20 {
            stage
                .victim
                .run(&format!("SELECT zerodb.emit('app.thing', '{{\"id\": {id}}}')"))
                .await?;
        }
        let received = receiver.wait_for(20, SOON).await?;
        assert!(received.iter().all(|request| request.path == "/victim"));
        assert_eq!(received[0].json()?["ids"].as_array().map(Vec::len), Some(2));
        all_given_up(&stage.mallory, HOSTILE.len() + 1).await?;
        assert!(worker.is_running());
        let peak = worker.peak_memory_kib()? >> 10;
        assert!(peak < 400, "the worker took {peak} MiB");
        // Its heartbeat goes on: it has a lease, and none has run out.
        let leases = "SELECT count(*) FILTER (WHERE expires_at > now()) || ' ' || count(*) FILTER (WHERE expires_at <= now())
            FROM zerodb.lease";
        stage.admin.becomes(leases, "1 0").await?;
        Ok(())
    })
    .await
}

/// Where a template takes too much three times, no more of its deliveries are tried; a change has it tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_takes_too_much_is_tried_no_more_until_it_is_changed() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage.mallory.run(&hook("h", HOSTILE[0].1, "log", "")).await?;
        let _worker = Worker::start(&db.worker_url())?;
        let emit = "SELECT count(zerodb.emit('app.thing', '{\"id\": 1}')) FROM generate_series(1, 20)";
        stage.mallory.run(emit).await?;
        all_given_up(&stage.mallory, 20).await?;
        let tried = "SELECT count(*) FROM zerodb.deliveries WHERE last_error LIKE 'the template failed: it %'";
        let said = "SELECT last_error FROM zerodb.deliveries";
        let said = stage.mallory.texts(said).await?;
        assert_eq!(stage.mallory.number(tried).await?, 3, "{said:#?}");
        let mended = "SELECT zerodb.update_hook(id, '{\"message\": \"{% if id %}fine{% endif %}\"}') FROM zerodb.list_hooks()";
        stage.mallory.run(mended).await?;
        let event = stage.mallory.text("SELECT zerodb.emit('app.thing', '{\"id\": 2}')").await?;
        let done = stage.mallory.json(&format!("SELECT zerodb.await_event('{event}')")).await?;
        assert_eq!(done["completed"], json!(1), "{done}");
        Ok(())
    })
    .await
}

/// Constructs whose parts are each one call deeper for the parser or the compiler.
const DEEPER: &[(&str, &str, &str)] = &[
    ("{{ a", ".b", " }}"),
    ("{{ a", "|e", " }}"),
    ("{{ a", "~a", " }}"),
    ("{{ 2", "**2", " }}"),
    ("{{ a", "()", " }}"),
    ("{{ ", "-", "a }}"),
    ("{{ ", "(", "a }}"),
    ("{{ ", "[", "a }}"),
    ("{{ ", "1 if a else ", "1 }}"),
    ("{% if a %}", "{% elif a %}", "{% endif %}"),
    ("", "{% if a %}", ""),
    ("{{ \"}}\" ", "~\"{{\"", " }}"),
];

fn deep((before, part, after): (&str, &str, &str)) -> String {
    format!("{before}{}{after}", part.repeat(40_000 / part.len()))
}

#[tokio::test]
async fn what_is_no_template_or_too_deep_a_one_is_refused_when_the_hook_is_made() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let deep = DEEPER.iter().map(|part| deep(*part));
        let broken = ["{{ oops", "{% if a %}", "{% nonsense %}", "{{ a b }}", "{{ }}"].map(str::to_owned);
        for template in deep.chain(broken) {
            for hook_type in ["log", "webhook"] {
                let refused = stage
                    .mallory
                    .error(&hook("h", &template, hook_type, "https://a.example"))
                    .await?;
                assert_eq!(refused.code, "22023", "{refused:?}");
                assert!(
                    refused.message.ends_with("in hook_config is not a template"),
                    "{refused:?}"
                );
                assert!(refused.detail.is_some() && refused.hint.is_some());
            }
        }
        let embed =
            r#"SELECT zerodb.create_hook('zeromemory.remembered', 'auto_embed', '{"template": "{{ oops"}')"#;
        assert_eq!(
            stage.admin.error(embed).await?.message,
            "\"template\" in hook_config is not a template"
        );
        Ok(())
    })
    .await
}

/// A row that was written before there was a check, or past it.
#[tokio::test(flavor = "multi_thread")]
async fn the_worker_outlives_a_template_that_was_never_checked() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage
            .admin
            .run("ALTER TABLE zerodb.zerodb_hooks DISABLE TRIGGER check_hook")
            .await?;
        for (n, part) in DEEPER.iter().enumerate() {
            let config = json!({"message": deep(*part)});
            let client = &stage.admin.client;
            let insert =
                "INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name, hook_config)
                VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 'app.thing', 'log', 'h' || $1::int, $2)";
            client.execute(insert, &[&i32::try_from(n)?, &config]).await?;
        }
        let mut worker = Worker::start(&db.worker_url())?;
        stage
            .mallory
            .run("SELECT zerodb.emit('app.thing', '{\"id\": 1}')")
            .await?;
        all_given_up(&stage.mallory, DEEPER.len()).await?;
        assert!(worker.is_running());
        Ok(())
    })
    .await
}

const FORGED: &str = "2031-01-01T00:00:00.000000Z ERROR the database was deleted worker.name=prod";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_forges_neither_a_line_of_the_log_nor_the_fields_beside_it() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let parts = [
            "\n",
            "\r",
            "\r\n",
            "\u{1b}[2K\u{1b}[1G",
            "\u{2028}",
            "\u{2029}",
            "\u{85}",
            "\u{b}",
            "\u{c}",
        ];
        for (n, part) in parts.iter().enumerate() {
            let message = format!("hello{part}{FORGED}");
            stage
                .mallory
                .run(&hook(&format!("l{n}"), &message, "log", ""))
                .await?;
        }
        let quoted = r#"x" event.id=evt_1 hook.name=victims y="{{ note }}"#;
        stage.mallory.run(&hook("quoted", quoted, "log", "")).await?;
        for format in ["text", "json"] {
            let worker = Worker::start_with(&db.worker_url(), &["--log-format", format], &[])?;
            let emit = r#"SELECT zerodb.emit('app.thing', '{"id": 1, "note": "a\nb"}')"#;
            let event = stage.mallory.text(emit).await?;
            stage
                .mallory
                .run(&format!("SELECT zerodb.await_event('{event}', '60 s')"))
                .await?;
            let said = worker.stderr();
            let of_hooks: Vec<&str> = said.lines().filter(|line| line.contains(&event)).collect();
            assert_eq!(of_hooks.len(), parts.len() + 1, "{said}");
            let odd = |c: char| c.is_control() || "\u{2028}\u{2029}".contains(c);
            assert!(
                !said
                    .lines()
                    .any(|line| line.starts_with("2031") || line.contains(odd)),
                "{said}"
            );
            let line = of_hooks
                .iter()
                .find(|line| line.contains("hook.name=victims"))
                .expect("the quoted one");
            match format {
                "text" => assert!(
                    line.ends_with(&format!("event.id={event} hook.name=quoted")),
                    "{line}"
                ),
                _ => assert_eq!(
                    serde_json::from_str::<Value>(line)?["fields"]["hook.name"],
                    "quoted"
                ),
            }
        }
        Ok(())
    })
    .await
}
