//! Documents that are ZIP archives of XML parts: the archive, within its bounds, the XML, and the relationships of
//! Office.

mod archive;
mod encoding;
mod properties;
mod relationships;
mod xml;

pub(crate) use archive::Archive;
pub(crate) use properties::title;
pub(crate) use relationships::{Relationships, resolved};
pub(crate) use xml::{Broken, Element, Node, walk};
