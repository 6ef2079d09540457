//! The lists of what is retained: every row once, page by page, by every filter, and of nobody else's; no more read
//! than is given back, and an end where a filter finds nothing.

use zerodb_hooks_harness::{Result, Session, on_every_server};

use crate::hook_errors::expect;
use crate::list_history::{EVENTS, HOOK_OF_ALICE, HOOK_OF_BOB, history};
use crate::{ALICE, BOB};

/// The ids that a list gives page by page, each page begun below the last row's cursor, and in how many calls.
pub async fn walk(session: &Session, list: &str, filter: &str, page: usize) -> Result<(Vec<String>, usize)> {
    let (mut ids, mut calls, mut before) = (Vec::new(), 0, "NULL".to_owned());
    loop {
        let query = format!(
            "SELECT coalesce(id::text, '') || ' ' || cursor
            FROM zerodb.{list}(before => {before}, max_rows => {page} {filter})"
        );
        let rows = session.texts(&query).await?;
        calls += 1;
        let Some(last) = rows.last() else {
            return Ok((ids, calls));
        };
        assert!(rows.len() <= page && calls < 2000, "{query}");
        before = format!("'{}'", last.rsplit(' ').next().unwrap_or_default());
        let id = |row: &String| {
            row.split(' ')
                .next()
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
        };
        ids.extend(rows.iter().filter_map(id));
    }
}

const NEWEST_DELIVERIES: &str = "SELECT id FROM zerodb.deliveries WHERE";

/// What `list_deliveries` is asked, and the condition on the view that says the same.
fn delivery_filters(event: &str) -> Vec<(String, String)> {
    let mut filters = vec![
        (String::new(), "true".to_owned()),
        (
            format!(", event_id => '{event}'"),
            format!("event_id = '{event}'"),
        ),
        (
            ", since => now() - interval '150 s', until => now() - interval '50 s'".to_owned(),
            "created_at >= now() - interval '150 s' AND created_at < now() - interval '50 s'".to_owned(),
        ),
    ];
    for state in [
        "pending",
        "running",
        "retryable",
        "completed",
        "discarded",
        "cancelled",
    ] {
        filters.push((format!(", state => '{state}'"), format!("state = '{state}'")));
        filters.push((
            format!(", hook_id => '{HOOK_OF_ALICE}', state => '{state}'"),
            format!("hook_id = '{HOOK_OF_ALICE}' AND state = '{state}'"),
        ));
        filters.push((
            format!(", user_id => '{ALICE}', state => '{state}'"),
            format!("user_id = '{ALICE}' AND state = '{state}'"),
        ));
    }
    for hook in [HOOK_OF_ALICE, HOOK_OF_BOB, "dddddddd-0000-4000-8000-00000000dead"] {
        filters.push((format!(", hook_id => '{hook}'"), format!("hook_id = '{hook}'")));
    }
    for user in [ALICE, BOB] {
        filters.push((format!(", user_id => '{user}'"), format!("user_id = '{user}'")));
    }
    filters
}

