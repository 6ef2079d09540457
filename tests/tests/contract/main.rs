//! What the extension, the worker and the documents say of one another.

mod architecture;
mod names;
mod readme;
mod statements;
