//! The handshake of the CloudEvents Webhook specification: an endpoint is asked whether it wants requests from here,
//! and says so in a header, never by a status. Asked once for each version of a hook by each worker.

use std::collections::HashSet;
use std::time::Duration;

use parking_lot::Mutex;
use uuid::Uuid;

use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::Context;
use zerodb_hooks_http::{Method, Read, Request, UrlSource};

use crate::refusal::refused_or_transient;

/// Of versions that are remembered; then all are asked anew.
const MOST: usize = 10_000;

/// The versions of hooks whose endpoints have consented.
#[derive(Default)]
pub struct Handshakes(Mutex<HashSet<(Uuid, i64)>>);

impl Handshakes {
    /// Asks, unless it was asked before. `headers` are those of the hook.
    ///
    /// # Errors
    /// Transient while the endpoint does not consent: whoever runs it may set it up. Permanent where this installation
    /// has no name to ask with.
    pub async fn shake(
        &self,
        context: &Context,
        hook: &Hook,
        url: &str,
        headers: &[(String, String)],
        timeout: Duration,
    ) -> Result<(), HandlerError> {
        let version = (hook.id, hook.version);
        if self.0.lock().contains(&version) {
            return Ok(());
        }
        let Some(origin) = context.http.origin() else {
            return Err(HandlerError::permanent(
                "\"handshake\" needs the name of this installation: set webhooks.origin in the worker's file",
            ));
        };
        let mut asked = headers.to_vec();
        asked.push(("webhook-request-origin".into(), origin.to_owned()));
        let answer = context.http.send(Request {
            url: url.to_owned(),
            url_source: UrlSource::Hook,
            method: Method::Options,
            headers: asked,
            body: Vec::new(),
            timeout,
            read: Read::Discard,
        });
        let answer = answer.await.map_err(refused_or_transient)?;
        match answer.header("webhook-allowed-origin").map(str::trim) {
            Some(allowed) if allowed == "*" || allowed.eq_ignore_ascii_case(origin) => {}
            _ => {
                let message = "the endpoint does not consent: it answers OPTIONS without \
                               webhook-allowed-origin for this installation";
                return Err(HandlerError::Transient {
                    message: message.into(),
                    status: Some(answer.status),
                    retry_after: None,
                });
            }
        }
        let mut consented = self.0.lock();
        if consented.len() >= MOST {
            consented.clear();
        }
        consented.insert(version);
        Ok(())
    }
}
