//! Clean, bounded text: from bytes in some encoding (`decoding`), without what a reader does not see (`cleaning`).
//! Knows nothing of formats.

mod bounded;
mod cleaning;
mod decoding;
mod plausible;

pub(crate) use bounded::Bounded;
pub(crate) use cleaning::guarded;
pub use cleaning::{clean, unguarded};
pub(crate) use decoding::{charset, decode, labelled, utf16_without_mark};
