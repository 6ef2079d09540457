//! The settings (GUCs) that the extension reads. Names and meanings are the public contract; the worker reads
//! `zerodb.record_attempts` and `zerodb.retention` from the server too, so that one ALTER DATABASE governs both.

use std::ffi::CString;

use pgrx::prelude::*;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

/// The events that a watched table records.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Capture {
    /// Only those whose type an active hook wants.
    #[name = c"wanted"]
    Wanted,
    /// All of them, so that a later hook can replay what was before it.
    #[name = c"all"]
    All,
}

/// The attempts that the ledger keeps.
#[derive(Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum RecordAttempts {
    #[name = c"all"]
    All,
    #[name = c"failures"]
    Failures,
}

static USER_ID: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static PROJECT_ID: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static TRACEPARENT: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
static CAPTURE: GucSetting<Capture> = GucSetting::<Capture>::new(Capture::Wanted);
static RECORD_ATTEMPTS: GucSetting<RecordAttempts> = GucSetting::<RecordAttempts>::new(RecordAttempts::All);
static NOTIFY: GucSetting<bool> = GucSetting::<bool>::new(true);
static PRODUCTION: GucSetting<bool> = GucSetting::<bool>::new(false);
static ALLOW_PRIVATE: GucSetting<bool> = GucSetting::<bool>::new(false);
static MAX_CONFIG_KB: GucSetting<i32> = GucSetting::<i32>::new(64);
static MAX_EVENT_KB: GucSetting<i32> = GucSetting::<i32>::new(1024);
static MAX_HOOKS: GucSetting<i32> = GucSetting::<i32>::new(1000);
static RETENTION_SECONDS: GucSetting<i32> = GucSetting::<i32>::new(7 * 24 * 3600);
static AUDIT_SECONDS: GucSetting<i32> = GucSetting::<i32>::new(366 * 24 * 3600);

