//! Checks of the way to the server: what it is, its clock, and whether a pooler on the way takes away what the
//! listening connection needs.

use jiff::SignedDuration;

use super::finding::{Checked, Finding};
use crate::render;
use zerodb_hooks_queries::{Client, ServerReading, keeps_prepared_statements, keeps_sessions};

/// Beyond this a time in the log of the worker and one in the database cannot be compared any more.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(2);

pub(super) fn connection(server: &ServerReading) -> Finding {
    let round_trip = render::age(server.round_trip.as_secs_f64());
    let facts = &server.facts;
    Finding::ok(format!(
        "to database {} as role {}, {round_trip} there and back",
        facts.database, facts.role
    ))
}

pub(super) fn version(server: &ServerReading) -> Finding {
    let message = format!("PostgreSQL {}", server.facts.version);
    match server.facts.version_number / 10_000 {
        15..=18 => Finding::ok(message),
        ..15 => Finding::failed(message + " is too old", "zerodb_hooks needs PostgreSQL 15 to 18"),
        _ => Finding::warning(
            message + " is newer than those tested",
            "zerodb_hooks is tested with 15 to 18",
        ),
    }
}

pub(super) fn standby(server: &ServerReading) -> Finding {
    if server.facts.in_recovery {
        return Finding::failed(
            "this is a standby: it cannot be written to, and LISTEN does not work",
            "connect to the primary; name all hosts and target_session_attrs=read-write to find it by itself",
        );
    }
    Finding::ok("no, this is a primary")
}

pub(super) fn clock(server: &ServerReading) -> Finding {
    let apart = server.skew.abs();
    let message = format!("{} apart from the server's", render::age(apart.as_secs_f64()));
    if apart > MOST_SKEW + server.round_trip / 2 {
        let remedy = "leases and due times follow the server's clock, but logs and webhook signatures \
                      (valid for 5 minutes) follow this one: let both keep time with NTP";
        return Finding::warning(message, remedy);
    }
    Finding::ok(message)
}

/// Whether each connection has a backend of its own.
pub(super) async fn pooler(client: &Client, other: &Client) -> Checked {
    if keeps_sessions(client, other).await? {
        return Ok(Finding::ok(
            "none in transaction mode: LISTEN and session locks hold",
        ));
    }
    Ok(Finding::failed(
        "a pooler in transaction mode is between us: LISTEN and session locks get lost, so nothing wakes the worker",
        "give the worker a URL that goes to the server itself, or to a pool in session mode \
         (PgBouncer: pool_mode = session)",
    ))
}

/// Whether statements stay prepared.
pub(super) async fn prepared_statements(client: &Client, other: &Client) -> Checked {
    if keeps_prepared_statements(client, other).await? {
        return Ok(Finding::ok("are kept between transactions"));
    }
    Ok(Finding::failed(
        "are lost between transactions",
        "connect to the server itself, or let the pooler keep them (PgBouncer 1.21: max_prepared_statements = 200)",
    ))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use zerodb_hooks_queries::ServerFacts;

    use super::*;
    use crate::doctor::finding::Verdict;

    fn server(version_number: i32, skew_ms: i64) -> ServerReading {
        let facts = ServerFacts {
            version_number,
            version: "x".into(),
            database: "d".into(),
            role: "r".into(),
            in_recovery: false,
            clock: Timestamp::UNIX_EPOCH,
        };
        ServerReading {
            facts,
            skew: SignedDuration::from_millis(skew_ms),
            round_trip: SignedDuration::from_millis(500),
        }
    }

    #[test]
    fn versions_15_to_18_are_good() {
        let verdict = |number| version(&server(number, 0)).verdict;
        assert_eq!(verdict(140_012), Verdict::Failed);
        assert_eq!(verdict(150_000), Verdict::Ok);
        assert_eq!(verdict(180_004), Verdict::Ok);
        assert_eq!(verdict(190_000), Verdict::Warning);
    }

    #[test]
    fn a_slow_network_is_no_skew() {
        let verdict = |skew| clock(&server(180_000, skew)).verdict;
        assert_eq!(verdict(2200), Verdict::Ok);
        assert_eq!(verdict(2300), Verdict::Warning);
        assert_eq!(verdict(-2300), Verdict::Warning);
    }
}
