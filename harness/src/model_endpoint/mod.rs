//! An OpenAI-compatible model endpoint on the loopback, on a thread of its own: `POST /v1/embeddings`, `POST
//! /v1/chat/completions`, `GET /v1/models`, and Azure's paths of the first two. It answers as the hosted API does,
//! fails as it is told in the words of real servers, and records what it was asked. Its vectors and texts are
//! computed, not learned: it must not be used to judge a result's quality.
//!
//! ```no_run
//! # use std::time::Duration;
//! # use zerodb_hooks_harness::model_endpoint::{Fault, ModelEndpoint};
//! let endpoint = ModelEndpoint::start()?;
//! endpoint.embeddings.behave(|behaviour| behaviour.latency = Duration::from_millis(50));
//! endpoint.embeddings.fail_next(2, Fault::Unavailable);
//! endpoint.script(|request| format!("{} messages", request.messages.len()));
//! # anyhow::Ok(())
//! ```

mod answer;
mod behaviour;
mod chat;
mod distortion;
mod embeddings;
mod fault;
mod hint;
mod process;
mod reply;
mod route;
mod schema;
mod script;
mod seen;
mod server;
mod socket;
mod vectors;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

pub use behaviour::{Behaviour, Parameter, RateLimit, TokenLimit};
pub use chat::{ChatRequest, Message};
pub use fault::Fault;
pub use hint::Hint;
pub use process::ModelProcess;
pub use reply::Reply;
pub use route::{Counts, Operation, Request, Route};
pub use script::{Script, echo_summary, fixed_json};
pub use seen::InputsSeen;
pub use vectors::vector;

use server::Server;

/// What the two routes and the server's thread share.
pub(crate) struct Shared {
    pub embeddings: Route,
    pub chat: Route,
    pub script: Mutex<Script>,
}

pub struct ModelEndpoint {
    pub address: SocketAddr,
    pub embeddings: Route,
    pub chat: Route,
    shared: Arc<Shared>,
    running: Option<Server>,
}

impl ModelEndpoint {
    /// On a free port; answers everything, at once.
    pub fn start() -> Result<Self> {
        Self::start_on(0)
    }

    pub fn start_on(port: u16) -> Result<Self> {
        Self::start_with(port, true)
    }

    /// Counts the requests and keeps none, for a long run; `requests` and what is made of it stay empty.
    pub fn start_counting(port: u16) -> Result<Self> {
        Self::start_with(port, false)
    }

    fn start_with(port: u16, keeps: bool) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("port {port}"))?;
        let shared = Arc::new(Shared {
            embeddings: Route::new(Operation::Embeddings, keeps),
            chat: Route::new(Operation::Chat, keeps),
            script: Mutex::new(Arc::new(echo_summary)),
        });
        Ok(Self {
            address: listener.local_addr()?,
            embeddings: shared.embeddings.clone(),
            chat: shared.chat.clone(),
            running: Some(Server::start(listener, Arc::clone(&shared))?),
            shared,
        })
    }

    /// The base URL, as a client's configuration has it: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What the chat answers from now on; `echo_summary` until then.
    pub fn script(&self, script: impl Fn(&ChatRequest) -> String + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }

    /// The requests of both routes, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        let mut all = self.embeddings.requests();
        all.extend(self.chat.requests());
        all.sort_by_key(|request| request.at);
        all
    }

    pub fn inputs_seen(&self) -> InputsSeen {
        self.embeddings.look(|requests| InputsSeen::of(requests))
    }

    /// The chat's requests that could be read.
    pub fn chat_requests(&self) -> Vec<ChatRequest> {
        let read = |request: &Request| ChatRequest::read(&request.body).ok();
        self.chat
            .look(|requests| requests.iter().filter_map(read).collect())
    }

    /// The requests of both routes once there are at least so many of them.
    pub async fn wait_for_requests(&self, count: usize, deadline: Duration) -> Result<Vec<Request>> {
        let found = crate::wait::eventually(deadline, async || {
            Some(self.requests()).filter(|seen| seen.len() >= count)
        })
        .await;
        found.with_context(|| format!("{} requests of {count}", self.requests().len()))
    }

    /// Closes the port and every connection; what was recorded stays.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Listens on the same port again.
    pub fn start_again(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address)?;
        self.running = Some(Server::start(listener, Arc::clone(&self.shared))?);
        Ok(())
    }
}
