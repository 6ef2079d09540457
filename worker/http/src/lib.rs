//! The only place that knows the HTTP client. One client for all requests, so that connections are kept; no redirects,
//! no proxy from the environment, a cap on what is read of an answer.

mod connecting;
mod exchange;
mod failure;
pub mod headers;
pub mod retry_after;
pub mod signature;

pub use exchange::{Question, Reply};
pub use failure::{Breach, Unreachable};

use std::time::{Duration, SystemTime};

use reqwest::redirect;

/// What is read of an answer's body, which nobody looks at: enough to take the connection back into the pool.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long it is read. A connection whose answer has no end by then is dropped.
const DRAINING: Duration = Duration::from_millis(250);

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the request was refused: {reason}")]
    Refused { reason: String },
    #[error("the request is not valid: {reason}")]
    Invalid { reason: String },
    #[error("no answer within {} ms", .after.as_millis())]
    Timeout { after: Duration },
    #[error("could not connect: {cause}")]
    Connect { cause: Unreachable },
    #[error("the connection broke: {reason}")]
    Broken { reason: Breach },
    #[error("the answer has more than {most} bytes")]
    TooLarge { most: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
}

pub struct Request {
    pub url: String,
    pub method: Method,
    /// Lower-case names; a later one replaces an earlier.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// For all of it, until the status of the answer is there.
    pub timeout: Duration,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    https_only: bool,
}

impl Client {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(https_only: bool) -> Result<Self, HttpError> {
        let inner = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("zerodb-hooks/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .connector_layer(connecting::Notes)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| HttpError::Invalid {
                reason: error.without_url().to_string(),
            })?;
        Ok(Self { inner, https_only })
    }

    /// Sends a request. The status is the answer: whatever follows it, broken, slow or without end, costs the connection only.
    /// Safe to cancel; the request may then have been received.
    ///
    /// # Errors
    /// None of them holds the URL, which may hold a secret.
    pub async fn send(&self, request: Request) -> Result<Answer, HttpError> {
        if self.https_only && !is_https(&request.url) {
            return Err(HttpError::Refused {
                reason: "only https is allowed in production".into(),
            });
        }
        let timeout = request.timeout;
        let method = match request.method {
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let sent = self
            .inner
            .request(method, &request.url)
            .headers(header_map(&request.headers)?)
            .body(request.body)
            .timeout(timeout)
            .send();
        let (sent, connecting) = connecting::watched(sent).await;
        let mut response = sent.map_err(|error| match failure::classify(&error, timeout) {
            HttpError::Timeout { .. } if connecting => HttpError::Connect {
                cause: Unreachable::ConnectTimeout,
            },
            other => other,
        })?;
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let answer = Answer {
            status: response.status().as_u16(),
            retry_after: header("retry-after")
                .and_then(|asked| retry_after::wait(asked, header("date"), SystemTime::now())),
        };
        // Its end, or that it has none, changes nothing.
        let _ = tokio::time::timeout(DRAINING, drain(&mut response)).await;
        Ok(answer)
    }
}

/// Reads a body, as long as it is of the usual size.
async fn drain(response: &mut reqwest::Response) {
    let mut read = 0;
    while read < ANSWER_BYTES
        && let Ok(Some(chunk)) = response.chunk().await
    {
        read += chunk.len();
    }
}

fn is_https(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "https")
}

/// Host, as a URL has it, and port of an address; `None` where it has none.
pub fn place(url: &str) -> Option<(String, Option<u16>)> {
    let url = reqwest::Url::parse(url).ok()?;
    Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()))
}

fn header_map(headers: &[(String, String)]) -> Result<reqwest::header::HeaderMap, HttpError> {
    let mut map = reqwest::header::HeaderMap::new();
    for (name, value) in headers {
        let invalid = || HttpError::Invalid {
            reason: format!("header {name:?}"),
        };
        let name = reqwest::header::HeaderName::try_from(name).map_err(|_| invalid())?;
        map.insert(
            name.clone(),
            reqwest::header::HeaderValue::try_from(value).map_err(|_| invalid())?,
        );
    }
    Ok(map)
}
