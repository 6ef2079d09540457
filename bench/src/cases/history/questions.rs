//! What a person or a page asks of the history, one line of the report each. An id is written into the text of the
//! question, as people and most drivers do, unless it says "prepared".

use crate::figures::Metric;

/// One question, of which `{event}` and another `{event_2}`, `{delivery}`, `{hook}`, `{user}`, `{at}` and `{key}` are
/// filled in at random.
pub struct Question {
    pub says: &'static str,
    pub sql: &'static str,
    pub asked: Asked,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// For every random id.
    Often,
    /// For one id in ten: it costs more, or leaves something behind.
    Seldom,
}

impl Question {
    pub fn p50(&self) -> Metric {
        Metric::named(format!("{}, p50", self.says), "ms")
    }

    pub fn p99(&self) -> Metric {
        Metric::named(format!("{}, p99", self.says), "ms")
    }
}

const fn often(says: &'static str, sql: &'static str) -> Question {
    Question {
        says,
        sql,
        asked: Asked::Often,
    }
}

const fn seldom(says: &'static str, sql: &'static str) -> Question {
    Question {
        says,
        sql,
        asked: Asked::Seldom,
    }
}

/// A line of the report that something is set against: the question as it is said in `ALL`, and which of its times.
macro_rules! lines {
    ($($name:ident => $says:literal),* $(,)?) => {
        $(pub const $name: Metric = Metric::new($says, "ms");)*
    };
}

const FLOOR: &str = "a row of a plain table by its primary key (floor)";

lines! {
    FLOOR_P50 => "a row of a plain table by its primary key (floor), p50",
    EVENT_P50 => "an event by its id, p50",
    EVENT_P99 => "an event by its id, p99",
    DELIVERIES_P50 => "the deliveries of an event, p50",
    DELIVERIES_P99 => "the deliveries of an event, p99",
    DELIVERY_P50 => "a delivery by its id, p50",
    DELIVERY_P99 => "a delivery by its id, p99",
    ATTEMPTS_P50 => "the attempts of a delivery, p50",
    ATTEMPTS_P99 => "the attempts of a delivery, p99",
    NEWEST_P50 => "the newest 20 deliveries, p50",
    NEWEST_P99 => "the newest 20 deliveries, p99",
    NEWEST_OF_HOOK_P99 => "the newest 20 deliveries of a hook, p99",
    NEWEST_OF_STATE_P99 => "the newest 20 discarded deliveries, p99",
    NEWEST_OF_USER_P99 => "the newest 20 deliveries of a user, p99",
    NEWEST_BEFORE_P99 => "the 20 deliveries before a moment, p99",
    NEWEST_OF_TENANT_P99 => "the newest 20 deliveries, as a tenant, p99",
    EVENTS_P99 => "the newest 20 events, p99",
    EVENTS_OF_USER_P99 => "the newest 20 events of a user, p99",
    EVENTS_BEFORE_P99 => "the 20 events before a moment, p99",
    EVENTS_OF_TYPE_P99 => "the newest 20 events of a type, p99",
    REDELIVER_P99 => "redeliver, p99",
    DISCARD_P99 => "discard, p99",
    AWAIT_P99 => "await_event, p99",
    STATUS_P99 => "status(), p99",
    HOOK_STATUS_P99 => "hook_status, p99",
}

