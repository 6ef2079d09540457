//! One route as a test holds it: what it is told, what it recorded, and the admission of each request. It must not
//! know what an answer looks like.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::body::Bytes;
use axum::http::HeaderMap;

use super::behaviour::{Behaviour, RateLimit};
use super::fault::Fault;
use crate::wait::{self, Held};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Embeddings,
    Chat,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub operation: Operation,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The texts to embed; empty for a chat and for what could not be read.
    pub inputs: Vec<String>,
    /// The status that was sent; `None` while it is not yet, or where there was none.
    pub answered: Option<u16>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The key that came, as `Authorization: Bearer` or `api-key`.
    pub fn key(&self) -> Option<&str> {
        key(&self.headers)
    }

    pub fn json(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| headers.get("api-key")?.to_str().ok())
}

#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Counts {
    pub requests: u64,
    /// Those of them that were answered 200.
    pub answered: u64,
    /// Those of them that were answered 429.
    pub limited: u64,
    /// Texts in the requests that were answered 200.
    pub inputs: u64,
    pub now: u64,
    /// The most requests that were there at the same time.
    pub most_at_once: u64,
}

struct Book {
    behaviour: Arc<Behaviour>,
    /// The faults of the next requests, `None` for one that is answered well; then `usual`.
    next: VecDeque<Option<Fault>>,
    usual: Option<Fault>,
    /// Start of the limiter's window, and the requests that it has let through.
    window: Option<(Instant, u32)>,
    requests: Vec<Request>,
    counts: Counts,
    keeps: bool,
}

/// A route; clones are the same one.
#[derive(Clone)]
pub struct Route {
    operation: Operation,
    book: Arc<Mutex<Book>>,
}

impl Route {
    pub(crate) fn new(operation: Operation, keeps: bool) -> Self {
        let book = Book {
            behaviour: Arc::default(),
            next: VecDeque::new(),
            usual: None,
            window: None,
            requests: Vec::new(),
            counts: Counts::default(),
            keeps,
        };
        Self {
            operation,
            book: Arc::new(Mutex::new(book)),
        }
    }

    /// Changes the behaviour; requests that are being answered keep the old one.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(Arc::make_mut(&mut self.book().behaviour));
    }

    /// The next requests meet the fault; after those of an earlier call.
    pub fn fail_next(&self, count: usize, fault: Fault) {
        self.book().next.extend(std::iter::repeat_n(Some(fault), count));
    }

    /// All requests that `fail_next` says nothing of meet the fault.
    pub fn always(&self, fault: Fault) {
        self.book().usual = Some(fault);
    }

    /// The next requests meet no fault; all after them do, until `heal`.
    pub fn fail_after(&self, count: usize, fault: Fault) {
        let mut book = self.book();
        book.next.extend(std::iter::repeat_n(None, count));
        book.usual = Some(fault);
    }

    /// Keeps back every answer, but those of faults, until the value is dropped.
    pub fn hold(&self) -> Held {
        let (held, let_go) = Held::new();
        self.behave(|behaviour| behaviour.held = Some(let_go));
        held
    }

    /// No fault from now on; the behaviour stays.
    pub fn heal(&self) {
        let mut book = self.book();
        book.next.clear();
        book.usual = None;
    }

    pub fn behaviour(&self) -> Arc<Behaviour> {
        Arc::clone(&self.book().behaviour)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.book().requests.clone()
    }

    /// Looks at the requests without a copy of them; others wait meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&[Request]) -> T) -> T {
        look(&self.book().requests)
    }

    pub fn counts(&self) -> Counts {
        self.book().counts
    }

    /// The requests once there are at least so many of them.
    pub async fn wait_for_requests(&self, count: usize, deadline: Duration) -> Result<Vec<Request>> {
        let enough = async || (self.look(<[_]>::len) >= count).then(|| self.requests());
        let found = wait::eventually(deadline, enough).await;
        found.with_context(|| format!("{} requests of {count}", self.look(<[_]>::len)))
    }

    /// Records a request and says what it meets.
    pub(crate) fn admit(&self, path: String, headers: HeaderMap, body: Bytes) -> Admitted {
        let mut book = self.book();
        let at = Instant::now();
        book.counts.requests += 1;
        book.counts.now += 1;
        book.counts.most_at_once = book.counts.most_at_once.max(book.counts.now);
        let fault = book.next.pop_front().unwrap_or_else(|| book.usual.clone());
        let index = book.requests.len();
        if book.keeps {
            book.requests.push(Request {
                at,
                operation: self.operation,
                path,
                headers,
                body,
                inputs: Vec::new(),
                answered: None,
            });
        }
        Admitted {
            route: self.clone(),
            index,
            inputs: 0,
            behaviour: Arc::clone(&book.behaviour),
            fault,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered; it counts as present until this is dropped.
pub(crate) struct Admitted {
    route: Route,
    index: usize,
    inputs: usize,
    pub behaviour: Arc<Behaviour>,
    pub fault: Option<Fault>,
}

impl Admitted {
    /// Takes one of the limiter's requests: how many remain, or how long until the next window.
    pub fn take(&self, limit: RateLimit) -> Result<u32, Duration> {
        let mut book = self.route.book();
        let now = Instant::now();
        let open = book.window.filter(|(start, _)| now < *start + limit.per);
        let (start, used) = open.unwrap_or((now, 0));
        if used >= limit.requests {
            return Err(start + limit.per - now);
        }
        book.window = Some((start, used + 1));
        Ok(limit.requests - used - 1)
    }

    pub fn asks_for(&mut self, inputs: &[String]) {
        self.inputs = inputs.len();
        if let Some(request) = self.route.book().requests.get_mut(self.index) {
            request.inputs = inputs.to_vec();
        }
    }

    pub fn answered(&self, status: u16) {
        let mut book = self.route.book();
        match status {
            200 => {
                book.counts.answered += 1;
                book.counts.inputs += self.inputs as u64;
            }
            429 => book.counts.limited += 1,
            _ => {}
        }
        if let Some(request) = book.requests.get_mut(self.index) {
            request.answered = Some(status);
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.route.book().counts.now -= 1;
    }
}
