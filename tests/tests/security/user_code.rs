//! Code of one user that a session of the worker's runs: nothing that it leaves there reaches the code of the next
//! one, or the worker.

use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::actors::Stage;

/// Two users with a function each, an event of each, and one session of the worker's that calls both.
struct Shared {
    stage: Stage,
    worker: Session,
}

/// What is left in a session, in words; nothing in a fresh one.
const LEFT: &str = "SELECT concat_ws(' ',
    (SELECT 'path ' || s.setting FROM pg_settings AS s WHERE s.name = 'search_path' AND s.source = 'session'),
    (SELECT 'setting' WHERE coalesce(current_setting('app.left', true), '') <> ''),
    (SELECT 'tenant' WHERE coalesce(current_setting('zerodb.user_id', true), '') <> ''),
    (SELECT 'temporary objects' WHERE pg_my_temp_schema() <> 0),
    (SELECT 'cursor' WHERE EXISTS (SELECT FROM pg_cursors)),
    (SELECT 'statement' WHERE EXISTS (SELECT FROM pg_prepared_statements)),
    (SELECT 'listens' WHERE EXISTS (SELECT FROM pg_listening_channels())),
    (SELECT 'lock' WHERE EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.locktype = 'advisory')),
    (SELECT 'role ' || current_user WHERE current_user <> session_user))";

/// Everything that a session could keep, each tried by itself so that one refusal stops no other.
const POISON: &str = "
    perform set_config('app.left', 'x', false); perform set_config('search_path', 'pg_temp, ' || tg_or_schema, false);
    perform set_config('zerodb.user_id', gen_random_uuid()::text, false);
    perform pg_advisory_lock(4711); perform pg_advisory_lock_shared(4712);
    begin execute 'create temp table audit (x int)'; exception when others then perform note('temp ' || sqlstate); end;
    begin execute 'declare c cursor with hold for select 1'; exception when others then perform note('cursor ' || sqlstate); end;
    begin execute 'prepare p as select 1'; exception when others then perform note('prepare ' || sqlstate); end;
    begin execute 'listen zerodb_hooks'; exception when others then perform note('listen ' || sqlstate); end;
    begin execute 'set role none'; exception when others then perform note('role ' || sqlstate); end;
    begin execute 'set session authorization default'; exception when others then perform note('session ' || sqlstate); end;
    begin execute 'discard all'; exception when others then perform note('discard ' || sqlstate); end;";

impl Shared {
    async fn set(db: &Database) -> Result<Self> {
        let stage = Stage::set(db).await?;
        let role = db.create_role("worker").await?;
        stage
            .admin
            .run(&format!("SELECT zerodb.grant_worker('{role}')"))
            .await?;
        let worker = db.session_as(&role).await?;
        for (session, schema) in [
            (&stage.mallory, &stage.mallory_role),
            (&stage.victim, &stage.victim_role),
        ] {
            session
                .run(&format!(
                    "SET search_path = {schema}, pg_catalog;
                    CREATE TABLE noted (what text, by name DEFAULT current_user);
                    CREATE FUNCTION note(what text) RETURNS void LANGUAGE sql SET search_path = {schema} AS 'INSERT INTO noted (what) VALUES (what)'"
                ))
                .await?;
        }
        Ok(Self { stage, worker })
    }

    /// Gives mallory a function with this body, and calls it as the worker does.
    async fn call(&self, user: (&Session, &str), body: &str) -> Result<()> {
        let (call, _hook) = self.prepare(user, body).await?;
        self.worker.run(&call).await
    }

