//! Parsing in a child process of the same program, so that whatever a file does to its parser, it does to nothing else.
//!
//! [`Parser`] is the parent's side, [`serve`] the child's. A child reads one file and ends. [`Allowance`] is for other children.

mod frame;
mod limits;
mod parser;
mod serve;

pub use limits::{Allowance, environment};
pub use parser::{Limits, Parser};
pub use serve::{serve, serve_with};
