//! One delivery at a time for a row: the next one finds what the one before has made, and need not pay for it again. Within
//! one worker; two workers may still summarise the same row at the same time, and write the same.

use std::collections::HashSet;

use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::row_key::Key;

/// A hook, a table and a row of it.
pub type RowName = (Uuid, u32, Key);

#[derive(Default)]
pub struct Turns {
    taken: Mutex<HashSet<RowName>>,
    given_back: Notify,
}

/// Ends the turn when it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    name: RowName,
}

impl Turns {
    /// Waits until nobody else works on the row. Safe to cancel.
    pub async fn take(&self, name: RowName) -> Turn<'_> {
        loop {
            let given_back = self.given_back.notified();
            if self.taken.lock().insert(name.clone()) {
                return Turn { turns: self, name };
            }
            given_back.await;
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.taken.lock().remove(&self.name);
        self.turns.given_back.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_row_is_one_delivery_s_at_a_time() {
        let turns = Turns::default();
        let name = |no: &str| (Uuid::nil(), 1, vec![no.to_owned()]);
        let first = turns.take(name("a")).await;
        let _other = turns.take(name("b")).await;
        let mut second = Box::pin(turns.take(name("a")));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        let _second = second.await;
    }
}
