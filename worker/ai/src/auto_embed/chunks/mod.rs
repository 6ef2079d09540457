//! `auto_embed` on texts that are longer than a model's input, and on files: a vector for each chunk of a text, in a
//! table of chunks.
//!
//! Chunks that are there already are kept with their vectors. What was embedded when the time is over is kept too, so a
//! long text takes as many attempts as it takes, and pays for each chunk once.

mod chunked_text;
pub mod context;
mod embedding;
pub mod learned;
pub mod pack;
pub mod plan;
pub mod table;
mod update;
