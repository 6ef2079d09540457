//! Model endpoints as all workers share them: pauses, what was learned, who may do what. Every call is the worker's
//! own statement.

use tokio_postgres::Row;
use zerodb_hooks_harness::{Result, Session, on_every_server};
use zerodb_hooks_worker::store::statements::{
    ENTER_ENDPOINT, LEARN_ENDPOINT, LOAD_ENDPOINT, PAUSE_ENDPOINT, PRUNE_ADMISSIONS, SETTLE_ENDPOINT,
};

use crate::ALICE;

/// Takes places this far ahead, so that a test sees minutes pass without waiting for them.
pub(crate) const FAR: i32 = 150_000;

/// What `enter_endpoint.sql` answered.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub entered: bool,
    pub wait_ms: i64,
    pub held_by: Option<String>,
    pub reason: Option<String>,
    pub probe: bool,
}

impl From<Row> for Answer {
    fn from(row: Row) -> Self {
        Self {
            entered: row.get("entered"),
            wait_ms: row.get("wait_ms"),
            held_by: row.get("held_by"),
            reason: row.get("pause_reason"),
            probe: row.get("probe"),
        }
    }
}

/// Asks for one request at an endpoint.
pub(crate) struct Ask {
    endpoint: &'static str,
    requests_per_minute: Option<i32>,
    tokens_per_minute: Option<i32>,
    patience_ms: i32,
}

impl Ask {
    pub fn requests(endpoint: &'static str, per_minute: i32) -> Self {
        Self {
            endpoint,
            requests_per_minute: Some(per_minute),
            tokens_per_minute: None,
            patience_ms: 0,
        }
    }

    pub fn tokens(endpoint: &'static str, per_minute: i32) -> Self {
        Self {
            requests_per_minute: None,
            tokens_per_minute: Some(per_minute),
            ..Self::requests(endpoint, 0)
        }
    }

    pub fn unlimited(endpoint: &'static str) -> Self {
        Self {
            requests_per_minute: None,
            ..Self::requests(endpoint, 0)
        }
    }

    pub fn far(self) -> Self {
        Self {
            patience_ms: FAR,
            ..self
        }
    }

    pub async fn of(&self, session: &Session, tokens: i32) -> Result<Answer> {
        let row = session
            .client
            .query_one(
                ENTER_ENDPOINT,
                &[
                    &self.endpoint,
                    &self.requests_per_minute,
                    &self.tokens_per_minute,
                    &1_i32,
                    &tokens,
                    &self.patience_ms,
                ],
            )
            .await?;
        Ok(row.into())
    }
}

pub(crate) async fn pause(session: &Session, endpoint: &str, ms: i64, reason: &str) -> Result<()> {
    session
        .client
        .execute(PAUSE_ENDPOINT, &[&endpoint, &ms, &reason])
        .await?;
    Ok(())
}