#[tokio::test]
async fn deliveries_are_all_listed_once_by_every_filter() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        history(&session).await?;
        let event = session
            .text("SELECT event_id FROM zerodb.deliveries WHERE id = 150")
            .await?;
        // Times of one transaction stand still, so that list and view are asked for the same.
        for (filter, condition) in delivery_filters(&event) {
            for page in [9, 1000] {
                session.run("BEGIN").await?;
                let (listed, _) = walk(&session, "list_deliveries", &filter, page).await?;
                let there = format!("{NEWEST_DELIVERIES} {condition} ORDER BY id DESC");
                assert_eq!(listed, session.texts(&there).await?, "{filter}, pages of {page}");
                session.run("COMMIT").await?;
            }
        }
        let row = "SELECT concat_ws(' ', d.event_id = l.event_id, d.state = l.state, d.attempts = l.attempts, l.event, l.hook_name)
            FROM zerodb.list_deliveries(before => 151, max_rows => 1) AS l JOIN zerodb.deliveries AS d ON d.id = l.id";
        assert_eq!(session.text(row).await?, "t t t on_import of_bob");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn events_are_all_listed_once_by_every_filter() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        history(&session).await?;
        let filters = [
            (String::new(), "true".to_owned()),
            (", event_type => 'on_import'".into(), "event = 'on_import'".into()),
            (
                ", event_type => 'zerodb.memory.*'".into(),
                "event LIKE 'zerodb.memory.%'".into(),
            ),
            (", event_type => '*', with_data => false".into(), "true".into()),
            (format!(", user_id => '{BOB}'"), format!("user_id = '{BOB}'")),
            (
                ", since => now() - interval '150 s', until => now() - interval '50 s'".into(),
                "timestamp >= now() - interval '150 s' AND timestamp < now() - interval '50 s'".into(),
            ),
        ];
        for (filter, condition) in filters {
            for page in [1, 1000] {
                session.run("BEGIN").await?;
                let (listed, _) = walk(&session, "list_events", &filter, page).await?;
                let there = format!("SELECT id FROM zerodb.events WHERE {condition} ORDER BY id DESC");
                assert_eq!(listed, session.texts(&there).await?, "{filter}, pages of {page}");
                session.run("COMMIT").await?;
            }
        }
        let attempts =
            "SELECT count(*) FROM zerodb.deliveries AS d CROSS JOIN zerodb.list_attempts(d.id) AS a";
        let all = session.number("SELECT count(*) FROM zerodb.attempts").await?;
        assert_eq!(session.number(attempts).await?, all);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_arrives_meanwhile_changes_nothing_of_older_pages() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        history(&session).await?;
        let there = session
            .texts("SELECT id FROM zerodb.deliveries ORDER BY id DESC")
            .await?;
        let (mut listed, mut before) = (Vec::new(), i64::MAX);
        loop {
            let page = format!("SELECT id FROM zerodb.list_deliveries(before => {before}, max_rows => 20)");
            let ids = session.texts(&page).await?;
            let Some(last) = ids.last() else { break };
            before = last.parse()?;
            listed.extend(ids);
            session
                .run(&format!(
                    "INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, due_at)
                    VALUES ('1', 0, 0, '{HOOK_OF_ALICE}', '{ALICE}', now())"
                ))
                .await?;
        }
        assert_eq!(listed, there);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_lists_its_own_and_asks_for_nobody_elses() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        history(&admin).await?;
        let role = db.create_role("app").await?;
        admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        let alice = db.session_as(&role).await?;
        for list in ["list_events", "list_deliveries"] {
            expect(
                &alice,
                &format!("SELECT zerodb.{list}()"),
                "42501",
                "no user is set",
            )
            .await?;
        }
        alice.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        for (list, view) in [("list_events", "events"), ("list_deliveries", "deliveries")] {
            let seen = alice
                .texts(&format!("SELECT id FROM zerodb.{view} ORDER BY id DESC"))
                .await?;
            assert!(seen.len() > 10, "{view}");
            assert_eq!(walk(&alice, list, "", 50).await?.0, seen, "{list}");
            let error = alice
                .error(&format!("SELECT zerodb.{list}(user_id => '{BOB}')"))
                .await?;
            assert_eq!(error.code, "42501", "{list}");
        }
        let of_bob = format!(", hook_id => '{HOOK_OF_BOB}'");
        assert_eq!(
            walk(&alice, "list_deliveries", &of_bob, 50).await?.0,
            Vec::<String>::new()
        );
        let his = admin
            .text(&format!(
                "SELECT max(id) FROM zerodb.deliveries WHERE user_id = '{BOB}'"
            ))
            .await?;
        assert_eq!(
            alice
                .number(&format!("SELECT count(*) FROM zerodb.list_attempts({his})"))
                .await?,
            0
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bound_role_lists_its_tenants_and_an_administrator_whose_it_names() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        history(&admin).await?;
        let role = db.create_role("app").await?;
        admin
            .run(&format!(
                "SELECT zerodb.grant_user('{role}'); SELECT zerodb.bind_tenant('{role}', '{ALICE}')"
            ))
            .await?;
        let alice = db.session_as(&role).await?;
        alice.run(&format!("SET zerodb.user_id = '{BOB}'")).await?;
        for list in ["list_events", "list_deliveries"] {
            let error = alice.error(&format!("SELECT zerodb.{list}()")).await?;
            assert_eq!(error.code, "42501", "{list}");
        }
        alice.run("RESET zerodb.user_id").await?;
        assert_eq!(
            alice
                .texts("SELECT DISTINCT user_id FROM zerodb.list_deliveries(max_rows => 1000)")
                .await?,
            [ALICE]
        );
        admin.run(&format!("SET zerodb.user_id = '{BOB}'")).await?;
        assert_eq!(
            admin
                .texts("SELECT DISTINCT user_id FROM zerodb.list_events(max_rows => 1000)")
                .await?,
            [BOB]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_cannot_be_listed_22023() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for (call, message) in [
            ("list_deliveries(state => 'done')", "unknown state 'done'"),
            ("list_deliveries(max_rows => 0)", "max_rows is 0"),
            ("list_deliveries(max_rows => 1001)", "max_rows is 1001"),
            (
                "list_deliveries(event_id => 'evt_1')",
                "event_id is no event of this installation",
            ),
            (
                "list_deliveries(since => now(), until => now())",
                "since is not before until",
            ),
            ("list_events(max_rows => NULL)", "max_rows is NULL"),
            (
                "list_events(before => 'evt_1')",
                "before is no event of this installation",
            ),
            ("list_events('on_imports')", "unknown event type 'on_imports'"),
        ] {
            expect(&session, &format!("SELECT zerodb.{call}"), "22023", message).await?;
        }
        Ok(())
    })
    .await
}

