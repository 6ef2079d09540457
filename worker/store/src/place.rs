//! Where the database keeps a leased delivery, and the key of its event there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use zerodb_hooks_delivery::event_data::EventData;

type Error = Box<dyn std::error::Error + Sync + Send>;

/// A transaction id of the server (`xid8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid(pub u64);

/// The key of an event in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey {
    pub xid: Xid,
    pub ord: i32,
}

/// Deliveries of one hook that were leased together when they were dispatched: a row of `zerodb.batch`.
#[derive(Debug)]
pub struct Batch {
    pub id: i64,
    /// Deliveries whose end is not written. Only the completer lowers it.
    left: AtomicUsize,
}

/// Where a leased delivery is kept.
#[derive(Debug, Clone)]
pub enum Place {
    /// In `zerodb.delivery`.
    Row,
    /// In a batch, as long as it is not ended otherwise than completed.
    Batch { batch: Arc<Batch>, event: EventKey },
}

impl Batch {
    pub fn new(id: i64, size: usize) -> Self {
        Self {
            id,
            left: AtomicUsize::new(size),
        }
    }

    /// True when `ended` deliveries more are the last ones.
    pub fn ends_with(&self, ended: usize) -> bool {
        self.left.load(Ordering::Relaxed) <= ended
    }

    /// Something of it could not be written: it stays, until its lease is given back.
    pub fn keep(&self) {
        self.left.store(usize::MAX, Ordering::Relaxed);
    }

    /// Counts deliveries whose end is written.
    pub fn note_ended(&self, ended: usize) {
        let left = self.left.load(Ordering::Relaxed);
        if left != usize::MAX {
            self.left.store(left.saturating_sub(ended), Ordering::Relaxed);
        }
    }
}

impl<'a> FromSql<'a> for Xid {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Error> {
        Ok(Self(u64::from_be_bytes(raw.try_into()?)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::XID8
    }
}

impl ToSql for Xid {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Error> {
        out.put_u64(self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::XID8
    }

    to_sql_checked!();
}

/// A `json` value, as the server has it.
pub struct Json(pub EventData);

impl<'a> FromSql<'a> for Json {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Error> {
        Ok(Self(EventData::new(std::str::from_utf8(raw)?)?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_ends_with_its_last_delivery() {
        let batch = Batch::new(7, 3);
        assert!(!batch.ends_with(2));
        batch.note_ended(2);
        assert!(batch.ends_with(1));
        batch.keep();
        batch.note_ended(1);
        assert!(!batch.ends_with(3));
    }
}