/// Registers every setting; called once, when the library is loaded.
pub fn define() {
    GucRegistry::define_string_guc(
        c"zerodb.user_id",
        c"The tenant a session acts for (a UUID).",
        c"Row-level security on hooks, events and deliveries follows it, and events get it when the row has no user_id.",
        &USER_ID,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"zerodb.project_id",
        c"The project of the events a session writes (a UUID).",
        c"Used when the row has no project_id.",
        &PROJECT_ID,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"zerodb.traceparent",
        c"The W3C trace context of the events a session writes.",
        c"Kept with the event and sent on by webhooks.",
        &TRACEPARENT,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_enum_guc(
        c"zerodb.capture",
        c"Which events watched tables record: wanted or all.",
        c"With wanted, a type that no active hook wants costs the writer no row.",
        &CAPTURE,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_enum_guc(
        c"zerodb.record_attempts",
        c"Which attempts the ledger keeps: all or failures.",
        c"Read by the worker when it starts and every minute.",
        &RECORD_ATTEMPTS,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"zerodb.notify",
        c"Whether a commit wakes a worker that is parked.",
        c"Off, events wait for the worker's next poll.",
        &NOTIFY,
        GucContext::Userset,
        GucFlags::default(),
    );
    define_receivers();
    define_limits();
    define_retention();
}

/// Registers how long what has happened is kept.
fn define_retention() {
    GucRegistry::define_int_guc(
        c"zerodb.retention",
        c"How long events, attempts and finished deliveries are kept.",
        c"The log has eight partitions, each for a sixth of this time.",
        &RETENTION_SECONDS,
        7 * 60,
        10 * 366 * 24 * 3600,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"zerodb.audit_retention",
        c"How long the rows of zerodb.audit are kept; 0 is for ever.",
        c"The worker deletes older ones; younger ones nobody can.",
        &AUDIT_SECONDS,
        0,
        60 * 366 * 24 * 3600,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
}

/// Registers what decides which receivers a webhook may be made for.
fn define_receivers() {
    GucRegistry::define_bool_guc(
        c"zerodb.production",
        c"Whether webhooks must be https.",
        c"On, a hook with a URL that is not https can neither be made nor changed; the doctor tells those that are there.",
        &PRODUCTION,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"zerodb.allow_private_addresses",
        c"Whether webhooks may be made for addresses of the machine itself and of private networks.",
        c"The worker has a setting of its own, which decides what is sent.",
        &ALLOW_PRIVATE,
        GucContext::Suset,
        GucFlags::default(),
    );
}

/// Registers the limits of what one tenant may bring in, so that nobody else waits for it. Only a superuser raises
/// them.
fn define_limits() {
    GucRegistry::define_int_guc(
        c"zerodb.max_config_size",
        c"The most that the config of a hook may hold.",
        c"Every delivery of the hook carries it.",
        &MAX_CONFIG_KB,
        1,
        1024,
        GucContext::Suset,
        GucFlags::UNIT_KB,
    );
    GucRegistry::define_int_guc(
        c"zerodb.max_event_size",
        c"The most that the data of an event may hold.",
        c"emit refuses more; a watched table records the row without its large fields.",
        &MAX_EVENT_KB,
        1,
        16 * 1024,
        GucContext::Suset,
        GucFlags::UNIT_KB,
    );
    GucRegistry::define_int_guc(
        c"zerodb.max_hooks_per_user",
        c"The most hooks that one user may have.",
        c"Every active hook on a type costs the dispatch of the user's events of that type.",
        &MAX_HOOKS,
        0,
        1_000_000,
        GucContext::Suset,
        GucFlags::default(),
    );
}

/// `zerodb._limit`: what a limit is set to, in bytes, pieces or seconds; null for an unknown name. In C, so that the
/// library is loaded and the setting defined: before that, anybody may have given its name a value.
#[pg_extern(name = "_limit", stable, strict)]
fn limit(name: &str) -> Option<i64> {
    match name {
        "max_config_size" => Some(i64::from(MAX_CONFIG_KB.get()) * 1024),
        "max_event_size" => Some(i64::from(MAX_EVENT_KB.get()) * 1024),
        "max_hooks_per_user" => Some(i64::from(MAX_HOOKS.get())),
        "audit_retention" => Some(i64::from(AUDIT_SECONDS.get())),
        _ => None,
    }
}

/// `zerodb._is_production`. In C, for the reason of `_limit`.
#[pg_extern(name = "_is_production", stable)]
fn is_production() -> bool {
    PRODUCTION.get()
}

pub fn capture() -> Capture {
    CAPTURE.get()
}

pub fn notify() -> bool {
    NOTIFY.get()
}

pub fn allow_private_addresses() -> bool {
    ALLOW_PRIVATE.get()
}

/// The seconds that one partition of the log is written to.
pub fn slot_seconds() -> i64 {
    i64::from(RETENTION_SECONDS.get()) / 6
}

/// The bytes that the data of one event may have. At most 16 MB: whatever a value of that size becomes as text,
/// Postgres can hold it.
pub fn max_event_size() -> usize {
    usize::try_from(MAX_EVENT_KB.get()).unwrap_or(1) * 1024
}

/// The 16 bytes of a UUID.
pub type Id = [u8; 16];

/// The UUID that is no user's.
pub const NIL: Id = [0; 16];

/// `zerodb.user_id`; a value that is no user's UUID counts as none here, because the writer must not fail for it.
pub fn user_id() -> Option<Id> {
    uuid_setting(&USER_ID).filter(|id| *id != NIL)
}

pub fn project_id() -> Option<Id> {
    uuid_setting(&PROJECT_ID)
}

/// `zerodb.traceparent` when it is one by W3C Trace Context, else none: a trace that was not is not kept.
pub fn traceparent() -> Option<Vec<u8>> {
    trace_context(TRACEPARENT.get()?.as_bytes())
}

/// The traceparent as version 00 writes it. Of a later version what follows the known fields is left out, as the
/// standard has it.
fn trace_context(value: &[u8]) -> Option<Vec<u8>> {
    const LENGTH: usize = 55;
    let known = value.get(..LENGTH)?;
    let well_formed = known.iter().enumerate().all(|(at, byte)| match at {
        2 | 35 | 52 => *byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
    });
    let is_zero = |field: &[u8]| field.iter().all(|byte| *byte == b'0');
    let (version, rest) = (&known[..2], &value[LENGTH..]);
    let fits = match version {
        b"00" => rest.is_empty(),
        b"ff" => false,
        _ => rest.is_empty() || rest[0] == b'-',
    };
    let valid = well_formed && fits && !is_zero(&known[3..35]) && !is_zero(&known[36..52]);
    valid.then(|| [b"00", &known[2..]].concat())
}

fn uuid_setting(setting: &'static GucSetting<Option<CString>>) -> Option<Id> {
    parse_uuid(setting.get()?.as_bytes())
}

/// A UUID from its 32 hex digits, with or without hyphens and braces, as Postgres reads them.
pub fn parse_uuid(text: &[u8]) -> Option<Id> {
    let mut uuid = [0_u8; 16];
    let mut digits = 0;
    for byte in text.iter().filter(|byte| !matches!(byte, b'-' | b'{' | b'}')) {
        let nibble = u8::try_from((*byte as char).to_digit(16)?).ok()?;
        *uuid.get_mut(digits / 2)? |= nibble << (4 * (1 - digits % 2));
        digits += 1;
    }
    (digits == 32).then_some(uuid)
}
