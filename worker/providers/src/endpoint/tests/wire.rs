//! What is between a server and its answer: codings of HTTP, marks, redirects.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use super::*;

const ANSWER: &str =
    r#"{"data":[{"embedding":[1,0]},{"index":1,"embedding":[0,1]}],"usage":{"prompt_tokens":3}}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_answer_is_read_in_whatever_coding_it_comes() {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(ANSWER.as_bytes()).unwrap();
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
    raw.write_all(ANSWER.as_bytes()).unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(ANSWER.as_bytes(), level);
    let answers = [
        ("gzip", gzip(ANSWER.as_bytes())),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", raw.finish().unwrap()),
        ("zstd", zstd),
        ("identity", ANSWER.into()),
        ("gzip", ANSWER.into()),
        ("identity", gzip(ANSWER.as_bytes())),
        ("identity", format!("\n\u{feff}{ANSWER}\n").into_bytes()),
    ];
    let count = answers.len();
    let server = Server::start(move |number, _| {
        let (coding, bytes) = answers[number].clone();
        Do::Coded(coding, bytes)
    })
    .await;
    let provider = server.provider("");
    for number in 0..count {
        let answer = embed(&provider, &texts(2)).await;
        let vectors = answer
            .map(|answer| answer.vectors)
            .map_err(|error| error.to_string());
        assert_eq!(
            vectors,
            Ok(vec![vec![1.0, 0.0], vec![0.0, 1.0]]),
            "answer {number}"
        );
    }
    assert_eq!(server.seen()[0].headers["accept-encoding"], "identity");
}

#[tokio::test]
async fn an_answer_that_cannot_be_decoded_is_named_and_a_bomb_is_bounded() {
    // 80 MiB of spaces in some 80 KiB.
    let bomb = gzip(&vec![b' '; 80 * 1024 * 1024]);
    let answers = [
        ("br", b"xyz".to_vec()),
        ("compress", b"xyz".to_vec()),
        ("gzip", bomb),
    ];
    let server = Server::start(move |number, _| {
        let (coding, bytes) = answers[number].clone();
        Do::Coded(coding, bytes)
    })
    .await;
    let provider = server.provider("");
    for (class, word) in [
        ("not_json", "decompressed"),
        ("not_json", "coding"),
        ("batch_too_large", "bytes"),
    ] {
        let error = embed(&provider, &texts(2)).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_what_to_do() {
    let server = Server::start(|_, _| {
        Do::With(
            308,
            &[("location", "https://elsewhere.example/v1/embeddings")],
            json!({}),
        )
    })
    .await;
    let error = embed(&server.provider(""), &texts(1)).await.unwrap_err();
    assert_eq!((error.class(), server.seen().len()), ("redirected", 1));
    assert!(error.to_string().contains("url"), "{error}");
}
