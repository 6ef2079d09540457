//! The rules of the source tree that a compiler does not keep. They are read from the source itself, by a parser, and
//! from what Cargo says of the workspace, so that a new crate is held to them without a word here.

mod arrows;
mod circles;
mod excused;
mod imports;
mod rooms;
mod sizes;
mod spans;
mod tree;
mod workspace;
