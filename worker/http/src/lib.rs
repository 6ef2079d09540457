//! The only place that knows the HTTP client: webhooks and the endpoints of models are asked through it.

mod address;
mod classify;
mod client;
mod connecting;
mod failure;
mod request;
mod retry_after;
pub mod signature;

pub use address::host_and_port;
pub use client::Client;
pub use failure::{Breach, HttpError, Unreachable};
pub use request::{Answer, Method, Read, Request, UrlSource};
