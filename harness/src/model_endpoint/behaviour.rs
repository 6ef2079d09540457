//! How a route answers while nothing is wrong with it: its latency, its limits, and what it does not know. Plain
//! values; it must not answer anything itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::fault::Fault;
use super::hint::Hint;
use crate::wait::LetGo;

pub type Predicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// A limit of requests in a time; windows of that length follow each other from the first request on.
#[derive(Clone, Copy, Debug)]
pub struct RateLimit {
    pub requests: u32,
    pub per: Duration,
    pub hint: Hint,
}

impl RateLimit {
    pub const fn per_minute(requests: u32, hint: Hint) -> Self {
        let per = Duration::from_secs(60);
        Self { requests, per, hint }
    }
}

/// The longest input, and the words in which a longer one is refused. A token is `bytes_per_token`, rounded up.
#[derive(Clone, Copy, Debug)]
pub enum TokenLimit {
    /// 400; names the input.
    OpenAi(usize),
    /// Text Embeddings Inference: `validation_status`; does not name the input.
    Tei(usize),
    /// llama.cpp: 500, although it will never succeed; does not name the input.
    LlamaCpp(usize),
}

/// A parameter that a server refuses with 400, in the words of a real one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parameter {
    JsonSchema,
    /// Also refuses `json_schema`, as servers before both do.
    JsonObject,
    MaxTokens,
    Temperature,
    /// `encoding_format: base64`.
    Base64,
    Dimensions,
}

#[derive(Clone)]
pub struct Behaviour {
    /// Before every answer but 401 and 429, which come at once.
    pub latency: Duration,
    /// After the latency, until a test lets go; see `Route::hold`.
    pub held: Option<LetGo>,
    /// The only key that is accepted, as `Authorization: Bearer` or `api-key`; `None` asks for none.
    pub key: Option<String>,
    /// The only models that there are; `None` has every model.
    pub models: Option<Vec<String>>,
    pub rate_limit: Option<RateLimit>,
    /// The most bytes of a body; more is 413.
    pub max_body: Option<usize>,
    /// The most inputs of a request, refused in the words of Text Embeddings Inference.
    pub max_batch: Option<usize>,
    /// The status with which Text Embeddings Inference refuses: 413, and 422 in older versions.
    pub validation_status: u16,
    pub token_limit: Option<TokenLimit>,
    /// Bytes of a token, for the limits.
    pub bytes_per_token: usize,
    /// The most tokens of a request's inputs together.
    pub max_request_tokens: usize,
    pub refuses: BTreeSet<Parameter>,
    /// Of a vector where the request does not say.
    pub dimensions: usize,
    /// Answers arrays where base64 is asked for, without a word, as some servers do.
    pub ignores_base64: bool,
    /// Leaves `usage` out, as some servers do.
    pub omits_usage: bool,
    /// A request that holds such an input is refused with 400, and the message does not say which input it is.
    pub poison: Option<Predicate>,
    /// Only the vectors of such inputs are distorted, by a fault that distorts vectors.
    pub spoiled: Option<(Predicate, Fault)>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            held: None,
            key: None,
            models: None,
            rate_limit: None,
            max_body: None,
            max_batch: None,
            validation_status: 422,
            token_limit: None,
            bytes_per_token: 4,
            max_request_tokens: 300_000,
            refuses: BTreeSet::new(),
            dimensions: 1024,
            ignores_base64: false,
            omits_usage: false,
            poison: None,
            spoiled: None,
        }
    }
}

impl Behaviour {
    pub fn refuse(&mut self, parameter: Parameter) {
        self.refuses.insert(parameter);
    }

    pub fn poison(&mut self, texts: impl Fn(&str) -> bool + Send + Sync + 'static) {
        self.poison = Some(Arc::new(texts));
    }

    pub fn spoil(&mut self, fault: Fault, texts: impl Fn(&str) -> bool + Send + Sync + 'static) {
        self.spoiled = Some((Arc::new(texts), fault));
    }
}
