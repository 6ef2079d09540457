//! A model from a directory, computed in this process: opened when it is first needed, one call at a time, on a thread
//! where blocking is allowed. It ends within a layer of the network when its caller is gone.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout_at};
use zerodb_hooks_models::{Model, ModelError};

use super::LONGEST_DEADLINE;
use super::caps::PackLimits;
use super::config::CandleConfig;
use super::counter::TokenCounter;
use super::embeddings::{EmbedRequest, Embeddings};
use super::error::{Advice, Class, ProviderError};
use super::usage::Usage;

pub struct Candle {
    name: String,
    config: CandleConfig,
    /// One call computes; it has all processors.
    turn: Arc<Semaphore>,
    model: Arc<OnceLock<Model>>,
}

/// The result of one call.
struct Computed {
    vectors: Vec<Vec<f32>>,
    tokens: u64,
}

impl Candle {
    /// Opens nothing.
    pub fn new(name: &str, config: CandleConfig) -> Self {
        Self {
            name: name.into(),
            config,
            turn: Arc::new(Semaphore::new(1)),
            model: Arc::default(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// # Errors
    /// `model_not_found`, when the hook names another model than the directory's.
    pub fn identity(&self, model: Option<&str>) -> Result<String, ProviderError> {
        match model {
            Some(other) if other != self.config.model => Err(self.error(
                Class::ModelNotFound,
                Advice::ConfigError,
                format!(
                    "this provider has the model {} alone; name that one, or none",
                    self.config.model
                ),
            )),
            _ => Ok(self.config.model.clone()),
        }
    }

    /// Sizes that a processor computes within the deadline of a hook; a longer input is cut by the model itself.
    pub fn pack_limits(&self) -> PackLimits {
        let model = self.model.get();
        PackLimits {
            input_tokens: model.map_or(PackLimits::COMPUTED.input_tokens, Model::max_tokens),
            ..PackLimits::COMPUTED
        }
    }

    /// # Errors
    /// See `Provider::embed`.
    pub async fn embed(
        &self,
        request: &EmbedRequest<'_>,
        deadline: Duration,
    ) -> Result<Embeddings, ProviderError> {
        let model = self.identity(request.model)?;
        let until = Instant::now() + deadline.min(LONGEST_DEADLINE);
        let turn = self.turn(until).await?;
        let cancel = Cancel::default();
        let (flag, slot) = (Arc::clone(&cancel.0), Arc::clone(&self.model));
        let (path, inputs) = (self.config.path.clone(), request.inputs.to_vec());
        let wanted = request.dimensions.or(self.config.dimensions);
        let job = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let model = opened(&slot, &path)?;
            compute(model, &inputs, wanted, &flag)
        });
        let computed = self.ended(timeout_at(until, job).await)?;
        Ok(Embeddings {
            vectors: computed.vectors,
            usage: Usage {
                prompt_tokens: computed.tokens,
                completion_tokens: 0,
                estimated: false,
            },
            model,
            request_id: None,
        })
    }

    /// # Errors
    /// See `Provider::embed`.
    pub async fn token_counter(&self, deadline: Duration) -> Result<TokenCounter, ProviderError> {
        let (slot, path) = (Arc::clone(&self.model), self.config.path.clone());
        if slot.get().is_none() {
            let until = Instant::now() + deadline.min(LONGEST_DEADLINE);
            let turn = self.turn(until).await?;
            let slot = Arc::clone(&slot);
            let job = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                opened(&slot, &path).map(drop).map_err(CandleError::from)
            });
            self.ended(timeout_at(until, job).await)?;
        }
        let count = move |text: &str| {
            let tokens = slot.get().and_then(|model| model.count_tokens(text).ok());
            // What the tokenizer refuses, the model will.
            tokens.unwrap_or_else(|| zerodb_hooks_documents::estimated_tokens(text))
        };
        let special = count("");
        Ok(TokenCounter::new(
            move |text| count(text).saturating_sub(special),
            special,
        ))
    }

    async fn turn(&self, until: Instant) -> Result<OwnedSemaphorePermit, ProviderError> {
        let turn = timeout_at(until, Arc::clone(&self.turn).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| {
            let advice = Advice::RetryLater {
                after: None,
                charged: false,
            };
            self.error(
                Class::RateLimited,
                advice,
                "no turn within the deadline: it computes one call at a time",
            )
        })
    }

    /// The result of a job that may block.
    fn ended<T>(
        &self,
        job: Result<Result<Result<T, CandleError>, JoinError>, Elapsed>,
    ) -> Result<T, ProviderError> {
        match job {
            Ok(Ok(Ok(given))) => Ok(given),
            Ok(Ok(Err(failure))) => Err(self.failed(failure)),
            Ok(Err(_)) => Err(self.error(Class::ServerError, again(), "computing the embeddings panicked")),
            Err(_) => Err(self.error(
                Class::Timeout,
                again(),
                "not computed in time; send less, or give the hook more timeout_ms",
            )),
        }
    }

    fn failed(&self, failure: CandleError) -> ProviderError {
        let (class, advice) = match &failure {
            CandleError::Dimensions { .. } => (Class::WrongDimensions, Advice::ConfigError),
            CandleError::Model(ModelError::BadText { .. }) => (Class::BadRequest, Advice::ItemsAtFault),
            CandleError::Model(ModelError::NotADirection { .. }) => (Class::BadNumbers, Advice::ItemsAtFault),
            CandleError::Model(ModelError::Cancelled) => (Class::Timeout, again()),
            CandleError::Model(ModelError::Compute(_) | ModelError::NoThreads { .. }) => {
                (Class::ServerError, again())
            }
            // The directory: missing, damaged, or of a kind that is not computed here.
            CandleError::Model(_) => (Class::Misconfigured, Advice::ConfigError),
        };
        self.error(class, advice, failure.to_string())
    }

    fn error(&self, class: Class, advice: Advice, message: impl Into<String>) -> ProviderError {
        ProviderError::new(&self.name, class, advice, message)
    }
}

