//! Takes every lock of the product that is not one of a row or a table; the contract lists those by name. An advisory
//! lock may be taken by any role, which then stops whoever waits for it. These have the tag that Postgres keeps for
//! user locks, which no SQL command takes: the only ways to them are the functions here. Must not know what a lock
//! protects.

use pgrx::prelude::*;
use pgrx::{Uuid, pg_sys};
use zerodb_hooks_contract::lock::{CLASS, Kind};

pub use zerodb_hooks_contract::lock::Lock;

use crate::error::{Error, raise};

/// The time that a lock is held for, when nobody gives it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Transaction,
    Session,
}

/// The choice where somebody else holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WhenTaken {
    Wait,
    GiveUp,
}

/// Shares a lock until the end of the transaction, without waiting; false when somebody holds it alone or waits to.
pub fn try_share(lock: Lock) -> bool {
    acquire(
        &named(lock),
        pg_sys::ShareLock,
        Hold::Transaction,
        WhenTaken::GiveUp,
    )
}

/// Takes a lock until the end of the transaction, without waiting; false when somebody else holds it.
pub fn try_alone(lock: Lock) -> bool {
    acquire(
        &named(lock),
        pg_sys::ExclusiveLock,
        Hold::Transaction,
        WhenTaken::GiveUp,
    )
}

/// `zerodb._try_lock`: takes a lock until the end of the transaction, without waiting.
#[pg_extern(
    name = "_try_lock",
    sql = "
CREATE FUNCTION zerodb._try_lock(lock text) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn try_lock(lock: &str) -> bool {
    try_alone(by_name(lock))
}

/// `zerodb._lock`: takes a lock until the end of the transaction. Raises 55P03 after 5 s: nobody holds one for that
/// long.
#[pg_extern(
    name = "_lock",
    sql = "
CREATE FUNCTION zerodb._lock(lock text) RETURNS void LANGUAGE c STRICT SET lock_timeout = '5s' AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn lock(lock: &str) {
    acquire(
        &named(by_name(lock)),
        pg_sys::ExclusiveLock,
        Hold::Transaction,
        WhenTaken::Wait,
    );
}

/// `zerodb._try_lock_session`: takes a lock until it is given back or the session ends, without waiting.
#[pg_extern(
    name = "_try_lock_session",
    sql = "
CREATE FUNCTION zerodb._try_lock_session(lock text) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn try_lock_session(lock: &str) -> bool {
    acquire(
        &named(by_name(lock)),
        pg_sys::ExclusiveLock,
        Hold::Session,
        WhenTaken::GiveUp,
    )
}

/// `zerodb._lock_session`: takes a lock until it is given back or the session ends. Raises 55P03 after `lock_timeout`.
#[pg_extern(
    name = "_lock_session",
    sql = "
CREATE FUNCTION zerodb._lock_session(lock text) RETURNS void LANGUAGE c STRICT AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn lock_session(lock: &str) {
    acquire(
        &named(by_name(lock)),
        pg_sys::ExclusiveLock,
        Hold::Session,
        WhenTaken::Wait,
    );
}

/// `zerodb._unlock_session`: gives back what the session holds; false, with Postgres' warning, when it holds nothing.
#[pg_extern(
    name = "_unlock_session",
    sql = "
CREATE FUNCTION zerodb._unlock_session(lock text) RETURNS boolean LANGUAGE c STRICT AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn unlock_session(lock: &str) -> bool {
    let tag = named(by_name(lock));
    // SAFETY: the tag lives across the call, which keeps no pointer to it.
    unsafe { pg_sys::LockRelease(&raw const tag, pg_sys::ExclusiveLock as i32, true) }
}

/// `zerodb._lock_store`: takes the turn to make a store in a schema, until the end of the transaction. Whoever may not
/// make it gets a lock of its own, which stops nobody else. Raises 55P03 after 10 s.
#[pg_extern(
    name = "_lock_store",
    sql = "
CREATE FUNCTION zerodb._lock_store(schema name) RETURNS void LANGUAGE c STRICT SET lock_timeout = '10s' AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn lock_store(schema: &core::ffi::CStr) {
    let name = schema.to_string_lossy();
    let may = Spi::get_one_with_args::<bool>(
        "SELECT coalesce((SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE') FROM pg_catalog.pg_namespace AS n
                WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name),
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'))",
        &[name.as_ref().into()],
    );
    let scope = format!("{}\0{}", audience(matches!(may, Ok(Some(true)))), name);
    acquire(
        &hashed(Kind::Store, &scope),
        pg_sys::ExclusiveLock,
        Hold::Transaction,
        WhenTaken::Wait,
    );
}

/// `zerodb._lock_graph`: takes keys of a tenant in the graph of a store until the end of the transaction, in an order
/// that is always the same. Only who may write to that graph for that tenant gets the locks that others wait for;
/// anybody else gets some of its own. Raises 55P03 after 5 s for one of them.
#[pg_extern(
    name = "_lock_graph",
    sql = "
