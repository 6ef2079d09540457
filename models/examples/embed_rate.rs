//! Measures how fast a model embeds the texts of a file, one a line: `embed_rate DIRECTORY TEXTS [VECTORS]`. It says
//! `ready` when the model is open and warm; for each line that it then reads it embeds all texts once and prints the
//! seconds. Where a third file is named, the vectors of the last time are written there as 32-bit floats.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use zerodb_hooks_models::Model;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, texts, vectors @ ..] = arguments.as_slice() else {
        return Err("usage: embed_rate DIRECTORY TEXTS [VECTORS]".into());
    };
    let model = Model::open(Path::new(directory))?;
    let texts = std::fs::read_to_string(texts)?;
    let texts: Vec<&str> = texts.lines().collect();
    let never = AtomicBool::new(false);
    model.embed(&texts[..texts.len().min(64)], &never)?;
    say("ready")?;
    let mut last = Vec::new();
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now();
        last = model.embed(&texts, &never)?;
        say(&start.elapsed().as_secs_f64().to_string())?;
    }
    if let [file] = vectors {
        let bytes: Vec<u8> = last.into_iter().flatten().flat_map(f32::to_le_bytes).collect();
        std::fs::write(file, bytes)?;
    }
    Ok(())
}

fn say(line: &str) -> std::io::Result<()> {
    println!("{line}");
    std::io::stdout().flush()
}
