//! One memory from its content to the graph: read, extract, find what its names mean, write. Decides nothing about attempts beyond
//! what its errors say.

use std::time::Instant;

use serde_json::{Value, json};

use super::accounts::Accounts;
use super::asking::{Asker, Question};
use super::config::Config;
use super::extraction::{Extraction, Named, RULES_VERSION};
use super::memory::{Memory, Read, Vectors};
use super::prompt;
use super::resolution::{Candidate, Decision, decide};
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_engine::verdict;
use zerodb_hooks_providers::{Class, ProviderError, estimate_tokens};

/// Tokens of a first answer with entities and relations; a longer one is asked for again.
const EXTRACTION_TOKENS: u32 = 3000;
const CHOICE_TOKENS: u32 = 500;
/// Tokens of a question beside the memory.
const OVERHEAD: usize = 1500;
/// How often a memory is tried with half the size, where the model finds it too long.
const SHRINKS: usize = 3;

pub struct Work<'a> {
    pub memory: &'a Memory<'a>,
    pub config: &'a Config,
    pub until: Instant,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// The memory changed while it was extracted.
    Changed,
}

impl Work<'_> {
    /// Brings the graph up to date with the memory.
    ///
    /// # Errors
    /// What a delivery's failure means; see `verdict`.
    pub async fn once(&self) -> Result<Ended, HandlerError> {
        let Some(read) = self.memory.read().await? else {
            self.memory.retract().await?;
            return Ok(Ended::Done);
        };
        if self.is_extracted(&read) {
            return Ok(Ended::Done);
        }
        let Some(text) = &read.content else {
            return Err(HandlerError::permanent(format!(
                "input_too_large: the memory has {} bytes, and at most 1048576 are read",
                read.size
            )));
        };
        let (context, delivery) = (self.memory.context, self.memory.delivery);
        let accounts = Accounts::open(context, delivery, self.config).await?;
        let asker = Asker::new(self.config, self.until);
        let ended = self.update(&asker, &read, text).await;
        accounts.close(context, delivery, self.config, asker.cost()).await;
        ended
    }

    async fn update(&self, asker: &Asker<'_>, read: &Read, text: &str) -> Result<Ended, HandlerError> {
        let found = self
            .extract(asker, text)
            .await?
            .about(read.subject.as_deref(), self.config.max_relations);
        tracing::debug!(
            entities = found.entities.len(),
            relations = found.relations.len(),
            dropped = found.dropped,
            "extracted a memory"
        );
        if found.dropped > 0 && self.config.provider.can_chat() {
            let hook = &self.memory.delivery.hook.name;
            tracing::info!(%hook, dropped = found.dropped, "left out what the model found and the graph cannot hold");
        }
        self.write(asker, read, text, &found).await
    }

    fn version(&self) -> i32 {
        if self.config.provider.can_chat() {
            prompt::VERSION
        } else {
            RULES_VERSION
        }
    }

    fn is_extracted(&self, read: &Read) -> bool {
        read.extraction.as_ref().is_some_and(|last| {
            last.content_hash == read.content_hash
                && last.model == self.config.identity
                && last.prompt_version == self.version()
        })
    }

    async fn extract(&self, asker: &Asker<'_>, text: &str) -> Result<Extraction, HandlerError> {
        let most = self.config.max_relations;
        if text.trim().is_empty() {
            return Ok(Extraction::default());
        }
        if !self.config.provider.can_chat() {
            let text = text.to_owned();
            let found = tokio::task::spawn_blocking(move || Extraction::by_rules(&text, most)).await;
            return found.map_err(|_| HandlerError::transient("nothing was extracted: the thread ended"));
        }
        let takes = || {
            let model = self.config.model.as_deref();
            self.config.provider.pack_limits(model).input_tokens
        };
        let mut context = takes();
        for _ in 0..SHRINKS {
            match self.ask(asker, text, context).await {
                Err(error) if error.class == Class::InputTooLong => context = takes().min(context / 2),
                answer => return answer.map_err(|error| of_answer(&error)),
            }
        }
        let answer = self.ask(asker, text, context).await;
        answer.map_err(|error| of_answer(&error))
    }

    /// What the model finds in as much of the text as fits into `context` tokens.
    async fn ask(&self, asker: &Asker<'_>, text: &str, context: usize) -> Result<Extraction, ProviderError> {
        let most = self.config.max_relations;
        let room = context.saturating_sub(OVERHEAD).max(context / 2);
        let question = Question {
            system: &prompt::extraction(most),
            user: &prompt::memory(beginning(text, room)),
            schema: &prompt::extraction_schema(),
            max_tokens: EXTRACTION_TOKENS,
        };
        let answer = asker.ask(&question).await?;
        Ok(Extraction::by_model(&answer, most))
    }

    async fn write(
        &self,
        asker: &Asker<'_>,
        read: &Read,
        text: &str,
        found: &Extraction,
    ) -> Result<Ended, HandlerError> {
        let mut names = Names::of(&found.entities);
        self.resolve(asker, read, text, &mut names).await?;
        let usage = asker.cost().chat.usage;
        let written = json!({
            "content_hash": read.content_hash,
            "prompt_version": self.version(),
            "model": self.config.identity,
            "create": self.config.creates,
            "entities": names.written(),
            "relations": found.relations(),
            "embedding_model": self.config.embedding.as_ref().map(|embedding| &embedding.identity),
            "dimensions": read.dimensions,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        });
        let vectors = self.vectors(read, &names);
        match self.memory.write(written, vectors.as_ref()).await? {
            true => Ok(Ended::Done),
            false => Ok(Ended::Changed),
        }
    }

    /// Finds out what the names mean: by the graph alone, then by their vectors, then by the model.
    async fn resolve(
        &self,
        asker: &Asker<'_>,
        read: &Read,
        text: &str,
        names: &mut Names<'_>,
    ) -> Result<(), HandlerError> {
        if names.all.is_empty() {
            return Ok(());
        }
        names.decide(self.memory.offers(names.written(), None).await?);
        if let (Some(embedding), Some(dimensions)) = (&self.config.embedding, read.dimensions)
            && self.config.creates
        {
            let open = names.open();
            let inputs: Vec<String> = open
                .iter()
                .map(|place| names.all[*place].named.name.clone())
                .collect();
            if !open.is_empty() {
                let vectors = asker
                    .embed(embedding, dimensions, &inputs)
                    .await
                    .map_err(|error| verdict::of_model(&error))?;
                names.embed(&open, vectors);
                let vectors = self.vectors(read, names);
                names.decide(self.memory.offers(names.written(), vectors.as_ref()).await?);
            }
        }
        if self.config.provider.can_chat() {
            self.choose(asker, text, names).await;
        }
        Ok(())
    }

    /// Asks the model what is unclear, all at once. Where it fails twice, nothing is merged, and the new entities are marked.
    async fn choose(&self, asker: &Asker<'_>, text: &str, names: &mut Names<'_>) {
        let unclear = names.unclear();
        if unclear.is_empty() {
            return;
        }
        let asked: Vec<(&Named, &[Candidate])> = unclear
            .iter()
            .map(|(place, candidates)| (names.all[*place].named, candidates.as_slice()))
            .collect();
        let question = Question {
            system: prompt::CHOICE,
            user: &prompt::choice(text, &asked),
            schema: &prompt::choice_schema(),
            max_tokens: CHOICE_TOKENS,
        };
        let mut answer = asker.ask(&question).await;
        if answer.as_ref().is_err_and(is_worth_another) {
            answer = asker.ask(&question).await;
        }
        let chosen = answer.as_ref().map(|answer| prompt::chosen(answer, &asked));
        match chosen {
            Ok(chosen) => unclear
                .iter()
                .zip(chosen)
                .for_each(|((place, _), id)| names.all[*place].choose(id)),
            Err(error) => {
                tracing::debug!(%error, "the model did not say which entities are meant; they are made, for review");
                unclear
                    .iter()
                    .for_each(|(place, _)| names.all[*place].needs_review = true);
            }
        }
    }

    fn vectors(&self, read: &Read, names: &Names<'_>) -> Option<Vectors<'_>> {
        let (embedding, dimensions) = (self.config.embedding.as_ref()?, read.dimensions?);
        let all = names.vectors.concat();
        (!all.is_empty()).then_some(Vectors {
            all,
            dimensions,
            model: &embedding.identity,
        })
    }
}

