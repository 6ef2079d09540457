//! The user and the project that an event is given to.

use super::bound::Bound;
use crate::settings::{self, Id};

/// The user and the project of an event: those of the row's own columns, else those of the session's settings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Tenant {
    pub user_id: Option<Id>,
    pub project_id: Option<Id>,
}

impl Tenant {
    /// The tenant of the session's settings, as far as the role that writes now may act for it.
    pub fn of_session() -> Self {
        Self {
            user_id: Bound::of_writer().tenant(settings::user_id()),
            project_id: settings::project_id(),
        }
    }
}
