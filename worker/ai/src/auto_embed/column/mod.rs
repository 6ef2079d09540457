//! `auto_embed` on short texts: one vector for each row, in a column of the row.

mod input;
pub mod plan;
pub mod table;
pub mod update;
