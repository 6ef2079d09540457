//! Reads each file below a folder as the worker does, in a child process within limits, and writes one line of JSON a
//! file: its path, the seconds it took, and the text or the class of the error. To look at what a collection of files
//! becomes: `cargo run -p zerodb_hooks_documents --example read_folder -- FOLDER [CONTENT_TYPE] > texts.jsonl`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use zerodb_hooks_documents::{Parser, serve};

/// The same as the worker's, for which the limits of memory are meant.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The argument with which this program starts itself, for each file.
const CHILD: &str = "--child";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(folder) = arguments.next() else {
        eprintln!("usage: read_folder FOLDER [CONTENT_TYPE]");
        return ExitCode::FAILURE;
    };
    if folder == CHILD {
        return serve();
    }
    let content_type = arguments.next().unwrap_or_default();
    match read(Path::new(&folder), &content_type) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn read(folder: &Path, content_type: &str) -> io::Result<()> {
    let parser = Parser::of_this_program(CHILD);
    for path in files(folder)? {
        let bytes = std::fs::read(&path)?;
        let name = path.to_string_lossy();
        let start = Instant::now();
        let result = parser.parse(&bytes, content_type, &name).await;
        let mut line = serde_json::json!({"file": name, "seconds": start.elapsed().as_secs_f64()});
        match result {
            Ok(document) => line["text"] = document.text.into(),
            Err(error) => line["error"] = error.class().into(),
        }
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(())
}

/// The files below a folder, in the order of their names. Links are not followed.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
