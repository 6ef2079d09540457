//! What a backend remembers of the hooks: a change that is told, one that is undone, and one that is of no matter.

use zerodb_hooks_harness::{Result, on_every_server};

use crate::{ALICE, BOB, watch_all, written};

const TABLE: &str = "CREATE TABLE item (id int PRIMARY KEY, name text)";

/// A hook of a user for a type or a prefix.
fn hook(user: &str, pattern: &str) -> String {
    format!("SELECT zerodb.create_hook('{pattern}', 'h', '{{}}', hook_type => 'log', user_id => '{user}')")
}

fn delete(user: &str) -> String {
    format!("SELECT zerodb.delete_hook(h.id) FROM zerodb.zerodb_hooks AS h WHERE h.user_id = '{user}'")
}

#[tokio::test]
async fn a_type_is_recorded_as_long_as_anybodys_hook_wants_it() -> Result<()> {
    on_every_server(async |db| {
        let (writer, admin) = (db.session().await?, db.session().await?);
        writer.run(TABLE).await?;
        writer.run(&watch_all("item")).await?;
        let mut id = 0;
        let mut write = async || {
            id += 1;
            writer.run(&format!("INSERT INTO item VALUES ({id})")).await
        };
        write().await?;
        admin.run(&hook(ALICE, "zerodb.table.*")).await?;
        write().await?;
        admin.run(&hook(BOB, "zerodb.table.*")).await?;
        admin.run(&delete(ALICE)).await?;
        write().await?;
        let switch =
            |on: bool| format!("SELECT zerodb.update_hook(id, is_active => {on}) FROM zerodb.zerodb_hooks");
        admin.run(&switch(false)).await?;
        write().await?;
        admin.run(&switch(true)).await?;
        write().await?;
        admin.run(&delete(BOB)).await?;
        write().await?;
        admin.run(&hook(BOB, "*")).await?;
        write().await?;
        admin.run("TRUNCATE zerodb.zerodb_hooks CASCADE").await?;
        write().await?;
        let wanted = ["inserted 2", "inserted 3", "inserted 5", "inserted 7"];
        assert_eq!(written(&admin).await?, wanted);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_transaction_has_seen_of_its_own_hooks_goes_with_it() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(TABLE).await?;
        session.run(&watch_all("item")).await?;
        session.run(&hook(ALICE, "*")).await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session
            .run(&format!("BEGIN; {}; INSERT INTO item VALUES (2); ROLLBACK", delete(ALICE)))
            .await?;
        session.run("INSERT INTO item VALUES (3)").await?;
        session
            .run(&format!(
                "BEGIN; SAVEPOINT s; {}; INSERT INTO item VALUES (4); ROLLBACK TO s; INSERT INTO item VALUES (5); COMMIT",
                delete(ALICE)
            ))
            .await?;
        session.run(&delete(ALICE)).await?;
        session
            .run(&format!("BEGIN; {}; INSERT INTO item VALUES (6); ROLLBACK", hook(ALICE, "*")))
            .await?;
        session.run("INSERT INTO item VALUES (7)").await?;
        session
            .run(&format!("BEGIN; {}; INSERT INTO item VALUES (8); COMMIT", hook(ALICE, "*")))
            .await?;
        session.run("INSERT INTO item VALUES (9)").await?;
        assert_eq!(
            written(&session).await?,
            ["inserted 1", "inserted 3", "inserted 5", "inserted 8", "inserted 9"]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_its_index_every_wanted_row_is_recorded_all_the_same() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run(TABLE).await?;
        session.run(&watch_all("item")).await?;
        session.run("DROP INDEX zerodb.zerodb_hooks_wanted").await?;
        session.run("INSERT INTO item VALUES (1)").await?;
        session.run(&hook(ALICE, "zerodb.*")).await?;
        session.run("INSERT INTO item VALUES (2)").await?;
        assert_eq!(written(&session).await?, ["inserted 2"]);
        Ok(())
    })
    .await
}
