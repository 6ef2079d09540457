//! Prints how long each function takes, the best of many runs:
//! `cargo run --release -p zerodb_hooks_english --example rule_speed`

use std::hint::black_box;
use std::time::{Duration, Instant};

use zerodb_hooks_english::{Limits, extract, summarize};

const MEMORY: &str = "Alice met Bob at the AI conference in Berlin. She has worked at Acme since March 2021, and Bob \
    founded \
    Initech in 2015.";

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
    let book = book();
    report("summarize, 2 kB", || summarize(&text.repeat(2), 500));
    report("summarize, 1 MB", || summarize(&book, 500));
    report("extract, a memory of 2 sentences", || {
        extract(MEMORY, &Limits::default())
    });
    report("extract, 100 kB", || {
        extract(&MEMORY.repeat(1_000), &Limits::default())
    });
}

/// A text of a megabyte whose sentences differ.
fn book() -> String {
    let words: Vec<&str> = PARAGRAPH.split_whitespace().collect();
    let sentence = |number: usize| {
        let length = 6 + number % 17;
        let inner: Vec<&str> = (0..length)
            .map(|place| words[(number * 31 + place * place * 7) % words.len()])
            .collect();
        format!("Note {number} says {}. ", inner.join(" ").replace('.', ""))
    };
    (0..11_000).map(sentence).collect()
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
