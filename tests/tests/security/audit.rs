//! The audit trail against those whom it names: nobody takes a row away, makes one up, or reads what is another's.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::actors::{MALLORY, Stage};

/// Whatever takes, changes or hides a row, or keeps one from being written.
const ATTACKS: [&str; 14] = [
    "INSERT INTO zerodb.audit (action, user_id, object, session_role, role) VALUES ('hook.created', gen_random_uuid(), 'x', 'x', 'x')",
    "UPDATE zerodb.audit SET role = 'victim'",
    "DELETE FROM zerodb.audit",
    "TRUNCATE zerodb.audit",
    "COPY zerodb.audit (action) FROM STDIN",
    "DO $$ BEGIN LOCK TABLE zerodb.audit IN SHARE MODE; END $$",
    "CREATE RULE nothing AS ON INSERT TO zerodb.audit DO INSTEAD NOTHING",
    "CREATE TRIGGER mine BEFORE INSERT ON zerodb.audit FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "ALTER TABLE zerodb.audit DISABLE TRIGGER ALL",
    "ALTER TABLE zerodb.zerodb_hooks DISABLE TRIGGER audit_changed",
    "SET session_replication_role = replica",
    "SET zerodb.audit_retention = '1 s'",
    "SELECT zerodb._audit('hook.created', gen_random_uuid(), NULL, 'x', NULL, NULL)",
    "ALTER SEQUENCE zerodb.audit_id_seq RESTART 1",
];

#[tokio::test]
async fn nobody_but_the_owner_has_a_way_to_write_it() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (worker, chief) = (db.create_role("worker").await?, db.create_role("chief").await?);
        stage
            .admin
            .run(&format!(
                "SELECT zerodb.grant_worker('{worker}'), zerodb.grant_admin('{chief}')"
            ))
            .await?;
        // The server of the tests has settings of its own, which the worker notes once.
        let theirs = db.session_as(&worker).await?;
        theirs.run("SELECT zerodb._note_settings()").await?;
        let trail =
            "SELECT count(*) || ' ' || md5(string_agg(a::text, '' ORDER BY a.id)) FROM zerodb.audit AS a";
        let before = stage.admin.text(trail).await?;
        for role in [&stage.mallory_role, &worker, &chief] {
            let theirs = db.session_as(role).await?;
            theirs
                .run(&format!(
                    "SET zerodb.user_id = '{MALLORY}'; SELECT count(*) FROM zerodb.list_audit()"
                ))
                .await?;
            for attack in ATTACKS {
                let error = theirs.error(attack).await?;
                assert_eq!(error.code, "42501", "{role}: {attack}: {error:?}");
            }
        }
        // Of the two that the worker may call, one deletes what is old and the other notes what is so.
        theirs
            .run("SELECT zerodb._prune_audit(1000000), zerodb._prune_audit(NULL), zerodb._note_settings()")
            .await?;
        assert_eq!(stage.admin.text(trail).await?, before);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tenant_sees_what_is_its_own_whoever_did_it() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let make = "SELECT id FROM zerodb.create_hook('app.thing', 'mine', hook_type => 'log')";
        let hook = stage.victim.text(make).await?;
        stage.mallory.run(make).await?;
        stage
            .admin
            .run(&format!(
                "SELECT zerodb.update_hook('{hook}', is_active => false)"
            ))
            .await?;
        let seen = "SELECT action FROM zerodb.audit ORDER BY id";
        assert_eq!(stage.victim.texts(seen).await?, ["hook.created", "hook.disabled"]);
        assert_eq!(stage.mallory.texts(seen).await?, ["hook.created"]);
        let listed = format!("SELECT action FROM zerodb.list_audit('{hook}')");
        assert_eq!(stage.mallory.texts(&listed).await?, Vec::<String>::new());
        assert_eq!(
            stage.victim.texts(&listed).await?,
            ["hook.disabled", "hook.created"]
        );
        Ok(())
    })
    .await
}

/// What `watch` notes anybody may call. It says what the catalog says, and nothing of another's table.
#[tokio::test]
async fn a_watch_can_neither_be_made_up_nor_left_out() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (mallory, victim) = (&stage.mallory_role, &stage.victim_role);
        stage
            .victim
            .run(&format!(
                "CREATE TABLE {victim}.t (id int PRIMARY KEY, note text)"
            ))
            .await?;
        stage
            .mallory
            .run(&format!(
                "CREATE TABLE {mallory}.t (id int PRIMARY KEY, note text);
                SELECT zerodb.watch('{mallory}.t', 'app.thing'), zerodb.note_watches('{mallory}.t')"
            ))
            .await?;
        for table in [
            format!("{victim}.t"),
            "zerodb.zerodb_hooks".to_owned(),
            "pg_catalog.pg_class".to_owned(),
        ] {
            let error = stage
                .mallory
                .error(&format!("SELECT zerodb.note_watches('{table}')"))
                .await?;
            assert_eq!(error.code, "42501", "{table}: {error:?}");
        }
        let seen = "SELECT action || ' ' || role FROM zerodb.audit WHERE action LIKE 'watch.%' ORDER BY id";
        assert_eq!(stage.admin.texts(seen).await?, [format!("watch.made {mallory}")]);
        Ok(())
    })
    .await
}
