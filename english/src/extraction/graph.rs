//! Owns the entities and relations found so far: one entity a name, one relation a fact. It must not read sentences.

use std::collections::{HashMap, HashSet};

use zerodb_hooks_lexical::words::fold;

use super::dates::Period;
use super::entities::{Entity, EntityType, Extraction, Limits, Relation};
use super::lexicon::{Class, is};
use super::names::Mention;

/// A statement before it is stored.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub source: usize,
    pub predicate: String,
    pub target: usize,
    /// The words between the names.
    pub phrase: String,
    pub confidence: f32,
    pub period: Period,
    pub sentence: (usize, usize),
}

#[derive(Default)]
pub(super) struct Graph {
    drafts: Vec<Draft>,
    by_name: HashMap<String, usize>,
    claims: Vec<Claim>,
    by_fact: HashMap<(usize, usize, String), usize>,
}

#[derive(Default)]
struct Draft {
    name: String,
    aliases: Vec<String>,
    span: (usize, usize),
    /// One count for each [`EntityType`].
    votes: [f32; 6],
    mentions: usize,
    solid: bool,
    related: bool,
}

impl Draft {
    fn entity_type(&self) -> EntityType {
        use EntityType::{Entity, Event, Location, Organization, Person, Product};
        let types = [Entity, Person, Organization, Location, Product, Event];
        // The first of equals wins: nothing said leaves it an entity.
        let best = types
            .into_iter()
            .rev()
            .max_by(|left, right| self.votes[*left as usize].total_cmp(&self.votes[*right as usize]));
        best.unwrap_or_default()
    }
}

impl Graph {
    /// The entity that a mention names.
    pub fn enter(&mut self, mention: &Mention, span: (usize, usize)) -> usize {
        let key = fold(&mention.name);
        let next = self.drafts.len();
        let id = *self.by_name.entry(key).or_insert(next);
        if id == next {
            self.drafts.push(Draft {
                name: mention.name.clone(),
                span,
                ..Draft::default()
            });
        }
        let draft = &mut self.drafts[id];
        draft.mentions += 1;
        draft.solid |= mention.solid;
        if let Some(cue) = mention.cue {
            draft.votes[cue as usize] += 3.0;
        }
        id
    }

    pub fn entity_type(&self, id: usize) -> EntityType {
        self.drafts[id].entity_type()
    }

    pub fn is_solid(&self, id: usize) -> bool {
        self.drafts[id].solid
    }

    /// The classes of the first word of a name: a first name has a gender.
    pub fn first_name_is(&self, id: usize, classes: Class) -> bool {
        self.drafts[id]
            .name
            .split(' ')
            .next()
            .is_some_and(|first| is(&fold(first), classes))
    }

    /// Counts the type that a place in a sentence shows.
    pub fn vote(&mut self, id: usize, cue: EntityType) {
        if cue != EntityType::Entity {
            self.drafts[id].votes[cue as usize] += 1.0;
        }
    }

    /// A person's verb stands after it: it is a name, even if nothing is related.
    pub fn confirm(&mut self, id: usize) {
        self.drafts[id].solid = true;
    }

    /// Another name of the same entity, which the text states.
    pub fn alias(&mut self, id: usize, other: usize) {
        if id != other {
            self.merge(other, id);
        }
    }

    pub fn claim(&mut self, claim: Claim) {
        if claim.source == claim.target || !is_predicate(&claim.predicate) {
            return;
        }
        self.drafts[claim.source].related = true;
        self.drafts[claim.target].related = true;
        let key = (claim.source, claim.target, claim.predicate.clone());
        match self.by_fact.get(&key) {
            Some(known) => {
                let known = &mut self.claims[*known];
                known.confidence = known.confidence.max(claim.confidence);
                known.period.from = known.period.from.take().or(claim.period.from);
                known.period.until = known.period.until.take().or(claim.period.until);
            }
            None => {
                self.by_fact.insert(key, self.claims.len());
                self.claims.push(claim);
            }
        }
    }

    /// Makes `from` a form of `into`. The empty draft stays, so that no id changes.
    fn merge(&mut self, from: usize, into: usize) {
        let gone = std::mem::take(&mut self.drafts[from]);
        let kept = &mut self.drafts[into];
        let (longer, shorter) = if gone.name.chars().count() > kept.name.chars().count() {
            (gone.name, kept.name.clone())
        } else {
            (kept.name.clone(), gone.name)
        };
        kept.name = longer;
        for alias in gone.aliases.into_iter().chain([shorter]) {
            if alias != kept.name && !alias.is_empty() && !kept.aliases.contains(&alias) {
                kept.aliases.push(alias);
            }
        }
        kept.span = kept.span.min(gone.span);
        kept.mentions += gone.mentions;
        kept.solid |= gone.solid;
        kept.related |= gone.related;
        kept.votes
            .iter_mut()
            .zip(gone.votes)
            .for_each(|(kept, gone)| *kept += gone);
        self.by_name
            .values_mut()
            .filter(|id| **id == from)
            .for_each(|id| *id = into);
        for claim in &mut self.claims {
            claim.source = if claim.source == from { into } else { claim.source };
            claim.target = if claim.target == from { into } else { claim.target };
        }
    }

