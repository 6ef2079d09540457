//! Limits at the door: what one user brings in is bounded, with an error that says by which setting.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::actors::Stage;
use crate::at_work::{hook, in_state, is_served, worker};

#[tokio::test]
async fn a_config_an_event_and_the_number_of_hooks_are_bounded() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let mallory = &stage.mallory;
        let large = "jsonb_build_object('message', repeat('x', 100000))";
        let hook = mallory
            .text("SELECT id FROM zerodb.create_hook('*', 'small', hook_type => 'log')")
            .await?;
        for (sql, code, setting) in [
            (format!("SELECT zerodb.create_hook('*', 'big', {large}, hook_type => 'log')"), "22023", "zerodb.max_config_size"),
            (format!("SELECT zerodb.update_hook('{hook}', {large})"), "22023", "zerodb.max_config_size"),
            (
                "SELECT zerodb.emit('app.thing', jsonb_build_object('note', repeat('x', 2000000)))".to_owned(),
                "54000",
                "zerodb.max_event_size",
            ),
            (
                "SELECT count(zerodb.create_hook('*', 'h' || i, hook_type => 'log')) FROM generate_series(1, 1000) AS i".to_owned(),
                "53400",
                "zerodb.max_hooks_per_user",
            ),
        ] {
            let error = mallory.error(&sql).await?;
            assert_eq!(error.code, code, "{sql}: {error:?}");
            assert!(error.detail.unwrap_or_default().contains(setting), "{sql}");
            assert!(error.hint.is_some(), "{sql}");
        }
        for setting in ["max_config_size", "max_event_size", "max_hooks_per_user"] {
            let raise = format!("SET zerodb.{setting} = 1000");
            assert_eq!(mallory.error(&raise).await?.code, "42501", "{setting}");
        }
        // An administrator's table is checked whichever way it is written.
        let direct = format!("UPDATE zerodb.zerodb_hooks SET hook_config = {large}");
        assert_eq!(stage.admin.error(&direct).await?.code, "22023");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn event_types_are_registered_names_of_at_most_100_characters() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let long = format!("{}a", "a.".repeat(100_000));
        for sql in [
            format!("SELECT zerodb.emit('{long}', '{{}}')"),
            format!("SELECT zerodb.create_hook('{long}', 'x', hook_type => 'log')"),
            format!("SELECT zerodb.create_hook('{long}.*', 'x', hook_type => 'log')"),
        ] {
            let code = stage.mallory.error(&sql).await?.code;
            assert_eq!(code, "22023", "{}", &sql[..60]);
        }
        let register = format!("SELECT zerodb.register_event_type('{long}', 'app', '{{}}', '')");
        assert_eq!(stage.admin.error(&register).await?.code, "22023");
        Ok(())
    })
    .await
}

/// The meta-event of a delivery that is given up takes over texts of the hook's user; the statement that records it is
/// everybody's.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_delivery_is_written_whatever_the_limit_of_events() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage
            .admin
            .run(&format!(
                "ALTER DATABASE {} SET zerodb.max_event_size = '1kB'",
                db.name
            ))
            .await?;
        let role = &stage.mallory_role;
        stage
            .mallory
            .run(&format!(
                "CREATE FUNCTION {role}.fails(e jsonb) RETURNS void LANGUAGE plpgsql
                AS $$ BEGIN RAISE EXCEPTION '%', repeat('no ', 3000); END $$"
            ))
            .await?;
        let config = format!("{{\"function\": \"{role}.fails\", \"max_attempts\": 1}}");
        let failing = hook(&stage.mallory, "fails", "sql", &config).await?;
        let log = hook(&stage.victim, "log", "log", "{}").await?;
        let _worker = worker(&db, &stage.admin, &[]).await?;
        stage
            .mallory
            .run("SELECT zerodb.emit('app.thing', '{}', bank_id => repeat('b', 1000))")
            .await?;
        stage.admin.becomes(&in_state(&failing, "discarded"), 1).await?;
        let told = "SELECT count(*) FROM zerodb.events WHERE event = 'on_hook_failure'";
        stage.mallory.becomes(told, 1).await?;
        is_served(&stage.victim, &log).await
    })
    .await
}
