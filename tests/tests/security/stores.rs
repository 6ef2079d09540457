//! Stores as a trap and as a place of several: what somebody else has put there does not run with one's rights, and no
//! tenant reaches into what is another's.

use serde_json::json;
use zerodb_hooks_harness::{Database, Result, Session, on_every_server};

use crate::actors::{MALLORY, Stage, VICTIM};

/// Uses of a store of the default name.
const USES: [&str; 6] = [
    "SELECT zerodb.remember('likes tea', 'alice')",
    "SELECT zerodb.recall('tea')",
    "SELECT zerodb.recall('tea', source => 'memories')",
    "SELECT zerodb.graph_neighbors('alice')",
    "SELECT zerodb.merge_entities(1, 2)",
    "SELECT zerodb.unmerge_entity(1)",
];

async fn create_stores_allowed(stage: &Stage, db: &Database) -> Result<()> {
    let (mallory, victim) = (&stage.mallory_role, &stage.victim_role);
    let grant = format!("GRANT CREATE ON DATABASE {} TO {mallory}, {victim}", db.name);
    stage.admin.run(&grant).await
}

/// Mallory's store, open to everybody, in whose tables his code waits for somebody with more rights.
async fn set_trap(stage: &Stage) -> Result<()> {
    let canary = stage.canary().await?;
    stage
        .mallory
        .run(&format!(
            "SELECT zerodb.create_store(dimensions => 3);
            CREATE FUNCTION {0}.bite() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM {canary}('{{}}'); RETURN new; END $$;
            CREATE FUNCTION {0}.look() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM {canary}('{{}}'); RETURN true; END $$;
            CREATE TRIGGER bite BEFORE INSERT OR UPDATE ON zerodb_store.zeromemory FOR EACH ROW EXECUTE FUNCTION {0}.bite();
            CREATE TRIGGER bite BEFORE INSERT OR UPDATE ON zerodb_store.entities FOR EACH ROW EXECUTE FUNCTION {0}.bite();
            CREATE POLICY look ON zerodb_store.zeromemory USING ({0}.look());
            GRANT USAGE ON SCHEMA zerodb_store, {0} TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA zerodb_store TO PUBLIC",
            stage.mallory_role
        ))
        .await
}

#[tokio::test]
async fn a_store_of_somebody_else_is_not_used() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        create_stores_allowed(&stage, &db).await?;
        set_trap(&stage).await?;
        for session in [&stage.victim, &stage.admin] {
            for sql in USES
                .iter()
                .chain(&["SELECT zerodb.create_store(dimensions => 3)"])
            {
                let error = session.error(sql).await?;
                assert_eq!(error.code, "42501", "{sql}: {error:?}");
                assert!(error.detail.is_some() && error.hint.is_some(), "{sql}: {error:?}");
            }
        }
        assert!(!stage.mallory_rules().await?);
        stage.mallory.run(USES[0]).await?;
        stage.mallory.run(USES[1]).await
    })
    .await
}

