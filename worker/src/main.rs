//! The binary: reads the command line, and either runs the worker until a signal or one of the operator's commands.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use zerodb_hooks_worker::cli::{self, Cli, Command, Interrupt, WorkerArgs};
use zerodb_hooks_worker::delivery::secret::Secrets;
use zerodb_hooks_worker::engine::{self, default_name};
use zerodb_hooks_worker::hook_file::{Followed, HookFile, follow};
use zerodb_hooks_worker::http_server::{self, Listening, Serving};
use zerodb_hooks_worker::providers::Config;
use zerodb_hooks_worker::{ObservedWorker, Settings, Tracer, Worker, memory, telemetry};

/// Deliveries are allocated by one thread and freed by another, which the C library's allocator pays with locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// This program, also after another version has taken its place on disk.
const THIS_PROGRAM: &str = "/proc/self/exe";

fn main() -> ExitCode {
    let command = Cli::parse().command;
    // These bind themselves to limits that no other thread may escape.
    match command {
        Command::Parse(_) => return zerodb_hooks_documents::serve(),
        Command::Render(_) => return zerodb_hooks_worker::serve_templates(),
        _ => {}
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(command)),
        Err(error) => cli::report(&error.into()),
    }
}

async fn run(command: Command) -> ExitCode {
    match command {
        Command::Worker(args) => run_worker(args).await,
        command => match cli::run(command).await {
            Ok(code) => code,
            Err(error) => cli::report(&error),
        },
    }
}

async fn run_worker(args: WorkerArgs) -> ExitCode {
    let url = match args.database.url() {
        Ok(url) => url.to_owned(),
        Err(failure) => return cli::report(&failure.into()),
    };
    telemetry::init(args.log_format, &args.log);
    memory::use_small_pages();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for variable in cli::unread_variables(names) {
        tracing::warn!("a variable of the environment is passed over: {variable}");
    }
    match traced_worker(&url, args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn traced_worker(url: &str, args: WorkerArgs) -> anyhow::Result<()> {
    let name = args.name.clone().unwrap_or_else(default_name);
    let traces = telemetry::traces::start(args.otlp_endpoint.as_deref(), args.trace_percent, &name)?;
    let (tracer, export) = traces.unzip();
    let ended = worker(url, args, tracer).await;
    if let Some(export) = export {
        export.finish().await;
    }
    ended
}

async fn worker(url: &str, args: WorkerArgs, tracer: Option<Tracer>) -> anyhow::Result<()> {
    let listening = args.http.map(Listening::bind).transpose()?;
    let settings = Settings {
        name: args.name.unwrap_or_else(default_name),
        in_flight: usize::try_from(args.in_flight)?,
        concurrency: usize::try_from(args.concurrency)?,
        poll: Duration::from_millis(args.poll_ms),
        lease: Duration::from_secs(args.lease_s),
        drain: Duration::from_secs(args.drain_s),
        production: args.production,
        allow_private_addresses: args.allow_private_addresses,
        sample: listening
            .as_ref()
            .map(|_| Duration::from_secs(args.metrics_sample_s)),
        metrics_hooks: usize::try_from(args.metrics_hooks)?,
    };
    let mut interrupt = Interrupt::new()?;
    let stop = async move { interrupt.wait().await };
    let secrets = Secrets::new(std::env::vars());
    let providers = match &args.config {
        Some(file) => Config::read(file, &secrets)?,
        None => Config::default(),
    };
    let worker = Worker::builder(url)
        .settings(settings)
        .tracer(tracer)
        .secrets(secrets)
        .providers(providers)
        .parser(THIS_PROGRAM.into())
        .build()?;
    let serving = listening.map(|listening| serve(listening, &worker)).transpose()?;
    let ended = run_with_file(worker, stop, url, args.config, args.prune_hooks).await;
    // Until the last outcome is written, so that whoever scrapes sees the drain.
    if let Some(serving) = serving {
        tokio::task::spawn_blocking(|| serving.end()).await?;
    }
    ended
}

fn serve(listening: Listening, worker: &engine::Worker) -> anyhow::Result<Serving> {
    let address = listening.address();
    let serving = listening.serve(http_server::routes(Arc::new(ObservedWorker::new(worker))))?;
    tracing::info!(%address, "serving /metrics, /healthz and /readyz");
    if !address.ip().is_loopback() {
        tracing::warn!("other machines may reach this address, and no password is asked for");
    }
    Ok(serving)
}

/// Runs the worker, and keeps the hooks of its file as the file says.
async fn run_with_file(
    worker: engine::Worker,
    stop: impl Future<Output = ()> + Send,
    url: &str,
    file: Option<PathBuf>,
    prune: bool,
) -> anyhow::Result<()> {
    let Some(path) = file else {
        return Ok(worker.run_until(stop).await?);
    };
    if let Some(mistakes) =
        HookFile::parse(&path.display().to_string(), &std::fs::read(&path)?).mistakes_of_hooks()
    {
        return Err(mistakes.into());
    }
    let followed = Followed {
        url: url.to_owned(),
        source: cli::source_of(&path),
        path,
        prune,
    };
    tokio::select! {
        ended = worker.run_until(stop) => Ok(ended?),
        never = follow(followed) => match never {},
    }
}
