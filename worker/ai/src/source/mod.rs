//! The text of a row that may be a file: read in parts, parsed in a child process. For the handlers that take whole
//! documents; it writes nothing.

mod content;
mod files;
mod format;
mod row;
mod text;

pub use content::read_text;
pub use files::Files;
pub use row::{Parts, Source};
pub use text::Text;
