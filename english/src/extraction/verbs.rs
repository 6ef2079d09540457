//! Owns the verbs that relations are made of: their forms, and what their subjects, objects and prepositions lead to.
//! It must not look at sentences.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::entities::EntityType;
use super::verb_table::{ADJECTIVAL, Adjectival, LINES};

/// A verb that is known.
#[derive(Debug)]
pub(super) struct Verb {
    pub lemma: &'static str,
    /// A state is said in the present ("works at" gives `WORKS_AT`, "worked at" gives `WORKED_AT`), an event always in
    /// the past (`MOVED_TO`).
    pub state: bool,
    /// Further prepositions after an object or another preposition belong to the verb: "works with Bob in Berlin".
    pub adjuncts: bool,
    /// Subject and object were where it happened: "met Bob in Berlin".
    pub together: bool,
    /// It ends with its work: "is written by Alice" says that she wrote it.
    pub makes: bool,
    pub subject: EntityType,
    /// The type of its object, if it can have one.
    pub object: Option<EntityType>,
    prepositions: Vec<(&'static str, EntityType)>,
    /// Third person: "works".
    pub present: String,
    pub past: String,
}

impl Verb {
    /// The type of an entity after this preposition, if the preposition belongs to the verb.
    pub fn after(&self, preposition: &str) -> Option<EntityType> {
        self.prepositions
            .iter()
            .find(|(known, _)| *known == preposition)
            .map(|(_, cue)| *cue)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Base,
    /// "works"
    Present,
    /// "wrote"; of most verbs also the participle
    Past,
    /// "written", where it is not the past
    Participle,
    /// "working"
    Gerund,
}

/// The known verb of which a folded word is a form.
pub(super) fn lookup(word: &str) -> Option<(&'static Verb, Form)> {
    FORMS.get(word).copied().map(|(verb, form)| (&VERBS[verb], form))
}

/// Whether a form can stand after "is" or "was" as a passive.
pub(super) fn is_participle(form: Form) -> bool {
    matches!(form, Form::Past | Form::Participle)
}

/// "is located in", "was born in": what a participle says with its preposition.
pub(super) fn adjectival(participle: &str, preposition: &str) -> Option<&'static Adjectival> {
    let rows = BY_PARTICIPLE.get(participle)?;
    rows.iter().copied().find(|row| row.preposition == preposition)
}

/// Whether a folded word is a participle of [`adjectival`].
pub(super) fn is_adjectival(participle: &str) -> bool {
    BY_PARTICIPLE.contains_key(participle)
}

static BY_PARTICIPLE: LazyLock<HashMap<&str, Vec<&Adjectival>>> = LazyLock::new(|| {
    let mut rows: HashMap<&str, Vec<&Adjectival>> = HashMap::new();
    for row in ADJECTIVAL {
        row.participles
            .split(' ')
            .for_each(|participle| rows.entry(participle).or_default().push(row));
    }
    rows
});

static FORMS: LazyLock<HashMap<String, (usize, Form)>> = LazyLock::new(|| {
    let mut forms = HashMap::new();
    for (number, line) in LINES.iter().enumerate() {
        let Some((lemma, past, participle)) = principal_parts(line) else {
            continue;
        };
        add_forms(&mut forms, number, lemma, &past, &participle);
        for synonym in line.split_whitespace().filter_map(|word| word.strip_prefix('=')) {
            let past = regular_past(synonym);
            add_forms(&mut forms, number, synonym, &past, &past);
        }
    }
    // The past of "find" is far more frequent than the plural of "found".
    forms.remove("found");
    forms
});

fn add_forms(
    forms: &mut HashMap<String, (usize, Form)>,
    number: usize,
    lemma: &str,
    past: &str,
    participle: &str,
) {
    // If two forms are one word, the later entry here counts.
    for (word, form) in [
        (gerund(lemma), Form::Gerund),
        (participle.to_owned(), Form::Participle),
        (lemma.to_owned(), Form::Base),
        (past.to_owned(), Form::Past),
        (third_person(lemma), Form::Present),
    ] {
        forms.insert(word, (number, form));
    }
}

static VERBS: LazyLock<Vec<Verb>> = LazyLock::new(|| LINES.iter().filter_map(|line| parse(line)).collect());

/// Lemma, past and participle of a line.
fn principal_parts(line: &'static str) -> Option<(&'static str, String, String)> {
    let mut parts = line.split_whitespace().next()?.split(',');
    let lemma = parts.next()?;
    let past = parts.next().map_or_else(|| regular_past(lemma), str::to_owned);
    let participle = parts.next().map_or_else(|| past.clone(), str::to_owned);
    Some((lemma, past, participle))
}

fn parse(line: &'static str) -> Option<Verb> {
    let (lemma, past, _) = principal_parts(line)?;
    let mut words = line.split_whitespace().skip(1);
    let flags = words.next()?;
    let subject = cue(words.next()?)?;
    let object = cue(words.next()?);
    let prepositions = words.filter_map(|word| {
        let (preposition, code) = word.split_once(':')?;
        Some((preposition, cue(code)?))
    });
    Some(Verb {
        lemma,
        state: flags.contains('s'),
        adjuncts: flags.contains('+'),
        together: flags.contains('&'),
        makes: flags.contains('*'),
        subject,
        object,
        prepositions: prepositions.collect(),
        present: third_person(lemma),
        past,
    })
}

fn cue(code: &str) -> Option<EntityType> {
    Some(match code {
        "p" => EntityType::Person,
        "o" => EntityType::Organization,
        "l" => EntityType::Location,
        "r" => EntityType::Product,
        "e" => EntityType::Event,
        "x" => EntityType::Entity,
        _ => return None,
    })
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u')
}

/// "carry" loses its y, "play" does not.
fn consonant_y(lemma: &str) -> Option<&str> {
    let rest = lemma.strip_suffix('y')?;
    (!is_vowel(*rest.as_bytes().last()?)).then_some(rest)
}

pub(super) fn third_person(lemma: &str) -> String {
    if let Some(rest) = consonant_y(lemma) {
        return format!("{rest}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh", "o"]
        .iter()
        .any(|ending| lemma.ends_with(ending));
    format!("{lemma}{}", if hisses { "es" } else { "s" })
}

fn regular_past(lemma: &str) -> String {
    if let Some(rest) = consonant_y(lemma) {
        return format!("{rest}ied");
    }
    format!("{lemma}{}", if lemma.ends_with('e') { "d" } else { "ed" })
}

/// Verbs that double their last letter are in the table with their past; their gerund doubles it too.
fn gerund(lemma: &str) -> String {
    match lemma {
        "run" | "quit" | "win" | "chat" | "plan" => format!("{lemma}{}ing", &lemma[lemma.len() - 1..]),
        _ => match lemma.strip_suffix('e') {
            Some(rest) if !lemma.ends_with("ee") => format!("{rest}ing"),
            _ => format!("{lemma}ing"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_known() {
        let forms = "works work Present, working work Gerund, worked work Past, wrote write Past, written write \
            Participle, \
            writing write Gerund, studies study Present, studied study Past, married marry Past, founded found Past, \
            co-founded found Past, resides live Present, running run Gerund, met meet Past, overseeing oversee Gerund";
        for line in forms.split(", ") {
            let [word, lemma, expected] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let (verb, form) = lookup(word).unwrap_or_else(|| panic!("{word} is unknown"));
            assert_eq!(
                (verb.lemma, format!("{form:?}").as_str()),
                (lemma, expected),
                "{word}"
            );
        }
        assert!(lookup("found").is_none());
    }

    #[test]
    fn every_line_is_a_verb() {
        assert_eq!(
            VERBS.len(),
            LINES.len(),
            "a line that does not parse shifts all after it"
        );
    }

    #[test]
    fn participles_with_their_prepositions() {
        assert_eq!(
            adjectival("based", "in").map(|row| row.predicate),
            Some("LOCATED_IN")
        );
        assert!(adjectival("based", "with").is_none());
    }
}
