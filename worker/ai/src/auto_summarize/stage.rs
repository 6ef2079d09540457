//! Many texts, each into a shorter one: those that are known from an earlier attempt or an earlier version of the document are
//! not asked for again, the others several at once. What is answered is kept at once, so that a worker that dies loses little.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use parking_lot::Mutex;
use uuid::Uuid;

use super::asking::{Asker, Question};
use super::length;
use crate::digest::digest;
use zerodb_hooks_providers::ProviderError;
use zerodb_hooks_store::{Store, StoreError};

/// Questions at once for one document; the endpoint has its own limit for all of them.
const AT_ONCE: usize = 4;
/// Tokens of an answer.
const MAX_TOKENS: u32 = 600;

/// Why a stage did not end.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Model(#[from] ProviderError),
    #[error(transparent)]
    Table(#[from] StoreError),
}

/// What the summaries of parts depend on beside their texts, and where they are kept.
pub struct Stage<'a> {
    pub asker: &'a Asker<'a>,
    pub store: &'a Store,
    pub hook: Uuid,
    /// Whose document it is: summaries are not shared between tenants.
    pub tenant: Option<Uuid>,
    pub model: Option<&'a str>,
    /// The model as it is stored.
    pub identity: &'a str,
    /// Set once something was kept: a later attempt has less to do.
    pub progress: &'a AtomicBool,
}

/// The texts that are still to be asked for.
struct Round<'a> {
    system: &'a str,
    /// Characters of an answer.
    length: usize,
    parts: Vec<Part<'a>>,
    next: AtomicUsize,
    failure: Mutex<Option<ProviderError>>,
}

struct Part<'a> {
    text: &'a str,
    hash: &'a [u8],
    answer: Mutex<Option<String>>,
}

impl Stage<'_> {
    /// The summaries of `texts` in their order, each at most `length` characters.
    ///
    /// # Errors
    /// With the first; what was under way then is awaited and kept. Safe to cancel; what was sent may then be paid.
    pub async fn condense(
        &self,
        system: &str,
        texts: &[String],
        length: usize,
    ) -> Result<Vec<String>, Failed> {
        let tenant = self.tenant.unwrap_or_default().to_string();
        let length_text = length.to_string();
        let hash = |text: &String| digest([system, self.identity, &tenant, &length_text, text]);
        let hashes: Vec<Vec<u8>> = texts.iter().map(hash).collect();
        let asked: Vec<&[u8]> = hashes.iter().map(Vec::as_slice).collect();
        let mut known = self.store.load_summary_chunks(self.hook, &asked).await?;
        let missing = texts
            .iter()
            .zip(&hashes)
            .filter(|(_, hash)| !known.contains_key(*hash));
        let round = Round {
            system,
            length,
            parts: missing.map(|(text, hash)| Part::new(text, hash)).collect(),
            next: AtomicUsize::new(0),
            failure: Mutex::default(),
        };
        join_all((0..AT_ONCE).map(|_| self.lane(&round))).await;
        if let Some(error) = round.failure.into_inner() {
            return Err(error.into());
        }
        for part in round.parts {
            let answer = part.answer.into_inner();
            known.insert(part.hash.to_vec(), answer.unwrap_or_default());
        }
        Ok(hashes
            .iter()
            .filter_map(|hash| known.get(hash).cloned())
            .collect())
    }

    /// Asks for one part after the other, until none is left or one has failed.
    async fn lane(&self, round: &Round<'_>) {
        while let Some(part) = round.take() {
            let question = Question {
                model: self.model,
                system: round.system,
                text: part.text,
                max_tokens: MAX_TOKENS,
                enough: round.length,
            };
            match self.asker.ask(&question).await {
                Ok(said) => {
                    let summary = length::kept(&said.text, round.length, said.is_cut);
                    self.keep(part.hash, &summary).await;
                    *part.answer.lock() = Some(summary);
                }
                Err(error) => {
                    let mut failure = round.failure.lock();
                    failure.get_or_insert(error);
                }
            }
        }
    }

    /// A summary that cannot be kept is still of use now.
    async fn keep(&self, hash: &[u8], summary: &str) {
        match self.store.keep_summary_chunk(self.hook, hash, summary).await {
            Ok(()) => self.progress.store(true, Ordering::Release),
            Err(error) => tracing::warn!(hook.id = %self.hook, %error, "the summary of a part was not kept"),
        }
    }
}

impl<'a> Part<'a> {
    fn new(text: &'a str, hash: &'a [u8]) -> Self {
        Self {
            text,
            hash,
            answer: Mutex::default(),
        }
    }
}

impl<'a> Round<'a> {
    fn take(&self) -> Option<&Part<'a>> {
        let failed = self.failure.lock().is_some();
        if failed {
            return None;
        }
        self.parts.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