/// The names of a memory with what was found out about them.
struct Names<'a> {
    all: Vec<Name<'a>>,
    vectors: Vec<Vec<f32>>,
}

struct Name<'a> {
    named: &'a Named,
    decision: Decision,
    /// Its place among the vectors.
    vector: Option<usize>,
    needs_review: bool,
}

impl<'a> Names<'a> {
    fn of(entities: &'a [Named]) -> Self {
        let name = |named| Name {
            named,
            decision: Decision::New,
            vector: None,
            needs_review: false,
        };
        Self {
            all: entities.iter().map(name).collect(),
            vectors: Vec::new(),
        }
    }

    fn decide(&mut self, offers: Vec<super::resolution::Offer>) {
        for offer in offers {
            if let Some(name) = self.all.get_mut(offer.place) {
                name.decision = decide(name.named.kind, &offer);
            }
        }
    }

    /// Those that no entity was found for.
    fn open(&self) -> Vec<usize> {
        let is_open =
            |place: &usize| matches!(self.all[*place].decision, Decision::New | Decision::Unclear(_));
        (0..self.all.len()).filter(is_open).collect()
    }

    fn unclear(&self) -> Vec<(usize, Vec<Candidate>)> {
        let candidates = |(place, name): (usize, &Name<'_>)| match &name.decision {
            Decision::Unclear(candidates) => Some((place, candidates.clone())),
            _ => None,
        };
        self.all.iter().enumerate().filter_map(candidates).collect()
    }

