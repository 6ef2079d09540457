//! Budgets: what they hold up, for how long, whose they are. Every call is the worker's own statement.

use zerodb_hooks_harness::{Result, SOON, Session, eventually, on_every_server};
use zerodb_hooks_worker::store::statements::TIDY_BUDGETS;

use crate::usage::{Use, check, record, used};
use crate::{ALICE, BOB, PROJECT};

/// The places of the requests that must wait.
async fn waiting(session: &Session, uses: &[Use]) -> Result<Vec<i32>> {
    let waits = check(session, uses).await?;
    Ok(waits.into_iter().map(|wait| wait.place).collect())
}

/// Budgets whose running total is not what the tables add up to.
const WRONG_TOTALS: &str =
    "SELECT b.id || ': ' || t::text || s::text FROM zerodb.budget AS b, zerodb._budget_total(b) AS t,
        zerodb._spent(b.user_id, b.project_id, b.handler) AS s
    WHERE (t.tokens, t.held_tokens) <> (s.tokens, s.held_tokens)";

fn by(handler: &'static str) -> Use {
    Use { handler, ..used(10) }
}

fn of(user: &'static str) -> Use {
    Use { user, ..used(10) }
}

#[tokio::test]
async fn tokens_beyond_the_budget_wait_for_the_next_day() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session.run("SELECT zerodb.set_budget(tokens_per_day => 1000)").await?;
        let first = used(600);
        assert!(check(&session, std::slice::from_ref(&first)).await?.is_empty());
        // It counts while it is under way, and asking again with the same id does not count twice.
        assert!(check(&session, std::slice::from_ref(&first)).await?.is_empty());
        let waits = check(&session, &[used(500), used(400), used(1)]).await?;
        assert_eq!(waits.iter().map(|wait| wait.place).collect::<Vec<_>>(), [1, 3]);
        assert!(waits.iter().all(|wait| wait.ms == 1000), "what is held may be freed: {waits:?}");
        record(&session, &[first], false).await?;
        let waits = check(&session, &[used(401)]).await?;
        assert_eq!(waits[0].reason, "the budget of 1000 tokens a day is used up");
        let wakes = format!(
            "SELECT extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' + {} * interval '1 ms')::bigint % 86400",
            waits[0].ms
        );
        assert!(session.number(&wakes).await? < 60, "the day begins at midnight, UTC");
        // Another day's usage is another day's.
        session
            .run("UPDATE zerodb.usage_entry SET at = at - interval '1 day'; DELETE FROM zerodb.budget_hold;
                UPDATE zerodb.budget_total SET day = day - 1")
            .await?;
        assert!(check(&session, &[used(1000)]).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_the_days_sums_hold_counts_as_well() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.set_budget(tokens_per_day => 1000)")
            .await?;
        record(&session, &[used(900)], false).await?;
        crate::usage::roll_up(&session, "-1 s", 10).await?;
        record(&session, &[used(50)], false).await?;
        assert_eq!(waiting(&session, &[used(51)]).await?, [1]);
        assert!(waiting(&session, &[used(50)]).await?.is_empty());
        let shown = "SELECT concat_ws(' ', tokens_per_day, tokens_today, tokens_left) FROM zerodb.budgets";
        assert_eq!(session.text(shown).await?, "1000 950 0");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn requests_beyond_the_budget_wait_for_the_next_minute() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.set_budget(requests_per_minute => 3)")
            .await?;
        // The minute of the clock may end at any moment; then more than three go.
        let mut went = 0;
        let waits = eventually(SOON, async || {
            let waits = check(&session, &[used(10)]).await.ok()?;
            went += i32::from(waits.is_empty());
            (!waits.is_empty()).then_some(waits)
        })
        .await?;
        assert!((3..=6).contains(&went), "{went}");
        assert!((1..=60_000).contains(&waits[0].ms), "{waits:?}");
        assert_eq!(waits[0].reason, "the budget of 3 requests a minute is used up");
        session
            .run("UPDATE zerodb.budget_total SET minute = minute - interval '1 minute'")
            .await?;
        assert!(check(&session, &[used(10), used(10)]).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_do_not_exceed_a_budget_together() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        admin
            .run("SELECT zerodb.set_budget(tokens_per_day => 1005)")
            .await?;
        let mut sessions = Vec::new();
        for _ in 0..8 {
            sessions.push(db.session().await?);
        }
        let went = futures_util::future::try_join_all(sessions.iter().map(async |session| {
            let mut went = 0;
            for _ in 0..20 {
                let one = [used(10)];
                if check(session, &one).await?.is_empty() {
                    record(session, &one, false).await?;
                    went += 1;
                }
            }
            Ok::<_, anyhow::Error>(went)
        }))
        .await?;
        assert_eq!(went.iter().sum::<i32>(), 100);
        let tokens = "SELECT sum(prompt_tokens + completion_tokens)::bigint FROM zerodb.usage";
        assert_eq!(admin.number(tokens).await?, 1000);
        assert_eq!(admin.texts(WRONG_TOTALS).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn running_totals_are_what_adding_up_gives() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.set_budget(100000), zerodb.set_budget(100000, handler => 'auto_graph')")
            .await?;
        for n in 1..20 {
            let asked = [used(n), by("auto_graph"), used(2 * n)];
            check(&session, &asked).await?;
            // One is recorded with other tokens than were asked for, one never; one is recorded that was not asked for.
            let recorded = [
                Use {
                    tokens: n + 3,
                    ..asked[0].clone()
                },
                asked[1].clone(),
                used(7),
            ];
            record(&session, &recorded, false).await?;
            record(&session, &recorded[1..], false).await?;
            crate::usage::roll_up(&session, "0 s", 2).await?;
            if n == 10 {
                session
                    .run(&format!("SELECT zerodb.set_budget(5, user_id => '{ALICE}')"))
                    .await?;
            }
            assert_eq!(session.texts(WRONG_TOTALS).await?, Vec::<String>::new(), "{n}");
        }
        session.client.execute(TIDY_BUDGETS, &[]).await?;
        assert_eq!(session.texts(WRONG_TOTALS).await?, Vec::<String>::new());
        assert_eq!(
            session.number("SELECT count(*) FROM zerodb.budget_total").await?,
            3
        );
        session.run("SELECT zerodb.set_budget()").await?;
        session.client.execute(TIDY_BUDGETS, &[]).await?;
        assert_eq!(
            session.number("SELECT count(*) FROM zerodb.budget_total").await?,
            2
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_that_was_not_sent_frees_what_it_held() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        session
            .run("SELECT zerodb.set_budget(tokens_per_day => 100)")
            .await?;
        let one = used(100);
        assert!(check(&session, std::slice::from_ref(&one)).await?.is_empty());
        assert_eq!(waiting(&session, &[used(1)]).await?, [1]);
        record(&session, &[Use { tokens: 0, ..one }], false).await?;
        assert_eq!(session.number("SELECT count(*) FROM zerodb.usage").await?, 0);
        // One whose worker died is free again after its time.
        assert!(check(&session, &[used(100)]).await?.is_empty());
        session.client.execute(TIDY_BUDGETS, &[]).await?;
        assert_eq!(waiting(&session, &[used(1)]).await?, [1]);
        session
            .run("UPDATE zerodb.budget_hold SET expires_at = clock_timestamp()")
            .await?;
        session.client.execute(TIDY_BUDGETS, &[]).await?;
        assert!(check(&session, &[used(100)]).await?.is_empty());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_budget_holds_up_its_user_its_project_and_its_handler_only() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let in_project = Use {
            project: Some(PROJECT),
            ..used(10)
        };
        let scopes = [
            (format!("user_id => '{ALICE}'"), [of(ALICE), of(BOB)]),
            (format!("project_id => '{PROJECT}'"), [in_project, used(10)]),
            (
                "handler => 'auto_graph'".to_owned(),
                [by("auto_graph"), by("auto_embed")],
            ),
        ];
        for (scope, [inside, outside]) in scopes {
            session
                .run(&format!("SELECT zerodb.set_budget(0, {scope})"))
                .await?;
            let asked = [outside, inside];
            assert_eq!(waiting(&session, &asked).await?, [2], "{scope}");
            session.run(&format!("SELECT zerodb.set_budget({scope})")).await?;
            assert!(waiting(&session, &asked).await?.is_empty(), "{scope}: removed");
            assert_eq!(session.number("SELECT count(*) FROM zerodb.budget").await?, 0);
        }
        // Also one of which the tokens are not known: 0.
        session.run("SELECT zerodb.set_budget(0)").await?;
        assert_eq!(waiting(&session, &[used(0)]).await?, [1]);
        // Of two that apply each counts.
        session
            .run("SELECT zerodb.set_budget(1000), zerodb.set_budget(0, handler => 'auto_graph')")
            .await?;
        assert_eq!(
            waiting(&session, &[by("auto_graph"), by("auto_embed")]).await?,
            [1]
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bad_budgets_are_refused() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        for bad in ["-1", "NULL, -1", "1, handler => ' '"] {
            let error = session.error(&format!("SELECT zerodb.set_budget({bad})")).await?;
            assert_eq!(error.code, "22023", "{bad}");
            assert!(error.hint.is_some());
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_sees_and_sets_his_own_and_changes_none_that_was_imposed() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let role = db.create_role("app").await?;
        admin.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        admin
            .run(&format!(
                "SELECT zerodb.set_budget(500, user_id => '{ALICE}'), zerodb.set_budget(700, user_id => '{BOB}'), zerodb.set_budget(9000)"
            ))
            .await?;
        record(&admin, &[of(ALICE), of(BOB), of(BOB)], false).await?;
        let alice = db.session_as(&role).await?;
        assert_eq!(alice.error("SELECT zerodb.set_budget(1)").await?.code, "42501", "no user is set");
        alice.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        assert_eq!(alice.texts("SELECT user_id FROM zerodb.usage").await?, [ALICE]);
        let mine = "SELECT tokens_per_day || ' ' || tokens_today || ' ' || imposed FROM zerodb.budgets ORDER BY imposed";
        assert_eq!(alice.texts(mine).await?, ["500 10 true"]);
        // Hers is beside it, and the stricter one counts.
        alice.run("SELECT zerodb.set_budget(800)").await?;
        assert_eq!(alice.texts(mine).await?, ["800 10 false", "500 10 true"]);
        assert_eq!(waiting(&admin, &[Use { tokens: 495, ..of(ALICE) }]).await?, [1]);
        alice.run("SELECT zerodb.set_budget()").await?;
        assert_eq!(alice.texts(mine).await?, ["500 10 true"]);
        for sql in [
            format!("SELECT zerodb.set_budget(1, user_id => '{BOB}')"),
            "SELECT zerodb.set_budget(1, user_id => '00000000-0000-0000-0000-000000000000')".into(),
            format!("INSERT INTO zerodb.budget (user_id, imposed, tokens_per_day) VALUES ('{ALICE}', true, 1)"),
            "SELECT zerodb._check_budgets('{}', '{}', '{}', '{}', '{}', '1 s')".into(),
            "INSERT INTO zerodb.usage_day SELECT * FROM zerodb.usage_day".into(),
            "DELETE FROM zerodb.usage_entry".into(),
            "DELETE FROM zerodb.budget_hold".into(),
            "DELETE FROM zerodb.budget".into(),
            "UPDATE zerodb.budget SET tokens_per_day = 1".into(),
        ] {
            assert_eq!(alice.error(&sql).await?.code, "42501", "{sql}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_grant_of_a_worker_is_enough() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let role = db.create_role("hand").await?;
        admin
            .run(&format!(
                "SELECT zerodb.grant_worker('{role}'), zerodb.set_budget(100, user_id => '{ALICE}'), zerodb.set_budget(5000)"
            ))
            .await?;
        let worker = db.session_as(&role).await?;
        let (one, other) = (used(60), Use { user: BOB, ..used(60) });
        assert!(check(&worker, &[one.clone(), other.clone()]).await?.is_empty());
        assert_eq!(waiting(&worker, &[used(60)]).await?, [1]);
        assert_eq!(record(&worker, &[one, other], false).await?, 2);
        assert_eq!(crate::usage::roll_up(&worker, "-1 s", 10).await?, 2);
        worker.client.execute(TIDY_BUDGETS, &[]).await?;
        assert_eq!(worker.number("SELECT count(*) FROM zerodb.usage").await?, 2);
        assert_eq!(worker.error("SELECT zerodb.set_budget(1)").await?.code, "42501");
        Ok(())
    })
    .await
}
