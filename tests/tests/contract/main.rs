//! What the extension, the worker and the documents say of one another.

mod architecture;
mod astrocyte;
mod glossary;
mod guide;
mod hook_schema;
mod links;
mod litellm;
mod markdown;
mod model_endpoint;
mod monitoring;
mod named_files;
mod names;
mod reference;
mod registers;
mod schema;
mod statements;
