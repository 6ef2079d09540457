//! Sends requests. One client for all hooks and one for all endpoints of models, so that connections are kept; no
//! redirects, so that no header goes anywhere else, and no proxy from the environment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{ClientBuilder, Response, redirect};

use crate::access::Access;
use crate::address::{is_https, literal};
use crate::classify::classify;
use crate::connecting::{self, Progress};
use crate::failure::{HttpError, Unreachable};
use crate::request::{Answer, Method, Read, Request, Timings, UrlSource};
use crate::traced;

/// Bytes that are read of a body which is discarded: enough to take the connection back into the pool.
const DISCARDED_BYTES: usize = 16 * 1024;
/// The time for that. A connection whose answer has no end by then is dropped.
const DISCARDING: Duration = Duration::from_millis(250);

/// Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct Client {
    hooks: reqwest::Client,
    endpoints: reqwest::Client,
    access: Arc<Access>,
}

impl Client {
    /// `access` is that of hooks. The endpoints of models are the operator's own: they may be anywhere.
    ///
    /// # Errors
    /// When TLS, the proxy or a certificate cannot be set up.
    pub fn new(access: Access) -> Result<Self, HttpError> {
        Ok(Self {
            hooks: build(access.apply(builder())?)?,
            endpoints: build(builder())?,
            access: Arc::new(access),
        })
    }

    /// The name by which this installation asks endpoints whether they want requests of hooks.
    pub fn origin(&self) -> Option<&str> {
        self.access.origin.as_deref()
    }

    /// Sends a request and reads its answer. Safe to cancel; the request may then have been received.
    ///
    /// # Errors
    /// `TooLarge`, without reading on, when the body is larger than it may be. None of them holds the URL or a header,
    /// which may hold a secret.
    pub async fn send(&self, mut request: Request) -> Result<Answer, HttpError> {
        let part = traced::begin(&mut request);
        let result = self.exchange(request, &Arc::default()).await;
        traced::end(part, &result);
        result
    }

    /// The same, with the time that each part of it took.
    ///
    /// # Errors
    /// Those of `send`, in the first value.
    pub async fn send_timed(&self, request: Request) -> (Result<Answer, HttpError>, Timings) {
        let (begun, progress) = (Instant::now(), Arc::default());
        let sent = self.exchange(request, &progress).await;
        (sent, progress.timings(begun))
    }

    async fn exchange(&self, request: Request, progress: &Arc<Progress>) -> Result<Answer, HttpError> {
        if request.url_source == UrlSource::Hook {
            self.check(&request.url)?;
        }
        let (timeout, read) = (request.timeout, request.read);
        let mut response = self.respond(request, progress).await?;
        progress.answered();
        let answer = Answer {
            status: response.status().as_u16(),
            headers: text_headers(response.headers()),
            body: Bytes::new(),
        };
        match read {
            Read::Discard => {
                // Its end, or that it has none, changes nothing.
                let _ = tokio::time::timeout(DISCARDING, discard(&mut response)).await;
                Ok(answer)
            }
            Read::Beginning { most } => {
                let mut body = BytesMut::new();
                let _ = tokio::time::timeout(DISCARDING, begin(&mut response, &mut body, most)).await;
                body.truncate(most);
                Ok(Answer {
                    body: body.freeze(),
                    ..answer
                })
            }
            Read::Body { most } => Ok(Answer {
                body: body(&mut response, most, timeout).await?,
                ..answer
            }),
        }
    }

    /// Refuses what a hook may not call. A host that is an address is never looked up, so it is judged here.
    fn check(&self, url: &str) -> Result<(), HttpError> {
        if self.access.https_only && !is_https(url) {
            return Err(HttpError::Refused {
                reason: "only https is allowed in production".into(),
            });
        }
        match literal(url) {
            Some((host, address)) if !self.access.guard.allows(&host, address) => Err(HttpError::Connect {
                cause: Unreachable::NotPublic,
            }),
            _ => Ok(()),
        }
    }

    /// Sends a request until the status of its answer is there.
    async fn respond(&self, request: Request, progress: &Arc<Progress>) -> Result<Response, HttpError> {
        let timeout = request.timeout;
        let method = match request.method {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Options => reqwest::Method::OPTIONS,
        };
        let client = match request.url_source {
            UrlSource::Hook => &self.hooks,
            UrlSource::WorkerFile => &self.endpoints,
        };
        let sent = client
            .request(method, &request.url)
            .headers(header_map(&request.headers)?)
            .body(request.body)
            .timeout(timeout)
            .send();
        let sent = connecting::watched(progress, sent).await;
        sent.map_err(|error| match classify(&error, timeout) {
            // Whoever gave a hook's URL can mend it; of a model's endpoint it stays a lack of time.
            HttpError::Timeout { .. }
                if progress.is_connecting() && request.url_source == UrlSource::Hook =>
            {
                HttpError::Connect {
                    cause: Unreachable::ConnectTimeout,
                }
            }
            other => other,
        })
    }
}

fn builder() -> ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .user_agent(concat!("zerodb-hooks/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .connector_layer(connecting::Notes)
        .pool_idle_timeout(Duration::from_secs(30))
}

fn build(builder: ClientBuilder) -> Result<reqwest::Client, HttpError> {
    builder.build().map_err(|error| HttpError::Invalid {
        reason: error.without_url().to_string(),
    })
}

/// Reads the beginning of a body.
async fn discard(response: &mut Response) {
    let mut read = 0;
    while read < DISCARDED_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read += chunk.len();
    }
}

/// Reads the beginning of a body and keeps it.
async fn begin(response: &mut Response, body: &mut BytesMut, most: usize) {
    while body.len() < most
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
}

/// Reads a body to its end.
async fn body(response: &mut Response, most: usize, timeout: Duration) -> Result<Bytes, HttpError> {
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |bytes| bytes > most) {
        return Err(HttpError::TooLarge { most });
    }
    let mut body = BytesMut::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| classify(&error, timeout))? else {
            return Ok(body.freeze());
        };
        if body.len() + chunk.len() > most {
            return Err(HttpError::TooLarge { most });
        }
        body.extend_from_slice(&chunk);
    }
}

fn text_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, HttpError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let invalid = || HttpError::Invalid {
            reason: format!("header {name:?}"),
        };
        let name = HeaderName::try_from(name).map_err(|_| invalid())?;
        map.insert(name, HeaderValue::try_from(value).map_err(|_| invalid())?);
    }
    Ok(map)
}
