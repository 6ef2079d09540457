//! The statements of the dispatcher, with the types of their parameters. Must not run one.

use pgrx::pg_sys::{
    INT2ARRAYOID, INT4ARRAYOID, INT4OID, INT8ARRAYOID, INT8OID, PG_SNAPSHOTOID, TEXTARRAYOID,
    TIMESTAMPTZARRAYOID, UUIDARRAYOID, XID8ARRAYOID, XID8OID,
};

use crate::prepared::{Prepared, Reach};

/// Each is prepared when it is first run.
pub struct Statements {
    pub read_cursor: Prepared,
    pub load_hooks: Prepared,
    pub move_cursor: Prepared,
    pub hold_lease: Prepared,
    pub lease_batches: Prepared,
    pub queue_deliveries: Prepared,
    pub queue_candidates: Prepared,
}

macro_rules! statement {
    ($file:literal, $reach:ident, $($parameter:ident),*) => {
        Prepared::new(
            include_str!(concat!("../../../sql/native/dispatch/", $file)),
            &[$($parameter),*],
            Reach::$reach,
        )
    };
}

impl Statements {
    pub const fn new() -> Self {
        Self {
            read_cursor: statement!("read_cursor.sql", Reads,),
            load_hooks: statement!(
                "load_hooks.sql",
                Reads,
                INT4ARRAYOID,
                TEXTARRAYOID,
                UUIDARRAYOID,
                INT8OID
            ),
            move_cursor: statement!(
                "move_cursor.sql",
                Writes,
                INT8OID,
                PG_SNAPSHOTOID,
                PG_SNAPSHOTOID,
                XID8OID,
                INT4OID,
                INT8OID
            ),
            hold_lease: statement!("hold_lease.sql", Writes, INT8OID),
            lease_batches: statement!(
                "lease_batches.sql",
                Writes,
                INT8ARRAYOID,
                XID8ARRAYOID,
                INT4ARRAYOID,
                INT8OID,
                INT4ARRAYOID,
                INT4ARRAYOID,
                UUIDARRAYOID,
                UUIDARRAYOID,
                INT2ARRAYOID
            ),
            queue_deliveries: statement!(
                "queue_deliveries.sql",
                Writes,
                INT8ARRAYOID,
                XID8ARRAYOID,
                INT4ARRAYOID,
                INT2ARRAYOID,
                UUIDARRAYOID,
                UUIDARRAYOID,
                TEXTARRAYOID
            ),
            queue_candidates: statement!(
                "queue_candidates.sql",
                Writes,
                INT8ARRAYOID,
                XID8ARRAYOID,
                INT4ARRAYOID,
                INT2ARRAYOID,
                UUIDARRAYOID,
                UUIDARRAYOID,
                TIMESTAMPTZARRAYOID,
                INT8OID
            ),
        }
    }
}
