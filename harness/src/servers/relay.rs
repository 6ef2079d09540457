//! A TCP relay before a server, whose connections can go silent as those of a network that drops packets: neither side
//! is told, nothing is acknowledged any more.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Result, ensure};
use socket2::{SockFilter, SockRef};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

/// How a connection is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Forward,
    /// The packets of both sides are dropped before TCP sees them.
    DropPackets,
    /// TCP acknowledges, but nothing is passed on: what is behind it hangs.
    Hold,
}

struct Line {
    /// What the client sent first; a Postgres client names itself there.
    greeting: Vec<u8>,
    fate: watch::Sender<Fate>,
}

pub struct Relay {
    pub address: SocketAddr,
    lines: Arc<Mutex<Vec<Line>>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Relay {
    /// On a free port of the loopback, to a port of the same.
    pub fn start(port: u16) -> Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let lines = Arc::new(Mutex::new(Vec::new()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let known = Arc::clone(&lines);
        // The end of the runtime closes every connection.
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ended = accept(listener, port, known) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            address,
            lines,
            running: Some((stop, thread)),
        })
    }

    /// Decides about the connections of now whose greeting holds `name`; later ones are forwarded. Returns how many.
    ///
    /// # Errors
    /// When there is none.
    pub fn decide(&self, name: &str, fate: Fate) -> Result<usize> {
        let lines = locked(&self.lines);
        let chosen = lines.iter().filter(|line| !line.fate.is_closed()).filter(|line| {
            line.greeting
                .windows(name.len())
                .any(|part| part == name.as_bytes())
        });
        let mut count = 0;
        for line in chosen {
            line.fate.send_replace(fate);
            count += 1;
        }
        ensure!(count > 0, "no connection of {name} to decide about");
        Ok(count)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the connections end with the relay's runtime"
)]
async fn accept(
    listener: std::net::TcpListener,
    port: u16,
    lines: Arc<Mutex<Vec<Line>>>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        let server = TcpStream::connect(("127.0.0.1", port)).await;
        if let Ok(server) = server {
            let lines = Arc::clone(&lines);
            tokio::spawn(async move { drop(forward(client, server, lines).await) });
        }
    }
}

async fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    lines: Arc<Mutex<Vec<Line>>>,
) -> std::io::Result<()> {
    let (fate, mut decided) = watch::channel(Fate::Forward);
    let number = {
        let mut lines = locked(&lines);
        lines.push(Line {
            greeting: Vec::new(),
            fate,
        });
        lines.len() - 1
    };
    let (mut up, mut down) = (vec![0_u8; 16 * 1024], vec![0_u8; 16 * 1024]);
    loop {
        tokio::select! {
            biased;
            _changed = decided.changed() => {
                if *decided.borrow() == Fate::DropPackets {
                    drop_packets(&client)?;
                    drop_packets(&server)?;
                }
                // Neither is closed, and neither is read, as long as the relay lives.
                return std::future::pending().await;
            }
            read = client.read(&mut up) => {
                let bytes = &up[..read?];
                greet(&lines, number, bytes);
                if bytes.is_empty() {
                    return Ok(());
                }
                server.write_all(bytes).await?;
            }
            read = server.read(&mut down) => {
                let bytes = &down[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}

fn greet(lines: &Mutex<Vec<Line>>, number: usize, bytes: &[u8]) {
    const ENOUGH: usize = 1024;
    if let Some(line) = locked(lines).get_mut(number)
        && line.greeting.len() < ENOUGH
    {
        line.greeting.extend_from_slice(&bytes[..bytes.len().min(ENOUGH)]);
    }
}

/// A filter that lets no byte of any packet through: `ret #0`.
fn drop_packets(socket: &TcpStream) -> std::io::Result<()> {
    const RET: u16 = 0x06;
    SockRef::from(socket).attach_filter(&[SockFilter::new(RET, 0, 0, 0)])
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