    pub fn finish(mut self, limits: &Limits) -> Extraction {
        self.merge_short_forms();
        let mut claims = std::mem::take(&mut self.claims);
        let mut seen = HashSet::new();
        // Merging may have made two facts one, or a fact about one entity.
        claims.retain(|claim| {
            claim.source != claim.target && seen.insert((claim.source, claim.target, claim.predicate.clone()))
        });
        keep_best(&mut claims, limits.max_relations);
        let kept = self.kept_entities(&claims, limits.max_entities);
        let index: HashMap<usize, usize> = kept.iter().enumerate().map(|(index, id)| (*id, index)).collect();
        let relations = claims
            .iter()
            .filter_map(|claim| self.relation(claim, &index))
            .collect();
        let entities = kept.iter().map(|id| {
            let draft = &self.drafts[*id];
            Entity {
                name: draft.name.clone(),
                entity_type: draft.entity_type(),
                aliases: draft.aliases.clone(),
                span: draft.span,
            }
        });
        Extraction {
            entities: entities.collect(),
            relations,
        }
    }

    fn relation(&self, claim: &Claim, index: &HashMap<usize, usize>) -> Option<Relation> {
        let (source, target) = (*index.get(&claim.source)?, *index.get(&claim.target)?);
        let name = |id: usize| &self.drafts[id].name;
        Some(Relation {
            source,
            predicate: claim.predicate.clone(),
            target,
            fact: format!("{} {} {}", name(claim.source), claim.phrase, name(claim.target)),
            confidence: (claim.confidence * 100.0).round() / 100.0,
            valid_at: claim.period.from.clone(),
            invalid_at: claim.period.until.clone(),
            sentence: claim.sentence,
        })
    }

    /// The ids of the entities to keep, in the order in which they are first named: those in relations first, the
    /// surest relations first, then the others by place.
    fn kept_entities(&self, claims: &[Claim], max: usize) -> Vec<usize> {
        let mut by_confidence: Vec<&Claim> = claims.iter().collect();
        by_confidence.sort_by(|left, right| right.confidence.total_cmp(&left.confidence));
        let named =
            |draft: &Draft| !draft.name.is_empty() && (draft.solid || draft.related || draft.mentions > 1);
        let others = (0..self.drafts.len()).filter(|id| named(&self.drafts[*id]));
        let wanted = by_confidence
            .iter()
            .flat_map(|claim| [claim.source, claim.target])
            .chain(others);
        let mut seen = HashSet::new();
        let mut kept: Vec<usize> = wanted.filter(|id| seen.insert(*id)).take(max).collect();
        kept.sort_by_key(|id| self.drafts[*id].span);
        kept
    }

    /// "Alice" is "Alice Smith" and "Acme" is "Acme Inc", where there is one such name only.
    fn merge_short_forms(&mut self) {
        let mut by_end: HashMap<String, Vec<usize>> = HashMap::new();
        for (id, draft) in self.drafts.iter().enumerate() {
            let name = fold(&draft.name);
            if let (Some((first, _)), Some((_, last))) = (name.split_once([' ', ',']), name.rsplit_once(' '))
            {
                by_end.entry(first.to_owned()).or_default().push(id);
                by_end.entry(last.to_owned()).or_default().push(id);
            }
        }
        for short in 0..self.drafts.len() {
            let Some(long) = by_end.get(&fold(&self.drafts[short].name)) else {
                continue;
            };
            let mut matching = long.iter().filter(|long| self.is_short_form(short, **long));
            if let (Some(long), None) = (matching.next(), matching.next()) {
                self.merge(short, *long);
            }
        }
    }

    /// Whether the one word of `short`, with which the name of `long` begins or ends, is its short form.
    fn is_short_form(&self, short: usize, long: usize) -> bool {
        let (word, name) = (fold(&self.drafts[short].name), fold(&self.drafts[long].name));
        let legal = |rest: &str| {
            rest.split([' ', ','])
                .all(|word| word.is_empty() || is(word.trim_end_matches('.'), Class::LEGAL))
        };
        let company = name.strip_prefix(&word).is_some_and(legal);
        let unlike = matches!(
            self.entity_type(short),
            EntityType::Organization | EntityType::Location | EntityType::Product
        );
        let person = self.entity_type(long) == EntityType::Person && !unlike && name.split(' ').count() <= 4;
        short != long && (company || person)
    }
}

/// Leaves at most `max`, the surest, in their order.
fn keep_best(claims: &mut Vec<Claim>, max: usize) {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by(|left, right| {
        claims[*right]
            .confidence
            .total_cmp(&claims[*left].confidence)
            .then(left.cmp(right))
    });
    order.truncate(max);
    order.sort_unstable();
    *claims = order.into_iter().map(|place| claims[place].clone()).collect();
}

/// `^[A-Z][A-Z0-9_]{0,63}$`
fn is_predicate(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
