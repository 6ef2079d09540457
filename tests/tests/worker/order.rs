//! Hooks with "order_by": one delivery of a key after another, in the order in which their events were written.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use zerodb_hooks_harness::{Database, SOON, Session, Worker, eventually, on_every_server};

use crate::setup::worker_with;

/// Time for many retries, one after another.
const LONG: Duration = Duration::from_secs(180);

/// Accounts whose updates are `account.changed`, with the number of the step that the update made.
async fn accounts(session: &Session, count: i64) -> Result<()> {
    session
        .run(&format!(
            "CREATE TABLE account (account_id integer PRIMARY KEY, step integer NOT NULL DEFAULT 0);
             CREATE TABLE noise (n integer);
             INSERT INTO account SELECT n FROM generate_series(1, {count}) AS n;
             SELECT zerodb.register_event_type('account.changed', 'app', '{{account_id,step}}', 'a step');
             SELECT zerodb.watch('account', 'account.changed', operations => '{{update}}')"
        ))
        .await
}

/// An ordered hook that writes each step into `seen`; `failing` is the condition on which an attempt fails. Two
/// attempts for one account at the same time are recorded in `overlap`.
async fn ordered_hook(session: &Session, failing: &str, config: &str) -> Result<String> {
    session
        .run(&format!(
            "CREATE TABLE seen (n bigint GENERATED ALWAYS AS IDENTITY, account_id integer, step integer);
             CREATE TABLE overlap (account_id integer);
             CREATE SEQUENCE tries;
             CREATE FUNCTION on_step(event jsonb) RETURNS void LANGUAGE plpgsql AS $$
             DECLARE
                 account integer := event -> 'data' -> 'account_id';
                 step integer := event -> 'data' -> 'step';
             BEGIN
                 IF NOT pg_try_advisory_xact_lock(1, account) THEN
                     INSERT INTO public.overlap VALUES (account);
                 END IF;
                 IF {failing} THEN RAISE EXCEPTION 'injected'; END IF;
                 INSERT INTO public.seen (account_id, step) VALUES (account, step);
             END $$"
        ))
        .await?;
    session
        .text(&format!(
            "SELECT id FROM zerodb.create_hook('account.changed', 'steps', '{{\"function\": \"public.on_step\",
                 \"order_by\": \"$.account_id\"}}'::jsonb || '{config}', hook_type => 'sql')"
        ))
        .await
}

/// Each step of each account was seen once, and after the one before it.
async fn assert_all_in_order(session: &Session) -> Result<()> {
    let missing =
        "SELECT sum(step) - (SELECT count(DISTINCT (s.account_id, s.step)) FROM seen AS s) FROM account";
    assert_eq!(session.number(missing).await?, 0, "missing");
    let inversions = "SELECT count(*) FROM (SELECT step, lag(step) OVER (PARTITION BY account_id ORDER BY n) AS last FROM seen) AS s
        WHERE step <= last";
    assert_eq!(session.number(inversions).await?, 0, "inversions");
    assert_eq!(
        session.number("SELECT count(*) FROM overlap").await?,
        0,
        "two at once"
    );
    let states = "SELECT DISTINCT state::text FROM zerodb.deliveries";
    assert_eq!(session.texts(states).await?, ["completed"]);
    for table in ["order_queue", "order_signal"] {
        let left = format!("SELECT count(*) FROM zerodb.{table}");
        assert_eq!(session.number(&left).await?, 0, "left in {table}");
    }
    Ok(())
}

fn two_workers(database: &Database) -> Result<[Worker; 2]> {
    let start = |name| worker_with(database, &["--name", name]);
    Ok([start("one")?, start("two")?])
}

/// Every account makes so many steps, one after another.
async fn all_step(session: &Session, times: usize) -> Result<()> {
    for _ in 0..times {
        session.run("UPDATE account SET step = step + 1").await?;
    }
    Ok(())
}

