//! Hooks with "order_by" at length: many events, a tenth of the attempts failing, workers that are killed meanwhile.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use zerodb_hooks_harness::{Database, PgVersion, Session, Worker, eventually};

use crate::factor;
use crate::setup::LONG;

const WRITERS: i64 = 4;
const LEASE_S: &str = "3";

/// Events, the keys they are of, and how often a worker is killed.
fn amount() -> (i64, i64, usize) {
    if factor() >= 10 {
        (50_000, 1_000, 5)
    } else {
        (2_000, 200, 1)
    }
}

/// Steps of accounts, and a hook that fails in a tenth of the attempts; what it did is in `seen`.
async fn ordered_steps(session: &Session, keys: i64) -> Result<()> {
    session
        .run(&format!(
            "CREATE TABLE account (account_id integer PRIMARY KEY, step integer NOT NULL DEFAULT 0);
             CREATE TABLE noise (n integer);
             CREATE SEQUENCE tries;
             CREATE TABLE seen (n bigint GENERATED ALWAYS AS IDENTITY, account_id integer, step integer);
             INSERT INTO account SELECT n FROM generate_series(1, {keys}) AS n;
             SELECT zerodb.register_event_type('account.changed', 'app', '{{account_id,step}}', 'a step');
             SELECT zerodb.watch('account', 'account.changed', operations => '{{update}}');
             CREATE FUNCTION on_step(event jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
                 IF nextval('public.tries') % 10 = 0 THEN RAISE EXCEPTION 'injected'; END IF;
                 INSERT INTO public.seen (account_id, step)
                 VALUES ((event -> 'data' ->> 'account_id')::integer, (event -> 'data' ->> 'step')::integer);
             END $$;
             SELECT zerodb.create_hook('account.changed', 'steps',
                 '{{\"function\": \"public.on_step\", \"order_by\": \"$.account_id\", \"max_attempts\": 30}}', hook_type => 'sql')"
        ))
        .await
}

/// Short transactions; each has its id before it waits for its account, and each account is written by all writers.
async fn write(database: &Database, writer: i64, steps: i64, keys: i64) -> Result<()> {
    let session = database.session().await?;
    for step in 0..steps {
        let account = (step + writer * 3) % keys + 1;
        session
            .run(&format!(
                "INSERT INTO noise VALUES (1); UPDATE account SET step = step + 1 WHERE account_id = {account}"
            ))
            .await?;
    }
    Ok(())
}

fn start(database: &Database, name: &str) -> Result<Worker> {
    let arguments = ["--lease-s", LEASE_S, "--poll-ms", "200", "--name", name];
    Worker::start_with(&database.worker_url(), &arguments, &[])
}

/// Kills one of the two workers now and then, evenly over what is to be seen.
async fn disturb(database: &Database, events: i64, kills: usize) -> Result<[Worker; 2]> {
    let session = database.session().await?;
    let mut workers = [start(database, "one")?, start(database, "two")?];
    for kill in 1..=kills {
        let share = events * i64::try_from(kill)? / (i64::try_from(kills)? + 1);
        let seen = async || {
            let count = session.number("SELECT count(*) FROM seen").await.ok()?;
            (count >= share).then_some(())
        };
        eventually(LONG, seen).await?;
        let victim = &mut workers[kill % 2];
        victim.kill9()?;
        *victim = start(database, &format!("again-{kill}"))?;
    }
    Ok(workers)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_out_of_order_and_none_stops() -> Result<()> {
    let (events, keys, kills) = amount();
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    ordered_steps(&session, keys).await?;
    let writers = (0..WRITERS).map(|writer| write(&database, writer, events / WRITERS, keys));
    let (workers, _written) =
        futures_util::future::try_join(disturb(&database, events, kills), try_join_all(writers)).await?;
    let ended = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed'";
    let all = eventually(LONG, async || {
        (session.number(ended).await.ok()? == events).then_some(())
    });
    ensure!(
        all.await.is_ok(),
        "{} of {events} completed; the server says {}",
        session.number(ended).await?,
        session.text("SELECT zerodb.status()").await?
    );
    drop(workers);
    // What a killed worker had done and not reported is done again: the first time counts.
    let inversions = "SELECT count(*) FROM (
            SELECT step, lag(step, 1, 0) OVER (PARTITION BY account_id ORDER BY n) AS last
            FROM (SELECT account_id, step, min(n) AS n FROM seen GROUP BY account_id, step) AS first) AS s
        WHERE step <> last + 1";
    assert_eq!(session.number(inversions).await?, 0, "inversions");
    assert_eq!(
        session
            .number("SELECT count(DISTINCT (account_id, step)) FROM seen")
            .await?,
        events
    );
    let failed = session
        .number("SELECT count(*) FROM zerodb.attempts WHERE outcome = 'failed' AND error = 'injected'")
        .await?;
    assert!(failed > events / 20, "only {failed} attempts failed");
    eprintln!("{events} events of {keys} keys, {failed} failed attempts, {kills} kills");
    Ok(())
}
