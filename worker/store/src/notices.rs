//! What the server says beside its answers: warnings and notices, kept for whoever has the connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::error::DbError;

/// Of a session that says more, the last ones are kept.
const MOST: usize = 1000;

/// A warning or a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE` or another, in the server's words.
    pub severity: String,
    /// What it says.
    pub message: String,
    /// What to do, where the server says it.
    pub hint: Option<String>,
}

impl From<&DbError> for Notice {
    fn from(said: &DbError) -> Self {
        Self {
            severity: said.severity().to_owned(),
            message: said.message().to_owned(),
            hint: said.hint().map(str::to_owned),
        }
    }
}

/// The notices of one session, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Notices(Arc<Mutex<VecDeque<Notice>>>);

impl Notices {
    pub(crate) fn keep(&self, notice: Notice) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(notice);
    }

    /// Those that came since the last call, each once, although it was said several times.
    pub fn take(&self) -> Vec<Notice> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<Notice> = Vec::with_capacity(kept.len());
        for notice in kept.drain(..) {
            if !taken.contains(&notice) {
                taken.push(notice);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_twice_is_told_once_and_of_too_much_the_last() {
        let said = |message: String| Notice {
            severity: "NOTICE".into(),
            message,
            hint: None,
        };
        let notices = Notices::default();
        for _ in 0..2 {
            notices.keep(said("a".into()));
        }
        assert_eq!(notices.take(), [said("a".into())]);
        (0..=MOST).for_each(|n| notices.keep(said(n.to_string())));
        let taken = notices.take();
        assert_eq!((taken.len(), taken[0].message.as_str()), (MOST, "1"));
        assert!(notices.take().is_empty());
    }
}
