//! `zerodb-hooks listen`: a receiver of webhooks for one's own machine. Answers as it is told and prints what came; the
//! reading and checking of a request is in `request`. Not for production: no TLS, one process, nothing is kept.

mod request;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use clap::{Args, value_parser};
use jiff::Timestamp;
use serde_json::json;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::failure::CommandFailure;
use super::interrupt::Interrupt;
use super::render::{self, Screen};
use request::{Received, Signature};

/// The largest body that is taken.
const MOST_BYTES: usize = 64 << 20;

/// Options of `zerodb-hooks listen`.
#[derive(Args, Clone)]
pub struct ListenArgs {
    /// Port to listen on; 0 takes a free one, which is printed
    #[arg(long, value_name = "PORT", default_value_t = 8090)]
    pub port: u16,

    /// Address to listen on; 0.0.0.0 lets other machines and containers in
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,

    /// Verify Standard Webhooks signatures with this secret (whsec_…); better given by the variable
    #[arg(
        long,
        value_name = "SECRET",
        env = "ZERODB_SECRET_WEBHOOK",
        hide_env_values = true
    )]
    pub secret: Option<String>,

    /// Status to answer with
    #[arg(long, value_name = "CODE", default_value_t = 204, value_parser = value_parser!(u16).range(200..=599))]
    pub status: u16,

    /// Answer 503 to the first N requests, to see retries
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub fail_first: u64,

    /// Wait so long before answering
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub delay_ms: u64,

    /// Print the body below the line of its request
    #[arg(long)]
    pub show_body: bool,

    /// Print JSON objects, one a line: {"kind": "listening" | "request" | "summary", ...}
    #[arg(long)]
    pub json: bool,
}

struct Receiver {
    verifier: Option<Webhook>,
    status: StatusCode,
    fail_first: u64,
    delay: Duration,
    requests: AtomicU64,
    printer: UnboundedSender<Received>,
}

/// How many requests came, by what was said of them.
#[derive(Default)]
struct Counts {
    requests: u64,
    accepted: u64,
    verified: u64,
    bad: u64,
    unsigned: u64,
    not_verified: u64,
}

/// Receives until Ctrl-C or SIGTERM, then prints the counts.
pub(super) async fn run(args: ListenArgs) -> anyhow::Result<ExitCode> {
    let verifier = args
        .secret
        .as_deref()
        .filter(|secret| !secret.is_empty())
        .map(verifier)
        .transpose()?;
    let mut interrupt = Interrupt::new()?;
    let listener = bind(SocketAddr::new(args.host, args.port)).await?;
    announce(&args, listener.local_addr()?, verifier.is_some())?;
    let (printer, mut received) = unbounded_channel();
    let receiver = Arc::new(Receiver {
        verifier,
        status: StatusCode::from_u16(args.status)?,
        fail_first: args.fail_first,
        delay: Duration::from_millis(args.delay_ms),
        requests: AtomicU64::new(0),
        printer,
    });
    let router = Router::new().fallback(receive).with_state(receiver);
    let server = axum::serve(listener, router).into_future();
    tokio::pin!(server);
    let screen = Screen::stdout();
    let mut counts = Counts::default();
    loop {
        tokio::select! {
            // In this order, so that the counts hold every request that was answered before the signal.
            biased;
            Some(request) = received.recv() => {
                counts.add(&request);
                let body = args.show_body;
                render::line(&if args.json { request.json(body) } else { request.text(screen, body) })?;
            }
            () = interrupt.wait() => break,
            ended = &mut server => { ended?; break }
        }
    }
    render::line(&if args.json { counts.json() } else { counts.text() })?;
    Ok(ExitCode::SUCCESS)
}

fn verifier(secret: &str) -> Result<Webhook, CommandFailure> {
    Webhook::new(secret).map_err(|_| {
        CommandFailure::usage(
            "the secret is not base64",
            "its form is whsec_ and 32 bytes in base64; make one with: \
                        echo whsec_$(head -c 32 /dev/urandom | base64)",
        )
    })
}

async fn bind(address: SocketAddr) -> Result<TcpListener, CommandFailure> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = "end what listens there, or choose another: --port 0 takes a free one";
        CommandFailure::new(format!("cannot listen on {address}: {error}"), hint)
    })
}

fn announce(args: &ListenArgs, address: SocketAddr, verifies: bool) -> std::io::Result<()> {
    if args.json {
        let url = format!("http://{address}");
        return render::line(&json!({ "kind": "listening", "url": url, "port": address.port() }).to_string());
    }
    let signatures = match verifies {
        true => "signatures are verified",
        false => "signatures are not verified: give --secret or ZERODB_SECRET_WEBHOOK",
    };
    render::line(&format!(
        "listening on http://{address}; {signatures}; Ctrl-C ends"
    ))
}

/// Any request: it is read, checked, told to the printer and answered.
async fn receive(State(receiver): State<Arc<Receiver>>, request: Request<Body>) -> StatusCode {
    let at = Timestamp::now();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let signature = Signature::check(receiver.verifier.as_ref(), &parts.headers, &body);
    let failing = receiver.requests.fetch_add(1, Relaxed) < receiver.fail_first;
    let status = if failing {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        receiver.status
    };
    if !receiver.delay.is_zero() {
        // What a slow endpoint does; nothing else waits for it.
        tokio::time::sleep(receiver.delay).await;
    }
    let request = Received::new(at, &parts, body, signature, status.as_u16());
    // The printer is gone only when the program ends.
    let _ = receiver.printer.send(request);
    status
}

impl Counts {
    fn add(&mut self, request: &Received) {
        self.requests += 1;
        self.accepted += u64::from(request.accepted());
        let of_its_kind = match request.signature {
            Signature::Good => &mut self.verified,
            Signature::Bad(_) => &mut self.bad,
            Signature::None => &mut self.unsigned,
            Signature::Unverified => &mut self.not_verified,
        };
        *of_its_kind += 1;
    }

    fn json(&self) -> String {
        json!({
            "kind": "summary", "requests": self.requests, "accepted": self.accepted,
            "signatures": {
                "ok": self.verified, "BAD": self.bad, "none": self.unsigned, "not verified": self.not_verified
            }
        })
        .to_string()
    }

    fn text(&self) -> String {
        let Self {
            requests,
            accepted,
            verified,
            bad,
            unsigned,
            not_verified,
        } = self;
        let not_verified = if *not_verified > 0 {
            format!(", {not_verified} not verified")
        } else {
            String::new()
        };
        format!(
            "{requests} requests, {accepted} answered with success; signatures: {verified} ok, {bad} BAD, \
             {unsigned} none{not_verified}"
        )
    }
}
