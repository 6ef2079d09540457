//! Embeddings, and what is the same for every operation: pauses, waits, circuit.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::Advice;

#[tokio::test]
async fn vectors_come_in_the_order_of_the_inputs_and_the_request_is_of_the_protocol() {
    let server =
        Server::start(|_, request| Do::With(200, &[("x-request-id", "r-1")], vectors(request))).await;
    let provider = server.provider("models: { m: real/name }, headers: { X-Team: a }");
    let answer = embed(&provider, &texts(3)).await.unwrap();
    assert_eq!(answer.vectors, [vec![0.0, 1.0], vec![1.0, 1.0], vec![2.0, 1.0]]);
    assert_eq!(
        (answer.model.as_str(), answer.request_id.as_deref()),
        ("m", Some("r-1"))
    );
    assert_eq!(
        answer.usage,
        Usage {
            prompt_tokens: 5,
            completion_tokens: 0,
            estimated: false
        }
    );
    let seen = &server.seen()[0];
    assert_eq!(seen.path, "/v1/embeddings");
    assert_eq!(seen.headers["authorization"], "Bearer k3y");
    assert_eq!(seen.headers["x-team"], "a");
    assert_eq!(
        seen.body,
        json!({"model": "real/name", "input": texts(3), "encoding_format": "base64"})
    );
}

#[tokio::test]
async fn usage_is_estimated_where_the_server_says_none() {
    let server = Server::start(|_, _| Do::Answer(200, json!({"data": [{"embedding": [1.0]}]}))).await;
    let answer = embed(&server.provider(""), &["seven b".into()]).await.unwrap();
    assert_eq!(
        answer.usage,
        Usage {
            prompt_tokens: 3,
            completion_tokens: 0,
            estimated: true
        }
    );
}

#[tokio::test]
async fn base64_is_tried_once_and_its_refusal_remembered() {
    // By name: the question is asked again. Without a word: a short text shows that it is the form.
    for (refusal, requests) in [
        ("base64 encoding is not currently supported", 4),
        ("Bad Request", 6),
    ] {
        let server = Server::start(move |_, request| match request["encoding_format"].as_str() {
            Some("base64") => Do::Answer(400, error(refusal)),
            _ => Do::Answer(200, vectors(request)),
        })
        .await;
        let provider = server.provider("");
        for _ in 0..3 {
            assert_eq!(embed(&provider, &texts(2)).await.unwrap().vectors.len(), 2);
        }
        assert_eq!(server.seen().len(), requests, "{refusal}");
    }
}

#[tokio::test]
async fn a_refusal_without_a_reason_is_about_the_texts_only_if_another_text_is_taken() {
    let picky = Server::start(|_, request| match request["input"][0].as_str() {
        Some("bad") => Do::Answer(400, error("Bad Request")),
        _ => Do::Answer(200, vectors(request)),
    })
    .await;
    let provider = picky.provider("");
    for _ in 0..2 {
        let refused = embed(&provider, &["bad".into()]).await.unwrap_err();
        assert_eq!(
            (refused.class(), refused.advice),
            ("bad_request", Advice::ItemsAtFault)
        );
    }
    assert_eq!(picky.seen().len(), 3, "the short text is sent once");
    let wrong = Server::start(|_, _| Do::Answer(400, error("Bad Request"))).await;
    let refused = embed(&wrong.provider(""), &texts(8)).await.unwrap_err();
    assert_eq!(
        (refused.class(), refused.advice),
        ("bad_request", Advice::ConfigError)
    );
}

