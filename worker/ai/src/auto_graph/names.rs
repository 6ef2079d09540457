//! The names of one memory with the decisions about them. Pure.

use serde_json::{Value, json};

use super::extraction::Named;
use super::resolution::{Candidate, Decision, Offer, decide};

pub struct Names<'a> {
    all: Vec<Name<'a>>,
    vectors: Vec<Vec<f32>>,
}

struct Name<'a> {
    named: &'a Named,
    decision: Decision,
    /// The index of its vector.
    vector: Option<usize>,
    needs_review: bool,
}

/// A name that a model has to decide about.
pub struct UnclearName<'a> {
    index: usize,
    pub named: &'a Named,
    pub candidates: Vec<Candidate>,
}

impl<'a> Names<'a> {
    pub fn of(entities: &'a [Named]) -> Self {
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

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn decide(&mut self, offers: Vec<Offer>) {
        for offer in offers {
            if let Some(name) = self.all.get_mut(offer.place) {
                name.decision = decide(name.named.kind, &offer);
            }
        }
    }

    /// The names for which no entity was found, by index.
    pub fn open(&self) -> Vec<usize> {
        let is_open =
            |index: &usize| matches!(self.all[*index].decision, Decision::New | Decision::Unclear(_));
        (0..self.all.len()).filter(is_open).collect()
    }

    /// The texts of the names at these indexes.
    pub fn texts(&self, indexes: &[usize]) -> Vec<String> {
        indexes
            .iter()
            .map(|index| self.all[*index].named.name.clone())
            .collect()
    }

    /// Sets the vectors of the names at these indexes.
    pub fn embed(&mut self, indexes: &[usize], vectors: Vec<Vec<f32>>) {
        for (vector, index) in indexes.iter().enumerate() {
            self.all[*index].vector = Some(vector);
        }
        self.vectors = vectors;
    }

    /// All vectors, one after another.
    pub fn vectors(&self) -> Vec<f32> {
        self.vectors.concat()
    }

    pub fn unclear(&self) -> Vec<UnclearName<'a>> {
        let unclear = |(index, name): (usize, &Name<'a>)| match &name.decision {
            Decision::Unclear(candidates) => Some(UnclearName {
                index,
                named: name.named,
                candidates: candidates.clone(),
            }),
            _ => None,
        };
        self.all.iter().enumerate().filter_map(unclear).collect()
    }

    /// Decides for an unclear name: the entity of this id, or a new one.
    pub fn choose(&mut self, unclear: &UnclearName<'_>, id: Option<i64>) {
        self.all[unclear.index].decision = match id {
            Some(id) => Decision::Alike {
                id,
                source: "model",
                score: 1.0,
            },
            None => Decision::New,
        };
    }

    /// Makes a new entity of an unclear name, which somebody has to look at.
    pub fn mark_for_review(&mut self, unclear: &UnclearName<'_>) {
        self.all[unclear.index].needs_review = true;
    }

    /// The names in the form that the actions take.
    pub fn written(&self) -> Value {
        self.all.iter().map(Name::written).collect()
    }
}

impl Name<'_> {
    fn written(&self) -> Value {
        let (id, source, score) = match &self.decision {
            Decision::Known(id) => (Some(*id), "extracted", None),
            Decision::Alike { id, source, score } => (Some(*id), *source, Some(*score)),
            Decision::Unclear(_) | Decision::New => (None, "extracted", None),
        };
        json!({
            "name": self.named.name,
            "type": self.named.kind,
            "aliases": self.named.aliases,
            "id": id,
            "source": source,
            "score": score,
            "vector": self.vector,
            "needs_review": self.needs_review,
        })
    }
}
