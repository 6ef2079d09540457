//! What can go wrong with a request, and the answers of those faults that need no look at the request.

use std::time::Duration;

use super::hint::Hint;
use super::reply::{Reply, html, open_ai, rate_limited};

#[derive(Clone, Debug)]
pub enum Fault {
    // An error instead of an answer.
    /// 429, to come back after a time.
    RateLimited(Hint, Duration),
    /// 429 that no waiting helps.
    InsufficientQuota,
    /// 401; the message repeats the key, masked.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    ModelNotFound,
    /// 500.
    ServerError,
    /// 502 with a proxy's HTML page.
    BadGateway,
    /// 503.
    Unavailable,
    /// Any other answer.
    Answer(Reply),

    // The connection.
    /// RST without an answer.
    Reset,
    /// The status, the headers and half of the body that they announce, then the end.
    HalfBody,
    /// Nothing, for ever.
    Hang,

    // A 200 that is not an answer.
    /// `{"error": …}`.
    ErrorInSuccess,
    /// A login page.
    HtmlInSuccess,
    /// Ends in the middle of the JSON, with a right length.
    TruncatedBody,

    // Embeddings.
    /// One vector too few.
    TooFew,
    /// One vector too many.
    TooMany,
    /// Not in the order of the inputs, each with its right index. This is no error.
    Shuffled,
    /// Two vectors with the same index.
    DuplicateIndex,
    WrongDimensions(usize),
    /// NaN, in arrays as JSON's `null`, in base64 as such.
    NotANumber,
    /// NaN, in arrays as the string "NaN", in base64 as such.
    NotANumberText,
    Infinite,
    ZeroVector,

    // Chat.
    /// Half of the answer, and `finish_reason` says it is whole.
    TruncatedContent,
    /// Half of the answer, with `finish_reason: length`.
    FinishLength,
    /// No answer, with `finish_reason: content_filter`.
    ContentFilter,
    /// `message.refusal`.
    Refusal,
    /// The answer in a code fence of Markdown, after a sentence.
    CodeFence,
    /// The answer after a `<think>` block with braces in it.
    Think,
    EmptyContent,
    NoChoices,
}

impl Fault {
    /// The answer of a fault that does not look at the request; `None` for the others.
    pub(crate) fn reply(&self, model: &str, key: Option<&str>) -> Option<Reply> {
        Some(match self {
            Self::RateLimited(hint, time) => rate_limited(*hint, *time, 100),
            Self::InsufficientQuota => insufficient_quota(),
            Self::Unauthorized => unauthorized(key),
            Self::Forbidden => open_ai(
                403,
                "Country, region, or territory not supported",
                "request_forbidden",
                None,
                Some("unsupported_country_region_territory"),
            ),
            Self::ModelNotFound => model_not_found(model),
            Self::ServerError => open_ai(
                500,
                "The server had an error while processing your request. Sorry about that!",
                "server_error",
                None,
                None,
            ),
            Self::BadGateway => html(
                502,
                "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n\
                 <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
            ),
            Self::Unavailable => open_ai(
                503,
                "The engine is currently overloaded, please try again later",
                "server_error",
                None,
                None,
            ),
            Self::Answer(reply) => reply.clone(),
            Self::ErrorInSuccess => Reply {
                status: 200,
                ..open_ai(
                    500,
                    "upstream connect error or disconnect/reset before headers",
                    "upstream_error",
                    None,
                    None,
                )
            },
            Self::HtmlInSuccess => html(
                200,
                "<!doctype html><html><head><title>Sign in</title></head><body>Sign in to go on</body></html>",
            ),
            _ => return None,
        })
    }
}

pub(crate) fn unauthorized(key: Option<&str>) -> Reply {
    match key {
        None => open_ai(
            401,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth \
             (i.e. Authorization: Bearer YOUR_KEY).",
            "invalid_request_error",
            None,
            None,
        ),
        Some(key) => open_ai(
            401,
            &format!(
                "Incorrect API key provided: {}. You can find your API key in your account's settings.",
                masked(key)
            ),
            "invalid_request_error",
            None,
            Some("invalid_api_key"),
        ),
    }
}

/// The first and the last four letters, as the hosted API shows a key.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let shown = |index: usize| letters.len() > 12 && (index < 4 || index + 4 >= letters.len());
    let star = |(index, letter): (usize, &char)| if shown(index) { *letter } else { '*' };
    letters.iter().enumerate().map(star).collect()
}

pub(crate) fn model_not_found(model: &str) -> Reply {
    open_ai(
        404,
        &format!("The model `{model}` does not exist or you do not have access to it."),
        "invalid_request_error",
        None,
        Some("model_not_found"),
    )
}

fn insufficient_quota() -> Reply {
    open_ai(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        None,
        Some("insufficient_quota"),
    )
}
