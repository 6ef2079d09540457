//! A fuzzer of the database's door: each class of role calls every function it may call, writes to every table, and
//! puts hostile triggers and configs wherever it can, while the victim's events go on being delivered.
//! `ZERODB_FUZZ=rounds` lengthens it (`make fuzz`); `ZERODB_FUZZ_SEED=number` repeats one.

mod attacks;
mod values;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zerodb_hooks_harness::{Database, Result, Session, Worker, on_every_server};

use crate::actors::Stage;
use attacks::Attacks;

/// Calls of each class in the suite; enough to reach every function some times.
const ROUNDS: usize = 250;
/// How often the victim writes and waits for the delivery.
const VICTIM_EVERY: usize = 25;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What must be the same afterwards.
async fn untouched(stage: &Stage) -> Result<Vec<String>> {
    let role = &stage.victim_role;
    stage
        .admin
        .texts(&format!(
            "SELECT 'superuser ' || rolname FROM pg_roles WHERE rolsuper
            UNION ALL SELECT 'started ' || pg_postmaster_start_time()
            UNION ALL SELECT 'hook ' || to_jsonb(h)::text FROM zerodb.zerodb_hooks AS h
                WHERE h.user_id NOT IN ('{}', '{}')
            UNION ALL SELECT 'type ' || t.name FROM zerodb.event_type AS t
            UNION ALL SELECT 'binding ' || b.role_name FROM zerodb.tenant_binding AS b
            UNION ALL SELECT 'row ' || to_jsonb(s)::text FROM {role}.secret AS s
            UNION ALL SELECT 'budget ' || b.id FROM zerodb.budget AS b WHERE b.user_id NOT IN ('{}', '{}')
            ORDER BY 1",
            values::TENANTS[0],
            values::TENANTS[1],
            values::TENANTS[0],
            values::TENANTS[1],
        ))
        .await
}

/// The victim's hook, and a table that nobody else may read.
async fn victim(stage: &Stage) -> Result<()> {
    let role = &stage.victim_role;
    stage
        .victim
        .run(&format!(
            "CREATE TABLE {role}.secret (id int PRIMARY KEY, content text);
            INSERT INTO {role}.secret VALUES (1, 'the secret of the victim');
            SELECT zerodb.watch('{role}.secret', 'app.thing');
            SELECT zerodb.create_hook('app.thing', 'hers', '{{}}', hook_type => 'log')"
        ))
        .await
}

/// One event of the victim, from the write to the end of its delivery.
async fn victim_goes_on(stage: &Stage) -> Result<()> {
    let event = stage
        .victim
        .text("SELECT zerodb.emit('app.thing', '{\"id\": 1}')")
        .await?;
    let progress = stage
        .victim
        .json(&format!("SELECT zerodb.await_event('{event}', '60 s')"))
        .await?;
    anyhow::ensure!(progress["completed"] == 1, "the victim's event: {progress}");
    Ok(())
}

async fn role_of(db: &Database, stage: &Stage, class: &str) -> Result<String> {
    let role = db.create_role(class).await?;
    let grant = match class {
        "bound" => format!(
            "SELECT zerodb.grant_user('{role}'), zerodb.bind_tenant('{role}', '{}')",
            values::TENANTS[0]
        ),
        "user" => format!("SELECT zerodb.grant_user('{role}')"),
        _ => format!("GRANT USAGE ON SCHEMA zerodb TO {role}"),
    };
    stage
        .admin
        .run(&format!("{grant}; CREATE SCHEMA {role} AUTHORIZATION {role}"))
        .await?;
    Ok(role)
}

async fn open(db: &Database, role: &str) -> Result<Session> {
    let session = db.session_as(role).await?;
    session
        .run(&format!(
            "SET statement_timeout = '2 s'; SET lock_timeout = '1 s'; SET client_min_messages = error;
            SET zerodb.user_id = '{}'",
            values::TENANTS[0]
        ))
        .await?;
    Ok(session)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_crashes_a_backend_gains_a_right_or_stops_the_victim() -> Result<()> {
    let seed = setting("ZERODB_FUZZ_SEED").unwrap_or_else(|| rand::rng().random());
    let rounds = setting("ZERODB_FUZZ").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap_or(ROUNDS));
    // Shown only when the test fails.
    eprintln!("ZERODB_FUZZ_SEED={seed}");
    on_every_server(async |db| {
        let mut random = StdRng::seed_from_u64(seed);
        let stage = Stage::set(&db).await?;
        victim(&stage).await?;
        for class in ["nobody", "user", "bound"] {
            role_of(&db, &stage, class).await?;
        }
        let before = untouched(&stage).await?;
        let _worker = Worker::start_with(&db.worker_url(), &["--lease-s", "3", "--poll-ms", "200"], &[])?;
        for class in ["nobody", "user", "bound"] {
            let role = format!("{}_{class}", db.name);
            let attacks = Attacks::of(&stage.admin, &role, &stage.victim_role).await?;
            let mut session = open(&db, &role).await?;
            for round in 0..rounds {
                let sql = attacks.next(&mut random);
                attacks.check(&session, &sql).await?;
                if session.client.is_closed() {
                    session = open(&db, &role).await?;
                }
                if round % VICTIM_EVERY == 0 {
                    victim_goes_on(&stage).await?;
                }
            }
        }
        victim_goes_on(&stage).await?;
        assert_eq!(untouched(&stage).await?, before);
        Ok(())
    })
    .await
}

/// A bound on one attempt, however hostile: what lasts longer has been refused.
const PATIENCE: Duration = Duration::from_secs(60);
