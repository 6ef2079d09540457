//! A webhook endpoint on the loopback, on a thread of its own, that records every request and answers as it is told.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;

use crate::wait::{self, Held, LetGo};

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    /// A status with one header, such as `Retry-After`, and a body.
    Full {
        status: u16,
        header: (&'static str, String),
        body: String,
    },
    /// A status after a time.
    Slow(Duration, u16),
    /// A status once a `Held` is dropped; see `Answer::held`.
    Held(LetGo, u16),
    /// Never.
    Hang,
    /// Closes the connection without an answer.
    Drop,
    /// A status and a body that has no end.
    Endless(u16),
}

impl Answer {
    /// A status that is kept back until the value beside it is dropped.
    pub fn held(status: u16) -> (Held, Self) {
        let (held, let_go) = Held::new();
        (held, Self::Held(let_go, status))
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn json(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

struct Book {
    requests: Vec<Request>,
    /// The answers to the next requests; then `usual`.
    next: VecDeque<Answer>,
    usual: Answer,
}

pub struct Receiver {
    pub address: SocketAddr,
    book: Arc<Mutex<Book>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Receiver {
    /// On a free port; answers 200.
    pub fn start() -> Result<Self> {
        Self::start_on(0)
    }

    /// On a port that was used before, as a receiver that comes back.
    pub fn start_on(port: u16) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).with_context(|| format!("port {port}"))?;
        let book = Book {
            requests: Vec::new(),
            next: VecDeque::new(),
            usual: Answer::Status(200),
        };
        let mut receiver = Self {
            address: listener.local_addr()?,
            book: Arc::new(Mutex::new(book)),
            running: None,
        };
        receiver.run(listener)?;
        Ok(receiver)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers to the next requests, in order.
    pub fn then(&self, answers: impl IntoIterator<Item = Answer>) {
        locked(&self.book).next.extend(answers);
    }

    /// The answer to all requests that `then` says nothing of.
    pub fn always(&self, answer: Answer) {
        locked(&self.book).usual = answer;
    }

    pub fn requests(&self) -> Vec<Request> {
        locked(&self.book).requests.clone()
    }

    /// Looks at the requests without a copy of them; others wait meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&[Request]) -> T) -> T {
        look(&locked(&self.book).requests)
    }

    /// The requests once there are at least so many of them.
    pub async fn wait_for(&self, count: usize, deadline: Duration) -> Result<Vec<Request>> {
        let found = wait::eventually(deadline, async || {
            Some(self.requests()).filter(|seen| seen.len() >= count)
        })
        .await;
        found.with_context(|| format!("{} requests of {count}", self.requests().len()))
    }

    /// Closes the port and every connection; what was recorded stays.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }

    /// Listens on the same port again.
    pub fn start_again(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address)?;
        self.run(listener)
    }

    fn run(&mut self, listener: TcpListener) -> Result<()> {
        listener.set_nonblocking(true)?;
        let router = Router::new().fallback(receive).with_state(Arc::clone(&self.book));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        // The end of the runtime closes every connection, which aborting the server alone would not.
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    _ = axum::serve(listener, router).into_future() => {}
                    _ = stopped => {}
                }
            });
        });
        self.running = Some((stop, thread));
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn receive(
    State(book): State<Arc<Mutex<Book>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        at: Instant::now(),
        method: method.to_string(),
        path: uri.to_string(),
        headers,
        body,
    };
    let answer = {
        let mut book = locked(&book);
        book.requests.push(request);
        book.next.pop_front().unwrap_or_else(|| book.usual.clone())
    };
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer {
        Answer::Status(code) => status(code).into_response(),
        Answer::Full {
            status: code,
            header,
            body,
        } => (status(code), [header], body).into_response(),
        Answer::Slow(time, code) => {
            wait::delay(time).await;
            status(code).into_response()
        }
        Answer::Held(let_go, code) => {
            let_go.passed().await;
            status(code).into_response()
        }
        Answer::Endless(code) => {
            let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 64 * 1024]));
            let body = Body::from_stream(futures_util::stream::repeat_with(chunk));
            (status(code), body).into_response()
        }
        Answer::Hang => std::future::pending().await,
        // Ends the task of the connection, and with it the socket, without the message of a panic.
        Answer::Drop => std::panic::resume_unwind(Box::new("dropped")),
    }
}

fn locked(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}
