//! The hashed embedding of the `local` provider, the words and stems that it counts, the marks that end sentences, and
//! the nearest name.
//!
//! An embedding has to stay the same, bit for bit, for as long as vectors of it are stored: [`embed`], [`stems`] and
//! [`words`] must never change their results under one [`MODEL`]. Rules that may become better live in
//! `zerodb_hooks_english`, not here.
//!
//! - [`embed`]: the cosine of two vectors says how many words and pieces of words two texts share, in any language.
//!   "car" and "automobile" share nothing; "deploying" and "deployment" share their stem.
//! - [`words`] and [`stems`]: how a text becomes words, and a word its stem.
//! - [`stops`]: the marks that end sentences: the one list for sentences, summaries and chunks. No vector depends on
//!   it.
//! - [`nearest`]: the known name that is most like another, for hints.
//!
//! Nothing here does I/O, starts threads or looks at a clock, and no text makes it panic. The worker links it, and so
//! does the extension, into a backend: dependencies stay few.

mod embedding;
mod nearest;
pub mod stems;
pub mod stops;
pub mod words;

pub use embedding::{EMBEDDING_VERSION, MODEL, embed, embed_between};
pub use nearest::nearest;
