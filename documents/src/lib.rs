//! From the bytes of a file to text, and from text to chunks. Parsers of untrusted input run in a child process.
//!
//! [`parse`] reads a file in this process; [`Parser`] has a child process do it, within limits, and is what
//! anything that lives longer than one file must use. Nothing here opens a file, follows a link or fetches anything.

mod blocks;
mod chunk;
mod claim;
mod detection;
mod document;
mod docx;
mod epub;
mod error;
mod html;
mod kind;
mod mail;
mod markdown;
mod notebook;
mod office;
mod opendocument;
mod package;
mod parse;
mod parser;
mod payload;
mod pdf;
mod rtf;
mod sheets;
mod slides;
mod sniff;
mod symbols;
mod text;
mod unread;

pub use chunk::{Chunk, ChunkOptions, Cut, body, chunks, chunks_by, dense_tokens, estimated_tokens};
pub use document::{Document, MAX_INPUT, MAX_TEXT};
pub use error::ParseError;
pub use kind::Kind;
pub use parse::parse;
pub use parser::{Parser, serve, serve_with};
pub use payload::without_payloads;
pub use text::{clean, unguarded};
pub use unread::Unread;
pub use zerodb_hooks_child::Clock;
