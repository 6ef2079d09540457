//! One delivery at a time for a row: the next one finds what the one before has made, and need not pay for it again.
//! Within one worker; two workers may still summarise the same row at the same time, and write the same.

use std::collections::HashSet;

use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::row_key::Key;

/// A row of a table, for one hook.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowName {
    pub hook: Uuid,
    pub relid: u32,
    pub key: Key,
}

#[derive(Default)]
pub struct RowLocks {
    taken: Mutex<HashSet<RowName>>,
    given_back: Notify,
}

/// Unlocks the row when it is dropped.
pub struct RowLock<'a> {
    locks: &'a RowLocks,
    name: RowName,
}

impl RowLocks {
    /// Waits until no other delivery works on the row. Safe to cancel.
    pub async fn take(&self, name: RowName) -> RowLock<'_> {
        loop {
            let given_back = self.given_back.notified();
            if self.taken.lock().insert(name.clone()) {
                return RowLock { locks: self, name };
            }
            given_back.await;
        }
    }
}

impl Drop for RowLock<'_> {
    fn drop(&mut self) {
        self.locks.taken.lock().remove(&self.name);
        self.locks.given_back.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_row_is_one_delivery_s_at_a_time() {
        let locks = RowLocks::default();
        let name = |no: &str| RowName {
            hook: Uuid::nil(),
            relid: 1,
            key: vec![no.to_owned()],
        };
        let first = locks.take(name("a")).await;
        let _other = locks.take(name("b")).await;
        let mut second = Box::pin(locks.take(name("a")));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        let _second = second.await;
    }
}
