//! An endpoint on the loopback that reads requests and answers with bytes of the test's own, HTTP or not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;

/// What follows the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Close,
    /// Nothing, until the other side closes the connection.
    Hold,
}

pub struct RawReceiver {
    pub address: SocketAddr,
    requests: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl RawReceiver {
    /// On a free port; gives every request the same answer.
    pub fn start(answer: impl Into<Vec<u8>>, then: Then) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let receiver = Self {
            address: listener.local_addr()?,
            requests: Arc::default(),
            stopped: Arc::default(),
        };
        let (requests, stopped) = (Arc::clone(&receiver.requests), Arc::clone(&receiver.stopped));
        let answer: Arc<[u8]> = answer.into().into();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                // The test sees what became of it on the other side.
                thread::spawn(move || serve(connection, &requests, &answer, then));
            }
        });
        Ok(receiver)
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Whole requests so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for RawReceiver {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    mut connection: TcpStream,
    requests: &AtomicUsize,
    answer: &[u8],
    then: Then,
) -> std::io::Result<()> {
    if !read_request(&mut connection)? {
        return Ok(());
    }
    requests.fetch_add(1, Ordering::Relaxed);
    connection.write_all(answer)?;
    if then == Then::Hold {
        while connection.read(&mut [0; 1024])? > 0 {}
    }
    Ok(())
}

/// Reads one request with its body; false where there is none.
fn read_request(connection: &mut impl Read) -> std::io::Result<bool> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if connection.read(&mut byte)? == 0 {
            return Ok(false);
        }
        // A client that begins with TLS is answered at once, as servers of plain HTTP do.
        if head.is_empty() && byte == [0x16] {
            return Ok(true);
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0);
    connection.read_exact(&mut vec![0; length])?;
    Ok(true)
}
