//! Summarises the parts of a document, several at once. A part that is known from an earlier attempt or an earlier
//! version of the document is not asked for again; each answer is kept at once, so that a worker that dies loses
//! little.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use parking_lot::Mutex;
use uuid::Uuid;

use super::{length, prompt};
use crate::asking::{AnswerForm, Asker, ModelQuestion};
use crate::digest::digest;
use zerodb_hooks_providers::{Finish, ProviderError};
use zerodb_hooks_store::{Store, StoreError};

/// Questions at once for one document; the endpoint has its own limit for all of them.
const AT_ONCE: usize = 4;
/// Tokens of an answer.
const MAX_TOKENS: u32 = 600;

/// The reason why a document has no summary.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    #[error(transparent)]
    Model(#[from] ProviderError),
    #[error(transparent)]
    Table(#[from] StoreError),
}

/// The settings of the summaries of parts, and the store in which they are kept.
pub struct PartSummaries<'a> {
    pub asker: &'a Asker<'a>,
    pub store: &'a Store,
    pub hook: Uuid,
    /// The tenant of the document: summaries are not shared between tenants.
    pub tenant: Option<Uuid>,
    /// The model as it is stored.
    pub identity: &'a str,
    /// Set once something was kept: a later attempt has less to do.
    pub progress: &'a AtomicBool,
}

/// The parts that are still to be asked for.
struct PartQueue<'a> {
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

impl PartSummaries<'_> {
    /// The summaries of `texts` in their order, each at most `length` characters.
    ///
    /// # Errors
    /// The first one; requests that were under way then are awaited and their answers kept. Safe to cancel; what was
    /// sent may then be paid.
    pub async fn condense(
        &self,
        system: &str,
        texts: &[String],
        length: usize,
    ) -> Result<Vec<String>, SummaryError> {
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
        let queue = PartQueue {
            system,
            length,
            parts: missing.map(|(text, hash)| Part::new(text, hash)).collect(),
            next: AtomicUsize::new(0),
            failure: Mutex::default(),
        };
        join_all((0..AT_ONCE).map(|_| self.work_off(&queue))).await;
        if let Some(error) = queue.failure.into_inner() {
            return Err(error.into());
        }
        for part in queue.parts {
            let answer = part.answer.into_inner();
            known.insert(part.hash.to_vec(), answer.unwrap_or_default());
        }
        Ok(hashes
            .iter()
            .filter_map(|hash| known.get(hash).cloned())
            .collect())
    }

    /// Asks for one part after the other, until none is left or one has failed.
    async fn work_off(&self, queue: &PartQueue<'_>) {
        while let Some(part) = queue.take() {
            let question = ModelQuestion {
                system: queue.system,
                user: &prompt::fenced(part.text),
                form: AnswerForm::Text { enough: queue.length },
                max_tokens: MAX_TOKENS,
            };
            match self.asker.ask(&question).await {
                Ok(answer) => {
                    let is_cut = answer.finish == Finish::Length;
                    let summary = length::fitted(&answer.text, queue.length, is_cut);
                    self.keep(part.hash, &summary).await;
                    *part.answer.lock() = Some(summary);
                }
                Err(error) => {
                    queue.failure.lock().get_or_insert(error);
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

impl<'a> PartQueue<'a> {
    /// The next part; `None` when none is left, or one has failed.
    fn take(&self) -> Option<&Part<'a>> {
        let has_failed = self.failure.lock().is_some();
        if has_failed {
            return None;
        }
        self.parts.get(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