/// The order in which they are asked of one id: what is set against each other follows each other.
#[rustfmt::skip]
pub const ALL: &[Question] = &[
    often(FLOOR, "SELECT * FROM plain_event WHERE id = {key}"),
    often("an event by its id", "SELECT * FROM zerodb.events WHERE id = '{event}'"),
    often("the deliveries of an event", "SELECT * FROM zerodb.deliveries WHERE event_id = '{event}'"),
    often("a delivery by its id", "SELECT * FROM zerodb.deliveries WHERE id = {delivery}"),
    often("the attempts of a delivery", "SELECT * FROM zerodb.attempts WHERE delivery_id = {delivery}"),
    often("list_attempts of a delivery", "SELECT * FROM zerodb.list_attempts({delivery})"),
    often("the newest 20 events", "SELECT * FROM zerodb.list_events(max_rows => 20)"),
    often("two events by their ids", "SELECT * FROM zerodb.events WHERE id IN ('{event}', '{event_2}')"),
    often("the deliveries of two events", "SELECT * FROM zerodb.deliveries WHERE event_id IN ('{event}', '{event_2}')"),
    often("the newest 20 events of a type", "SELECT * FROM zerodb.list_events('item.changed', max_rows => 20)"),
    often("the newest 20 events of a user", "SELECT * FROM zerodb.list_events(user_id => '{user}', max_rows => 20)"),
    often("the 20 events before a moment", "SELECT * FROM zerodb.list_events(until => '{at}', max_rows => 20)"),
    often("the newest 20 deliveries", "SELECT * FROM zerodb.list_deliveries(max_rows => 20)"),
    often("the newest 20 deliveries of a hook", "SELECT * FROM zerodb.list_deliveries('{hook}', max_rows => 20)"),
    often("the newest 20 deliveries of a user", "SELECT * FROM zerodb.list_deliveries(user_id => '{user}', max_rows => 20)"),
    often("the 20 deliveries before a moment", "SELECT * FROM zerodb.list_deliveries(until => '{at}', max_rows => 20)"),
    often("the newest 20 completed deliveries", "SELECT * FROM zerodb.list_deliveries(state => 'completed', max_rows => 20)"),
    often("the newest 20 discarded deliveries", "SELECT * FROM zerodb.list_deliveries(state => 'discarded', max_rows => 20)"),
    often("list_deliveries of an event", "SELECT * FROM zerodb.list_deliveries(event_id => '{event}')"),
    seldom("redeliver", "SELECT zerodb.redeliver({delivery})"),
    seldom("discard", "SELECT zerodb.discard({delivery})"),
    seldom("await_event", "SELECT zerodb.await_event('{event}', '1 s')"),
    seldom("status()", "SELECT zerodb.status()"),
    seldom("hook_status", "SELECT * FROM zerodb.hook_status"),
];

/// The same as a role that sees one tenant.
#[rustfmt::skip]
pub const OF_A_TENANT: &[Question] = &[
    often("an event by its id, as its tenant", "SELECT * FROM zerodb.events WHERE id = '{event}'"),
    often("a delivery by its id, as its tenant", "SELECT * FROM zerodb.deliveries WHERE id = {delivery}"),
    often("the attempts of a delivery, as its tenant", "SELECT * FROM zerodb.attempts WHERE delivery_id = {delivery}"),
    often("the newest 20 events, as a tenant", "SELECT * FROM zerodb.list_events(max_rows => 20)"),
    often("the newest 20 deliveries, as a tenant", "SELECT * FROM zerodb.list_deliveries(max_rows => 20)"),
];

pub const PREPARED_EVENT: Question = often(
    "an event by its id, prepared",
    "SELECT id FROM zerodb.events WHERE id = $1",
);
pub const PREPARED_DELIVERY: Question = often(
    "a delivery by its id, prepared",
    "SELECT id FROM zerodb.deliveries WHERE id = $1",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_that_of_a_question() {
        let said: Vec<_> = ALL
            .iter()
            .chain(OF_A_TENANT)
            .flat_map(|question| [question.p50(), question.p99()])
            .collect();
        for line in [
            FLOOR_P50,
            EVENT_P50,
            EVENT_P99,
            DELIVERIES_P50,
            DELIVERIES_P99,
            DELIVERY_P50,
            DELIVERY_P99,
            ATTEMPTS_P50,
            ATTEMPTS_P99,
            NEWEST_P50,
            NEWEST_P99,
            NEWEST_OF_HOOK_P99,
            NEWEST_OF_STATE_P99,
            NEWEST_OF_USER_P99,
            NEWEST_BEFORE_P99,
            NEWEST_OF_TENANT_P99,
            EVENTS_P99,
            EVENTS_OF_USER_P99,
            EVENTS_BEFORE_P99,
            EVENTS_OF_TYPE_P99,
            REDELIVER_P99,
            DISCARD_P99,
            AWAIT_P99,
            STATUS_P99,
            HOOK_STATUS_P99,
        ] {
            assert!(said.contains(&line), "{} is asked nowhere", line.name);
        }
    }
}
