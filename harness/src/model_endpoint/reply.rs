//! An answer before it is sent, and the forms of errors of real servers.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::json;

use super::hint::Hint;

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Without `Content-Type`, JSON is announced.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// The hosted API's form of an error.
pub fn open_ai(status: u16, message: &str, kind: &str, param: Option<&str>, code: Option<&str>) -> Reply {
    let error = json!({"error": {"message": message, "type": kind, "param": param, "code": code}});
    Reply::new(status, error.to_string())
}

pub(crate) fn invalid(message: &str, param: Option<&str>, code: Option<&str>) -> Reply {
    open_ai(400, message, "invalid_request_error", param, code)
}

/// The form of Text Embeddings Inference on its OpenAI route.
pub(crate) fn tei(status: u16, message: &str) -> Reply {
    let error = json!({"message": message, "code": status, "type": "Validation"});
    Reply::new(status, error.to_string())
}

/// The form of llama.cpp's server.
pub(crate) fn llama_cpp(status: u16, message: &str) -> Reply {
    let error = json!({"error": {"code": status, "message": message, "type": "server_error"}});
    Reply::new(status, error.to_string())
}

/// The older form of vLLM.
pub(crate) fn vllm(message: &str) -> Reply {
    let error =
        json!({"object": "error", "message": message, "type": "BadRequestError", "param": null, "code": 400});
    Reply::new(400, error.to_string())
}

pub(crate) fn html(status: u16, page: &str) -> Reply {
    Reply::new(status, page).header("content-type", "text/html; charset=utf-8")
}

/// 429 `rate_limit_exceeded`, to come back after `time`.
pub(crate) fn rate_limited(hint: Hint, time: Duration, limit: u32) -> Reply {
    let all = hint == Hint::Everything;
    let again = match all || hint == Hint::Message {
        true => format!(" Please try again in {}.", go_duration(time)),
        false => String::new(),
    };
    let message = format!(
        "Rate limit reached on requests per min (RPM): Limit {limit}, Used {limit}, Requested 1.{again}"
    );
    let mut reply = open_ai(429, &message, "requests", None, Some("rate_limit_exceeded"));
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    if all || hint == Hint::RetryAfter {
        reply = reply.header("retry-after", seconds.to_string());
    }
    if hint == Hint::RetryAfterDate {
        reply = reply.header("retry-after", http_date(time));
    }
    if all || hint == Hint::RetryAfterMs {
        let milliseconds = time.as_micros().div_ceil(1000);
        reply = reply.header("retry-after-ms", milliseconds.to_string());
    }
    if all || hint == Hint::Reset {
        reply = reply.header("x-ratelimit-reset-requests", go_duration(time));
    }
    if all {
        reply = reply
            .header("x-ratelimit-limit-requests", limit.to_string())
            .header("x-ratelimit-remaining-requests", "0");
    }
    reply
}

/// As the hosted API writes a time: `600ms`, `41.7s`, `6m0s`, `1h0m3s`; rounded up to milliseconds.
pub(crate) fn go_duration(time: Duration) -> String {
    let all = u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
    let (minutes, milliseconds) = (all / 60_000, all % 60_000);
    let fraction = format!("{:03}", milliseconds % 1000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let seconds = format!("{}{point}{fraction}s", milliseconds / 1000);
    match (minutes / 60, minutes % 60) {
        (0, 0) if milliseconds < 1000 => format!("{milliseconds}ms"),
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

/// The HTTP date after a time, rounded up to the second.
fn http_date(time: Duration) -> String {
    let at = Timestamp::now() + time;
    let whole = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
    let at = Timestamp::from_second(whole).unwrap_or(at);
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_the_hosted_api_does() {
        for (milliseconds, text) in [
            (600, "600ms"),
            (41_700, "41.7s"),
            (1_005, "1.005s"),
            (360_000, "6m0s"),
            (3_603_000, "1h0m3s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(milliseconds)), text);
        }
    }
}
