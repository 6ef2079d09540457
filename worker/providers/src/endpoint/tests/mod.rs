//! The client against a small server that answers as it is told. The whole way is real: HTTP, bodies, headers.

mod chat;
mod embed;
mod fairness;
mod wire;

use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, Uri};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::*;
use crate::{Config, EmbedRequest, Embeddings, LocalGate, Provider, Providers};
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_http::Access;

const DEADLINE: Duration = Duration::from_secs(30);

/// What came to the server.
#[derive(Clone)]
struct Seen {
    path: String,
    headers: HeaderMap,
    body: Value,
}

/// What the server does with a request.
enum Do {
    Answer(u16, Value),
    Text(u16, &'static str),
    With(u16, &'static [(&'static str, &'static str)], Value),
    /// The begin of a body, and the end of the connection.
    Half(&'static str),
    /// Bytes in a coding.
    Coded(&'static str, Vec<u8>),
    /// As soon as there is a permit.
    When(Arc<Semaphore>, Value),
    /// Nothing, ever.
    Hang,
}

type Script = dyn Fn(usize, &Value) -> Do + Send + Sync;

struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// Ends with it.
    _tasks: JoinSet<()>,
}

impl Server {
    /// `script` gets the number of the request, from 0, and its body.
    async fn start(script: impl Fn(usize, &Value) -> Do + Send + Sync + 'static) -> Self {
        let script: Arc<Script> = Arc::new(script);
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let requests = Arc::clone(&seen);
        let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let number = {
                let mut requests = requests.lock().unwrap();
                requests.push(Seen {
                    path: uri.to_string(),
                    headers,
                    body: body.clone(),
                });
                requests.len() - 1
            };
            respond(script(number, &body))
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            seen,
            _tasks: tasks,
        }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// A provider of this server, with `more` keys in its entry.
    fn provider(&self, more: &str) -> Arc<Provider> {
        let secrets = Secrets::new([("ZERODB_SECRET_KEY".into(), "k3y".into())]);
        let url = &self.url;
        let text = format!(
            "providers:\n  it: {{ url: '{url}', model: m, api_key: '${{ZERODB_SECRET_KEY}}', {more} }}\n"
        );
        let config = Config::parse("test.yaml", &text, &secrets).unwrap();
        let gate: Arc<dyn Gate> = Arc::new(LocalGate::default());
        let providers = Providers::new(&config, &Client::new(Access::default()).unwrap(), &gate).unwrap();
        providers.get(Some("it")).unwrap()
    }
}

async fn respond(what: Do) -> Response<Body> {
    let (status, headers, body): (_, &[_], _) = match what {
        Do::Answer(status, value) => (status, &[], Body::from(value.to_string())),
        Do::Text(status, text) => (status, &[], Body::from(text)),
        Do::With(status, headers, value) => (status, headers, Body::from(value.to_string())),
        Do::Half(text) => {
            let parts = [Ok(Bytes::from(text)), Err(std::io::Error::other("cut"))];
            (200, &[], Body::from_stream(stream::iter(parts)))
        }
        Do::Coded(coding, bytes) => {
            let response = Response::builder().header("content-encoding", coding);
            return response.body(Body::from(bytes)).unwrap();
        }
        Do::When(permits, value) => {
            permits.acquire().await.unwrap().forget();
            (200, &[], Body::from(value.to_string()))
        }
        Do::Hang => std::future::pending().await,
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body).unwrap()
}

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("text {at}")).collect()
}

/// As many vectors as inputs; the first component is the index. In reverse order.
fn vectors(request: &Value) -> Value {
    let count = request["input"].as_array().unwrap().len();
    let data: Vec<Value> = (0..count)
        .rev()
        .map(|at| json!({"index": at, "embedding": [at, 1]}))
        .collect();
    json!({"data": data, "usage": {"prompt_tokens": 5}})
}

async fn embed(provider: &Provider, inputs: &[String]) -> Result<Embeddings, ProviderError> {
    let request = EmbedRequest {
        who: None,
        model: None,
        dimensions: None,
        inputs,
    };
    provider.embed(&request, DEADLINE).await
}

fn error(message: &str) -> Value {
    json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}})
}
