//! Tenants bound to roles: zerodb.user_id then names no other.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::actors::{EVERY_USER, MALLORY, Stage, VICTIM};

#[tokio::test]
async fn a_bound_role_acts_for_its_tenant_only() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let mallory = &stage.mallory;
        stage
            .victim
            .run("SELECT zerodb.create_hook('*', 'hers', hook_type => 'log'), zerodb.emit('app.thing', '{}')")
            .await?;
        let seen = "SELECT count(*) FROM zerodb.events";
        mallory.run(&format!("SET zerodb.user_id = '{VICTIM}'")).await?;
        assert_eq!(
            mallory.number(seen).await?,
            1,
            "an unbound role acts for whom it names"
        );
        stage
            .admin
            .run(&format!(
                "SELECT zerodb.bind_tenant('{}', '{MALLORY}')",
                stage.mallory_role
            ))
            .await?;
        for other in [VICTIM, EVERY_USER] {
            mallory.run(&format!("SET zerodb.user_id = '{other}'")).await?;
            assert_eq!(mallory.number(seen).await?, 0, "{other}");
        }
        mallory.run(&format!("SET zerodb.user_id = '{VICTIM}'")).await?;
        for call in [
            "create_hook('*', 'spy', hook_type => 'log')",
            "emit('app.thing', '{}')",
            "set_budget(1)",
        ] {
            let error = mallory.error(&format!("SELECT zerodb.{call}")).await?;
            assert_eq!(error.code, "42501", "{call}: {error:?}");
        }
        // Without a setting it is its own.
        mallory.run("RESET zerodb.user_id").await?;
        mallory.run("SELECT zerodb.emit('app.thing', '{}')").await?;
        let own = "SELECT DISTINCT user_id FROM zerodb.events";
        assert_eq!(mallory.texts(own).await?, [MALLORY]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn who_has_the_rights_of_a_bound_role_is_bound_too() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let member = db.create_role("member").await?;
        stage
            .admin
            .run(&format!(
                "GRANT {} TO {member}; SELECT zerodb.bind_tenant('{}', '{MALLORY}')",
                stage.mallory_role, stage.mallory_role
            ))
            .await?;
        stage.victim.run("SELECT zerodb.emit('app.thing', '{}')").await?;
        let session = db.session_as(&member).await?;
        session.run(&format!("SET zerodb.user_id = '{VICTIM}'")).await?;
        assert_eq!(session.number("SELECT count(*) FROM zerodb.events").await?, 0);
        assert_eq!(
            session.error("SELECT zerodb.emit('app.thing', '{}')").await?.code,
            "42501"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn only_an_administrator_binds_and_sees_all_bindings() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (mallory, victim) = (&stage.mallory_role, &stage.victim_role);
        let bind = format!("SELECT zerodb.bind_tenant('{victim}', '{VICTIM}')");
        assert_eq!(stage.mallory.error(&bind).await?.code, "42501");
        stage.admin.run(&bind).await?;
        stage
            .admin
            .run(&format!("SELECT zerodb.bind_tenant('{mallory}', '{MALLORY}')"))
            .await?;
        let seen = "SELECT user_id FROM zerodb.tenant_binding";
        assert_eq!(stage.mallory.texts(seen).await?, [MALLORY]);
        assert_eq!(stage.admin.texts(seen).await?.len(), 2);
        let unbind = format!("SELECT zerodb.unbind_tenant('{mallory}')");
        assert_eq!(stage.mallory.error(&unbind).await?.code, "42501");
        stage.admin.run(&unbind).await?;
        assert_eq!(stage.admin.error(&unbind).await?.code, "P0002");
        let stranger = db.create_role("stranger").await?;
        let without = format!("SELECT zerodb.bind_tenant('{stranger}', '{MALLORY}')");
        assert_eq!(
            stage.admin.error(&without).await?.code,
            "22023",
            "a role without rights"
        );
        let every = format!("SELECT zerodb.bind_tenant('{mallory}', '{EVERY_USER}')");
        assert_eq!(stage.admin.error(&every).await?.code, "22023");
        Ok(())
    })
    .await
}
