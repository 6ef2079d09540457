//! Prints how long an embedding takes, the best of many runs:
//! `cargo run --release -p zerodb_hooks_lexical --example embed_speed`

use std::hint::black_box;
use std::time::{Duration, Instant};

use zerodb_hooks_lexical::embed;

const PARAGRAPH: &str = "The dispatcher reads committed events from the log and writes one delivery for each hook that \
    matches. \
    A worker claims deliveries in batches, runs their handlers and records each attempt. When an endpoint refuses a \
    request, \
    the delivery waits and is tried again later; after the last attempt it is discarded and an operator can send it \
    once more. \
    Embeddings, summaries and graphs are written back only if the source has not changed in the meantime. ";

fn main() {
    let words: Vec<&str> = PARAGRAPH.split_whitespace().cycle().take(200).collect();
    let text = words.join(" ");
    let varied: String = (0..200).map(|number| format!("word{number} ")).collect();
    for dimensions in [384, 1024] {
        report(&format!("200 words, {dimensions} dimensions"), || {
            embed(&text, dimensions)
        });
        report(&format!("200 different words, {dimensions} dimensions"), || {
            embed(&varied, dimensions)
        });
    }
}

fn report<T>(name: &str, run: impl Fn() -> T) {
    let (begin, mut best) = (Instant::now(), Duration::MAX);
    while begin.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    println!("{name}: {:.1} µs", best.as_secs_f64() * 1e6);
}
