//! An open model as its caller sees it: which directories are refused, what a call gives, and that its vectors are
//! right.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod calls;
mod files;
mod opening;
mod vectors;
