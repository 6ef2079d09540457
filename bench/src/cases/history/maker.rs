//! Makes a history of millions of events and deliveries as a week of work would have left it, straight into the tables
//! of the extension. Must not measure anything.
//!
//! A block of 1,000 events is 500 rows of one transaction for one busy hook, 20 groups of 20 events for 99 hooks of
//! some traffic, written five a transaction, and 100 events alone, each for one of 10,000 hooks that hear little.
//! What was dispatched together was completed together, so a block has 121 completions of 500, 19 and 1 deliveries.
//! The last delivery of each group did not go well at once: it is a row, with its attempts. The blocks follow each
//! other over the six and a half days before now, and lie in the partitions of those days.

use anyhow::{Result, ensure};
use zerodb_hooks_harness::Session;

/// Events of a block, and its transactions.
pub const BLOCK: u32 = 1000;
const TRANSACTIONS: u32 = 181;
/// Blocks that one statement makes.
const CHUNK: u32 = 500;
/// The transaction before the first one. Those before it are the server's own.
const FIRST: u32 = 2000;

/// The hooks and their users by number: 0 the busy one, 1 to 99 those of some traffic, 100 to 10,099 the others.
const HOOKS: &str = "
CREATE TABLE zerodb_history.hook AS
SELECT n, ('00000000-0000-4000-a000-' || lpad(to_hex(n), 12, '0'))::uuid AS hook_id,
    ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS user_id,
    CASE WHEN n BETWEEN 1 AND 99 THEN 'item.changed' ELSE 'item.stored' END AS event_type
FROM generate_series(0, 10099) AS n;
ANALYZE zerodb_history.hook;
INSERT INTO zerodb.zerodb_hooks (id, user_id, event_type, hook_type, hook_name)
SELECT h.hook_id, h.user_id, h.event_type, 'function', 'noop' FROM zerodb_history.hook AS h;
INSERT INTO zerodb.lease (worker, expires_at) VALUES ('history', now() + interval '1 day')";

/// Every delivery of some blocks: its key, its hook, when, and the part of the block in which it was completed.
const DELIVERIES: &str = "
SELECT e.b, e.k, e.b * 1000 + e.k + 1 AS id, e.xid, e.ord, e.part, h.hook_id, h.user_id, h.event_type,
    e.started + e.k * interval '40 microseconds' AS at, e.slot,
    e.k BETWEEN 500 AND 899 AND e.k % 20 = 19 AS is_row, (e.b * 20 + e.k / 20) % 100 AS luck
FROM (
    SELECT b.b, k, {first} + b.b * 181 + CASE WHEN k < 500 THEN 0 WHEN k < 900 THEN 1 + (k - 500) / 5 ELSE k - 819 END AS xid,
        CASE WHEN k < 500 THEN k WHEN k < 900 THEN k % 5 ELSE 0 END AS ord,
        CASE WHEN k < 500 THEN 0 WHEN k < 900 THEN 1 + (b.b * 20 + k / 20) % 99 ELSE 100 + (b.b * 100 + k) % 10000 END AS hook,
        CASE WHEN k < 500 THEN 0 WHEN k < 900 THEN k / 20 ELSE k END AS part, b.started, b.slot
    FROM (
        SELECT b, w.began + b * (interval '6.5 days' / {blocks}) AS started, ((extract(epoch FROM w.began + b * (interval '6.5 days'
            / {blocks}))::bigint / zerodb_history.slot_seconds()) % 8)::smallint AS slot
        FROM generate_series({from}::bigint, {to}) AS b CROSS JOIN zerodb_history.week AS w OFFSET 0
    ) AS b CROSS JOIN generate_series(0, 999) AS k
) AS e JOIN zerodb_history.hook AS h ON h.n = e.hook";

const EVENTS: &str = r#"
INSERT INTO zerodb.outbox (xid, created_at, ord, relid, slot, user_id, event_type, data)
SELECT d.xid::text::xid8, d.at, d.ord, 16384, d.slot, d.user_id, d.event_type,
    ('{"item_id":' || d.id || ',"name":"an item of ordinary length","size":4711}')::json
FROM ({deliveries}) AS d"#;

const COMPLETIONS: &str = "
INSERT INTO zerodb.completion (batch_id, first_id, last_id, first_xid, last_xid, created_at, finished_at, hook_id, user_id, size, slot,
    ids, event_xids, event_ords, started_at, duration_ms, status, worker)
SELECT min(d.id), min(d.id), max(d.id), min(d.xid)::text::xid8, max(d.xid)::text::xid8, min(d.at) + interval '2 ms',
    min(d.at) + interval '5 ms', d.hook_id, d.user_id, count(*), d.slot, array_agg(d.id), array_agg(d.xid::text::xid8), array_agg(d.ord),
    array_agg(d.at + interval '3 ms'), array_agg(1), array_agg(NULL::integer), 'history'
FROM ({deliveries}) AS d WHERE NOT d.is_row GROUP BY d.b, d.part, d.hook_id, d.user_id, d.slot ORDER BY 1";

/// Of a hundred that did not go well at once, 88 completed at the second attempt, 10 were given up at the third, one
/// was cancelled, and one of the last days waits for its next attempt.
const ROWS: &str = "
INSERT INTO zerodb.delivery (id, event_xid, lease_id, due_at, created_at, finished_at, event_ord, attempts, epoch, state, hook_id, user_id,
    event_slot, last_error)
