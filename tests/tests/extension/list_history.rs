//! A small history in every form in which one is kept, written as the worker would.

use zerodb_hooks_harness::{Result, Session};

use crate::{ALICE, BOB};

pub const HOOK_OF_ALICE: &str = "dddddddd-0000-4000-8000-00000000000a";
pub const HOOK_OF_BOB: &str = "dddddddd-0000-4000-8000-00000000000b";
pub const EVENTS: i64 = 300;

/// 300 events, a second between each and the next, odd ones Alice's and even ones Bob's; and 310 deliveries:
///
/// - of each three the first two in completions, Alice's ten at a time and Bob's one by one, the third in a row, in
///   every state in turn;
/// - one that is in both forms;
/// - and ten of a batch, of which one has completed and one has failed.
pub async fn history(session: &Session) -> Result<()> {
    session.run(&events_and_rows()).await?;
    session.run(&completions()).await?;
    session.run(&batch()).await
}

/// What `generate_series(1, 300)` has, with its owner, hook and time.
const EACH: &str =
    "(SELECT i, (2000 + i)::text::xid8 AS xid, now() - (301 - i) * interval '1 s' AS at, u.user_id, u.hook_id
    FROM generate_series(1, 300) AS i JOIN owner AS u ON u.odd = i % 2) AS e";

fn events_and_rows() -> String {
    format!(
        "CREATE TEMP TABLE owner (odd int, user_id uuid, hook_id uuid);
        INSERT INTO owner VALUES (1, '{ALICE}', '{HOOK_OF_ALICE}'), (0, '{BOB}', '{HOOK_OF_BOB}');
        ALTER TABLE zerodb.zerodb_hooks DISABLE TRIGGER USER;
        INSERT INTO zerodb.zerodb_hooks (id, user_id, event_type, hook_type, hook_name)
        VALUES ('{HOOK_OF_ALICE}', '{ALICE}', '*', 'log', 'of_alice'), ('{HOOK_OF_BOB}', '{BOB}', '*', 'log', 'of_bob');
        ALTER TABLE zerodb.zerodb_hooks ENABLE TRIGGER USER;
        INSERT INTO zerodb.lease (worker, expires_at) VALUES ('w', now() + interval '1 h');
        INSERT INTO zerodb.outbox (xid, created_at, ord, relid, slot, user_id, event_type, data)
        SELECT e.xid, e.at, 0, 0, e.i % 3, e.user_id,
            CASE WHEN e.i % 2 = 0 THEN 'on_import' WHEN e.i % 4 = 1 THEN 'zerodb.memory.stored' ELSE 'on_recall' END, '{{}}'
        FROM {EACH};
        INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, created_at, state, due_at,
            finished_at, last_error, lease_id)
        SELECT e.i, e.xid, 0, e.i % 3, e.hook_id, e.user_id, e.at, s.state,
            CASE WHEN s.state IN ('pending', 'retryable') THEN e.at END,
            CASE WHEN s.state IN ('completed', 'discarded', 'cancelled') THEN e.at END,
            CASE WHEN s.state IN ('retryable', 'discarded', 'cancelled') THEN 'bad: x' END,
            CASE WHEN s.state = 'running' THEN (SELECT l.id FROM zerodb.lease AS l) END
        FROM {EACH}
        JOIN (SELECT v.state, v.n FROM unnest(enum_range(NULL::zerodb.delivery_state)) WITH ORDINALITY AS v (state, n)) AS s
            ON s.n = 1 + e.i / 3 % 6
        WHERE e.i % 3 = 0 OR e.i = 7;
        SELECT setval('zerodb.delivery_id_seq', 310)"
    )
}

fn completions() -> String {
    format!(
        "INSERT INTO zerodb.completion (batch_id, first_id, last_id, first_xid, last_xid, created_at, finished_at, hook_id,
            user_id, size, slot, ids, event_xids, event_ords, started_at, duration_ms, status, worker)
        SELECT min(e.i), min(e.i), max(e.i), min(e.xid::text::bigint)::text::xid8, max(e.xid::text::bigint)::text::xid8,
            min(e.at), max(e.at), e.hook_id, e.user_id, count(*), e.i % 3, array_agg(e.i ORDER BY e.i), array_agg(e.xid ORDER BY e.i),
            array_agg(0), array_agg(e.at ORDER BY e.i), array_agg(1), array_agg(200), 'w'
        FROM {EACH} WHERE e.i % 3 > 0
        GROUP BY e.hook_id, e.user_id, e.i % 3, CASE WHEN e.i % 2 = 1 THEN e.i / 30 ELSE -e.i END
        ORDER BY min(e.i)"
    )
}

fn batch() -> String {
    format!(
        "INSERT INTO zerodb.batch (id, last_id, lease_id, hook_id, user_id, slot, ids, event_xids, event_ords)
        SELECT 301, 310, l.id, '{HOOK_OF_ALICE}', '{ALICE}', 0, array_agg(g), array_agg((2000 + g - 300)::text::xid8), array_agg(0)
        FROM zerodb.lease AS l, generate_series(301, 310) AS g GROUP BY l.id;
        INSERT INTO zerodb.completion (batch_id, first_id, last_id, first_xid, last_xid, created_at, hook_id, user_id, size, slot,
            ids, event_xids, event_ords, worker)
        VALUES (301, 303, 303, '2003', '2003', now(), '{HOOK_OF_ALICE}', '{ALICE}', 1, 0, '{{303}}', '{{2003}}', '{{0}}', 'w');
        INSERT INTO zerodb.delivery (id, event_xid, event_ord, event_slot, hook_id, user_id, state, due_at, last_error)
        VALUES (305, '2005', 0, 0, '{HOOK_OF_ALICE}', '{ALICE}', 'retryable', now(), 'bad: y')"
    )
}
