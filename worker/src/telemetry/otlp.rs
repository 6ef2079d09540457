//! Sends spans to an OpenTelemetry collector: OTLP over HTTP, as protobuf. A collector that is dead or hangs costs the
//! worker nothing: the queue is bounded, what finds no room is dropped and counted, and nobody waits for an answer but
//! this task.

use std::time::Duration;

use anyhow::ensure;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Written, Status};
use prost::Message;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use zerodb_hooks_http::{Access, Client, Method, Read, Request, UrlSource, host_and_port};
use zerodb_hooks_spans::{Kind, Span, Spans, Tracer, Value};

/// The attempts of one request.
const MOST: usize = 256;
/// The time for which more of them are waited for.
const GATHERING: Duration = Duration::from_millis(500);
/// The deadline of one request.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time that the last ones get when the worker ends.
const LAST: Duration = Duration::from_secs(2);
/// How often it is told that spans were dropped.
const TELLING: Duration = Duration::from_secs(60);

/// The exporter's task.
pub struct Export {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Export {
    /// Sends what is left, for two seconds at most.
    pub async fn finish(self) {
        let Self { mut task, stop } = self;
        let _gone = stop.send(());
        if tokio::time::timeout(LAST, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// Starts the exporter.
///
/// # Errors
/// For an endpoint that is no URL of HTTP. It holds no part of it.
pub fn start(endpoint: &str, percent: f64, worker: &str) -> anyhow::Result<(Tracer, Export)> {
    let is_http = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    ensure!(
        is_http && host_and_port(endpoint).is_some(),
        "--otlp-endpoint is no URL: give one such as http://localhost:4318"
    );
    let base = endpoint.trim_end_matches('/');
    let url = if base.ends_with("/v1/traces") {
        base.to_owned()
    } else {
        format!("{base}/v1/traces")
    };
    let (tracer, spans) = Tracer::new(percent / 100.0);
    let exporter = Exporter {
        url,
        http: Client::new(Access::default())?,
        resource: resource(worker),
        tracer: tracer.clone(),
        told: (0, None),
    };
    let (stop, stopped) = oneshot::channel();
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends after the worker, whose last spans it sends: `Export::finish` waits for it"
    )]
    let task = tokio::spawn(exporter.run(spans, stopped));
    Ok((tracer, Export { task, stop }))
}

struct Exporter {
    url: String,
    http: Client,
    resource: Resource,
    tracer: Tracer,
    /// The dropped spans that were told of, and when.
    told: (u64, Option<Instant>),
}

impl Exporter {
    async fn run(mut self, mut spans: Spans, mut stopped: oneshot::Receiver<()>) {
        let mut gathered = Vec::new();
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                received = spans.recv_many(&mut gathered, MOST) => if received == 0 { break },
            }
            let until = Instant::now() + GATHERING;
            while gathered.len() < MOST {
                tokio::select! {
                    received = spans.recv_many(&mut gathered, MOST) => if received == 0 { break },
                    () = tokio::time::sleep_until(until) => break,
                    _ = &mut stopped => {
                        spans.close();
                        break;
                    }
                }
            }
            self.send(gathered.drain(..).flatten().collect()).await;
            if spans.is_closed() {
                break;
            }
        }
        spans.close();
        while spans.recv_many(&mut gathered, MOST).await > 0 {
            self.send(gathered.drain(..).flatten().collect()).await;
        }
    }

    async fn send(&mut self, spans: Vec<Span>) {
        let count = spans.len();
        let request = Request {
            url: self.url.clone(),
            url_source: UrlSource::WorkerFile,
            method: Method::Post,
            headers: vec![("content-type".to_owned(), "application/x-protobuf".to_owned())],
            body: message(&self.resource, spans).encode_to_vec(),
            timeout: PATIENCE,
            read: Read::Discard,
        };
        let failure = match self.http.send(request).await {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) => Some(format!("the collector answered {}", answer.status)),
            Err(error) => Some(error.to_string()),
        };
        if failure.is_some() {
            self.tracer.count_dropped(count);
        }
        self.tell(failure.as_deref());
    }

    /// Says how many spans were dropped, once a minute at most.
    fn tell(&mut self, failure: Option<&str>) {
        let dropped = self.tracer.dropped();
        let (told, at) = self.told;
        if dropped > told && at.is_none_or(|at| at.elapsed() >= TELLING) {
            let error = failure.unwrap_or("more spans than the collector takes");
            tracing::warn!(spans.dropped = dropped, error, "spans were not sent");
            self.told = (dropped, Some(Instant::now()));
        }
    }
}

fn resource(worker: &str) -> Resource {
    Resource {
        attributes: vec![
            attribute("service.name", Value::from("zerodb-hooks")),
            attribute("service.version", Value::from(env!("CARGO_PKG_VERSION"))),
            attribute("service.instance.id", Value::from(worker)),
        ],
        ..Resource::default()
    }
}

fn message(resource: &Resource, spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource.clone()),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "zerodb_hooks".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans: spans.into_iter().map(written).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn written(span: Span) -> Written {
    let kind = match span.kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Client => SpanKind::Client,
        Kind::Consumer => SpanKind::Consumer,
    };
    let mut written = Written {
        trace_id: span.trace_id.to_be_bytes().to_vec(),
        span_id: span.span_id.to_be_bytes().to_vec(),
        parent_span_id: span.parent.map_or_else(Vec::new, |id| id.to_be_bytes().to_vec()),
        name: span.name,
        kind: kind.into(),
        start_time_unix_nano: span.started,
        end_time_unix_nano: span.ended,
        attributes: span
            .attributes
            .into_iter()
            .map(|(key, value)| attribute(key, value))
            .collect(),
        ..Written::default()
    };
    if let Some(error) = span.error {
        written
            .attributes
            .push(attribute("error.type", Value::from(error.as_str())));
        written.events.push(Event {
            time_unix_nano: span.ended,
            name: "exception".to_owned(),
            attributes: vec![attribute("exception.message", Value::from(error.as_str()))],
            ..Event::default()
        });
        written.status = Some(Status {
            message: error,
            code: StatusCode::Error.into(),
        });
    }
    written
}

fn attribute(key: &str, value: Value) -> KeyValue {
    let value = match value {
        Value::Text(text) => any_value::Value::StringValue(text),
        Value::Number(number) => any_value::Value::IntValue(number),
    };
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
