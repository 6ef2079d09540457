//! What LiteLLM's two limiters answer, which the benchmark of a limited endpoint rests on and tests/README.md
//! describes.

use std::path::Path;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zerodb_hooks_harness::ModelEndpoint;
use zerodb_hooks_harness::programs::litellm::{KEY, Limit, LiteLlm, installed};

#[tokio::test]
async fn a_keys_limit_says_a_whole_minute() -> Result<()> {
    let Some(program) = program() else { return Ok(()) };
    let (answers, reached) = three_requests(&program, Limit::PerKey(2)).await?;
    assert_eq!(reached, 2, "{answers:?}");
    assert!(answers[1].starts_with("http/1.1 200"), "{answers:?}");
    assert!(answers[2].starts_with("http/1.1 429"), "{answers:?}");
    assert!(answers[2].contains("\r\nretry-after: 60\r\n"), "{answers:?}");
    assert!(
        answers[2].contains(r#""type":"throttling_error","param":null,"code":"429""#),
        "{answers:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_models_limit_does_not_say_when_to_come_back() -> Result<()> {
    let Some(program) = program() else { return Ok(()) };
    // The minutes are those of the clock: a new one may begin once between the requests.
    let (answers, reached) = three_requests(&program, Limit::PerModel(1)).await?;
    let limited = answers.iter().filter(|answer| answer.starts_with("http/1.1 429"));
    let limited: Vec<_> = limited.collect();
    assert_eq!(limited.len() + reached, 3, "{answers:?}");
    assert!(!limited.is_empty(), "{answers:?}");
    assert!(
        limited.iter().all(|answer| !answer.contains("\r\nretry-after:")),
        "{answers:?}"
    );
    assert!(
        limited.iter().all(|answer| answer.contains("rpm limit=1")),
        "{answers:?}"
    );
    Ok(())
}

fn program() -> Option<std::path::PathBuf> {
    let program = installed();
    if program.is_none() {
        eprintln!("SKIPPED: litellm is missing; dev/litellm.sh installs it");
    }
    program
}

/// The answers in lower case, and how many requests have reached the endpoint behind the proxy.
async fn three_requests(program: &Path, limit: Limit) -> Result<(Vec<String>, usize)> {
    let endpoint = ModelEndpoint::start()?;
    let proxy = LiteLlm::start(program, &endpoint.url(), "bge-m3", limit).await?;
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(embed(proxy.port).await?.to_lowercase());
    }
    Ok((answers, endpoint.embeddings.look(<[_]>::len)))
}

async fn embed(port: u16) -> Result<String> {
    let body = r#"{"model":"bge-m3","input":["a text"]}"#;
    let request = format!(
        "POST /v1/embeddings HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
