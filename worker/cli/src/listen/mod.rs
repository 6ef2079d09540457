//! `zerodb-hooks listen`: a receiver of webhooks for one's own machine. Answers as it is told and prints what came; the
//! reading and checking of a request is in `request`. Not for production: no TLS, one process, nothing is kept.

mod closing;
mod request;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
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
use super::times::parse_duration;
use closing::{Closer, Port};
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

    /// Status to answer with, such as 500
    #[arg(long, value_name = "CODE", default_value_t = 204, value_parser = value_parser!(u16).range(200..=599))]
    pub status: u16,

    /// Answer 503 to the first N requests, to see retries
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub fail_first: u64,

    /// Close the connection without an answer; with --fail-first only of the first N requests
    #[arg(long)]
    pub close: bool,

    /// Wait so long before answering: 500ms, 2s
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_duration)]
    pub delay: Duration,

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
    close: bool,
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
        close: args.close,
        delay: args.delay,
        requests: AtomicU64::new(0),
        printer,
    });
    let router = Router::new().fallback(receive).with_state(receiver);
    let service = router.into_make_service_with_connect_info::<Closer>();
    let server = axum::serve(Port(listener), service).into_future();
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
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    ConnectInfo(closer): ConnectInfo<Closer>,
    request: Request<Body>,
) -> StatusCode {
    let at = Timestamp::now();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE;
    };
    let signature = Signature::check(receiver.verifier.as_ref(), &parts.headers, &body);
    let answer = receiver.answer(receiver.requests.fetch_add(1, Relaxed));
    if !receiver.delay.is_zero() {
        // What a slow endpoint does; nothing else waits for it.
        tokio::time::sleep(receiver.delay).await;
    }
    let status = answer.map(|status| status.as_u16());
    // The printer is gone only when the program ends.
    let _ = receiver
        .printer
        .send(Received::new(at, &parts, body, signature, status));
    answer.unwrap_or_else(|| {
        closer.close();
        // Is not sent any more.
        StatusCode::SERVICE_UNAVAILABLE
    })
}

impl Receiver {
    /// The status for the request of this number, from 0; `None` for none.
    fn answer(&self, number: u64) -> Option<StatusCode> {
        let is_first = number < self.fail_first;
        match self.close && (is_first || self.fail_first == 0) {
            true => None,
            false if is_first => Some(StatusCode::SERVICE_UNAVAILABLE),
            false => Some(self.status),
        }
    }
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
