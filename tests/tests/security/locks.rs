//! Locks as a weapon: whoever may take one that others wait for stops them. None of the product's may be taken by a
//! user.

use zerodb_hooks_harness::{Result, SOON, Worker, eventually, on_every_server};

use crate::actors::{MALLORY, Stage, VICTIM};

const NAMES: [&str; 7] = [
    "park", "dispatch", "lead", "bench", "release", "budgets", "sample",
];

/// Every advisory lock that a name or number of the product could stand for: alone or shared, of one key or two.
fn squat() -> String {
    let class = 0x7a65_726f_u32;
    let calls = ["pg_advisory_lock", "pg_advisory_lock_shared"].map(|lock| {
        format!(
            "SELECT count({lock}({class}, n)), count({lock}(({class}::bigint << 32) | n)), count({lock}(n, {class})), count({lock}(n))
             FROM generate_series(0, 20) AS n"
        )
    });
    calls.join(";")
}

#[tokio::test(flavor = "multi_thread")]
async fn advisory_locks_of_anybody_stop_nothing() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let victim = &stage.victim;
        let role = &stage.victim_role;
        victim
            .run(&format!(
                "CREATE TABLE {role}.seen (id text);
                CREATE FUNCTION {role}.see(e jsonb) RETURNS void LANGUAGE sql AS
                    $$ INSERT INTO {role}.seen VALUES (e ->> 'id') $$;
                SELECT zerodb.set_budget(1000000);
                SELECT zerodb.create_hook('app.thing', 'see', '{{\"function\": \"{role}.see\", \"order_by\": \"$.note\"}}', hook_type => 'sql')"
            ))
            .await?;
        let stranger = db.session_as(&db.create_role("stranger").await?).await?;
        stranger.run(&squat()).await?;
        let _worker = Worker::start_with(&db.worker_url(), &["--poll-ms", "200"], &[])?;
        victim
            .run("SELECT zerodb.emit('app.thing', '{\"note\": \"a\"}') FROM generate_series(1, 3)")
            .await?;
        eventually(SOON, async || {
            let seen = victim.number(&format!("SELECT count(*) FROM {role}.seen")).await;
            (seen.ok()? == 3).then_some(())
        })
        .await
    })
    .await
}

#[tokio::test]
async fn only_the_worker_takes_the_locks_that_have_a_name() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let admins = db.create_role("administrator").await?;
        stage
            .admin
            .run(&format!("SELECT zerodb.grant_admin('{admins}')"))
            .await?;
        let administrator = db.session_as(&admins).await?;
        let functions = stage
            .admin
            .texts(
                "SELECT p.proname FROM pg_proc AS p WHERE p.pronamespace = 'zerodb'::regnamespace
                    AND p.proname ~ '^_(try_)?(un)?lock(_session)?$' ORDER BY 1",
            )
            .await?;
        assert_eq!(functions.len(), 5, "{functions:?}");
        for session in [&stage.mallory, &administrator] {
            for function in &functions {
                let error = session
                    .error(&format!("SELECT zerodb.{function}('dispatch')"))
                    .await?;
                assert_eq!(error.code, "42501", "{function}");
            }
        }
        let error = stage.admin.error("SELECT zerodb._lock('dispatcher')").await?;
        assert_eq!((error.code.as_str(), error.hint.is_some()), ("22023", true));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_lock_is_one_sessions_until_it_ends_and_no_wait_for_one_is_for_ever() -> Result<()> {
    on_every_server(async |db| {
        let (holder, other) = (db.session().await?, db.session().await?);
        for name in NAMES {
            holder
                .run(&format!("SELECT zerodb._lock_session('{name}')"))
                .await?;
            let take = format!("SELECT zerodb._try_lock_session('{name}')::int");
            assert_eq!(other.number(&take).await?, 0, "{name}");
            // An error ends a transaction, not what the session holds.
            holder.error("SELECT 1 / 0").await?;
            assert_eq!(other.number(&take).await?, 0, "{name}");
            holder
                .run(&format!("SELECT zerodb._unlock_session('{name}')"))
                .await?;
            assert_eq!(other.number(&take).await?, 1, "{name}");
        }
        drop(other);
        let free = "SELECT count(*) FROM pg_locks WHERE locktype = 'userlock'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        holder.becomes(free, 0).await?;
        let other = db.session().await?;
        other
            .run("BEGIN; SELECT zerodb._lock('release'), zerodb._lock('budgets')")
            .await?;
        for name in ["release", "budgets"] {
            let error = holder.error(&format!("SELECT zerodb._lock('{name}')")).await?;
            assert_eq!(error.code, "55P03", "{name}");
        }
        let error = holder.error("SELECT zerodb._lock_budgets()").await?;
        assert_eq!(error.code, "55P03");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tenant_holds_the_locks_of_no_other_tenants_graph_or_store() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let victim = &stage.victim_role;
        stage.shared_store().await?;
        stage.victim.run("SET lock_timeout = '1s'").await?;
        let lock = |tenant: &str| {
            format!("SELECT zerodb._lock_graph('zerodb_store', '{tenant}', NULL, 'name', '{{alice,bob}}')")
        };
        stage.mallory.run("BEGIN").await?;
        stage.mallory.run(&lock(VICTIM)).await?;
        stage
            .mallory
            .run(&format!("SELECT zerodb._lock_store('{victim}')"))
            .await?;
        stage.victim.run(&lock(VICTIM)).await?;
        stage
            .victim
            .run(&format!("SELECT zerodb.create_store('{victim}', 3)"))
            .await?;
        // His own he does hold, and so does the owner of the tables for him.
        stage.mallory.run(&lock(MALLORY)).await?;
        stage
            .admin
            .run(&format!("SET zerodb.user_id = '{MALLORY}'"))
            .await?;
        assert_eq!(stage.admin.error(&lock(MALLORY)).await?.code, "55P03");
        stage.mallory.run("ROLLBACK").await?;
        stage.admin.run(&lock(MALLORY)).await
    })
    .await
}
