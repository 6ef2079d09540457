//! What is shown, one file each, in this order: files, memories, vectors, rollback, crash, outage, recall, graph,
//! and the summary. An act
//! writes, waits, prints what it read back, and notes what was not as it should be; it starts nothing by itself.

pub mod crash;
pub mod files;
pub mod graph;
pub mod memories;
pub mod outage;
pub mod recall;
pub mod rollback;
pub mod summary;
pub mod vectors;