#[tokio::test]
async fn an_endpoint_without_limits_costs_no_write_and_no_lock() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (db.session().await?, db.session().await?);
        pause(&session, "e", 1, "rate_limited").await?;
        session
            .run("UPDATE zerodb.endpoint SET paused_until = NULL")
            .await?;
        other.run("BEGIN; SELECT FROM zerodb.endpoint FOR UPDATE").await?;
        session.run("BEGIN").await?;
        for name in ["e", "new"] {
            assert!(Ask::unlimited(name).of(&session, 1_000_000).await?.entered);
        }
        let changes = "SELECT count(pg_current_xact_id_if_assigned())";
        assert_eq!(session.number(changes).await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pause_holds_every_session_and_ends_by_itself() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (db.session().await?, db.session().await?);
        pause(&session, "e", 600_000, "quota_exhausted").await?;
        // A shorter one does not end it earlier.
        pause(&other, "e", 10, "rate_limited").await?;
        for ask in [Ask::unlimited("e"), Ask::requests("e", 60).far()] {
            let held = ask.of(&other, 1).await?;
            assert!(!held.entered);
            assert_eq!(held.held_by.as_deref(), Some("pause"));
            assert_eq!(held.reason.as_deref(), Some("quota_exhausted"));
            assert!((500_000..=600_000).contains(&held.wait_ms), "{held:?}");
        }
        let shown = "SELECT state || ' ' || reason || ' ' || failures FROM zerodb.endpoints";
        assert_eq!(session.text(shown).await?, "paused quota_exhausted 1");
        session
            .run("UPDATE zerodb.endpoint SET paused_until = clock_timestamp() - interval '1 ms'")
            .await?;
        assert!(Ask::unlimited("e").of(&other, 1).await?.entered);
        let shown = "SELECT concat(state, paused_until, reason) FROM zerodb.endpoints";
        assert_eq!(session.text(shown).await?, "open");
        // The next pause follows at once: it is the second in a row.
        pause(&session, "e", 10, "rate_limited").await?;
        assert_eq!(session.number("SELECT failures FROM zerodb.endpoint").await?, 2);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pause_that_begins_while_places_are_taken_holds_the_next_one() -> Result<()> {
    on_every_server(async |db| {
        let (session, other) = (db.session().await?, db.session().await?);
        let ask = Ask::requests("e", 600).far();
        assert!(ask.of(&session, 1).await?.entered);
        pause(&other, "e", 600_000, "unauthorized").await?;
        assert_eq!(ask.of(&session, 1).await?.held_by.as_deref(), Some("pause"));
        other.run("SELECT zerodb.resume_endpoint('e')").await?;
        assert!(ask.of(&session, 1).await?.entered);
        assert_eq!(
            other.error("SELECT zerodb.resume_endpoint('none')").await?.code,
            "P0002"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_was_learned_of_a_model_is_kept_beside_what_was_known() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        let learn = async |model: &str, cap: &str, value: i64| {
            session
                .client
                .execute(LEARN_ENDPOINT, &[&"e", &model, &cap, &value])
                .await
        };
        assert_eq!(learn("bge-m3", "inputs", 32).await?, 1);
        assert_eq!(learn("bge-m3", "tokens", 16_384).await?, 1);
        assert_eq!(learn("other", "inputs", 96).await?, 1);
        assert_eq!(learn("bge-m3", "inputs", 32).await?, 0, "known already");
        let known = session
            .client
            .query_one(LOAD_ENDPOINT, &[&"e", &"bge-m3"])
            .await?;
        let known: serde_json::Value = known.get(0);
        assert_eq!(known, serde_json::json!({"inputs": 32, "tokens": 16_384}));
        assert!(
            session
                .client
                .query(LOAD_ENDPOINT, &[&"e", &"none"])
                .await?
                .is_empty()
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn neither_a_url_nor_a_text_of_an_answer_can_be_kept() -> Result<()> {
    on_every_server(async |db| {
        let session = db.session().await?;
        assert!(
            pause(&session, "https://api.example/v1", 1, "rate_limited")
                .await
                .is_err()
        );
        assert!(
            pause(&session, "e", 1, "Incorrect API key provided: sk-123")
                .await
                .is_err()
        );
        assert_eq!(session.number("SELECT count(*) FROM zerodb.endpoint").await?, 0);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_worker_may_use_endpoints_and_a_user_may_only_look() -> Result<()> {
    on_every_server(async |db| {
        let admin = db.session().await?;
        let (worker, user) = (db.create_role("hand").await?, db.create_role("app").await?);
        let grants = format!("SELECT zerodb.grant_worker('{worker}'), zerodb.grant_user('{user}')");
        admin.run(&grants).await?;
        let (worker, user) = (db.session_as(&worker).await?, db.session_as(&user).await?);
        assert!(Ask::requests("e", 60).of(&worker, 1).await?.entered);
        pause(&worker, "e", 60_000, "server_error").await?;
        worker
            .client
            .execute(LEARN_ENDPOINT, &[&"e", &"m", &"inputs", &8_i64])
            .await?;
        worker
            .client
            .execute(SETTLE_ENDPOINT, &[&"e", &60_i32, &1_i32, &2_i32])
            .await?;
        worker.client.execute(PRUNE_ADMISSIONS, &[]).await?;
        user.run(&format!("SET zerodb.user_id = '{ALICE}'")).await?;
        assert_eq!(user.text("SELECT state FROM zerodb.endpoints").await?, "paused");
        for sql in [
            "SELECT zerodb._enter_endpoint('e', 1, 1, 1, 1, 0)",
            "SELECT zerodb._settle_endpoint('e', 1, 1, 1)",
            "SELECT zerodb._open_circuit('e', 1, 1, 'x')",
            "SELECT zerodb._tell_endpoint(NULL, 'on_rate_limited', '{}')",
            "SELECT zerodb.resume_endpoint('e')",
            "UPDATE zerodb.endpoint SET paused_until = NULL",
            "SELECT * FROM zerodb.endpoint_admission",
        ] {
            assert_eq!(user.error(sql).await?.code, "42501", "{sql}");
        }
        Ok(())
    })
    .await
}
