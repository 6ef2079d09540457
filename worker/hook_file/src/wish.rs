//! How a file is to be applied.

use uuid::Uuid;

/// How a file is applied.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'w> {
    /// The name by which hooks remember the file.
    pub source: &'w str,
    /// The tenant; by default the one for whom the connection acts.
    pub user: Option<Uuid>,
    /// Delete the hooks that the file has made and no longer has.
    pub prune: bool,
    /// Take over hooks that the file has not made.
    pub adopt: bool,
    /// Roll everything back.
    pub dry_run: bool,
}
