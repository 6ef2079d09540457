//! Owns whom a pronoun means: the last subject that it fits, in this sentence or the one before. It must not look
//! further back, and gives nothing where two fit.

use super::entities::EntityType;
use super::graph::Graph;
use super::lexicon::Class;

/// The subjects and names of the sentence before and of this one.
#[derive(Default)]
pub(super) struct Context {
    before: Referents,
    now: Referents,
}

#[derive(Default)]
struct Referents {
    /// In order, each with where its clause starts.
    subjects: Vec<(usize, Vec<usize>)>,
    names: Vec<usize>,
}

/// "he", "her", "its": subjects, objects and possessives are alike here.
pub(super) fn is_pronoun(word: &str) -> bool {
    matches!(
        word,
        "he" | "him" | "his" | "she" | "her" | "it" | "its" | "they" | "them" | "their"
    )
}

impl Context {
    pub fn begin_sentence(&mut self, names: Vec<usize>) {
        self.before = std::mem::take(&mut self.now);
        self.now.names = names;
    }

    pub fn subject(&mut self, place: usize, ids: &[usize]) {
        self.now.subjects.push((place, ids.to_vec()));
    }

    /// Whom a pronoun at a place of this sentence means. Never the subjects of its own clause.
    pub fn resolve(&self, pronoun: &str, place: usize, own: &[usize], graph: &Graph) -> Option<Vec<usize>> {
        let here = self
            .now
            .subjects
            .iter()
            .rev()
            .filter(|(start, _)| *start < place)
            .map(|(_, ids)| ids);
        let there = self.before.subjects.iter().rev().map(|(_, ids)| ids);
        let mut candidates = here
            .chain(there)
            .filter(|ids| !ids.iter().any(|id| own.contains(id)));
        if matches!(pronoun, "they" | "them" | "their") {
            return candidates.find(|ids| ids.len() > 1).cloned();
        }
        let fits = |id: &usize| fits(pronoun, *id, graph) != Fit::No;
        let last = candidates
            .map(|ids| ids.iter().copied().filter(fits).collect::<Vec<_>>())
            .find(|ids| !ids.is_empty());
        let sure = |id: &usize| fits_for_sure(pronoun, *id, graph) && !own.contains(id);
        let others: Vec<usize> = self.before.names.iter().copied().filter(sure).collect();
        match last {
            // One that surely fits is meant rather than a subject that perhaps does.
            Some(ids) if ids.len() == 1 && (fits_for_sure(pronoun, ids[0], graph) || others.is_empty()) => {
                Some(ids)
            }
            _ if others.len() == 1 => Some(others),
            _ => None,
        }
    }
}

#[derive(PartialEq)]
enum Fit {
    Sure,
    Perhaps,
    No,
}

fn fits_for_sure(pronoun: &str, id: usize, graph: &Graph) -> bool {
    fits(pronoun, id, graph) == Fit::Sure
}

fn fits(pronoun: &str, id: usize, graph: &Graph) -> Fit {
    let entity_type = graph.entity_type(id);
    if matches!(pronoun, "it" | "its") {
        return match entity_type {
            EntityType::Person => Fit::No,
            EntityType::Entity => Fit::Perhaps,
            _ => Fit::Sure,
        };
    }
    let (own, other) = if matches!(pronoun, "she" | "her") {
        (Class::FEMALE, Class::MALE)
    } else {
        (Class::MALE, Class::FEMALE)
    };
    match entity_type {
        EntityType::Person | EntityType::Entity if graph.first_name_is(id, own) => Fit::Sure,
        EntityType::Person | EntityType::Entity if !graph.first_name_is(id, other) => Fit::Perhaps,
        _ => Fit::No,
    }
}
