//! The part that must run inside Postgres: the trigger's hot path, the check of a hook's config, the wake-up at commit
//! and the settings. Everything that SQL says well is in `sql/schema`, in the order of `schema.rs`. This crate never
//! imports the worker: they share the schema and the pure crates `contract`, `lexical` and `templates`.

#[macro_use]
mod entry;

mod api;
mod call_function;
mod caller;
mod capture;
mod condition;
mod config_check;
mod dispatch;
mod error;
mod event_data;
mod event_id;
mod fence;
mod index_scan;
mod invoke;
mod last_write;
mod lexical;
mod lock;
mod lookup;
mod nearest;
mod outbox;
mod owner;
mod pattern;
mod prepared;
mod reserve;
mod retell;
mod schema;
mod settings;
mod statement;
mod template;
mod wake;

use pgrx::prelude::*;

::pgrx::pg_module_magic!(name, version);

#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    settings::define();
    wake::register();
    last_write::register();
    caller::register();
    capture::register();
    lookup::register();
    reserve::refill();
}

#[cfg(any(test, feature = "pg_test"))]
#[path = "../../pgrx-tests/pg_test/condition.rs"]
mod condition_tests;
#[cfg(any(test, feature = "pg_test"))]
#[path = "../../pgrx-tests/pg_test/hook_config.rs"]
mod hook_config_tests;
#[cfg(any(test, feature = "pg_test"))]
#[path = "../../pgrx-tests/pg_test/json.rs"]
mod json_tests;
#[cfg(any(test, feature = "pg_test"))]
#[path = "../../pgrx-tests/pg_test/outbox.rs"]
mod outbox_tests;

/// The items that `cargo pgrx test` asks for.
#[cfg(test)]
pub mod pg_test {
    pub fn setup(_options: Vec<&str>) {}

    #[must_use]
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        Vec::new()
    }
}