#[derive(Debug, thiserror::Error)]
enum CandleError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the model has vectors of {has} dimensions, not {wanted}")]
    Dimensions { has: usize, wanted: usize },
}

/// The model, opened if it is the first time.
fn opened<'slot>(slot: &'slot OnceLock<Model>, path: &Path) -> Result<&'slot Model, ModelError> {
    match slot.get() {
        Some(model) => Ok(model),
        None => {
            let opened = Model::open(path)?;
            Ok(slot.get_or_init(|| opened))
        }
    }
}

fn compute(
    model: &Model,
    inputs: &[String],
    wanted: Option<usize>,
    cancel: &AtomicBool,
) -> Result<Computed, CandleError> {
    let has = model.dimensions();
    if let Some(wanted) = wanted.filter(|wanted| *wanted != has) {
        return Err(CandleError::Dimensions { has, wanted });
    }
    let texts: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let vectors = model.embed(&texts, cancel)?;
    let mut tokens = 0;
    for text in texts {
        tokens += model.count_tokens(text)?.min(model.max_tokens()) as u64;
    }
    Ok(Computed { vectors, tokens })
}

fn again() -> Advice {
    Advice::RetryLater {
        after: None,
        charged: true,
    }
}

/// Tells the computation that nobody waits for it any more.
#[derive(Default)]
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(60);

    fn candle(directory: &str) -> Candle {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../models/tests/fixtures")
            .join(directory);
        Candle::new(
            "disk",
            CandleConfig {
                path,
                model: "tiny".into(),
                dimensions: None,
            },
        )
    }

    async fn embed(
        candle: &Candle,
        model: Option<&str>,
        dimensions: Option<usize>,
        deadline: Duration,
    ) -> Result<Embeddings, ProviderError> {
        let inputs = [
            "Alice lives in Berlin.".to_owned(),
            "A recipe for bread".to_owned(),
        ];
        candle
            .embed(
                &EmbedRequest {
                    who: None,
                    model,
                    dimensions,
                    inputs: &inputs,
                },
                deadline,
            )
            .await
    }

    #[tokio::test]
    async fn a_directory_embeds_under_its_name() {
        let candle = candle("tiny-bert-half");
        let answer = embed(&candle, Some("tiny"), None, DEADLINE).await.unwrap();
        assert_eq!((answer.vectors.len(), answer.model.as_str()), (2, "tiny"));
        assert!(answer.usage.prompt_tokens > 4 && !answer.usage.estimated);
        let dimensions = answer.vectors[0].len();
        assert!(embed(&candle, None, Some(dimensions), DEADLINE).await.is_ok());
        let other = embed(&candle, None, Some(dimensions + 1), DEADLINE)
            .await
            .unwrap_err();
        assert_eq!(
            (other.class(), other.advice),
            ("wrong_dimensions", Advice::ConfigError)
        );
    }

    #[tokio::test]
    async fn another_model_and_a_missing_directory_are_mistakes_of_the_file() {
        let other = embed(&candle("tiny-bert-half"), Some("bge-m3"), None, DEADLINE)
            .await
            .unwrap_err();
        assert_eq!(
            (other.class(), other.advice),
            ("model_not_found", Advice::ConfigError)
        );
        let missing = embed(&candle("nothing"), None, None, DEADLINE).await.unwrap_err();
        assert_eq!(
            (missing.class(), missing.advice),
            ("misconfigured", Advice::ConfigError)
        );
        assert!(missing.message.contains("config.json"), "{missing}");
    }

    #[tokio::test]
    async fn its_limit_and_its_tokens_are_known_before_a_text_is_cut() {
        let candle = candle("tiny-bert-half");
        assert_eq!(
            candle.pack_limits().input_tokens,
            PackLimits::COMPUTED.input_tokens
        );
        let counter = candle.token_counter(DEADLINE).await.unwrap();
        assert!(candle.pack_limits().input_tokens < PackLimits::COMPUTED.input_tokens);
        assert_eq!(counter.count(""), 0);
        assert!(counter.special >= 1 && counter.count("Alice lives in Berlin.") >= 4);
    }

    #[tokio::test]
    async fn a_call_that_finds_no_turn_is_not_charged() {
        let candle = candle("tiny-bert-half");
        let _turn = Arc::clone(&candle.turn).acquire_owned().await.unwrap();
        let busy = embed(&candle, None, None, Duration::from_millis(10))
            .await
            .unwrap_err();
        assert_eq!(
            busy.advice,
            Advice::RetryLater {
                after: None,
                charged: false
            }
        );
    }
}
