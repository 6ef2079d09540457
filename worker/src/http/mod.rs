//! The only place that knows the HTTP client. One client for all requests, so that connections are kept; no redirects,
//! no proxy from the environment, a cap on what is read of an answer.

mod exchange;
pub mod headers;
pub mod signature;

pub use exchange::{Question, Reply};

use std::time::Duration;

use reqwest::redirect;

/// What is read of an answer: enough to take the connection back into the pool.
const ANSWER_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the request was refused: {reason}")]
    Refused { reason: String },
    #[error("the request is not valid: {reason}")]
    Invalid { reason: String },
    #[error("no answer within {} ms", .after.as_millis())]
    Timeout { after: Duration },
    #[error("could not connect")]
    Connect,
    #[error("the connection broke: {reason}")]
    Broken { reason: &'static str },
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
    /// For all of it: connecting, sending, and reading the answer.
    pub timeout: Duration,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Retry-After in seconds, where it is a number.
    pub retry_after: Option<u64>,
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
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| HttpError::Invalid {
                reason: error.without_url().to_string(),
            })?;
        Ok(Self { inner, https_only })
    }

    /// Sends a request and reads at most 64 KiB of the answer. Safe to cancel; the request may then have been received.
    ///
    /// # Errors
    /// None of them holds the URL, which may hold a secret.
    pub async fn send(&self, request: Request) -> Result<Answer, HttpError> {
        if self.https_only && !request.url.starts_with("https://") {
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
        let mut response = sent.await.map_err(|error| classify(&error, timeout))?;
        let answer = Answer {
            status: response.status().as_u16(),
            retry_after: response
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.trim().parse().ok()),
        };
        let mut read = 0;
        while read < ANSWER_BYTES {
            match response
                .chunk()
                .await
                .map_err(|error| classify(&error, timeout))?
            {
                Some(chunk) => read += chunk.len(),
                None => break,
            }
        }
        Ok(answer)
    }
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

fn classify(error: &reqwest::Error, timeout: Duration) -> HttpError {
    if error.is_timeout() {
        HttpError::Timeout { after: timeout }
    } else if error.is_connect() {
        HttpError::Connect
    } else if error.is_builder() {
        HttpError::Invalid {
            reason: "the url".into(),
        }
    } else if error.is_body() || error.is_decode() {
        HttpError::Broken {
            reason: "while the answer was read",
        }
    } else {
        HttpError::Broken {
            reason: "while the request was sent",
        }
    }
}