    async fn prepare(&self, (session, schema): (&Session, &str), body: &str) -> Result<(String, String)> {
        session
            .run(&format!(
                "CREATE OR REPLACE FUNCTION {schema}.act(e jsonb) RETURNS void LANGUAGE plpgsql AS $act$
                DECLARE tg_or_schema text := '{schema}'; BEGIN {body} END $act$"
            ))
            .await?;
        let hook = session
            .text(&format!(
                "SELECT coalesce((SELECT h.id FROM zerodb.zerodb_hooks AS h WHERE h.hook_name = 'act' AND h.user_id = zerodb._user_id()),
                    (SELECT h.id FROM zerodb.create_hook('app.thing', 'act', '{{\"function\": \"{schema}.act\"}}', hook_type => 'sql') AS h))"
            ))
            .await?;
        let event = session
            .text("SELECT zerodb.emit('app.thing', '{\"id\": 1}')")
            .await?;
        Ok((
            format!("SELECT zerodb._call_hook_function('{hook}', '{event}')"),
            hook,
        ))
    }

    fn mallory(&self) -> (&Session, &str) {
        (&self.stage.mallory, &self.stage.mallory_role)
    }

    fn victim(&self) -> (&Session, &str) {
        (&self.stage.victim, &self.stage.victim_role)
    }

    async fn nothing_left(&self) -> Result<()> {
        assert_eq!(self.worker.text(LEFT).await?, "");
        Ok(())
    }
}

/// The same text with the calls of `note` qualified.
fn poison(schema: &str) -> String {
    POISON.replace("note(", &format!("{schema}.note("))
}

#[tokio::test]
async fn a_function_leaves_nothing_in_the_session() -> Result<()> {
    on_every_server(async |db| {
        let shared = Shared::set(&db).await?;
        let schema = shared.stage.mallory_role.clone();
        shared.call(shared.mallory(), &poison(&schema)).await?;
        let noted = format!("SELECT string_agg(what, ', ') FROM {schema}.noted");
        let noted = shared.stage.mallory.text(&noted).await?;
        for refused in ["temp ", "cursor ", "prepare ", "listen ", "role ", "discard "] {
            assert!(noted.contains(refused), "{refused} was possible: {noted}");
        }
        shared.nothing_left().await
    })
    .await
}

#[tokio::test]
async fn a_function_that_fails_leaves_nothing_either() -> Result<()> {
    on_every_server(async |db| {
        let shared = Shared::set(&db).await?;
        let schema = shared.stage.mallory_role.clone();
        let body = format!("{} raise exception 'no';", poison(&schema));
        let (call, _hook) = shared.prepare(shared.mallory(), &body).await?;
        assert_eq!(shared.worker.error(&call).await?.code, "P0001");
        shared.nothing_left().await?;
        let caught = format!(
            "DO $$ BEGIN PERFORM zerodb.emit('x', '{{}}'); EXCEPTION WHEN OTHERS THEN NULL; END $$; {call}"
        );
        assert!(shared.worker.run(&caught).await.is_err());
        shared.nothing_left().await
    })
    .await
}

