//! Functions of `sql` hooks: whose error an error is.

use anyhow::Result;
use zerodb_hooks_harness::on_every_server;

use crate::setup::{watched_table, worker};

/// Codes that the extension raises of its own calls too.
const CODES: &[&str] = &["42P01", "42703", "42883", "42501", "22023", "42704", "3F000"];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_raises_is_the_attempts_whatever_its_code() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        watched_table(&session).await?;
        for code in CODES {
            let name = code.to_lowercase();
            session
                .run(&format!(
                    "CREATE SEQUENCE tries_{name};
                     CREATE FUNCTION f_{name}(event jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                         IF nextval('public.tries_{name}') < 3 THEN RAISE EXCEPTION 'not yet: {code}' USING ERRCODE = '{code}'; END IF;
                     END $$;
                     SELECT zerodb.create_hook('doc.created', 'h-{name}',
                         '{{\"function\": \"public.f_{name}\"}}', hook_type => 'sql')"
                ))
                .await?;
        }
        let _worker = worker(&database)?;
        session.run("INSERT INTO doc (size) VALUES (1)").await?;
        let done = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed' AND attempts = 3";
        session.becomes(done, i64::try_from(CODES.len())?).await?;
        let words = session.texts("SELECT DISTINCT error FROM zerodb.attempts WHERE error IS NOT NULL ORDER BY error").await?;
        let mut expected: Vec<String> = CODES.iter().map(|code| format!("not yet: {code}")).collect();
        expected.sort();
        assert_eq!(words, expected);
        Ok(())
    })
    .await
}
