//! What the extension, the worker and the documents say of one another.

mod architecture;
mod guide;
mod litellm;
mod markdown;
mod model_endpoint;
mod names;
mod numbers;
mod schema;
mod statements;