/// Rows of the log and of the queue that this session has read, since it last told the server.
const READ: &str = "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables
    WHERE schemaname = 'zerodb' AND relname ~ '^(outbox|completion|delivery|attempt)'";

#[tokio::test]
async fn a_page_reads_little_and_a_rare_filter_ends_with_a_cursor() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        history(&session).await?;
        session
            .run(&format!(
                "INSERT INTO zerodb.outbox (xid, created_at, ord, relid, slot, event_type, data)
                SELECT '900000', now(), g, 0, 0, 'on_recall', '{{}}' FROM generate_series(1, 12000) AS g;
                INSERT INTO zerodb.delivery (event_xid, event_ord, event_slot, hook_id, user_id, state)
                SELECT '900000', g, 0, '{HOOK_OF_BOB}', '{BOB}', 'completed' FROM generate_series(1, 12000) AS g"
            ))
            .await?;
        for (list, most) in [
            ("list_events(max_rows => 20)", 200),
            ("list_events('on_recall', max_rows => 20)", 200),
            ("list_events('on_import', max_rows => 20)", 5200),
            ("list_deliveries(max_rows => 20)", 200),
            ("list_deliveries(state => 'discarded', max_rows => 20)", 200),
            ("list_deliveries(state => 'pending', max_rows => 20)", 500),
        ] {
            session.run("BEGIN").await?;
            let before = session.number(READ).await?;
            session.texts(&format!("SELECT cursor FROM zerodb.{list}")).await?;
            let read = session.number(READ).await? - before;
            assert!(read <= most, "{list} has read {read} rows");
            session.run("COMMIT").await?;
        }
        // All before the rare ones are passed over, some in each call, and what comes after the cursor is found.
        let first = "SELECT count(*) || ' ' || count(id) || ' ' || count(cursor) FROM zerodb.list_events('on_import')";
        assert_eq!(session.text(first).await?, "1 0 1", "a row without an id is the only one");
        let (found, calls) = walk(&session, "list_events", ", event_type => 'on_import'", 1000).await?;
        assert_eq!((found.len() as i64, calls), (EVENTS / 2, 4));
        let (found, calls) = walk(&session, "list_deliveries", &format!(", hook_id => '{HOOK_OF_ALICE}'"), 1000).await?;
        assert!(!found.is_empty() && calls == 2, "a hook's are found by index, in {calls} calls");
        let (found, calls) = walk(&session, "list_deliveries", ", state => 'running'", 1000).await?;
        assert!(!found.is_empty() && (3..6).contains(&calls), "{calls} calls");
        Ok(())
    })
    .await
}
