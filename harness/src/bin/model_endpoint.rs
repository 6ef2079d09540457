//! The tests' model endpoint as a process of its own, for benchmarks and by hand. It says where it listens, counts
//! requests (`GET /seen`) and ends when it is killed.

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use zerodb_hooks_harness::ModelEndpoint;
use zerodb_hooks_harness::model_endpoint::{Hint, RateLimit};

#[derive(Parser)]
struct Flags {
    /// Port on the loopback; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Before each answer.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Of a vector where a request does not say.
    #[arg(long, default_value_t = 1024)]
    dimensions: usize,
    /// Requests per minute and route; others get 429 with every header of the hosted API.
    #[arg(long)]
    rpm: Option<u32>,
}

fn main() -> Result<()> {
    let flags = Flags::parse();
    let endpoint = ModelEndpoint::start_counting(flags.port)?;
    for route in [&endpoint.embeddings, &endpoint.chat] {
        route.behave(|behaviour| {
            behaviour.latency = Duration::from_millis(flags.latency_ms);
            behaviour.dimensions = flags.dimensions;
            behaviour.rate_limit = flags
                .rpm
                .map(|requests| RateLimit::per_minute(requests, Hint::Everything));
        });
    }
    println!("{}", endpoint.url());
    loop {
        std::thread::park();
    }
}
