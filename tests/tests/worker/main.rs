//! The worker against real servers: what a user sees of delivery, retries, hooks and the worker's own life.

mod auto_embed;
mod auto_graph;
mod auto_summarize;
mod backfill;
mod batches;
mod bench;
mod chunks;
mod cli;
mod commits;
mod delivery;
mod embed_faults;
mod gate;
mod hooks;
mod leases;
mod library;
mod life;
mod long_summaries;
mod model_commands;
mod models;
mod order;
mod retention;
mod retry;
mod setup;
mod summarized_files;
mod usage;
mod webhook;
