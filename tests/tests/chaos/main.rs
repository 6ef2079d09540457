//! Real processes that are killed, cut off, starved and lied to at random points, and what arrives all the same. `make
//! chaos` runs the long form; the short one is part of `make test`.

mod clocks;
mod connections;
mod disk_full;
mod handlers;
mod kills;
mod order;
mod poison;
mod receivers;
mod retention;
mod rotations;
mod setup;
mod standby;

/// How much: 1 in `make test`, more with ZERODB_CHAOS=<factor>.
pub fn factor() -> usize {
    std::env::var("ZERODB_CHAOS")
        .ok()
        .and_then(|factor| factor.parse().ok())
        .unwrap_or(1)
}