/// Many short transactions on few accounts. Each has its transaction id before it waits for the account: ids say
/// nothing of the order of the writes.
async fn write_steps(database: &Database, writers: i64, steps: i64, accounts: i64) -> Result<()> {
    let write = async |writer: i64| -> Result<()> {
        let session = database.session().await?;
        for step in 0..steps {
            let account = (writer * 7 + step) % accounts + 1;
            session
                .run(&format!(
                    "INSERT INTO noise VALUES (1); UPDATE account SET step = step + 1 WHERE account_id = {account}"
                ))
                .await?;
        }
        Ok(())
    };
    try_join_all((0..writers).map(write)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_an_account_run_in_order_also_through_failures() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 150).await?;
        ordered_hook(
            &session,
            "nextval('public.tries') % 10 = 0",
            r#"{"max_attempts": 30}"#,
        )
        .await?;
        let _workers = two_workers(&database)?;
        write_steps(&database, 6, 500, 150).await?;
        let completed = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed'";
        session.becomes_within(LONG, completed, 3000).await?;
        session.idle().await?;
        assert!(
            session
                .number("SELECT count(*) FROM zerodb.attempts WHERE outcome = 'failed'")
                .await?
                > 100
        );
        assert_all_in_order(&session).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_left_behind_while_deliveries_end_and_others_are_written() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 3).await?;
        ordered_hook(&session, "false", "{}").await?;
        let _workers = two_workers(&database)?;
        write_steps(&database, 4, 150, 3).await?;
        session.becomes("SELECT count(*) FROM seen", 600).await?;
        session.idle().await?;
        assert_all_in_order(&session).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_first_runs_first_also_where_its_transaction_began_later() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 30).await?;
        ordered_hook(&session, "false", "{}").await?;
        let early = database.session().await?;
        // The first id, and after it the second step; with more events than the worker reads at once.
        early.run("BEGIN; INSERT INTO noise VALUES (1)").await?;
        session.run("UPDATE account SET step = step + 1").await?;
        early.run("UPDATE account SET step = step + 1").await?;
        early.run("COMMIT").await?;
        let _worker = worker_with(&database, &["--in-flight", "8"])?;
        session.becomes("SELECT count(*) FROM seen", 60).await?;
        session.idle().await?;
        assert_all_in_order(&session).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_fails_holds_up_its_own_key_and_no_other() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 3).await?;
        ordered_hook(&session, "account = 2", r#"{"max_attempts": 900}"#).await?;
        let other = r#"{"function": "public.on_other"}"#;
        session
            .run(&format!(
                "CREATE TABLE other (step integer);
                 CREATE FUNCTION on_other(event jsonb) RETURNS void LANGUAGE sql AS
                 $$ INSERT INTO public.other VALUES ((event -> 'data' ->> 'step')::integer) $$;
                 SELECT zerodb.create_hook('account.changed', 'other', '{other}', hook_type => 'sql')"
            ))
            .await?;
        let _worker = worker_with(&database, &[])?;
        all_step(&session, 5).await?;
        session.becomes("SELECT count(*) FROM seen", 10).await?;
        session.becomes("SELECT count(*) FROM other", 15).await?;
        session.becomes("SELECT least(max(attempts), 2) FROM zerodb.deliveries", 2).await?;
        let waiting = session
            .texts("SELECT state::text || ' ' || count(*) FROM zerodb.deliveries WHERE state NOT IN ('completed', 'running') GROUP BY state ORDER BY 1 DESC")
            .await?;
        assert!(waiting.contains(&"pending 4".to_owned()), "{waiting:?}");
        let left = "SELECT (s ->> 'waiting_deliveries')::int + (s ->> 'running_deliveries')::int FROM zerodb.status() AS s";
        session.becomes(left, 5).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_delivery_lets_the_next_go() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 1).await?;
        ordered_hook(&session, "step = 1", r#"{"max_attempts": 900}"#).await?;
        let _worker = worker_with(&database, &[])?;
        all_step(&session, 4).await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'retryable'",
                1,
            )
            .await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'pending'",
                3,
            )
            .await?;
        // One that is blocked, too: nothing follows from it. The first one, as soon as it is not running.
        let pending = session
            .texts("SELECT id FROM zerodb.deliveries WHERE state = 'pending' ORDER BY id")
            .await?;
        session
            .run(&format!("SELECT zerodb.discard({})", pending[1]))
            .await?;
        let discard = "SELECT zerodb.discard(id) FROM zerodb.deliveries WHERE state = 'retryable'";
        eventually(SOON, async || {
            (session.texts(discard).await.ok()?.len() == 1).then_some(())
        })
        .await?;
        session.becomes("SELECT count(*) FROM seen", 2).await?;
        assert_eq!(
            session.texts("SELECT step FROM seen ORDER BY n").await?,
            ["2", "4"]
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_discard_or_a_replay_that_is_not_committed() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 2).await?;
        let hook = ordered_hook(&session, "false", "{}").await?;
        all_step(&session, 3).await?;
        let (replaying, discarding) = (database.session().await?, database.session().await?);
        replaying.run(&format!("BEGIN; SELECT zerodb.replay('{hook}', '-infinity')")).await?;
        // The second step of the first account is locked as soon as it is there.
        session
            .run(
                "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     IF new.account_id = 1 AND new.step = 1 THEN PERFORM pg_advisory_xact_lock(11); END IF;
                     RETURN new;
                 END $$;
                 CREATE TRIGGER hold BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION hold();
                 SELECT pg_advisory_lock(11)",
            )
            .await?;
        let _worker = worker_with(&database, &[])?;
        session.becomes("SELECT count(*) FROM seen", 3).await?;
        discarding
            .run(
                "BEGIN; SELECT zerodb.discard(d.id) FROM zerodb.deliveries AS d JOIN zerodb.events AS e ON e.id = d.event_id
                 WHERE e.data ->> 'account_id' = '1' AND e.data ->> 'step' = '2'",
            )
            .await?;
        session.run("SELECT pg_advisory_unlock(11); UPDATE account SET step = step + 1 WHERE account_id = 2").await?;
        // The first step of the one and all of the other.
        session.becomes("SELECT count(*) FROM seen", 5).await?;
        discarding.run("ROLLBACK").await?;
        session.becomes("SELECT count(*) FROM seen", 7).await?;
        session.idle().await?;
        assert_all_in_order(&session).await?;
        replaying.run("COMMIT").await?;
        session.becomes("SELECT count(*) FROM seen", 13).await?;
        session.idle().await?;
        let steps = "SELECT string_agg(step::text, ' ' ORDER BY n) FROM seen GROUP BY account_id ORDER BY account_id";
        assert_eq!(session.texts(steps).await?, ["1 2 3 1 2 3", "1 2 3 4 1 2 3"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_hooks_blocked_deliveries_are_cancelled_at_once() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 2).await?;
        let hook = ordered_hook(&session, "true", r#"{"max_attempts": 900}"#).await?;
        let _worker = worker_with(&database, &[])?;
        all_step(&session, 5).await?;
        session
            .becomes(
                "SELECT count(*) FROM zerodb.deliveries WHERE state = 'pending'",
                8,
            )
            .await?;
        session
            .run(&format!("SELECT zerodb.delete_hook('{hook}')"))
            .await?;
        assert_eq!(
            session.in_state("pending").await?,
            0,
            "none of them waits for anything"
        );
        // An attempt that ended while the hook was being deleted is cancelled by the next round of maintenance, within
        // a minute.
        let cancelled = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'cancelled'";
        session.becomes_within(LONG, cancelled, 10).await?;
        session
            .becomes("SELECT count(*) FROM zerodb.order_queue", 0)
            .await?;
        session
            .becomes("SELECT count(*) FROM zerodb.order_signal", 0)
            .await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn redelivering_keeps_to_one_at_a_time() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        accounts(&session, 1).await?;
        ordered_hook(&session, "EXISTS (SELECT FROM pg_class WHERE relname = 'broken') AND step = 3", r#"{"max_attempts": 900}"#).await?;
        let _worker = worker_with(&database, &[])?;
        all_step(&session, 2).await?;
        session.becomes("SELECT count(*) FROM seen", 2).await?;
        session.idle().await?;
        session.run("CREATE TABLE broken ()").await?;
        all_step(&session, 2).await?;
        let waits = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'retryable' AND next_attempt_at > now() + interval '2 seconds'";
        session.becomes(waits, 1).await?;
        // The first step once more: it waits for the third, which is due again at once, and goes before the fourth.
        session.run("SELECT zerodb.redeliver(min(id)) FROM zerodb.deliveries").await?;
        session.run("DROP TABLE broken; SELECT zerodb.redeliver(id) FROM zerodb.deliveries WHERE state = 'retryable'").await?;
        session.becomes("SELECT count(*) FROM seen", 5).await?;
        assert_eq!(session.texts("SELECT step FROM seen ORDER BY n").await?, ["1", "2", "3", "1", "4"]);
        session.idle().await
    })
    .await
}
