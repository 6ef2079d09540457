//! What was written arrives as it was written: digits, depth, and text that no reader of JSON takes.

use anyhow::Result;
use serde_json::json;
use zerodb_hooks_harness::{Receiver, SOON, Session, on_every_server};

use crate::setup::worker;

/// Numbers of JSON that a reader may change, none of which jsonb refuses.
const NUMBERS: &[&str] = &[
    "10.50",
    "1.0",
    "0.1",
    "9007199254740993",
    "-9223372036854775809",
    "1234567890123456.78",
    "12345678901234567890.123456789",
    "115792089237316195423570985008687907853269984665640564039457584007913129639935",
    "-0",
    "1e+5",
    "1e-400",
    "1e+400",
];

/// A table whose rows are one JSON text, and its event type.
async fn json_table(session: &Session) -> Result<()> {
    session
        .run(
            "CREATE TABLE raw (id bigint PRIMARY KEY, body json);
             SELECT zerodb.register_event_type('raw.stored', 'app', '{id,body}', 'a text of JSON');
             SELECT zerodb.watch('raw', 'raw.stored');
             CREATE TABLE seen (event jsonb);
             CREATE FUNCTION keep(event jsonb) RETURNS void LANGUAGE sql AS 'INSERT INTO public.seen VALUES (event)'",
        )
        .await
}

