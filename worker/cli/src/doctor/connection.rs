//! Checks of the way to the server: what it is, its clock, and whether a pooler on the way takes away what the
//! listening connection needs.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::finding::{Checked, Finding};
use crate::{render, statements};

/// Beyond this a time in the log of the worker and one in the database cannot be compared any more.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(2);

/// What the server says of itself.
pub(super) struct Server {
    version_number: i32,
    version: String,
    database: String,
    role: String,
    pub(super) in_recovery: bool,
    /// The server's clock less ours.
    skew: SignedDuration,
    round_trip: SignedDuration,
}

/// Asks the server once.
pub(super) async fn server(client: &Client) -> Result<Server, Error> {
    let statement = client.prepare(statements::DOCTOR_SERVER).await?;
    let asked_at = Timestamp::now();
    let row = client.query_one(&statement, &[]).await?;
    let round_trip = Timestamp::now().duration_since(asked_at);
    let clock: Timestamp = row.try_get("clock")?;
    Ok(Server {
        version_number: row.try_get("version_number")?,
        version: row.try_get("version")?,
        database: row.try_get("database")?,
        role: row.try_get("role")?,
        in_recovery: row.try_get("in_recovery")?,
        skew: clock.duration_since(asked_at) - round_trip / 2,
        round_trip,
    })
}

impl Server {
    pub(super) fn connection(&self) -> Finding {
        let round_trip = render::age(self.round_trip.as_secs_f64());
        Finding::ok(format!(
            "to database {} as role {}, {round_trip} there and back",
            self.database, self.role
        ))
    }

    pub(super) fn version(&self) -> Finding {
        let message = format!("PostgreSQL {}", self.version);
        match self.version_number / 10_000 {
            15..=18 => Finding::ok(message),
            ..15 => Finding::failed(message + " is too old", "zerodb_hooks needs PostgreSQL 15 to 18"),
            _ => Finding::warning(
                message + " is newer than those tested",
                "zerodb_hooks is tested with 15 to 18",
            ),
        }
    }

    pub(super) fn standby(&self) -> Finding {
        if self.in_recovery {
            return Finding::failed(
                "this is a standby: it cannot be written to, and LISTEN does not work",
                "connect to the primary; name all hosts and target_session_attrs=read-write to find it by itself",
            );
        }
        Finding::ok("no, this is a primary")
    }

    pub(super) fn clock(&self) -> Finding {
        let apart = self.skew.abs();
        let message = format!("{} apart from the server's", render::age(apart.as_secs_f64()));
        if apart > MOST_SKEW + self.round_trip / 2 {
            let remedy = "leases and due times follow the server's clock, but logs and webhook signatures \
                          (valid for 5 minutes) follow this one: let both keep time with NTP";
            return Finding::warning(message, remedy);
        }
        Finding::ok(message)
    }
}

/// Whether two connections are two backends, each with what it was told. A pooler in transaction mode lends one backend
/// to several; since it lends the last one returned, only a second connection that holds a backend brings it to light.
pub(super) async fn pooler(client: &Client, other: &Client) -> Checked {
    client.batch_execute("LISTEN zerodb_hooks_doctor").await?;
    let (first, _) = backend(client).await?;
    other.batch_execute("BEGIN").await?;
    let meanwhile = async { Ok::<_, Error>((backend(other).await?, backend(client).await?)) }.await;
    other.batch_execute("ROLLBACK").await?;
    let ((held, _), (second, listening)) = meanwhile?;
    client.batch_execute("UNLISTEN zerodb_hooks_doctor").await?;
    if held == first || second != first || !listening {
        return Ok(Finding::failed(
            "a pooler in transaction mode is between us: LISTEN and session locks get lost, so nothing wakes the worker",
            "give the worker a URL that goes to the server itself, or to a pool in session mode (PgBouncer: pool_mode = session)",
        ));
    }
    Ok(Finding::ok(
        "none in transaction mode: LISTEN and session locks hold",
    ))
}

/// Whether a statement prepared in one transaction is there in the next. Run while the other connection holds a backend.
pub(super) async fn prepared_statements(client: &Client, other: &Client) -> Checked {
    let statement = client.prepare(statements::DOCTOR_BACKEND).await?;
    other.batch_execute("BEGIN; SELECT 1").await?;
    let used = client.query_one(&statement, &[]).await;
    let again = client.prepare(statements::DOCTOR_BACKEND).await;
    other.batch_execute("ROLLBACK").await?;
    match used.map(drop).and(again.map(drop)) {
        Ok(()) => Ok(Finding::ok("are kept between transactions")),
        Err(error) => match error.code() {
            Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT) => {
                Ok(Finding::failed(
                    "are lost between transactions",
                    "connect to the server itself, or let the pooler keep them (PgBouncer 1.21: max_prepared_statements = 200)",
                ))
            }
            _ => Err(error),
        },
    }
}

/// The backend's process id, and whether it listens; by simple query, which every pooler passes on.
async fn backend(client: &Client) -> Result<(String, bool), Error> {
    for message in client.simple_query(statements::DOCTOR_BACKEND).await? {
        if let SimpleQueryMessage::Row(row) = message {
            let pid = row.try_get(0)?.unwrap_or_default().to_owned();
            return Ok((pid, row.try_get(1)? == Some("t")));
        }
    }
    Ok((String::new(), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    fn server(version_number: i32, skew_ms: i64) -> Server {
        Server {
            version_number,
            version: "x".into(),
            database: "d".into(),
            role: "r".into(),
            in_recovery: false,
            skew: SignedDuration::from_millis(skew_ms),
            round_trip: SignedDuration::from_millis(500),
        }
    }

    #[test]
    fn versions_15_to_18_are_good() {
        let verdict = |number| server(number, 0).version().verdict;
        assert_eq!(verdict(140_012), Verdict::Failed);
        assert_eq!(verdict(150_000), Verdict::Ok);
        assert_eq!(verdict(180_004), Verdict::Ok);
        assert_eq!(verdict(190_000), Verdict::Warning);
    }

    #[test]
    fn a_slow_network_is_no_skew() {
        let verdict = |skew| server(180_000, skew).clock().verdict;
        assert_eq!(verdict(2200), Verdict::Ok);
        assert_eq!(verdict(2300), Verdict::Warning);
        assert_eq!(verdict(-2300), Verdict::Warning);
    }
}