#[tokio::test]
async fn one_function_of_somebody_else_behind_a_table_is_enough_to_refuse_it() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        create_stores_allowed(&stage, &db).await?;
        let (mallory, role) = (&stage.mallory, &stage.mallory_role);
        stage.victim.run("SELECT zerodb.create_store(dimensions => 3)").await?;
        stage.victim.run("SELECT zerodb.remember('likes tea', 'alice')").await?;
        mallory
            .run(&format!(
                "CREATE FUNCTION {role}.code() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$; GRANT USAGE ON SCHEMA {role} TO PUBLIC;
                CREATE FUNCTION {role}.fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$"
            ))
            .await?;
        for (make, drop) in [
            (
                format!("ALTER TABLE zerodb_store.zeromemory ADD COLUMN more text DEFAULT {role}.code()"),
                "ALTER TABLE zerodb_store.zeromemory DROP COLUMN more",
            ),
            (
                format!("ALTER TABLE zerodb_store.zeromemory ADD CONSTRAINT more CHECK (content <> {role}.code())"),
                "ALTER TABLE zerodb_store.zeromemory DROP CONSTRAINT more",
            ),
            (
                format!("CREATE POLICY more ON zerodb_store.zeromemory USING (content <> {role}.code())"),
                "DROP POLICY more ON zerodb_store.zeromemory",
            ),
            (
                format!("CREATE INDEX more ON zerodb_store.zeromemory ((content <> {role}.code()))"),
                "DROP INDEX zerodb_store.more",
            ),
            (
                format!("CREATE TRIGGER more BEFORE INSERT ON zerodb_store.zeromemory FOR EACH ROW EXECUTE FUNCTION {role}.fires()"),
                "DROP TRIGGER more ON zerodb_store.zeromemory",
            ),
        ] {
            stage.victim.run(&make).await?;
            assert_eq!(stage.victim.error(USES[0]).await?.code, "42501", "{make}");
            stage.victim.run(drop).await?;
            stage.victim.run(USES[0]).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_store_is_made_only_where_everything_is_ones_own() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        create_stores_allowed(&stage, &db).await?;
        let (mallory, victim) = (&stage.mallory_role, &stage.victim_role);
        stage
            .mallory
            .run(&format!(
                "CREATE SCHEMA zerodb_store; GRANT ALL ON SCHEMA zerodb_store, {mallory} TO PUBLIC"
            ))
            .await?;
        stage
            .victim
            .run(&format!("GRANT ALL ON SCHEMA {victim} TO PUBLIC"))
            .await?;
        for session in [&stage.victim, &stage.admin] {
            let error = session.error("SELECT zerodb.create_store()").await?;
            assert_eq!(error.code, "42501", "{error:?}");
            let code = session
                .error(&format!("SELECT zerodb.create_store('{mallory}')"))
                .await?
                .code;
            assert_eq!(code, "42501");
        }
        for (make, drop) in [
            (
                "FUNCTION {}.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$",
                "FUNCTION {}.touch()",
            ),
            (
                "FUNCTION {}.other() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                "FUNCTION {}.other()",
            ),
            (
                "TABLE {}.files (id text, user_id uuid, project_id uuid)",
                "TABLE {}.files",
            ),
            ("TYPE {}.vector AS (a int)", "TYPE {}.vector"),
            (
                "OPERATOR {}.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
                "OPERATOR {}.= (text, text)",
            ),
        ] {
            let [make, drop] = [make, drop].map(|sql| sql.replace("{}", victim));
            stage.mallory.run(&format!("CREATE {make}")).await?;
            let error = stage
                .victim
                .error(&format!("SELECT zerodb.create_store('{victim}', 3)"))
                .await?;
            assert_eq!(
                (error.code.as_str(), error.hint.is_some()),
                ("42501", true),
                "{make}"
            );
            stage.mallory.run(&format!("DROP {drop}")).await?;
        }
        stage
            .victim
            .run(&format!("SELECT zerodb.create_store('{victim}', 3)"))
            .await?;
        let remember = format!("SELECT zerodb.remember('x', 'alice', schema => '{victim}')");
        stage.victim.run(&remember).await
    })
    .await
}

/// What the handler writes for a memory of the victim: that Alice met Bob.
async fn extract(stage: &Stage, id: &str) -> Result<()> {
    let args = json!({"memory_id": id, "user_id": VICTIM, "project_id": null});
    let action = async |name: &str, args: &serde_json::Value| {
        stage
            .admin
            .json(&format!(
                "SELECT zerodb._do_graph_{name}('{{}}', 'zerodb_store.memories'::regclass, '{args}', NULL)"
            ))
            .await
    };
    let read = action("read", &args).await?;
    let mut write = json!({"content_hash": read["content_hash"], "prompt_version": 1, "model": "test",
        "entities": [{"name": "Alice", "type": "person"}, {"name": "Bob", "type": "person"}],
        "relations": [{"s": 0, "p": "MET", "o": 1, "fact": "they met", "confidence": 0.9}]});
    if let (Some(write), Some(args)) = (write.as_object_mut(), args.as_object()) {
        write.extend(args.clone());
    }
    assert_eq!(action("write", &write).await?["relations"], 1);
    Ok(())
}

/// A store that both tenants use, with the memory `m` of the victim and what the handler has written for it.
async fn shared_memory(stage: &Stage) -> Result<()> {
    stage.shared_store().await?;
    stage
        .victim
        .run("INSERT INTO zerodb_store.memories (id, content) VALUES ('m', 'Alice met Bob')")
        .await?;
    extract(stage, "m").await
}

async fn ids(session: &Session, table: &str) -> Result<Vec<i64>> {
    let ids = session
        .texts(&format!(
            "SELECT id FROM zerodb_store.{table} ORDER BY created_at, id"
        ))
        .await?;
    ids.iter().map(|id| Ok(id.parse()?)).collect()
}

