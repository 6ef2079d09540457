//! Taking the port, before anything else is begun: a port that is taken is told at the start, and not when the worker
//! is already at work.

use std::net::{SocketAddr, TcpListener};

use axum::Router;

use crate::address::HttpAddress;
use crate::serving::Serving;

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {address} for HTTP: {reason}")]
pub struct ListenError {
    address: SocketAddr,
    reason: String,
}

/// A port that is taken and not served yet.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Takes the port; 0 takes one that is free.
    ///
    /// # Errors
    /// Where it is in use, not allowed, or the address is none of this machine.
    pub fn bind(address: HttpAddress) -> Result<Self, ListenError> {
        let refused = |error: std::io::Error| ListenError {
            address: address.0,
            reason: said(&error),
        };
        let listener = TcpListener::bind(address.0).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// The address with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the routes on a thread of their own until `Serving::end`. They may not block.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn serve(self, routes: Router) -> Result<Serving, ListenError> {
        Serving::start(self.listener, routes).map_err(|error| ListenError {
            address: self.address,
            reason: error.to_string(),
        })
    }
}

fn said(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::AddrInUse => "the port is in use; give another one, or end the program that has it".into(),
        ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        ErrorKind::PermissionDenied => "not allowed; ports below 1024 are the system's".into(),
        _ => error.to_string(),
    }
}
