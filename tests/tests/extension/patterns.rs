//! Patterns of hooks: which are refused, and whose hooks an administrator lists.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::{ALICE, BOB};

#[tokio::test]
async fn a_pattern_that_can_match_nothing_is_refused_and_one_that_cannot_yet_is_told() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let make = |pattern: &str| {
            format!("SELECT zerodb.create_hook('{pattern}', 'x', '{{}}', hook_type => 'log')")
        };
        for (pattern, hint) in [
            (
                "astrocyte.*",
                "astrocyte is a channel; its types have no such prefix: on_",
            ),
            ("on_.*", "zerodb.event_types"),
            ("on_retain.*", "zerodb.event_types"),
            ("zerodb.vectors.*", "Did you mean 'zerodb.vector.*'?"),
            ("zerodb.vector.stored.*", "zerodb.event_types"),
            ("zeromemory.remembered.*", "zerodb.event_types"),
        ] {
            let error = session.error(&make(pattern)).await?;
            assert_eq!(
                (error.code.as_str(), error.message.clone()),
                ("22023", format!("pattern '{pattern}' can match no event"))
            );
            assert!(
                error.hint.as_ref().is_some_and(|said| said.contains(hint)),
                "{pattern}: {error:?}"
            );
        }
        let slip = session.error(&make("zerodb.vector.storde")).await?;
        assert!(
            slip.hint
                .is_some_and(|said| said.starts_with("Did you mean 'zerodb.vector.stored'?"))
        );
        session
            .run("SELECT zerodb.register_event_type('order.made', 'shop', '{id}', 'x')")
            .await?;
        for pattern in ["zerodb.*", "zerodb.vector.*", "zeromemory.*", "order.*", "*"] {
            session.run(&make(pattern)).await?;
            assert_eq!(session.take_notices(), [] as [String; 0], "{pattern}");
        }
        for (pattern, hint) in [
            ("oder.*", "Did you mean 'order.*'?"),
            ("shop.*", "shop is a channel"),
            ("not_yet.*", "zerodb.event_types"),
        ] {
            session.run(&make(pattern)).await?;
            let told = session.take_notices();
            assert_eq!(told.len(), 1, "{pattern}: {told:?}");
            assert!(told[0].contains(hint), "{pattern}: {told:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_administrator_with_a_user_set_lists_the_hooks_of_that_user() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let role = db.create_role("admin").await?;
        session.run(&format!("SELECT zerodb.grant_admin('{role}')")).await?;
        let admin = db.session_as(&role).await?;
        for user in [ALICE, BOB] {
            admin
                .run(&format!("SELECT zerodb.create_hook('on_import', 'of_{}', '{{}}', hook_type => 'log', user_id => '{user}')", &user[..4]))
                .await?;
        }
        admin.run("SELECT zerodb.create_hook('on_import', 'of_all', '{}', hook_type => 'log')").await?;
        let listed = "SELECT hook_name FROM zerodb.list_hooks()";
        assert_eq!(admin.texts(listed).await?, ["of_aaaa", "of_bbbb", "of_all"]);
        admin.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        assert_eq!(admin.texts(listed).await?, ["of_aaaa"]);
        admin.run("SELECT zerodb.create_hook('on_import', 'mine', '{}', hook_type => 'log')").await?;
        assert_eq!(admin.texts(listed).await?, ["of_aaaa", "mine"]);
        Ok(())
    })
    .await
}
