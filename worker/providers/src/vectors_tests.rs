//! Answers of embedding servers, as their documentation and their bug reports show them: what is taken of each, or by
//! which name it is refused. The inputs stand for [1, 0], [0, 1] and [1, 1], in this order.

use base64::engine::general_purpose::{STANDARD as BASE64, STANDARD_NO_PAD, URL_SAFE as URL_BASE64};

use super::*;

fn class(body: &str, count: usize, dimensions: Option<usize>) -> Class {
    read(body.as_bytes(), count, dimensions).unwrap_err().class
}

fn bytes(vector: [f32; 2]) -> Vec<u8> {
    vector.map(f32::to_le_bytes).concat()
}

/// Server, and what it answers for the three inputs.
const RIGHT: &[(&str, &str)] = &[
    (
        "OpenAI",
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1.0,0.0]},{"object":"embedding","index":1,"embedding":[0.0,1.0]},{"object":"embedding","index":2,"embedding":[1.0,1.0]}],"model":"text-embedding-3-small","usage":{"prompt_tokens":7,"total_tokens":7}}"#,
    ),
    (
        "vLLM, out of order",
        r#"{"id":"embd-1","object":"list","created":1,"data":[{"index":2,"object":"embedding","embedding":[1,1]},{"index":0,"object":"embedding","embedding":[1,0]},{"index":1,"object":"embedding","embedding":[0,1]}],"usage":{"prompt_tokens":7,"total_tokens":7,"completion_tokens":0}}"#,
    ),
    (
        "Gemini, no index where it is 0",
        r#"{"object":"list","data":[{"object":"embedding","embedding":[1,0]},{"object":"embedding","index":1,"embedding":[0,1]},{"object":"embedding","index":2,"embedding":[1,1]}]}"#,
    ),
    (
        "a proxy without any index",
        r#"{"data":[{"embedding":[1,0]},{"embedding":[0,1]},{"embedding":[1,1]}]}"#,
    ),
    (
        "indexes that are null",
        r#"{"data":[{"index":null,"embedding":[1,0]},{"index":null,"embedding":[0,1]},{"index":null,"embedding":[1,1]}]}"#,
    ),
    (
        "all indexes 0",
        r#"{"data":[{"index":0,"embedding":[1,0]},{"index":0,"embedding":[0,1]},{"index":0,"embedding":[1,1]}]}"#,
    ),
    (
        "indexes as texts",
        r#"{"data":[{"index":"1","embedding":[0,1]},{"index":"0","embedding":[1,0]},{"index":"2","embedding":[1,1]}]}"#,
    ),
    (
        "indexes as reals",
        r#"{"data":[{"index":1.0,"embedding":[0,1]},{"index":0.0,"embedding":[1,0]},{"index":2.0,"embedding":[1,1]}]}"#,
    ),
    (
        "indexes from one",
        r#"{"data":[{"index":2,"embedding":[0,1]},{"index":1,"embedding":[1,0]},{"index":3,"embedding":[1,1]}]}"#,
    ),
    (
        "Ollama's own",
        r#"{"model":"all-minilm","embeddings":[[1,0],[0,1],[1,1]],"total_duration":1,"prompt_eval_count":8}"#,
    ),
    ("Text Embeddings Inference's own", "[[1,0],[0,1],[1.0,1.0]]"),
    (
        "Cohere's own, by type",
        r#"{"id":"x","embeddings":{"int8":null,"float":[[1,0],[0,1],[1,1]]},"texts":["a","b","c"],"meta":{}}"#,
    ),
    (
        "no usage, keys in another order",
        r#"{"usage":null,"data":[{"embedding":[1,0],"index":0},{"embedding":[0,1],"index":1},{"embedding":[1,1],"index":2}],"extra":{"x":[]}}"#,
    ),
    (
        "LiteLLM, usage of zeros",
        r#"{"model":"m","data":[{"embedding":[1,0],"index":0,"object":"embedding"},{"embedding":[0,1],"index":1,"object":"embedding"},{"embedding":[1,1],"index":2,"object":"embedding"}],"object":"list","usage":{"completion_tokens":0,"prompt_tokens":0,"total_tokens":0,"completion_tokens_details":null}}"#,
    ),
    (
        "whole numbers and exponents",
        r#"{"data":[{"index":0,"embedding":[1e0,0]},{"index":1,"embedding":[-0.0,10E-1]},{"index":2,"embedding":[1,1.00000000000000000000001]}]}"#,
    ),
    (
        "pretty, with line ends",
        "{\r\n  \"data\": [\r\n    {\"index\": 0, \"embedding\": [1, 0]},\r\n {\"index\": 1, \"embedding\": [0, 1]}, {\"index\": 2, \"embedding\": [1, 1]}]\r\n}\r\n\r\n",
    ),
];

