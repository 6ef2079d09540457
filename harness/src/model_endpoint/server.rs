//! The HTTP server: finds the route, lets `answer` decide, and sends, breaks or withholds the answer.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::json;
use tokio::sync::oneshot;

use super::Shared;
use super::answer;
use super::behaviour::Behaviour;
use super::fault::{Fault, unauthorized};
use super::reply::{Reply, invalid};
use super::route::{Operation, key};
use super::socket::{Line, Port};

/// A running server; its end closes the port and every connection.
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(listener: TcpListener, shared: Arc<Shared>) -> Result<Self> {
        listener.set_nonblocking(true)?;
        let service = Router::new()
            .fallback(receive)
            .layer(DefaultBodyLimit::disable())
            .with_state(shared)
            .into_make_service_with_connect_info::<Line>();
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
                    _ = axum::serve(Port(listener), service).into_future() => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(operation) = operation(&method, uri.path()) else {
        return whole(match (&method, uri.path()) {
            (&Method::GET, "/v1/models") => models(&shared, &headers),
            (&Method::GET, "/seen") => seen(&shared),
            (_, path) => unknown(&method, path),
        });
    };
    let route = match operation {
        Operation::Embeddings => &shared.embeddings,
        Operation::Chat => &shared.chat,
    };
    let mut admitted = route.admit(uri.to_string(), headers.clone(), body.clone());
    let fault = admitted.fault.clone();
    match fault {
        Some(Fault::Reset) => {
            drop(admitted);
            line.reset()
        }
        Some(Fault::Hang) => std::future::pending().await,
        _ => {}
    }
    let reply = answer::reply(&shared, operation, &mut admitted, key(&headers), &body).await;
    admitted.answered(reply.status);
    match fault {
        Some(Fault::HalfBody) => half(reply),
        Some(Fault::TruncatedBody) => {
            let end = reply.body.len() / 2;
            whole(Reply {
                body: reply.body[..end].to_vec(),
                ..reply
            })
        }
        _ => whole(reply),
    }
}

/// By the paths of the hosted API and of Azure.
fn operation(method: &Method, path: &str) -> Option<Operation> {
    let azure = path
        .strip_prefix("/openai/deployments/")
        .and_then(|rest| rest.split_once('/'));
    let name = azure.map(|(_, name)| name).or_else(|| path.strip_prefix("/v1/"));
    match name? {
        "embeddings" if method == Method::POST => Some(Operation::Embeddings),
        "chat/completions" if method == Method::POST => Some(Operation::Chat),
        _ => None,
    }
}

fn unknown(method: &Method, path: &str) -> Reply {
    let message = format!("Unknown request URL: {method} {path}. Please check the URL for typos.");
    Reply {
        status: 404,
        ..invalid(&message, None, Some("unknown_url"))
    }
}

fn models(shared: &Shared, headers: &HeaderMap) -> Reply {
    let (embeddings, chat) = (shared.embeddings.behaviour(), shared.chat.behaviour());
    if embeddings.key.is_some() && embeddings.key.as_deref() != key(headers) {
        return unauthorized(key(headers));
    }
    let names = |behaviour: &Behaviour, default: &str| {
        behaviour
            .models
            .clone()
            .unwrap_or_else(|| vec![default.to_owned()])
    };
    let mut all = names(&embeddings, "bge-m3");
    all.extend(names(&chat, "chat"));
    all.dedup();
    let model = |name: &String| json!({"id": name, "object": "model", "created": 0, "owned_by": "tests"});
    let list: Vec<_> = all.iter().map(model).collect();
    Reply::new(200, json!({"object": "list", "data": list}).to_string())
}

/// The counts of both routes, for a client in another process.
fn seen(shared: &Shared) -> Reply {
    let counts = json!({"embeddings": shared.embeddings.counts(), "chat": shared.chat.counts()});
    Reply::new(200, counts.to_string())
}

fn whole(reply: Reply) -> Response {
    let (head, body) = parts(reply);
    head.map(|()| Body::from(body))
}

/// Announces the whole length, sends half of it and closes the connection.
fn half(reply: Reply) -> Response {
    let (mut head, body) = parts(reply);
    head.headers_mut().insert("content-length", body.len().into());
    let start = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let chunks = [Ok(start), Err(std::io::Error::other("half of the body"))];
    head.map(|()| Body::from_stream(futures_util::stream::iter(chunks)))
}

fn parts(reply: Reply) -> (Response<()>, Vec<u8>) {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let mut head = Response::new(());
    *head.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = head.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = ("x-request-id", format!("req_{number:016x}"));
    for (name, value) in reply.headers.iter().chain([&id]) {
        if let Ok(value) = value.parse() {
            headers.insert(*name, value);
        }
    }
    (head, reply.body)
}