async fn hook(session: &Session, name: &str, config: serde_json::Value) -> Result<()> {
    let kind = if config.get("url").is_some() {
        "webhook"
    } else {
        "sql"
    };
    session
        .run(&format!(
            "SELECT zerodb.create_hook('raw.stored', '{name}', $z${config}$z$, hook_type => '{kind}')"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_digit_arrives() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        json_table(&session).await?;
        hook(&session, "native", json!({"url": receiver.url("/native")})).await?;
        hook(&session, "cloud", json!({"url": receiver.url("/cloud"), "format": "cloudevents"})).await?;
        hook(&session, "plain", json!({"url": receiver.url("/plain"), "body_template": "{{ body.n }}"})).await?;
        hook(&session, "child", json!({"url": receiver.url("/child"), "body_template": "{\"n\": {% for n in [body.n] %}{{ n }}{% endfor %}}"})).await?;
        hook(&session, "function", json!({"function": "public.keep"})).await?;
        let _worker = worker(&database)?;
        for (id, number) in NUMBERS.iter().enumerate() {
            session.run(&format!("INSERT INTO raw VALUES ({id}, '{{\"n\": {number}}}')")).await?;
        }
        receiver.wait_for(4 * NUMBERS.len(), SOON).await?;
        session.idle().await?;
        let bodies = |path: &str| -> Vec<String> {
            let requests = receiver.requests().into_iter().filter(|request| request.path == path);
            requests.map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect()
        };
        for (id, number) in NUMBERS.iter().enumerate() {
            let data = format!("\"data\":{{\"id\":{id},\"body\":{{\"n\":{number}}}}}");
            for path in ["/native", "/cloud"] {
                assert_eq!(bodies(path).iter().filter(|body| body.contains(&data)).count(), 1, "{path} {number}: {:?}", bodies(path));
            }
            assert!(bodies("/plain").iter().any(|body| body == number), "{number}: {:?}", bodies("/plain"));
            assert!(bodies("/child").iter().any(|body| *body == format!("{{\"n\": {number}}}")), "{number}: {:?}", bodies("/child"));
        }
        let kept = "SELECT count(*) FROM seen AS s JOIN zerodb.events AS e ON e.id = s.event ->> 'id' WHERE s.event -> 'data' = e.data";
        assert_eq!(session.number(kept).await?, i64::try_from(NUMBERS.len())?);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_reader_takes_arrives_as_it_was_written() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        json_table(&session).await?;
        hook(&session, "native", json!({"url": receiver.url("/native")})).await?;
        hook(&session, "cloud", json!({"url": receiver.url("/cloud"), "format": "cloudevents"})).await?;
        hook(&session, "function", json!({"function": "public.keep", "max_attempts": 1})).await?;
        let _worker = worker(&database)?;
        let deep = format!("{}1{}", "[".repeat(6000), "]".repeat(6000));
        let odd = [r#"{"a":"x\u0000y"}"#, r#"{"a":"\ud800"}"#, r#"{"a":1,"a":2}"#, r#"{"a":1e200000}"#, &deep];
        for (id, body) in odd.iter().enumerate() {
            session.run(&format!("INSERT INTO raw VALUES ({id}, $z${body}$z$)")).await?;
        }
        let requests = receiver.wait_for(2 * odd.len(), SOON).await?;
        for body in odd {
            let arrived = requests.iter().filter(|request| String::from_utf8_lossy(&request.body).contains(&format!("\"body\":{body}}}")));
            assert_eq!(arrived.count(), 2, "{}", &body[..body.len().min(60)]);
        }
        session.idle().await?;
        // A function takes jsonb, which cannot hold three of them.
        let refused = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND last_error LIKE 'the event''s data cannot be given to a function: %'";
        assert_eq!((session.number(refused).await?, session.number("SELECT count(*) FROM seen").await?), (3, 2));
        let text = session.texts("SELECT data ->> '_text' FROM zerodb.events WHERE data ? '_unreadable' ORDER BY id").await?;
        assert_eq!(text[0], r#"{"id":0,"body":{"a":"x\u0000y"}}"#);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_of_what_cannot_be_read_fails_with_a_reason() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        json_table(&session).await?;
        hook(
            &session,
            "plain",
            json!({"url": receiver.url("/"), "body_template": "{{ id }}"}),
        )
        .await?;
        hook(
            &session,
            "child",
            json!({"url": receiver.url("/"), "body_template": "{{ id * 1 }}"}),
        )
        .await?;
        let _worker = worker(&database)?;
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        session
            .run(&format!("INSERT INTO raw VALUES (1, '{deep}')"))
            .await?;
        let failed = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND attempts = 1
            AND last_error LIKE '%the event''s data cannot be read: it nests deeper than 127 levels%'";
        session.becomes(failed, 2).await?;
        assert!(receiver.requests().is_empty());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_within_json_is_escaped_and_broken_json_is_not_sent() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        json_table(&session).await?;
        hook(&session, "quoted", json!({"url": receiver.url("/quoted"), "body_template": "{\"text\": \"{{ body.t }}\"}"})).await?;
        hook(&session, "child", json!({"url": receiver.url("/child"), "body_template": "{\"text\": \"{% if id %}{{ body.t }}{% endif %}\"}"})).await?;
        hook(&session, "broken", json!({"url": receiver.url("/broken"), "body_template": "{\"text\": {{ body.t }}}"})).await?;
        let own = json!({"Content-Type": "application/vnd.x+json"});
        hook(&session, "own-type", json!({"url": receiver.url("/broken"), "headers": own, "body_template": "no {{ id }} JSON"})).await?;
        let form = json!({"Content-Type": "application/x-ndjson"});
        hook(&session, "lines", json!({"url": receiver.url("/lines"), "headers": form, "body_template": "{\"n\": {{ id }}}\n{}"})).await?;
        hook(&session, "text", json!({"url": receiver.url("/text"), "body_template": "row {{ id }}: {{ body.t }}"})).await?;
        let _worker = worker(&database)?;
        session.run(r#"INSERT INTO raw VALUES (7, '{"t": "He said \"hi\" \\ back\nand {{ x }}"}')"#).await?;
        let requests = receiver.wait_for(4, SOON).await?;
        let text = "He said \"hi\" \\ back\nand {{ x }}";
        for request in &requests {
            match request.path.as_str() {
                "/quoted" | "/child" => assert_eq!(request.json()?, json!({"text": text})),
                "/lines" => assert_eq!((&request.body[..], request.header("content-type")), (&b"{\"n\": 7}\n{}"[..], Some("application/x-ndjson"))),
                "/text" => {
                    assert_eq!(request.header("content-type"), Some("text/plain; charset=utf-8"));
                    assert_eq!(request.body, format!("row 7: {text}"));
                }
                path => panic!("a request to {path}"),
            }
        }
        let refused = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'discarded' AND attempts = 1 AND last_error LIKE 'body_template makes no JSON of this event, at line 1, column %'";
        session.becomes(refused, 2).await
    })
    .await
}