    fn embed(&mut self, places: &[usize], vectors: Vec<Vec<f32>>) {
        for (vector, place) in places.iter().enumerate() {
            self.all[*place].vector = Some(vector);
        }
        self.vectors = vectors;
    }

    /// As the actions take them.
    fn written(&self) -> Value {
        self.all.iter().map(Name::written).collect()
    }
}

impl Name<'_> {
    fn choose(&mut self, id: Option<i64>) {
        self.decision = match id {
            Some(id) => Decision::Alike {
                id,
                source: "model",
                score: 1.0,
            },
            None => Decision::New,
        };
    }

    fn written(&self) -> Value {
        let (id, source, score) = match &self.decision {
            Decision::Known(id) => (Some(*id), "extracted", None),
            Decision::Alike { id, source, score } => (Some(*id), *source, Some(*score)),
            Decision::Unclear(_) | Decision::New => (None, "extracted", None),
        };
        json!({
            "name": self.named.name, "type": self.named.kind, "aliases": self.named.aliases, "id": id, "source": source, "score": score,
            "vector": self.vector, "needs_review": self.needs_review,
        })
    }
}

/// Of a question whose answer must be of a form. A model that declines, or has no room for its answer, will do the same again.
fn of_answer(error: &ProviderError) -> HandlerError {
    match error.class {
        Class::Truncated | Class::Refused => HandlerError::Permanent {
            message: format!("{}: {error}", error.class()),
            status: error.status,
        },
        _ => verdict::of_model(error),
    }
}

fn is_worth_another(error: &ProviderError) -> bool {
    matches!(
        error.class,
        Class::InvalidJson | Class::NotJson | Class::EmptyAnswer | Class::ServerError
    )
}

/// As much of the text as has so many tokens, about, cut between characters.
fn beginning(text: &str, tokens: usize) -> &str {
    let mut start = &text[..text.floor_char_boundary(tokens.saturating_mul(3))];
    while estimate_tokens(start) > tokens as u64 {
        start = &start[..start.floor_char_boundary(start.len() * 7 / 8)];
    }
    start
}
