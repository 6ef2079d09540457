//! The thread of the server.

use std::io;
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::connections::accept;

/// A server that runs. It ends with this value.
pub struct Serving {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    pub(crate) fn start(listener: TcpListener, routes: Router) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _within = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let thread = thread::Builder::new()
            .name("http".into())
            .spawn(move || runtime.block_on(accept(listener, routes, stopped)))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Takes no more requests, and gives those under way two seconds. Blocks for so long.
    pub fn end(mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