CREATE FUNCTION zerodb._lock_graph(schema name, user_id uuid, project_id uuid, kind text, keys text[]) RETURNS void
LANGUAGE c SET lock_timeout = '5s' AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"
)]
fn lock_graph(
    schema: Option<&core::ffi::CStr>,
    user_id: Option<Uuid>,
    project_id: Option<Uuid>,
    kind: Option<&str>,
    keys: Option<Vec<Option<String>>>,
) {
    // Not STRICT, because a tenant may be null; without the rest there is nothing to lock.
    let (Some(schema), Some(kind), Some(keys)) = (schema, kind, keys) else {
        return;
    };
    let graph = Graph::of(&schema.to_string_lossy(), user_id);
    let tenant = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let scope = [
        audience(graph.may_write),
        graph.entities.to_u32().to_string(),
        kind.to_owned(),
        tenant(user_id),
        tenant(project_id),
    ]
    .join("\0");
    let mut hashes: Vec<u64> = keys
        .iter()
        .flatten()
        .map(|key| hash(&format!("{scope}\0{key}")))
        .collect();
    hashes.sort_unstable();
    hashes.dedup();
    for hash in hashes {
        acquire(
            &tag(Kind::Graph, hash),
            pg_sys::ExclusiveLock,
            Hold::Transaction,
            WhenTaken::Wait,
        );
    }
}

/// The graph of a store, as its locks know it.
struct Graph {
    /// The table of its entities; invalid where there is none.
    entities: pg_sys::Oid,
    /// True when the current role may write to it for the tenant. What is of no tenant is its owner's alone.
    may_write: bool,
}

impl Graph {
    fn of(schema: &str, user_id: Option<Uuid>) -> Self {
        let found = Spi::get_two_with_args::<pg_sys::Oid, bool>(
            "SELECT c.oid, pg_catalog.pg_has_role(c.relowner, 'USAGE')
                OR (pg_catalog.has_table_privilege(c.oid, 'INSERT') AND $2 IS NOT NULL
                    AND (zerodb._user_id() OPERATOR(pg_catalog.=) $2 OR zerodb._sees_all()))
             FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
             WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name AND c.relname OPERATOR(pg_catalog.=) 'entities'",
            &[schema.into(), user_id.into()],
        );
        match found {
            Ok((Some(entities), may)) => Self {
                entities,
                may_write: may == Some(true),
            },
            _ => Self {
                entities: pg_sys::InvalidOid,
                may_write: false,
            },
        }
    }
}

/// Nothing where the locks are those of everybody who may, else the role that they are kept for.
fn audience(may: bool) -> String {
    // SAFETY: reads a variable of the backend.
    let role = || unsafe { pg_sys::GetUserId() }.to_u32().to_string();
    if may { String::new() } else { role() }
}

fn by_name(name: &str) -> Lock {
    match Lock::named(name) {
        Some(lock) => lock,
        None => raise(Error::UnknownLock { lock: name.into() }),
    }
}

fn named(lock: Lock) -> pg_sys::LOCKTAG {
    tag(Kind::Named, (u64::from(CLASS) << 32) | u64::from(lock.number()))
}

fn hashed(kind: Kind, text: &str) -> pg_sys::LOCKTAG {
    tag(kind, hash(text))
}

fn hash(text: &str) -> u64 {
    // SAFETY: the function takes a varlena and a bigint, and never returns null.
    let hashed = unsafe {
        pgrx::direct_function_call::<i64>(
            pg_sys::hashvarlenaextended,
            &[text.into_datum(), 0_i64.into_datum()],
        )
    };
    hashed.unwrap_or_default().cast_unsigned()
}

/// A user lock of this database. The halves of `number` are shown by `pg_locks` as classid and objid.
fn tag(kind: Kind, number: u64) -> pg_sys::LOCKTAG {
    pg_sys::LOCKTAG {
        // SAFETY: MyDatabaseId is set in every backend that runs SQL.
        locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        locktag_field2: (number >> 32) as u32,
        locktag_field3: (number & u64::from(u32::MAX)) as u32,
        locktag_field4: kind as u16,
        locktag_type: pg_sys::LockTagType::LOCKTAG_USERLOCK as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    }
}

/// False when it is not to be had without waiting. An error while it waits (a timeout, a cancellation, a deadlock) is
/// raised by Postgres, which then holds nothing.
fn acquire(tag: &pg_sys::LOCKTAG, mode: u32, hold: Hold, when_taken: WhenTaken) -> bool {
    let (session, no_wait) = (hold == Hold::Session, when_taken == WhenTaken::GiveUp);
    // SAFETY: the tag lives across the call, which copies it.
    let result = unsafe { pg_sys::LockAcquire(tag, mode as i32, session, no_wait) };
    result != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
}
