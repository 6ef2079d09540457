//! One HTTP request to a program on this machine, answered or failed within some seconds. No client of ours: what it
//! asks is what is tested.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// Time for each reading and writing.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug)]
pub struct Asked {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// GET of a path, with these further lines of the head.
///
/// # Errors
/// Where nothing listens or the answer is none.
pub fn get(address: SocketAddr, path: &str, head: &str) -> Result<Asked> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // The older version has no chunks.
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n{head}\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
    let status = head.split(' ').nth(1).context("a head has a status")?.parse()?;
    Ok(Asked {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A text as a part of a query.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
