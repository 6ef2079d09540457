//! Rows are found whatever their key is made of.

use anyhow::Result;
use zerodb_hooks_harness::on_every_server;

use crate::setup::worker;

/// The columns of a key, and keys.
const KEYS: &[(&str, &[&str])] = &[
    (
        "a numeric",
        &["42", "42.50", "20260101000000000000001", "1e-30", "'NaN'"],
    ),
    ("a numeric(78,0)", &["2::numeric ^ 256 - 1"]),
    ("a float8", &["0.1", "1e300", "'-Infinity'"]),
    ("a float4", &["0.1"]),
    ("a int, b boolean", &["1, true", "1, false"]),
    ("a int[]", &["'{1,2,3}'", "'{}'", "'{{1,2},{3,4}}'", "'{1,NULL}'"]),
    ("a text[]", &[r#"'{a,"b c","NULL",NULL,"x\"y\\z"}'"#]),
    ("a numeric[]", &["'{1.50,20260101000000000000001}'"]),
    ("a bytea", &[r"'\x00ff'", "''"]),
    (
        "a timestamptz",
        &["'2026-03-01 10:00:00.123456+01'", "'-infinity'"],
    ),
    (
        "a timestamp, b date, c time",
        &["'2026-03-01 10:00', '2026-03-01', '23:59:59.5'"],
    ),
    ("a uuid", &["'0af76519-16cd-43dd-8448-eb211c80319c'"]),
    (
        "a text",
        &[
            "E'a \"quoted\" \\\\ back\\nü \\U0001F600'",
            "''",
            "'null'",
            "'[1]'",
            "' x '",
        ],
    ),
    ("a interval", &["'1 mon -3 days 04:05:06'"]),
    ("a char(5)", &["'ab'"]),
    ("a int4range", &["'[1,5)'"]),
    ("a inet", &["'10.0.0.1/8'"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_embedded_whatever_its_key_is() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        for (number, (columns, keys)) in KEYS.iter().enumerate() {
            let names: Vec<&str> = columns.split(", ").filter_map(|column| column.split(' ').next()).collect();
            let names = names.join(", ");
            let (table, event) = (format!("t{number}"), format!("t{number}.new"));
            session
                .run(&format!(
                    "CREATE TABLE {table} ({columns}, body text, embedding real[], PRIMARY KEY ({names}));
                     SELECT zerodb.register_event_type('{event}', 'app', '{{{names}}}', 'x'), zerodb.watch('{table}', '{event}');
                     SELECT zerodb.create_hook('{event}', 'auto_embed', '{{\"content\": \"body\"}}')",
                ))
                .await?;
            for key in *keys {
                session.run(&format!("INSERT INTO {table} ({names}, body) VALUES ({key}, 'a text')")).await?;
            }
        }
        let _worker = worker(&database)?;
        session.idle().await?;
        for (number, (columns, keys)) in KEYS.iter().enumerate() {
            let embedded = session.number(&format!("SELECT count(embedding) FROM t{number}")).await?;
            let errors = session
                .texts(&format!("SELECT coalesce(d.last_error, d.state::text) FROM zerodb.deliveries AS d JOIN zerodb.events AS e ON e.id = d.event_id WHERE e.event = 't{number}.new'"))
                .await?;
            assert_eq!(embedded, i64::try_from(keys.len())?, "{columns}: {errors:?}");
        }
        Ok(())
    })
    .await
}
