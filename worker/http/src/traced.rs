//! A request as a span of the attempt that sends it, and the trace context that a receiver gets. Neither the URL nor a
//! header is in the span: both may hold a secret.

use zerodb_hooks_spans::{Kind, Part};

use crate::failure::HttpError;
use crate::request::{Answer, Method, Request, UrlSource};

/// Begins the span, where the attempt is followed. The receiver of a hook's request goes on with the trace from it; the
/// endpoint of a model is told of no trace.
pub fn begin(request: &mut Request) -> Option<Part> {
    let name = match request.method {
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Options => "OPTIONS",
    };
    let mut part = zerodb_hooks_spans::begin(Kind::Client, || name.to_owned())?;
    part.set("http.request.method", name);
    if request.url_source == UrlSource::Hook {
        request
            .headers
            .push(("traceparent".into(), part.context().header()));
    }
    Some(part)
}

/// Ends the span: an answer that is no success is an error of it.
pub fn end(part: Option<Part>, result: &Result<Answer, HttpError>) {
    let Some(mut part) = part else {
        return;
    };
    let error = match result {
        Ok(answer) => {
            part.set("http.response.status_code", i64::from(answer.status));
            let failed = !(200..300).contains(&answer.status);
            failed.then(|| answer.status.to_string())
        }
        Err(error) => Some(error.to_string()),
    };
    part.end(error);
}
