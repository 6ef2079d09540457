//! A name server on the loopback that answers as it is told: over UDP, and over TCP what does not fit.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// What a name is said to be.
#[derive(Clone, Debug)]
pub enum NameAnswer {
    /// Those addresses that are of the kind that is asked for; TTL 0.
    Addresses(Vec<IpAddr>),
    /// Another name, with its addresses beside it.
    Alias(String, Vec<IpAddr>),
    /// An error by its code: 2 is SERVFAIL, 3 NXDOMAIN.
    Fails(u8),
    Silence,
}

/// The answer to a name at its n-th question, counted from 0 over all questions.
type Answers = dyn Fn(&str, usize) -> NameAnswer + Send + Sync;

/// The most bytes over UDP.
const DATAGRAM: usize = 1232;
const A: u16 = 1;
const AAAA: u16 = 28;
const CNAME: u16 = 5;

pub struct NameServer {
    pub address: SocketAddr,
    asked: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

/// A port that is free both ways: the first one that UDP gives may be another's over TCP.
fn one_port() -> Result<(UdpSocket, TcpListener)> {
    let mut left = 20;
    loop {
        let udp = UdpSocket::bind(("127.0.0.1", 0))?;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(_) if left > 0 => left -= 1,
            Err(error) => return Err(error).context("the same port over TCP"),
        }
    }
}

impl NameServer {
    pub fn start(answers: impl Fn(&str, usize) -> NameAnswer + Send + Sync + 'static) -> Result<Self> {
        let (udp, tcp) = one_port()?;
        udp.set_read_timeout(Some(Duration::from_millis(200)))?;
        let address = udp.local_addr()?;
        let server = Self {
            address,
            asked: Arc::default(),
            stopped: Arc::default(),
        };
        let answers: Arc<Answers> = Arc::new(answers);
        let (asked, stopped) = (Arc::clone(&server.asked), Arc::clone(&server.stopped));
        let over_udp = Arc::clone(&answers);
        thread::spawn(move || {
            let mut question = [0; 4096];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((size, from)) = udp.recv_from(&mut question) else {
                    continue;
                };
                let Some(mut answer) = answer(&question[..size], &*over_udp, &asked) else {
                    continue;
                };
                if answer.len() > DATAGRAM {
                    // The question alone, and that it was cut off.
                    answer[2] |= 0b10;
                    answer[6..8].fill(0);
                    answer.truncate(end_of_question(&answer).unwrap_or(12));
                }
                let _ = udp.send_to(&answer, from);
            }
        });
        let (asked, stopped) = (Arc::clone(&server.asked), Arc::clone(&server.stopped));
        thread::spawn(move || {
            for stream in tcp.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
                thread::spawn(move || serve(stream, &*answers, &asked));
            }
        });
        Ok(server)
    }

    /// Questions so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, answers: &Answers, asked: &AtomicUsize) -> std::io::Result<()> {
    loop {
        let mut size = [0; 2];
        stream.read_exact(&mut size)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(size))];
        stream.read_exact(&mut question)?;
        if let Some(answer) = answer(&question, answers, asked) {
            let size = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            stream.write_all(&size.to_be_bytes())?;
            stream.write_all(&answer)?;
        }
    }
}

/// The message that answers a question; none for silence and for what is no question.
fn answer(question: &[u8], answers: &Answers, asked: &AtomicUsize) -> Option<Vec<u8>> {
    let end = end_of_question(question)?;
    let name = name_of(question)?;
    let kind = u16::from_be_bytes([question[end - 4], question[end - 3]]);
    let number = asked.fetch_add(1, Ordering::Relaxed);
    let (code, alias, addresses) = match answers(&name, number) {
        NameAnswer::Addresses(addresses) => (0, None, addresses),
        NameAnswer::Alias(name, addresses) => (0, Some(name), addresses),
        NameAnswer::Fails(code) => (code, None, Vec::new()),
        NameAnswer::Silence => return None,
    };
    let mut records = Vec::new();
    // The name of the question, by a pointer to it.
    let mut owner = vec![0xC0, 12];
    if let Some(alias) = alias {
        let written = labels(&alias);
        records.push(record(&owner, CNAME, &written));
        owner = written;
    }
    for address in addresses {
        match address {
            IpAddr::V4(address) if kind == A => records.push(record(&owner, A, &address.octets())),
            IpAddr::V6(address) if kind == AAAA => records.push(record(&owner, AAAA, &address.octets())),
            _ => {}
        }
    }
    let mut message = question[..end].to_vec();
    // An answer, of an authority, with the code; one question, no more sections.
    message[2] = 0b1000_0100 | (question[2] & 1);
    message[3] = 0b1000_0000 | code;
    message[4..6].copy_from_slice(&[0, 1]);
    message[6..8].copy_from_slice(&u16::try_from(records.len()).ok()?.to_be_bytes());
    message[8..12].fill(0);
    message.extend(records.into_iter().flatten());
    Some(message)
}

fn end_of_question(message: &[u8]) -> Option<usize> {
    let mut at = 12;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1 + length;
        if length == 0 {
            return (message.len() >= at + 4).then_some(at + 4);
        }
    }
}

fn name_of(message: &[u8]) -> Option<String> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*message.get(at)?);
        if length == 0 {
            return Some(labels.join(".").to_ascii_lowercase());
        }
        let label = message.get(at + 1..at + 1 + length)?;
        labels.push(String::from_utf8_lossy(label).into_owned());
        at += 1 + length;
    }
}

fn labels(name: &str) -> Vec<u8> {
    let mut written = Vec::new();
    for label in name.split('.') {
        written.push(u8::try_from(label.len()).unwrap_or(0));
        written.extend(label.as_bytes());
    }
    written.push(0);
    written
}

/// A record of the Internet that is to be forgotten at once.
fn record(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut record = owner.to_vec();
    record.extend(kind.to_be_bytes());
    record.extend([0, 1, 0, 0, 0, 0]);
    record.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
    record.extend(data);
    record
}
