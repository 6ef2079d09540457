//! An upgraded database is the same as a fresh one. A new version only adds its script to `extension/sql`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use zerodb_hooks_harness::{Database, PgVersion, Result, Session};

/// Everything in the schema, one line an object, with its definition.
const SNAPSHOT: &str = r#"
    WITH place AS (SELECT 'zerodb'::regnamespace AS oid), relation AS (
        SELECT c.* FROM pg_class AS c, place WHERE c.relnamespace = place.oid)
    SELECT 'function ' || p.oid::regprocedure || E'\n' || pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
        || coalesce(E'\n' || obj_description(p.oid, 'pg_proc'), '')
        FROM pg_proc AS p, place WHERE p.pronamespace = place.oid
    UNION ALL SELECT format('relation %s %s %s %s %s %s %s %s', c.relkind, c.oid::regclass, c.relrowsecurity, c.relforcerowsecurity,
        c.relpersistence, c.reloptions, pg_get_expr(c.relpartbound, c.oid), c.relacl) || coalesce(E'\n' || obj_description(c.oid, 'pg_class'), '')
        FROM relation AS c WHERE c.relkind <> 'i'
    UNION ALL SELECT format('column %s.%s %s %s %s %s %s %s %s', c.oid::regclass, a.attname,
        row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity, a.attstorage, pg_get_expr(d.adbin, d.adrelid), a.attacl) || coalesce(E'\n' || col_description(c.oid, a.attnum), '')
        FROM relation AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind IN ('r', 'p', 'v')
    UNION ALL SELECT format('view %s %s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM relation AS c WHERE c.relkind = 'v'
    UNION ALL SELECT 'index ' || pg_get_indexdef(c.oid) FROM relation AS c WHERE c.relkind IN ('i', 'I')
    UNION ALL SELECT format('constraint %s %s %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint AS k, place WHERE k.connamespace = place.oid
    UNION ALL SELECT format('trigger %s %s', t.tgenabled, pg_get_triggerdef(t.oid))
        FROM pg_trigger AS t JOIN relation AS c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal
    UNION ALL SELECT format('policy %s %s %s %s %s %s', p.polrelid::regclass, p.polname, p.polcmd, p.polpermissive,
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_policy AS p JOIN relation AS c ON c.oid = p.polrelid
    UNION ALL SELECT format('enum %s %s', e.enumtypid::regtype, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder))
        FROM pg_enum AS e GROUP BY e.enumtypid
    UNION ALL SELECT 'member ' || pg_describe_object(d.classid, d.objid, d.objsubid)
        FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
        WHERE x.extname = 'zerodb_hooks' AND d.deptype = 'e'
    UNION ALL SELECT format('dumped %s %s', u.config::regclass, u.condition)
        FROM pg_extension AS x, unnest(x.extconfig, x.extcondition) AS u (config, condition) WHERE x.extname = 'zerodb_hooks'
    UNION ALL SELECT 'event type ' || to_jsonb(t)::text FROM zerodb.event_type AS t
    UNION ALL SELECT 'version ' || x.extversion FROM pg_extension AS x WHERE x.extname = 'zerodb_hooks'
    ORDER BY 1"#;

async fn snapshot(session: &Session) -> Result<Vec<String>> {
    session.texts(SNAPSHOT).await
}

fn assert_same(left: &[String], right: &[String], of: &str) {
    let (left, right): (BTreeSet<_>, BTreeSet<_>) = (left.iter().collect(), right.iter().collect());
    let only_left: Vec<_> = left.difference(&right).collect();
    let only_right: Vec<_> = right.difference(&left).collect();
    assert!(
        only_left.is_empty() && only_right.is_empty(),
        "{of}: only upgraded: {only_left:#?}\nonly fresh: {only_right:#?}"
    );
}

#[tokio::test]
async fn every_older_version_upgrades_to_what_a_fresh_install_is() -> Result<()> {
    for version in PgVersion::present() {
        let fresh_db = Database::create_bare(version).await?;
        let fresh = fresh_db.session().await?;
        fresh.run("CREATE EXTENSION zerodb_hooks").await?;
        let expected = snapshot(&fresh).await?;
        let older = fresh
            .texts(
                "SELECT source FROM pg_extension_update_paths('zerodb_hooks') AS p
                JOIN pg_available_extension_versions AS v ON v.name = 'zerodb_hooks' AND v.version = p.source
                JOIN pg_available_extensions AS x ON x.name = 'zerodb_hooks' AND x.default_version = p.target
                WHERE p.path IS NOT NULL",
            )
            .await?;
        for old in older {
            let db = Database::create_bare(version).await?;
            let session = db.session().await?;
            session
                .run(&format!("CREATE EXTENSION zerodb_hooks VERSION '{old}'"))
                .await?;
            session.run("ALTER EXTENSION zerodb_hooks UPDATE").await?;
            assert_same(
                &snapshot(&session).await?,
                &expected,
                &format!("PostgreSQL {}, from {old}", version.major),
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_upgrade_script_starts_from_a_version_that_can_be_installed() -> Result<()> {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../extension/sql");
    let Ok(files) = fs::read_dir(&scripts) else {
        return Ok(()); // Before the second version there are none.
    };
    let db = Database::create(PgVersion::main()).await?;
    let session = db.session().await?;
    for file in files {
        let name = file?.file_name().to_string_lossy().into_owned();
        let versions: Vec<_> = name.trim_end_matches(".sql").split("--").collect();
        if let ["zerodb_hooks", old, _new] = versions[..] {
            let path = format!(
                "SELECT count(*) FROM pg_extension_update_paths('zerodb_hooks') AS p, pg_available_extensions AS x
                WHERE x.name = 'zerodb_hooks' AND p.source = '{old}' AND p.target = x.default_version AND p.path IS NOT NULL"
            );
            assert_eq!(session.number(&path).await?, 1, "{name} leads nowhere");
        }
    }
    Ok(())
}

#[tokio::test]
async fn update_of_the_newest_version_is_no_change() -> Result<()> {
    for version in PgVersion::present() {
        let (first, second) = (
            Database::create_bare(version).await?,
            Database::create_bare(version).await?,
        );
        let (one, two) = (&first.session().await?, &second.session().await?);
        for session in [one, two] {
            session.run("CREATE EXTENSION zerodb_hooks").await?;
        }
        one.run("ALTER EXTENSION zerodb_hooks UPDATE").await?;
        let (left, right) = (snapshot(one).await?, snapshot(two).await?);
        assert_same(&left, &right, "two fresh databases");
        // The snapshot sees a difference where there is one.
        two.run("ALTER FUNCTION zerodb.status() COST 99").await?;
        assert_ne!(snapshot(two).await?, right);
    }
    Ok(())
}

#[tokio::test]
async fn everything_in_the_schema_belongs_to_the_extension() -> Result<()> {
    for version in PgVersion::present() {
        let db = Database::create(version).await?;
        let session = db.session().await?;
        let strays = session
            .texts(
                "SELECT pg_describe_object('pg_class'::regclass, c.oid, 0) FROM pg_class AS c
                    WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT EXISTS
                    (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
                UNION ALL SELECT pg_describe_object('pg_proc'::regclass, p.oid, 0) FROM pg_proc AS p
                    WHERE p.pronamespace = 'zerodb'::regnamespace AND NOT EXISTS
                    (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')",
            )
            .await?;
        assert_eq!(strays, Vec::<String>::new());
        let elsewhere = session
            .texts(
                "SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend AS d JOIN pg_extension AS x ON x.oid = d.refobjid
                WHERE x.extname = 'zerodb_hooks' AND d.deptype = 'e' AND pg_describe_object(d.classid, d.objid, 0) !~ 'zerodb'",
            )
            .await?;
        assert_eq!(elsewhere, Vec::<String>::new());
    }
    Ok(())
}
