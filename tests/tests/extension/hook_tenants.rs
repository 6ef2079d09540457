//! Whose hooks a call may make, change or delete: the errors for those that are not there, or not for this user.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::hook_errors::expect;
use crate::tenants::two_users;
use crate::{ALICE, BOB};

#[tokio::test]
async fn no_user_42501() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let role = db.create_role("user").await?;
        session
            .run(&format!("SELECT zerodb.grant_user('{role}')"))
            .await?;
        let theirs = db.session_as(&role).await?;
        for sql in [
            "SELECT zerodb.create_hook('*', 'x', hook_type => 'log')",
            "SELECT zerodb.emit('on_import', '{}')",
        ] {
            let error = expect(&theirs, sql, "42501", "no user is set").await?;
            assert!(error.hint.is_some_and(|hint| hint.contains("SET zerodb.user_id")));
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn another_user_or_every_user_42501() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let role = db.create_role("user").await?;
        session.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let theirs = db.session_as(&role).await?;
        theirs.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        for other in [BOB, "00000000-0000-0000-0000-000000000000"] {
            for sql in [
                format!("SELECT zerodb.create_hook('*', 'x', '{{}}', NULL, 'log', '{other}')"),
                format!("SELECT zerodb.emit('on_import', '{{}}', user_id => '{other}')"),
            ] {
                expect(&theirs, &sql, "42501", &format!("may not act for user {other}")).await?;
            }
            let around = format!(
                "INSERT INTO zerodb.zerodb_hooks (user_id, event_type, hook_type, hook_name) VALUES ('{other}', '*', 'log', 'x')"
            );
            assert_eq!(theirs.error(&around).await?.code, "42501");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_absent_hook_p0002() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for id in [format!("'{ALICE}'"), "NULL".to_owned()] {
            let message = format!("hook {} does not exist", id.trim_matches('\''));
            for sql in [
                format!("SELECT zerodb.get_hook({id})"),
                format!("SELECT zerodb.update_hook({id}, is_active => false)"),
                format!("SELECT zerodb.delete_hook({id})"),
                format!("SELECT zerodb.replay({id}, now())"),
            ] {
                expect(&session, &sql, "P0002", &message).await?;
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_hook_belongs_to_the_role_that_made_it_whoever_changes_it() -> Result<()> {
    on_every_server(async |db| {
        let two = two_users(&db).await?;
        let owner =
            "SELECT d.owner::regrole::text FROM zerodb.hook_detail AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id
            WHERE h.user_id = 'aaaaaaaa-0000-4000-8000-000000000001'";
        assert_eq!(two.admin.text(owner).await?, format!("{}_app", db.name));
        two.admin
            .run("UPDATE zerodb.zerodb_hooks SET is_active = false")
            .await?;
        assert_eq!(two.admin.text(owner).await?, format!("{}_app", db.name));
        two.admin
            .run("UPDATE zerodb.zerodb_hooks SET hook_config = '{\"level\": \"info\"}'")
            .await?;
        assert_eq!(two.admin.text(owner).await?, format!("{}_app", db.name));
        Ok(())
    })
    .await
}
