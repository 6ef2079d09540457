use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::observation::{Observed, Text, routes};
use crate::{HttpAddress, Listening, Serving};

struct Fixed(Arc<str>);

impl Observed for Fixed {
    fn liveness(&self) -> Result<(), &'static str> {
        Ok(())
    }

    fn readiness(&self) -> Result<(), &'static str> {
        Err("starting")
    }

    fn metrics(&self, _accept: &str) -> Text {
        Text {
            content_type: "text/plain",
            text: Arc::clone(&self.0),
        }
    }
}

fn served(text: &str) -> (Serving, std::net::SocketAddr) {
    let listening = Listening::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listening.address();
    (
        listening.serve(routes(Arc::new(Fixed(text.into())))).unwrap(),
        address,
    )
}

/// What comes until the server closes the connection.
async fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection that is closed unheard may be reset.
    let _closed = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn the_routes_answer_and_no_others() {
    let (_serving, address) = served("a 1\n");
    assert!(ask(address, &get("/healthz")).await.starts_with("HTTP/1.1 200"));
    let readiness = ask(address, &get("/readyz")).await;
    assert!(readiness.starts_with("HTTP/1.1 503") && readiness.ends_with("starting\n"));
    assert!(ask(address, &get("/metrics")).await.ends_with("a 1\n"));
    assert!(ask(address, &get("/")).await.starts_with("HTTP/1.1 404"));
    let post = "POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\nconnection: close\r\n\r\n";
    assert!(
        ask(address, post).await.starts_with("HTTP/1.1 405"),
        "without its body"
    );
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(HEAD_BYTES));
    assert!(!ask(address, &long).await.starts_with("HTTP/1.1 2"));
}

#[tokio::test]
async fn connections_beyond_the_most_are_closed_and_there_is_room_again_when_one_ends() {
    let (_serving, address) = served("");
    let mut held = Vec::new();
    for _ in 0..MOST_CONNECTIONS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Half a head.
        stream.write_all(b"GET / HT").await.unwrap();
        held.push(stream);
    }
    // The server has accepted them once it closes the next one.
    assert_eq!(ask(address, &get("/healthz")).await, "");
    drop(held.pop());
    let served_again = async {
        while ask(address, &get("/healthz")).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), served_again)
        .await
        .unwrap();
}

#[tokio::test]
async fn who_sends_half_a_head_or_takes_nothing_of_an_answer_is_left() {
    // Larger than what the system keeps for a client that does not read.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = routes(Arc::new(Fixed("x".repeat(64 << 20).into())));
    let mut clients = Vec::new();
    for request in ["GET / HT".to_owned(), get("/metrics")] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let patience = Patience {
            head: Duration::from_millis(50),
            stalled: Duration::from_millis(50),
        };
        // It ends by itself: the client does nothing more.
        serve(stream, routes.clone(), CancellationToken::new(), patience).await;
        clients.push(client);
    }
}

#[tokio::test]
async fn a_port_in_use_is_told_and_the_end_waits_for_no_idle_client() {
    let (serving, address) = served("");
    let error = Listening::bind(HttpAddress(address))
        .err()
        .expect("in use")
        .to_string();
    assert!(
        error.contains(&address.to_string()) && error.contains("in use"),
        "{error}"
    );
    let _idle = TcpStream::connect(address).await.unwrap();
    tokio::task::spawn_blocking(|| serving.end()).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
