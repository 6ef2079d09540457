//! What SQL has by hand is what the crate `contract` has: states, partitions, locks, event types, keys of every hook.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use zerodb_hooks_contract::delivery::{AttemptOutcome, DeliveryState};
use zerodb_hooks_contract::event_log::SLOTS;
use zerodb_hooks_contract::event_types::BUILT_IN;
use zerodb_hooks_contract::hooks::{DeliverySettings, HANDLERS};
use zerodb_hooks_contract::lock::{CLASS, Kind, LOCKS};
use zerodb_hooks_contract::setting::Word;
use zerodb_hooks_harness::{Result, Session, on_every_server};

/// The tables that are divided as the log is.
const DIVIDED: [&str; 3] = ["outbox", "attempt", "completion"];

/// The SQL files below a folder of the repository, with their texts.
fn texts(folder: &str, kind: &str) -> Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == kind) {
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

fn words<W: Word>() -> Vec<&'static str> {
    W::ALL.iter().map(|word| word.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_has_the_states_of_the_contract() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let states = "SELECT s::text FROM unnest(enum_range(NULL::zerodb.delivery_state)) AS s";
        assert_eq!(session.texts(states).await?, words::<DeliveryState>());
        // In the order of the constraint's list.
        let outcomes = "SELECT m[1] FROM pg_constraint AS c,
                regexp_matches(pg_get_constraintdef(c.oid), '''([a-z]+)''', 'g') AS m
            WHERE c.conrelid = 'zerodb.attempt'::regclass AND c.contype = 'c'";
        assert_eq!(session.texts(outcomes).await?, words::<AttemptOutcome>());
        Ok(())
    })
    .await
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
            let expected = format!("{CLASS} {} {}", lock.number(), Kind::Named as u16);
            assert_eq!(holder.texts(held).await?, [expected], "{name}");
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
fn the_locks_of_the_register_are_asked_for_and_no_others() -> Result<()> {
    let registered: BTreeSet<_> = LOCKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut asked = BTreeSet::new();
    for (_, text) in texts("sql", "sql")? {
        for function in ["_lock('", "_try_lock('", "_lock_session('", "_unlock_session('"] {
            asked.extend(between(&text, function, "'").into_iter().map(str::to_owned));
        }
    }
    // The library names them by their variants.
    for (_, text) in texts("extension/src", "rs")? {
        let variants = LOCKS
            .iter()
            .filter(|(_, lock)| text.contains(&format!("Lock::{lock:?}")));
        asked.extend(variants.map(|(name, _)| (*name).to_owned()));
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
            let expected: Vec<_> = (0..SLOTS)
                .map(|slot| format!("{table}_{slot} FOR VALUES IN ('{slot}')"))
                .collect();
            assert_eq!(partitions(&session, table).await?, expected);
        }
        let rotate = |slot: u16| format!("SELECT zerodb._rotate_log({slot}, '1 day')");
        session.run(&rotate(SLOTS - 1)).await?;
        let beyond = session.error(&rotate(SLOTS)).await?;
        assert_eq!(beyond.message, format!("there is no slot {SLOTS}"));
        Ok(())
    })
    .await
}

#[test]
fn no_statement_of_the_worker_counts_other_partitions() -> Result<()> {
    for (path, text) in texts("sql/worker", "sql")? {
        for last in between(&text, "generate_series(0, ", ") AS s (slot)") {
            assert_eq!(last, (SLOTS - 1).to_string(), "{}", path.display());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_event_types_are_those_of_the_contract() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let query = "SELECT jsonb_build_array(t.name, t.channel, t.fields, t.batch_of, t.description)::text
            FROM zerodb.event_type AS t WHERE t.builtin ORDER BY t.name COLLATE \"C\"";
        let mut expected: Vec<Value> = BUILT_IN
            .iter()
            .map(|it| json!([it.name, it.channel, it.fields, it.batch_of, it.description]))
            .collect();
        expected.sort_by_key(|row| row[0].to_string());
        let found = session.texts(query).await?;
        let found: Vec<Value> = found
            .iter()
            .map(|row| serde_json::from_str(row))
            .collect::<Result<_, _>>()?;
        assert_eq!(found, expected);
        Ok(())
    })
    .await
}

/// A key of every hook says when, how often and how patiently: no right of another's is used by changing it. One that
/// is null is not kept, where null stands for a key that was left out.
#[tokio::test(flavor = "multi_thread")]
async fn sql_knows_the_keys_of_every_hook() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let of_every_hook: Map<String, Value> = DeliverySettings::KEYS
            .iter()
            .map(|key| (key.name.to_owned(), json!(1)))
            .collect();
        let steering = format!("SELECT zerodb._steering_keys('{}')", json!(of_every_hook));
        assert_eq!(session.json(&steering).await?, json!({}));
        let nulls: Map<String, Value> = DeliverySettings::KEYS
            .iter()
            .filter(|key| key.null_is_absent)
            .map(|key| (key.name.to_owned(), Value::Null))
            .collect();
        let kept = format!(
            "SELECT zerodb._checked_config('function', 'f', '{}')",
            json!(nulls)
        );
        assert_eq!(session.json(&kept).await?, json!({}));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extension_knows_the_template_of_each_type() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        for handler in HANDLERS.iter().filter(|handler| !handler.is_first_party) {
            let template = format!(
                "SELECT coalesce(zerodb._event_template('{}'), 'none')",
                handler.name
            );
            let key = handler.keys.iter().find(|key| key.names_fields);
            assert_eq!(session.text(&template).await?, key.map_or("none", |key| key.name));
        }
        Ok(())
    })
    .await
}