SELECT d.id, d.xid::text::xid8, (SELECT max(l.id) FROM zerodb.lease AS l), CASE WHEN d.state = 'retryable' THEN now() + interval '1 day' END,
    d.at, CASE WHEN d.state <> 'retryable' THEN d.at + interval '2 s' END, d.ord, d.attempts, d.attempts, d.state::zerodb.delivery_state,
    d.hook_id, d.user_id, d.slot, CASE d.state WHEN 'completed' THEN NULL ELSE 'status: the endpoint answered 503' END
FROM (SELECT d.*, CASE WHEN d.luck < 88 THEN 'completed' WHEN d.luck < 98 THEN 'discarded' WHEN d.luck = 98 THEN 'cancelled'
    WHEN d.at > now() - interval '1 day' THEN 'retryable' ELSE 'completed' END AS state,
    CASE WHEN d.luck BETWEEN 88 AND 97 THEN 3 ELSE 2 END AS attempts
    FROM ({deliveries}) AS d WHERE d.is_row) AS d";
const ATTEMPTS: &str = "
INSERT INTO zerodb.attempt (delivery_id, started_at, attempt, duration_ms, status, slot, outcome, error, worker)
SELECT d.id, d.created_at + a * interval '500 ms', a, 12, 503, d.event_slot, CASE WHEN a < d.attempts OR d.state = 'retryable' THEN 'failed'
    WHEN d.state = 'discarded' THEN 'discarded' ELSE 'completed' END, d.last_error, 'history'
FROM zerodb.delivery AS d CROSS JOIN LATERAL generate_series(1, d.attempts) AS a
WHERE d.id BETWEEN {from} * 1000 + 1 AND ({to} + 1) * 1000";

/// Transactions with these numbers have been, and the dispatcher has read all of them.
const PASSED: &str = "
INSERT INTO zerodb.cursor (seq, done, upto, xid, ord, complete)
SELECT 1, s, s, '0', 0, 1 FROM pg_current_snapshot() AS s;
SELECT setval('zerodb.delivery_id_seq', {events} + 1)";
const USE_UP: &str = "DO $$ BEGIN
    WHILE pg_current_xact_id()::text::bigint < {last} LOOP COMMIT; END LOOP;
END $$";

const PREPARE: &str = "
SELECT zerodb.register_event_type('item.stored', 'app', '{item_id,name,size}', 'An item was stored');
SELECT zerodb.register_event_type('item.changed', 'app', '{item_id,name,size}', 'An item was changed');
CREATE SCHEMA zerodb_history;
CREATE TABLE zerodb_history.week AS SELECT now() - interval '6.5 days' AS began;
CREATE FUNCTION zerodb_history.slot_seconds() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 7 * 24 * 3600 / 6 $$";

/// What the server does by itself in a week of writing.
pub const VACUUM: &str =
    "VACUUM (ANALYZE) zerodb.outbox, zerodb.completion, zerodb.delivery, zerodb.attempt, zerodb.zerodb_hooks";

/// The history of as many events, a multiple of a thousand, each with one delivery.
pub async fn make(session: &Session, events: u32) -> Result<()> {
    ensure!(events.is_multiple_of(BLOCK), "whole blocks of {BLOCK} events");
    let blocks = events / BLOCK;
    // Neither the triggers that signal nor those that check.
    session
        .run("SET session_replication_role = replica; SET synchronous_commit = off")
        .await?;
    session.run(PREPARE).await?;
    session.run(HOOKS).await?;
    let mut from = 0;
    while from < blocks {
        let to = blocks.min(from + CHUNK) - 1;
        for statement in [EVENTS, COMPLETIONS, ROWS, ATTEMPTS] {
            let sized = statement
                .replace("{deliveries}", DELIVERIES)
                .replace("{first}", &FIRST.to_string())
                .replace("{blocks}", &blocks.to_string())
                .replace("{from}", &from.to_string())
                .replace("{to}", &to.to_string());
            session.run(&sized).await?;
        }
        from = to + 1;
    }
    let last = FIRST + blocks * TRANSACTIONS;
    session.run(&USE_UP.replace("{last}", &last.to_string())).await?;
    session
        .run(&PASSED.replace("{events}", &events.to_string()))
        .await?;
    session
        .run("RESET session_replication_role; RESET synchronous_commit")
        .await?;
    session.run(VACUUM).await
}

/// The key of the event with this number, counted from 0. Its delivery has the number after it as its id.
pub fn key(number: u32) -> (u32, u32) {
    let (block, at) = (number / BLOCK, number % BLOCK);
    let (transaction, ord) = match at {
        0..500 => (0, at),
        500..900 => (1 + (at - 500) / 5, at % 5),
        _ => (at - 819, 0),
    };
    (FIRST + block * TRANSACTIONS + transaction, ord)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_uses_each_of_its_transactions() {
        let used: std::collections::BTreeSet<_> = (0..BLOCK).map(|number| key(number).0 - FIRST).collect();
        assert_eq!(used, (0..TRANSACTIONS).collect());
        let keys: std::collections::BTreeSet<_> = (0..3 * BLOCK).map(key).collect();
        assert_eq!(keys.len(), 3 * BLOCK as usize);
    }
}
