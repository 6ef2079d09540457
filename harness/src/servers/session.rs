//! One connection, with the few calls that tests need. It keeps the notices, which tokio-postgres leaves to the caller.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, StreamExt};
use serde_json::Value;
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, NoTls, SimpleQueryMessage};

/// What Postgres said of a statement that failed, or in a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub severity: String,
}

impl From<&DbError> for SqlError {
    fn from(error: &DbError) -> Self {
        Self {
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            severity: error.severity().to_owned(),
        }
    }
}

/// One event of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub event: String,
    pub data: Value,
}

pub struct Session {
    pub client: Client,
    notices: Arc<Mutex<Vec<SqlError>>>,
    notified: Arc<Mutex<Vec<String>>>,
}

impl Session {
    #[expect(
        clippy::disallowed_methods,
        reason = "the driver of a connection ends with its client"
    )]
    pub async fn connect(url: &str) -> Result<Self> {
        let (client, mut connection) = tokio_postgres::connect(url, NoTls)
            .await
            .with_context(|| url.to_owned())?;
        let notices = Arc::new(Mutex::new(Vec::new()));
        let notified = Arc::new(Mutex::new(Vec::new()));
        let (heard, told) = (Arc::clone(&notices), Arc::clone(&notified));
        tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                match message {
                    AsyncMessage::Notice(notice) => locked(&heard).push(SqlError::from(&notice)),
                    AsyncMessage::Notification(notification) => {
                        locked(&told).push(notification.channel().to_owned())
                    }
                    _ => {}
                }
            }
        });
        Ok(Self {
            client,
            notices,
            notified,
        })
    }

    /// Runs statements; several in one text are one transaction.
    pub async fn run(&self, sql: &str) -> Result<()> {
        self.client
            .batch_execute(sql)
            .await
            .map_err(|error| explain(sql, &error))
    }

    /// The first column of every row, as text; null is left out.
    pub async fn texts(&self, sql: &str) -> Result<Vec<String>> {
        let messages = self
            .client
            .simple_query(sql)
            .await
            .map_err(|error| explain(sql, &error))?;
        Ok(messages
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .collect())
    }

    /// The one value that a query returns, as text.
    pub async fn text(&self, sql: &str) -> Result<String> {
        let mut texts = self.texts(sql).await?;
        match texts.len() {
            1 => Ok(texts.remove(0)),
            count => bail!("{count} values, not one, from: {sql}"),
        }
    }

    pub async fn number(&self, sql: &str) -> Result<i64> {
        self.text(sql)
            .await?
            .parse()
            .with_context(|| format!("not a number, from: {sql}"))
    }

    /// The one JSON value that a query returns.
    pub async fn json(&self, sql: &str) -> Result<Value> {
        let text = self.text(sql).await?;
        serde_json::from_str(&text).with_context(|| format!("{text} is not JSON, from: {sql}"))
    }

    /// The rows of a query as an array of JSON objects.
    pub async fn rows(&self, query: &str) -> Result<Vec<Value>> {
        match self
            .json(&format!(
                "SELECT coalesce(jsonb_agg(to_jsonb(q)), '[]') FROM ({query}) AS q"
            ))
            .await?
        {
            Value::Array(rows) => Ok(rows),
            other => bail!("{other} is not an array"),
        }
    }

    /// What Postgres says of statements that must fail.
    pub async fn error(&self, sql: &str) -> Result<SqlError> {
        match self.client.batch_execute(sql).await {
            Ok(()) => bail!("this must fail, and did not: {sql}"),
            Err(error) => error
                .as_db_error()
                .map(SqlError::from)
                .with_context(|| format!("{error}: {sql}")),
        }
    }

    /// The event log in the order in which it was written.
    pub async fn events(&self) -> Result<Vec<Recorded>> {
        let rows = self
            .rows("SELECT o.event_type AS event, o.data::jsonb AS data FROM zerodb.outbox AS o ORDER BY o.xid, o.ord")
            .await?;
        Ok(rows
            .into_iter()
            .map(|mut row| Recorded {
                event: row["event"].as_str().unwrap_or_default().to_owned(),
                data: row["data"].take(),
            })
            .collect())
    }

    /// The types of the events, in order.
    pub async fn event_types(&self) -> Result<Vec<String>> {
        Ok(self
            .events()
            .await?
            .into_iter()
            .map(|recorded| recorded.event)
            .collect())
    }

    pub async fn event_count(&self) -> Result<i64> {
        self.number("SELECT count(*) FROM zerodb.outbox").await
    }

    /// The warnings since the last call.
    pub fn take_warnings(&self) -> Vec<SqlError> {
        std::mem::take(&mut *locked(&self.notices))
            .into_iter()
            .filter(|notice| notice.severity == "WARNING")
            .collect()
    }

    /// The hints of the notices since the last call, each behind its message.
    pub fn take_notices(&self) -> Vec<String> {
        let notices = std::mem::take(&mut *locked(&self.notices)).into_iter();
        let notices = notices.filter(|notice| notice.severity == "NOTICE");
        notices
            .map(|notice| format!("{}: {}", notice.message, notice.hint.unwrap_or_default()))
            .collect()
    }

    /// The channels of the notifications since the last call.
    pub fn take_notifications(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.notified))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn explain(sql: &str, error: &tokio_postgres::Error) -> anyhow::Error {
    match error.as_db_error() {
        Some(known) => anyhow::anyhow!(
            "{} {}\n  detail: {}\n  hint: {}\n  where: {}\n  of: {sql}",
            known.code().code(),
            known.message(),
            known.detail().unwrap_or("-"),
            known.hint().unwrap_or("-"),
            known.where_().unwrap_or("-"),
        ),
        None => anyhow::anyhow!("{error}: {sql}"),
    }
}