#[tokio::test]
async fn the_next_users_names_mean_what_they_mean_to_him() -> Result<()> {
    on_every_server(async |db| {
        let shared = Shared::set(&db).await?;
        let (mallory, victim) = (shared.stage.mallory_role.clone(), shared.stage.victim_role.clone());
        shared.stage.mallory.run(&format!(
            "CREATE FUNCTION {mallory}.upper(text) RETURNS text LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO {mallory}.noted VALUES ('upper'); RETURN $1; END $$;
            GRANT USAGE ON SCHEMA {mallory} TO PUBLIC; GRANT INSERT ON {mallory}.noted TO PUBLIC; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {mallory} TO PUBLIC"
        )).await?;
        let body = format!("perform set_config('search_path', '{mallory}, pg_catalog', false);");
        shared.call(shared.mallory(), &body).await?;
        // His own schema comes first, and a name that is nowhere else is found there.
        shared.call(shared.victim(), "INSERT INTO noted (what) VALUES (upper('mine') || ' ' || current_setting('search_path'));").await?;
        assert_eq!(shared.stage.mallory.number(&format!("SELECT count(*) FROM {mallory}.noted")).await?, 0);
        assert_eq!(
            shared.stage.victim.text(&format!("SELECT what FROM {victim}.noted")).await?,
            "MINE \"$user\", public, pg_temp"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deferred_trigger_fires_within_the_call() -> Result<()> {
    on_every_server(async |db| {
        let shared = Shared::set(&db).await?;
        let schema = shared.stage.mallory_role.clone();
        shared
            .stage
            .mallory
            .run(&format!(
                "CREATE TABLE later (n int);
                CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $late$
                DECLARE tg_or_schema text := '{schema}'; BEGIN
                    INSERT INTO {schema}.noted (what) VALUES ('fired'); {} RETURN NULL;
                END $late$;
                CREATE CONSTRAINT TRIGGER late AFTER INSERT ON later DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()",
                poison(&schema)
            ))
            .await?;
        let insert = format!("insert into {schema}.later values (1);");
        shared.call(shared.mallory(), &insert).await?;
        let by = format!("SELECT string_agg(by, ' ') FROM {schema}.noted WHERE what = 'fired'");
        assert_eq!(shared.stage.mallory.text(&by).await?, schema);
        shared.nothing_left().await?;
        let put_off = format!("set constraints all deferred; {insert}");
        let (call, _hook) = shared.prepare(shared.mallory(), &put_off).await?;
        let error = shared.worker.error(&call).await?;
        assert_eq!(error.code, "42501", "{error:?}");
        shared.nothing_left().await
    })
    .await
}

#[tokio::test]
async fn a_temporary_object_of_any_kind_fails_the_call() -> Result<()> {
    on_every_server(async |db| {
        let shared = Shared::set(&db).await?;
        for object in [
            "domain pg_temp.text as int",
            "type pg_temp.uuid as enum (''a'')",
            "function pg_temp.lower(text) returns text language sql as $q$ select $1 $q$",
            "view pg_temp.audit as select 1",
            "sequence pg_temp.audit",
        ] {
            let (call, _hook) = shared
                .prepare(shared.mallory(), &format!("execute 'create {object}';"))
                .await?;
            let error = shared.worker.error(&call).await?;
            assert_eq!(error.code, "42501", "{object}: {error:?}");
            shared.nothing_left().await?;
        }
        shared.call(shared.victim(), "perform lower('A')::text;").await
    })
    .await
}

#[tokio::test]
async fn a_trigger_that_a_handlers_write_sets_off_is_fenced_too() -> Result<()> {
    on_every_server(async |db| {
        let shared = Shared::set(&db).await?;
        let schema = shared.stage.mallory_role.clone();
        let mallory = &shared.stage.mallory;
        mallory
            .run(&format!(
                "CREATE TABLE docs (id bigint PRIMARY KEY, content text, embedding real[]);
                INSERT INTO docs VALUES (1, 'c');
                SELECT zerodb.watch('{schema}.docs', 'app.thing', '{{\"id\": \"id\"}}');
                CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $poison$
                DECLARE tg_or_schema text := '{schema}'; BEGIN
                    INSERT INTO {schema}.noted (what) VALUES ('fired'); {} RETURN NULL;
                END $poison$;
                CREATE TRIGGER poison AFTER UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION poison();
                CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON docs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION poison()",
                poison(&schema)
            ))
            .await?;
        let hook = mallory.text("SELECT id FROM zerodb.create_hook('app.thing', 'auto_embed')").await?;
        let act = |action: &str, args: String| {
            format!("SELECT zerodb._as_owner('{hook}', '{schema}.docs'::regclass::oid, '{action}', '{args}', '{{1,0}}')")
        };
        // The worker's role need not see the schema, so its table is named by a number.
        let oid = mallory.text(&format!("SELECT '{schema}.docs'::regclass::oid::text")).await?;
        let named = |sql: String| sql.replace(&format!("'{schema}.docs'::regclass::oid"), &oid);
        let read = shared.worker.json(&named(act("embed_read", r#"{"keys": [["1"]]}"#.into()))).await?;
        let args = format!(r#"{{"model": "m", "dimensions": 2, "rows": [{{"key": ["1"], "source": {}, "hash": "00"}}]}}"#, read[0]["source"]);
        assert_eq!(shared.worker.text(&named(act("embed_write", args))).await?, "[0]");
        let by = format!("SELECT string_agg(by, ' ') FROM {schema}.noted WHERE what = 'fired'");
        assert_eq!(mallory.text(&by).await?, format!("{schema} {schema}"));
        shared.nothing_left().await
    })
    .await
}
