//! What a tenant sees of its hooks' signing secrets: that they changed, and until when the old one counts.

use zerodb_hooks_harness::{Database, PgVersion, Result, Session};

const ALICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const BOB: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// Name, number, whether it counts, and for how many hours yet.
const SEEN: &str = "SELECT string_agg(format('%s %s %s %s', hook_name, number, is_valid,
        CASE WHEN valid_until IS NULL THEN 'newest' ELSE round(extract(epoch FROM valid_until - now()) / 3600)::text END),
        ', ' ORDER BY number) FROM zerodb.signing_secrets";
const ROTATED: &str = "web 0 t 6, web 1 t newest";

async fn act_for(app: &Session, user: &str) -> Result<()> {
    app.run(&format!("SET zerodb.user_id = '{user}'")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_sees_its_rotations_and_neither_a_secret_nor_anothers() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let admin = database.session().await?;
    let role = database.create_role("app").await?;
    admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
    let app = database.session_as(&role).await?;
    act_for(&app, ALICE).await?;
    let config = r#"{"url": "https://a.example/in"}"#;
    let make = format!("SELECT zerodb.create_hook('on_retain', 'web', '{config}', hook_type => 'webhook')");
    app.run(&make).await?;
    assert!(app.texts(SEEN).await?.is_empty(), "nothing was rotated");
    app.run("SELECT zerodb.rotate_secret(id, '6 h') FROM zerodb.list_hooks()")
        .await?;
    assert_eq!(app.text(SEEN).await?, ROTATED);
    for statement in [
        "SELECT sealed FROM zerodb.signing_secret",
        "SELECT s FROM zerodb.signing_secret AS s",
        "UPDATE zerodb.signing_secret SET valid_until = NULL",
    ] {
        assert_eq!(app.error(statement).await?.code, "42501", "{statement}");
    }
    act_for(&app, BOB).await?;
    assert!(app.texts(SEEN).await?.is_empty());
    assert_eq!(app.number("SELECT count(*) FROM zerodb.signing_secret").await?, 0);
    assert_eq!(admin.text(SEEN).await?, ROTATED);
    Ok(())
}
