//! Programs and libraries that are neither ours nor the servers': found in what dev/chaos_tools.sh has unpacked, else
//! in the system. It must not install anything.

use std::path::PathBuf;

/// `pgbouncer`, or `None` and the reason on stderr.
pub fn pgbouncer() -> Option<PathBuf> {
    found(&["usr/sbin/pgbouncer"], "pgbouncer")
}

/// The library that, preloaded, shows a process another time, or `None` and the reason on stderr.
pub fn libfaketime() -> Option<PathBuf> {
    const PLACES: [&str; 3] = [
        "usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
        "usr/lib64/faketime/libfaketimeMT.so.1",
    ];
    found(&PLACES, "libfaketime")
}

/// Where the shared libraries lie that were unpacked with the programs, for LD_LIBRARY_PATH.
pub fn libraries() -> String {
    let folders = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"];
    let all: Vec<_> = unpacked()
        .into_iter()
        .flat_map(|root| folders.map(|folder| root.join(folder).display().to_string()))
        .collect();
    all.join(":")
}

fn unpacked() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("DEV_HOME")?).join("chaos"))
}

fn found(places: &[&str], name: &str) -> Option<PathBuf> {
    let roots = unpacked().into_iter().chain([PathBuf::from("/")]);
    let found = roots
        .flat_map(|root| places.iter().map(move |place| root.join(place)))
        .find(|path| path.exists());
    if found.is_none() {
        eprintln!("SKIPPED: {name} is missing; dev/chaos_tools.sh fetches it");
    }
    found
}
