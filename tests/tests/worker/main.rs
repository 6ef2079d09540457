//! The worker against real servers: what a user sees of delivery, retries, hooks and the worker's own life.

mod batches;
mod bench;
mod cli;
mod commits;
mod delivery;
mod hooks;
mod leases;
mod library;
mod life;
mod order;
mod retention;
mod retry;
mod setup;
mod webhook;