#[test]
fn vectors_are_in_the_order_of_the_inputs_whatever_the_server() {
    for (server, body) in RIGHT {
        let read = read(body.as_bytes(), 3, Some(2)).map(|read| read.vectors);
        assert_eq!(
            read,
            Ok(vec![vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 1.0]]),
            "{server}"
        );
    }
}

#[test]
fn base64_is_read_in_each_of_its_forms() {
    let of = |first: String| {
        format!(r#"{{"data":[{{"index":0,"embedding":"{first}"}}],"usage":{{"prompt_tokens":7}}}}"#)
    };
    let vector = [-0.005_f32, 3.5e-7];
    let plain = BASE64.encode(bytes(vector));
    let broken = format!("{}\\r\\n{}", &plain[..4], &plain[4..]);
    for form in [
        plain.clone(),
        STANDARD_NO_PAD.encode(bytes(vector)),
        URL_BASE64.encode(bytes(vector)),
        broken,
    ] {
        let Vectors { vectors, usage } = read(of(form.clone()).as_bytes(), 1, Some(2)).unwrap();
        assert_eq!(vectors, [vector.to_vec()], "{form}");
        assert_eq!(usage.map(|usage| usage.prompt_tokens), Some(7));
    }
    let nan = BASE64.encode(bytes([f32::NAN, 0.0]));
    assert_eq!(class(&of(nan), 1, None), Class::BadNumbers);
}

/// Two inputs, and what must not be stored.
const WRONG: &[(&str, Class)] = &[
    (r#"{"data":[{"index":0,"embedding":[1]}]}"#, Class::WrongCount),
    (r#"{"data":[]}"#, Class::WrongCount),
    (r#"[[1]]"#, Class::WrongCount),
    (r#"{"embeddings":[[1],[1],[1]]}"#, Class::WrongCount),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]},{"index":1,"embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":1,"embedding":[1]},{"index":1,"embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":2,"embedding":[1]},{"index":2,"embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":1,"embedding":[1]},{"embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":-1,"embedding":[1]},{"index":0,"embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":"a","embedding":[1]},{"index":"b","embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":0.5,"embedding":[1]},{"index":1,"embedding":[1]}]}"#,
        Class::WrongCount,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}"#,
        Class::WrongDimensions,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}"#,
        Class::WrongDimensions,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[0]}]}"#,
        Class::BadNumbers,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[null]}]}"#,
        Class::BadNumbers,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1e39]}]}"#,
        Class::BadNumbers,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[NaN]}]}"#,
        Class::BadNumbers,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[-Infinity]},{"index":1,"embedding":[1]}]}"#,
        Class::BadNumbers,
    ),
    (
        r#"{"data":[{"index":0,"embedding":[1]},{"index":1,"embed"#,
        Class::NotJson,
    ),
    (
        r#"{"data":[{"index":0,"embedding":"AAAA"},{"index":1,"embedding":"AAAA"}]}"#,
        Class::NotJson,
    ),
    ("<html>", Class::NotJson),
    ("{}", Class::NotJson),
    ("", Class::NotJson),
    (r#"{"object":"list","data":null,"error":null}"#, Class::NotJson),
];

#[test]
fn what_must_not_be_stored_is_refused() {
    for (body, expected) in WRONG {
        assert_eq!(class(body, 2, None), *expected, "{body}");
    }
    let other = read(br#"{"data":[{"index":0,"embedding":[1]}]}"#, 1, Some(2)).unwrap_err();
    assert_eq!(
        (other.class, other.advice),
        (Class::WrongDimensions, Advice::ConfigError)
    );
}

#[test]
fn the_form_of_a_vector_that_is_not_taken_is_named() {
    for (embedding, word) in [
        (r#"["0.1","0.2"]"#, "texts"),
        ("[[0.1,0.2]]", "list of lists"),
        ("[[0.1],[0.2]]", "list of lists"),
        ("null", "null"),
        (r#""[0.1, 0.2]""#, "base64"),
        (r#""AAAAA""#, "base64"),
    ] {
        let body = format!(r#"{{"data":[{{"index":0,"embedding":{embedding}}}]}}"#);
        let fault = read(body.as_bytes(), 1, None).unwrap_err();
        assert_eq!(fault.class, Class::NotJson, "{embedding}");
        assert!(fault.message.contains(word), "{embedding}: {}", fault.message);
    }
    let streamed = read(b"data: {\"data\":[]}\n\ndata: [DONE]\n\n", 1, None).unwrap_err();
    assert!(streamed.message.contains("streamed"));
}