#[tokio::test]
async fn a_bad_text_that_the_server_complains_of_costs_no_further_request() {
    let server = Server::start(|_, request| {
        match request["input"].as_array().is_some_and(|inputs| inputs.len() > 1) {
            true => Do::Answer(
                400,
                error("Invalid input: one of the inputs could not be processed."),
            ),
            false => Do::Answer(200, vectors(request)),
        }
    })
    .await;
    let refused = embed(&server.provider(""), &texts(2)).await.unwrap_err();
    assert_eq!(refused.advice, Advice::ItemsAtFault);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn dimensions_are_asked_for_dropped_where_refused_and_checked_all_the_same() {
    let server = Server::start(|_, request| match request.get("dimensions") {
        Some(_) => Do::Answer(400, error("This model does not support specifying dimensions.")),
        None => Do::Answer(200, vectors(request)),
    })
    .await;
    let provider = server.provider("dimensions: 2");
    assert!(embed(&provider, &texts(1)).await.is_ok());
    assert!(embed(&provider, &texts(1)).await.is_ok());
    assert_eq!(server.seen().len(), 3);
    let request = EmbedRequest {
        who: None,
        model: None,
        dimensions: Some(8),
        inputs: &texts(2),
    };
    let refused = provider.embed(&request, DEADLINE).await.unwrap_err();
    assert_eq!(
        (refused.class(), refused.advice),
        ("wrong_dimensions", Advice::ConfigError)
    );
}

type Answers = dyn Fn() -> Do + Send + Sync;

#[tokio::test]
async fn each_bad_answer_is_an_error_of_its_class() {
    let one = |embedding: Value| Do::Answer(200, json!({"data": [{"index": 0, "embedding": embedding}]}));
    let cases: Vec<(&str, Box<Answers>)> = vec![
        ("wrong_count", Box::new(|| Do::Answer(200, json!({"data": []})))),
        ("bad_numbers", Box::new(move || one(json!([null])))),
        (
            "bad_numbers",
            Box::new(|| Do::Text(200, r#"{"data":[{"index":0,"embedding":[NaN]}]}"#)),
        ),
        ("wrong_dimensions", Box::new(move || one(json!([])))),
        ("not_json", Box::new(|| Do::Text(200, "<html>hello</html>"))),
        (
            "not_json",
            Box::new(|| Do::Text(200, r#"{"data":[{"index":0,"emb"#)),
        ),
        ("server_error", Box::new(|| Do::Text(502, "<html>502</html>"))),
        (
            "server_error",
            Box::new(|| Do::Answer(200, json!({"error": {"message": "broke"}}))),
        ),
        ("unreachable", Box::new(|| Do::Half(r#"{"data":["#))),
        (
            "unauthorized",
            Box::new(|| Do::Answer(401, error("Incorrect API key provided: k3y"))),
        ),
        (
            "model_not_found",
            Box::new(|| Do::Answer(404, error("model m not found"))),
        ),
        ("redirected", Box::new(|| Do::Text(301, ""))),
    ];
    for (class, answer) in cases {
        let server = Server::start(move |_, _| answer()).await;
        let refused = embed(
            &server.provider("encoding_format: float"),
            &["my secret text".into()],
        )
        .await
        .unwrap_err();
        assert_eq!(refused.class(), class, "{refused}");
        let shown = format!("{refused} {refused:?}");
        assert!(
            !shown.contains("k3y") && !shown.contains("secret text"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_timeout_and_one_that_is_not_there_unreachable() {
    let server = Server::start(|_, _| Do::Hang).await;
    let slow = embed(&server.provider("timeout_ms: 50"), &texts(1))
        .await
        .unwrap_err();
    assert_eq!(slow.class(), "timeout");
    let mut gone = Server::start(|_, _| Do::Hang).await;
    let provider = gone.provider("");
    gone._tasks.shutdown().await;
    let refused = embed(&provider, &texts(1)).await.unwrap_err();
    assert_eq!(
        (refused.class(), refused.advice),
        (
            "unreachable",
            Advice::RetryLater {
                after: None,
                charged: true
            }
        )
    );
}

#[tokio::test]
async fn a_deadline_without_end_is_no_fault() {
    let server = Server::start(|_, request| Do::Answer(200, vectors(request))).await;
    let request = EmbedRequest {
        who: None,
        model: None,
        dimensions: None,
        inputs: &texts(1),
    };
    assert!(server.provider("").embed(&request, Duration::MAX).await.is_ok());
}

#[tokio::test]
async fn a_cap_is_learned_from_a_refusal() {
    let server = Server::start(|_, request| match request["input"].as_array().unwrap().len() {
        33.. => Do::Answer(
            422,
            json!({"error": "batch size 40 > maximum allowed batch size 32", "error_type": "Validation"}),
        ),
        _ => Do::Answer(200, vectors(request)),
    })
    .await;
    let provider = server.provider("");
    assert_eq!(provider.pack_limits(None).inputs, 256);
    let refused = embed(&provider, &texts(40)).await.unwrap_err();
    assert_eq!(refused.advice, Advice::SplitBatch { most: Some(32) });
    assert_eq!(provider.pack_limits(None).inputs, 32);
    assert_eq!(provider.pack_limits(Some("other")).inputs, 256);
    assert_eq!(embed(&provider, &texts(32)).await.unwrap().vectors.len(), 32);
}

#[tokio::test]
async fn a_short_wait_is_waited_and_a_long_one_told() {
    let limited = json!({"error": {"message": "slow down", "code": "rate_limit_exceeded"}});
    let short = limited.clone();
    let server = Server::start(move |number, request| match number {
        0 => Do::With(429, &[("retry-after-ms", "20")], short.clone()),
        _ => Do::Answer(200, vectors(request)),
    })
    .await;
    assert!(embed(&server.provider(""), &texts(1)).await.is_ok());
    let server = Server::start(move |_, _| Do::With(429, &[("retry-after", "60")], limited.clone())).await;
    let provider = server.provider("");
    for _ in 0..3 {
        let refused = embed(&provider, &texts(1)).await.unwrap_err();
        assert_eq!(refused.class(), "rate_limited");
        let wait = match refused.advice {
            Advice::RetryLater {
                after,
                charged: false,
            } => after.map_or(0, |after| after.as_secs()),
            _ => 0,
        };
        assert!(wait >= 50, "{refused:?}");
    }
    assert_eq!(server.seen().len(), 1, "a paused endpoint is not asked");
}

#[tokio::test]
async fn a_refused_key_pauses_the_endpoint_and_is_told_as_such_meanwhile() {
    let server = Server::start(|_, _| Do::Answer(401, error("no"))).await;
    let provider = server.provider("");
    for _ in 0..2 {
        let refused = embed(&provider, &texts(1)).await.unwrap_err();
        assert_eq!(refused.class(), "unauthorized");
        assert!(matches!(refused.advice, Advice::PauseEndpoint { .. }));
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn five_failures_in_a_row_open_the_circuit() {
    let server = Server::start(|_, _| Do::Text(503, "")).await;
    let provider = server.provider("encoding_format: float");
    for _ in 0..5 {
        assert_eq!(
            embed(&provider, &texts(1)).await.unwrap_err().class(),
            "server_error"
        );
    }
    // The one that probes waits the second out within its deadline; one without the time is told.
    let request = EmbedRequest {
        who: None,
        model: None,
        dimensions: None,
        inputs: &texts(1),
    };
    let refused = provider
        .embed(&request, Duration::from_millis(100))
        .await
        .unwrap_err();
    assert_eq!(refused.class(), "circuit_open");
    assert!(matches!(
        refused.advice,
        Advice::RetryLater {
            after: Some(_),
            charged: false
        }
    ));
    assert_eq!(server.seen().len(), 5);
    assert_eq!(
        embed(&provider, &texts(1)).await.unwrap_err().class(),
        "server_error"
    );
    assert_eq!(server.seen().len(), 6);
}
