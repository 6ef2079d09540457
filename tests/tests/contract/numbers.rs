//! Numbers that the extension, SQL and the worker have in common are the same everywhere. They stand in
//! the contract.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use zerodb_hooks_harness::{Result, Session, on_every_server};

use zerodb_hooks_contract::event_log::SLOTS;
use zerodb_hooks_contract::lock::{CLASS as LOCK_CLASS, LOCKS};

const LOG_PARTITIONS: usize = SLOTS as usize;

/// The tables that are divided as the log is.
const DIVIDED: [&str; 3] = ["outbox", "attempt", "completion"];

/// The texts of the files with this extension below a folder of the repository.
fn texts(folder: &str, extension: &str) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(&path)?;
                found.push((path, text));
            }
        }
    }
    Ok(found)
}

/// What stands between `before` and `after`, wherever both do.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Vec<&'t str> {
    let parts = text.split(before).skip(1);
    parts
        .filter_map(|part| part.split_once(after).map(|(found, _)| found))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_named_lock_has_its_own_number_of_the_register() -> Result<()> {
    on_every_server(async |database| {
        let holder = database.session().await?;
        for (name, lock) in LOCKS {
            holder
                .run(&format!("SELECT zerodb._lock_session('{name}')"))
                .await?;
            let held = "SELECT format('%s %s %s', classid, objid, objsubid) FROM pg_locks
                WHERE pid = pg_backend_pid() AND locktype = 'userlock'";
            assert_eq!(
                holder.texts(held).await?,
                [format!("{LOCK_CLASS} {} 1", lock as u32)],
                "{name}"
            );
            holder
                .run(&format!("SELECT zerodb._unlock_session('{name}')"))
                .await?;
        }
        let unknown = holder.error("SELECT zerodb._lock_session('nothing')").await?;
        assert_eq!(unknown.code, "22023");
        Ok(())
    })
    .await
}

#[test]
fn sql_asks_for_the_locks_of_the_register_and_for_no_others() -> Result<()> {
    let registered: BTreeSet<_> = LOCKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut asked = BTreeSet::new();
    for (_, text) in texts("sql", "sql")? {
        for function in ["_lock('", "_try_lock('", "_lock_session('", "_unlock_session('"] {
            asked.extend(between(&text, function, "'").into_iter().map(str::to_owned));
        }
    }
    assert_eq!(asked, registered);
    Ok(())
}

/// The partitions of a table with their bounds, in the order of their names.
async fn partitions(session: &Session, table: &str) -> Result<Vec<String>> {
    session
        .texts(&format!(
            "SELECT c.relname || ' ' || pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits AS i
            JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'zerodb.{table}'::regclass ORDER BY c.relname"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_as_many_partitions_as_the_register_says() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        for table in DIVIDED {
            let expected: Vec<_> = (0..LOG_PARTITIONS)
                .map(|slot| format!("{table}_{slot} FOR VALUES IN ('{slot}')"))
                .collect();
            assert_eq!(partitions(&session, table).await?, expected);
        }
        let rotate = |slot: usize| format!("SELECT zerodb._rotate_log({slot}, '1 day')");
        session.run(&rotate(LOG_PARTITIONS - 1)).await?;
        let beyond = session.error(&rotate(LOG_PARTITIONS)).await?;
        assert_eq!(beyond.message, format!("there is no slot {LOG_PARTITIONS}"));
        Ok(())
    })
    .await
}

#[test]
fn no_statement_and_no_constant_of_the_worker_counts_other_partitions() -> Result<()> {
    for (path, text) in texts("sql/worker", "sql")? {
        for last in between(&text, "generate_series(0, ", ") AS s (slot)") {
            assert_eq!(last, (LOG_PARTITIONS - 1).to_string(), "{}", path.display());
        }
    }
    for (path, text) in texts("worker", "rs")? {
        for count in between(&text, "const SLOTS: i32 = ", ";") {
            assert_eq!(count, LOG_PARTITIONS.to_string(), "{}", path.display());
        }
    }
    Ok(())
}