#[tokio::test]
async fn a_row_refers_to_rows_of_its_own_tenant_only() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        shared_memory(&stage).await?;
        let (entities, relations) = (ids(&stage.admin, "entities").await?, ids(&stage.admin, "relations").await?);
        let (alice, bob, met) = (entities[0], entities[1], relations[0]);
        assert!(
            [alice, bob, met].iter().all(|id| *id > 1 << 32),
            "an id that can be guessed: {entities:?} {relations:?}"
        );
        stage
            .mallory
            .run("INSERT INTO zerodb_store.entities (id, canonical_name, norm_name) VALUES (5, 'me', 'me')")
            .await?;
        let own = "relation_id, memory_table, memory_id, confidence, said_at";
        for insert in [
            format!("mentions (memory_table, memory_id, entity_id, norm_name, name) VALUES ('memories', 'x', {alice}, 'a', 'a')"),
            format!("entity_aliases (entity_id, norm_alias, alias) VALUES ({alice}, 'me', 'me')"),
            format!("relations (source_id, predicate, target_id) VALUES (5, 'OWNS', {bob})"),
            format!("relation_sources ({own}) VALUES ({met}, 'memories', 'x', 1, now())"),
            format!("entities (canonical_name, norm_name, merged_into) VALUES ('him', 'him', {alice})"),
            format!("merge_log (winner_id, loser_id, moved) VALUES (5, {bob}, '{{}}')"),
        ] {
            let error = stage
                .mallory
                .error(&format!("INSERT INTO zerodb_store.{insert}"))
                .await?;
            // The same as of an id that is nobody's.
            assert_eq!(error.code, "23503", "{insert}: {error:?}");
        }
        for call in [format!("merge_entities(5, {alice})"), format!("unmerge_entity({alice})")] {
            let error = stage.mallory.error(&format!("SELECT zerodb.{call}")).await?;
            assert_eq!(error.code, "P0002", "{call}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn rows_of_others_count_for_nobodys_graph() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        shared_memory(&stage).await?;
        // As in a store whose references do not carry the tenant.
        stage
            .admin
            .run(&format!(
                "ALTER TABLE zerodb_store.mentions DROP CONSTRAINT mentions_entity_id_tenant_fkey;
                ALTER TABLE zerodb_store.relation_sources DROP CONSTRAINT relation_sources_relation_id_tenant_fkey;
                INSERT INTO zerodb_store.mentions (memory_table, memory_id, entity_id, norm_name, name, user_id)
                    SELECT 'memories', 'x', e.id, e.norm_name, 'mine', '{MALLORY}' FROM zerodb_store.entities AS e;
                INSERT INTO zerodb_store.relation_sources (relation_id, memory_table, memory_id, fact, confidence, said_at, user_id)
                    SELECT r.id, 'memories', 'x', 'mine', 1, now(), '{MALLORY}' FROM zerodb_store.relations AS r"
            ))
            .await?;
        extract(&stage, "m").await?;
        let fact = "SELECT fact || ' ' || confidence FROM zerodb_store.relations";
        assert_eq!(stage.admin.texts(fact).await?, ["they met 0.9"]);
        let retract = json!({"memory_id": "m", "user_id": VICTIM, "project_id": null});
        stage.admin.run("DELETE FROM zerodb_store.memories").await?;
        stage
            .admin
            .run(&format!(
                "SELECT zerodb._do_graph_retract('{{}}', 'zerodb_store.memories'::regclass, '{retract}', NULL)"
            ))
            .await?;
        for table in ["relations", "entities"] {
            let left = format!("SELECT count(*) FROM zerodb_store.{table}");
            assert_eq!(stage.admin.number(&left).await?, 0, "{table} that nobody's memory names");
        }
        let mallorys = "SELECT count(*) FROM zerodb_store.relation_sources AS s, zerodb_store.mentions AS m";
        assert_eq!(stage.admin.number(mallorys).await?, 2, "and what is his is left alone");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_one_tenant_names_is_free_for_another() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage.shared_store().await?;
        for session in [&stage.victim, &stage.mallory] {
            session
                .run(
                    "INSERT INTO zerodb_store.banks (id) VALUES ('acme');
                    INSERT INTO zerodb_store.extractions (memory_table, memory_id, content_hash, prompt_version, model, entities, relations)
                        VALUES ('memories', 'm', '', 1, 'm', 0, 0)",
                )
                .await?;
        }
        let again = "INSERT INTO zerodb_store.banks (id) VALUES ('acme')";
        assert_eq!(stage.victim.error(again).await?.code, "23505");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bound_role_sees_and_writes_its_own_tenant_in_a_store() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        stage.shared_store().await?;
        stage
            .victim
            .run("SELECT zerodb.remember('a secret', 'alice')")
            .await?;
        stage
            .admin
            .run(&format!(
                "SELECT zerodb.bind_tenant('{}', '{MALLORY}')",
                stage.mallory_role
            ))
            .await?;
        let mallory = &stage.mallory;
        mallory.run(&format!("SET zerodb.user_id = '{VICTIM}'")).await?;
        let seen = "SELECT count(*) FROM zerodb_store.zeromemory";
        assert_eq!(mallory.number(seen).await?, 0);
        let forged = format!("INSERT INTO zerodb_store.vectors (content, user_id) VALUES ('x', '{VICTIM}')");
        assert_eq!(mallory.error(&forged).await?.code, "42501");
        // Without a setting it is its own.
        mallory.run("RESET zerodb.user_id").await?;
        mallory.run("SELECT zerodb.remember('mine', 'alice')").await?;
        assert_eq!(mallory.number(seen).await?, 1);
        Ok(())
    })
    .await
}
