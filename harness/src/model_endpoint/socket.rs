//! The endpoint's end of a connection: sends at once, and can be reset.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::TcpStream;

use crate::wait;

/// A listener whose connections do not wait to fill a packet.
pub(crate) struct Port(pub tokio::net::TcpListener);

impl Listener for Port {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            if let Ok((stream, address)) = self.0.accept().await {
                let _ = stream.set_nodelay(true);
                return (stream, address);
            }
            wait::delay(Duration::from_millis(10)).await;
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// The socket of a connection, to reset it.
#[derive(Clone)]
pub(crate) struct Line(Option<Arc<OwnedFd>>);

impl Connected<IncomingStream<'_, Port>> for Line {
    fn connect_info(stream: IncomingStream<'_, Port>) -> Self {
        Self(stream.io().as_fd().try_clone_to_owned().ok().map(Arc::new))
    }
}

impl Line {
    /// Ends the task of the connection, and with it the socket, without the message of a panic. With a linger of
    /// nothing the other side gets RST.
    pub fn reset(self) -> ! {
        if let Some(socket) = &self.0 {
            let _ = socket2::SockRef::from(&**socket).set_linger(Some(Duration::ZERO));
        }
        drop(self);
        std::panic::resume_unwind(Box::new("reset"))
    }
}
