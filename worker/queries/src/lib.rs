//! What may be read of an installation: its status, hooks, attempts, backfills, what the store holds, and what keeps
//! hooks from running. The command line prints it; an HTTP interface will serve it.
//!
//! Each read takes a client and returns a value that serialises. None of them but `signing` and `replay` changes
//! anything, none prints, or knows what is printed. They run with the rights of the client's role: who may see what is
//! the server's business.

mod ask;
mod attempts;
mod backfills;
mod config_secrets;
mod definitions;
mod error;
mod event_feed;
mod extension;
mod hooks;
mod named_hooks;
mod pooling;
mod pulse;
mod recall;
mod replay;
mod server;
mod session;
mod signing;
pub mod statements;
mod status;
mod work;

pub use attempts::{AttemptRecord, Ledger};
pub use backfills::{BackfillProgress, backfills};
pub use config_secrets::{hidden, references};
pub use definitions::{
    ForeignTrigger, HookFault, LostColumn, MissedWrites, SilentTrigger, UnworkableHook, foreign_triggers,
    hook_faults, lost_columns, missed_writes, silent_triggers, unworkable_hooks,
};
pub use error::{Explanation, QueryError, explain};
pub use event_feed::{EventFeed, EventRecord};
pub use extension::{
    ExtensionVersions, InvalidIndex, SCHEMA_USAGE, extension_versions, invalid_indexes, load_library,
    missing_privileges, notify_off,
};
pub use hooks::{HookFilter, HookListing, hook_exists, hooks};
pub use named_hooks::{NamedHook, hooks_named};
pub use pooling::{keeps_prepared_statements, keeps_sessions};
pub use pulse::{EndRates, Ends, Pulse, RunningHook, Written, running_hooks, written};
pub use recall::{RecallRequest, RecalledRow, VectorSpace, recall, vector_space};
pub use replay::{Range, count_replay, replay, took_too_long};
pub use server::{
    ServerFacts, ServerLimits, ServerReading, VacuumHolder, server, server_limits, vacuum_holders,
};
pub use session::{ConnectError, NoConnection, act_for, connect, connect_and_hear};
pub use signing::{HookSecret, keep_secret, newest_secrets, show_secret};
pub use status::{HookStatus, InstallationStatus, WorkerStatus, status_document};
pub use tokio_postgres::Client;
pub use tokio_postgres::error::SqlState;
pub use work::{OverdueHook, Workload, overdue_hooks, workload};
pub use zerodb_hooks_store::{Notice, Notices};
