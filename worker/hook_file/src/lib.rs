//! Hooks that a file declares: the block `hooks:` of a file of its own or of the worker's.
//!
//! [`HookFile`] is what a file says, with every mistake in it and its place; [`apply()`] makes the hooks of the
//! database so, in one transaction and as the role of the connection; [`export()`] writes such a file. [`follow()`]
//! is what a worker does with its own file. Hooks are made and changed by the functions of the API alone, and
//! checked by the contract and by them: nothing here knows what a good hook is.

mod apply;
mod change;
mod declared;
mod entry;
mod export;
mod file;
mod follow;
mod mistake;
pub mod statements;
mod step;
mod tree;
mod wish;
mod yaml;

pub use apply::{Applied, ApplyError, apply};
pub use change::{Action, Change};
pub use declared::Declared;
pub use export::export;
pub use file::HookFile;
pub use follow::{Followed, follow};
pub use mistake::{Mistake, Mistakes, Place};
pub use wish::Wish;
