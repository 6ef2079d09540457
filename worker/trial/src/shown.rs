//! What a person is shown of a trial: a request, a line of the log, a call, and an answer, none of them with a secret.
//! A value that the environment has as a secret is masked wherever it stands, also in the answer; one that a config
//! writes out is masked where its name says that it is a credential.

use std::time::Duration;

use serde::Serialize;
use zerodb_hooks_contract::credential;
use zerodb_hooks_delivery::secret::Secrets;
use zerodb_hooks_handlers::Action;
use zerodb_hooks_http::{Answer, Method, Request, Timings};

const HIDDEN: &str = "***";
/// Names of headers of a signature, which is no credential: it is of this request alone.
const SIGNATURES: &str = "webhook-";

/// What a hook does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Shown {
    Request {
        method: &'static str,
        url: String,
        headers: Vec<(String, String)>,
        body: String,
    },
    Line {
        level: &'static str,
        message: String,
    },
    Call {
        function: String,
        envelope: String,
    },
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The first bytes of it, as text.
    pub body: String,
}

/// Milliseconds; null for what did not happen, or cannot be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ShownTimes {
    pub lookup_ms: Option<f64>,
    /// With TLS.
    pub connect_ms: Option<f64>,
    pub first_byte_ms: Option<f64>,
    pub total_ms: f64,
}

impl From<Timings> for ShownTimes {
    fn from(timings: Timings) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        Self {
            lookup_ms: timings.lookup.map(ms),
            connect_ms: timings.connect.map(ms),
            first_byte_ms: timings.first_byte.map(ms),
            total_ms: ms(timings.total),
        }
    }
}

pub fn action(secrets: &Secrets, action: Action, envelope: &str) -> Shown {
    match action {
        Action::Request(request) => of_request(secrets, request),
        Action::Line { level, message } => Shown::Line { level, message },
        Action::Call { function } => Shown::Call {
            function,
            envelope: envelope.into(),
        },
    }
}

fn of_request(secrets: &Secrets, request: Request) -> Shown {
    Shown::Request {
        method: match request.method {
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Options => "OPTIONS",
        },
        url: url(&secrets.masked(&request.url)),
        headers: headers(secrets, &request.headers),
        body: secrets.masked(&String::from_utf8_lossy(&request.body)),
    }
}

pub fn answer(secrets: &Secrets, answer: &Answer) -> ShownAnswer {
    ShownAnswer {
        status: answer.status,
        headers: headers(secrets, &answer.headers),
        body: secrets.masked(&String::from_utf8_lossy(&answer.body)),
    }
}

/// A later header of a name replaces an earlier one, as where they are sent.
fn headers(secrets: &Secrets, headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let masked = secrets.masked(value);
        let is_signature = name.starts_with(SIGNATURES);
        let is_written_out = masked == *value && (credential::is_name(name) || credential::is_value(value));
        let value = if is_written_out && !is_signature {
            HIDDEN.into()
        } else {
            masked
        };
        match shown.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => shown.push((name.clone(), value)),
        }
    }
    shown
}

/// Without a user, and without parameters that a config writes out and whose names say that they are credentials.
fn url(url: &str) -> String {
    let (before, query) = url
        .split_once('?')
        .map_or((url, None), |(before, query)| (before, Some(query)));
    let mut shown = match before.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            match authority.rsplit_once('@') {
                Some((_, host)) => format!("{scheme}://{HIDDEN}@{host}{path}"),
                None => before.to_owned(),
            }
        }
        None => before.to_owned(),
    };
    if let Some(query) = query {
        let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
            Some((name, value)) if credential::is_name(name) && !value.contains("${") => {
                format!("{name}={HIDDEN}")
            }
            _ => parameter.to_owned(),
        });
        shown = format!("{shown}?{}", parameters.collect::<Vec<_>>().join("&"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_references_nor_what_is_written_out_is_shown() {
        let secrets = Secrets::new([("ZERODB_SECRET_A".to_owned(), "hush1".to_owned())]);
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = pairs
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            owned.collect()
        };
        let sent = [
            ("content-type", "text/plain"),
            ("content-type", "application/json"),
            ("authorization", "Bearer hush1"),
            ("x-api-key", "hush2"),
            ("x-plain", "Bearer hush3"),
            ("webhook-signature", "v1,abc"),
        ];
        let expected = [
            ("content-type", "application/json"),
            ("authorization", "Bearer ${ZERODB_SECRET_A}"),
            ("x-api-key", HIDDEN),
            ("x-plain", HIDDEN),
            ("webhook-signature", "v1,abc"),
        ];
        assert_eq!(headers(&secrets, &pairs(&sent)), pairs(&expected));
        for (text, expected) in [
            (
                "https://u:hush@a.example/x?token=hush&n=1",
                "https://***@a.example/x?token=***&n=1",
            ),
            (
                "https://a.example/${ZERODB_SECRET_A}",
                "https://a.example/${ZERODB_SECRET_A}",
            ),
            (
                "https://a.example?key=${ZERODB_SECRET_A}",
                "https://a.example?key=${ZERODB_SECRET_A}",
            ),
        ] {
            assert_eq!(url(text), expected);
        }
    }
}
