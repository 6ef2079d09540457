//! What the extension, the worker and the documents say of one another.

mod architecture;
mod litellm;
mod model_endpoint;
mod names;
mod numbers;
mod readme;
mod schema;
mod statements;
