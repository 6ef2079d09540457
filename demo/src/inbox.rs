//! What arrived at the receiver, as `zerodb-hooks listen --json` tells it.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::programs::Said;

/// A request as `listen` saw it.
pub struct Request {
    /// The header `webhook-id`, the same on every attempt of a delivery.
    pub id: String,
    pub path: String,
    pub event: String,
    pub signature: String,
    body: Value,
}

impl Request {
    fn of(line: &Value) -> Option<Self> {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        (line["kind"] == "request").then(|| Self {
            id: text("webhook_id"),
            path: text("path"),
            event: text("event"),
            signature: text("signature"),
            body: line["body"].clone(),
        })
    }

    /// The id of the memory or file that it is about.
    pub fn subject(&self) -> Option<&str> {
        ["memory_id", "file_id"]
            .iter()
            .find_map(|key| self.body["data"][key].as_str())
    }
}

/// All requests since the start, whichever receiver took them.
#[derive(Clone, Default)]
pub struct Inbox(pub Said);

impl Inbox {
    pub fn requests(&self) -> Vec<Request> {
        self.0.lines().iter().filter_map(Request::of).collect()
    }

    pub fn count(&self) -> usize {
        self.0.count("request")
    }

    /// How often `listen` has announced that it listens.
    pub fn announcements(&self) -> usize {
        self.0.count("listening")
    }

    /// Those of the written ids that no request was about.
    pub fn missing(&self, written: &[String]) -> usize {
        let requests = self.requests();
        let arrived: HashSet<_> = requests.iter().filter_map(Request::subject).collect();
        written.iter().filter(|id| !arrived.contains(id.as_str())).count()
    }

    /// Requests that repeated a `webhook-id`, from the `since`th request on.
    pub fn duplicates(&self, since: usize) -> usize {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for request in self.requests().into_iter().skip(since) {
            *seen.entry(request.id).or_default() += 1;
        }
        seen.values().map(|times| times - 1).sum()
    }

    /// Requests whose signature is not good.
    pub fn bad_signatures(&self) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.signature != "ok")
            .count()
    }
}
