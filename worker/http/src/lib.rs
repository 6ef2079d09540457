//! The only place that knows the HTTP client: webhooks and the endpoints of models are asked through it.

mod access;
mod address;
mod classify;
mod client;
mod connecting;
mod failure;
mod guard;
mod request;
mod resolver;
mod retry_after;
pub mod sealing;
pub mod signature;
mod traced;

pub use access::Access;
pub use address::host_and_port;
pub use client::Client;
pub use failure::{Breach, HttpError, Unreachable};
pub use guard::Guard;
pub use request::{Answer, Method, Read, Request, Timings, UrlSource};
