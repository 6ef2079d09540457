//! Owns the extractive summary: which sentences a summary takes, and how they are joined. It writes no sentence of its
//! own.

use zerodb_hooks_lexical::stops::full_stop;
use zerodb_hooks_lexical::words::fold;

use crate::cutting::{cut_with_ellipsis, fits, single_spaced};
use crate::ranking::SimilarityGraph;
use crate::sentences::{Sentence, detailed};

/// At most this many sentences are ranked. Of a longer text they are its first quarter of that number, and the others
/// evenly from the rest.
pub const MAX_SENTENCES: usize = 4_000;
/// A sentence whose cosine with one already taken is above this says it again.
const REPETITION: f32 = 0.6;
/// A sentence that is worth less than this part of the average rank is taken only while half of the room is empty.
const LEAST_WORTH: f32 = 0.7;
/// Sentences with fewer words ("Yes.", "See below.") are taken only where there are no others.
const FEWEST_WORDS: usize = 4;

/// The sentences of `text` that best stand for it, by TextRank, in their order in the text: at most `max_length`
/// Unicode scalar values, always. Text that fits whole is returned whole, with single spaces for its whitespace.
///
/// The summary ends with a sentence. Where not even one sentence fits, the best is cut at a clause or a word and ends
/// with `…`. A text of headings and items only gives those, each with a full stop. Text without a sentence (code, a
/// table) is cut at its beginning. Not empty unless `text` is blank or `max_length` is 0. Takes time linear in the
/// text.
pub fn summarize(text: &str, max_length: usize) -> String {
    if let Some(whole) = single_spaced(text, max_length) {
        return whole;
    }
    let candidates = candidates(text);
    if candidates.is_empty() {
        return cut_with_ellipsis(text, max_length);
    }
    let graph = SimilarityGraph::of(candidates.iter().map(|sentence| sentence.text));
    let ranks = graph.ranks();
    let worths: Vec<f32> = candidates
        .iter()
        .zip(ranks)
        .map(|(sentence, rank)| rank * standing(sentence.text, max_length))
        .collect();
    let mut by_worth: Vec<usize> = (0..candidates.len()).collect();
    by_worth.sort_by(|left, right| worths[*right].total_cmp(&worths[*left]).then(left.cmp(right)));
    let best = by_worth[0];
    let least = LEAST_WORTH / candidates.len() as f32;
    let worthy = by_worth
        .iter()
        .take_while(|place| worths[**place] >= least)
        .count();
    let chosen = choose(&candidates, &graph, by_worth.split_at(worthy), max_length);
    if chosen.is_empty() {
        cut_with_ellipsis(candidates[best].text, max_length)
    } else {
        join(chosen)
    }
}

/// The factor of a sentence's rank: less where it would take more than half of the summary, and where it begins with a
/// word that points to the sentence before it.
fn standing(sentence: &str, max_length: usize) -> f32 {
    const POINTING: &str =
        "he she it its they their his her this these those that such but and so however therefore thus";
    let first = fold(
        sentence
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default(),
    );
    let pointing = POINTING.split(' ').any(|word| word == first);
    let (half, length) = (max_length as f32 / 2.0, sentence.chars().count() as f32);
    (half / length).min(1.0) * if pointing { 0.7 } else { 1.0 }
}

/// The sentences to choose from: real ones if there are any, else short ones, else headings and items.
fn candidates(text: &str) -> Vec<Sentence<'_>> {
    let kinds: [fn(&Sentence<'_>) -> bool; 3] = [
        |sentence| is_full(sentence),
        |sentence| sentence.complete,
        |sentence| !sentence.heading,
    ];
    kinds
        .into_iter()
        .map(|kind| sample(text, kind))
        .find(|found| !found.is_empty())
        .unwrap_or_else(|| sample(text, |_| true))
}

fn is_full(sentence: &Sentence<'_>) -> bool {
    let long_enough = || {
        let spaced = sentence.text.split_whitespace().nth(FEWEST_WORDS - 1).is_some();
        // Scripts without spaces: two characters are about a word.
        spaced
            || !sentence.text.is_ascii()
                && sentence
                    .text
                    .chars()
                    .filter(|c| *c as u32 > 0x0e00)
                    .nth(2 * FEWEST_WORDS - 1)
                    .is_some()
    };
    sentence.complete && !sentence.heading && long_enough()
}

fn sample(text: &str, kind: fn(&Sentence<'_>) -> bool) -> Vec<Sentence<'_>> {
    let all = detailed(text).filter(kind).count();
    let lead = MAX_SENTENCES / 4;
    let step = all.saturating_sub(lead).div_ceil(MAX_SENTENCES - lead).max(1);
    let taken = detailed(text).filter(kind).enumerate();
    taken
        .filter(|(place, _)| *place < lead || (place - lead).is_multiple_of(step))
        .map(|(_, sentence)| sentence)
        .collect()
}

/// Takes sentences in the order given while they fit and say something new; of the second list only while half of the
/// room is empty. Returns them in the order of the text.
fn choose(
    candidates: &[Sentence<'_>],
    graph: &SimilarityGraph,
    (worthy, others): (&[usize], &[usize]),
    max_length: usize,
) -> Vec<String> {
    let mut room = max_length;
    let mut taken: Vec<(usize, String)> = Vec::new();
    for (number, place) in worthy.iter().chain(others).enumerate() {
        if number >= worthy.len() && room < max_length / 2 {
            break;
        }
        let separator = usize::from(!taken.is_empty());
        let fitting = |room| as_sentence(&candidates[*place], room);
        let Some(sentence) = room.checked_sub(separator).and_then(fitting) else {
            continue;
        };
        if taken
            .iter()
            .any(|(other, _)| graph.similarity(*place, *other) > REPETITION)
        {
            continue;
        }
        room -= separator + sentence.chars().count();
        taken.push((*place, sentence));
    }
    taken.sort_unstable_by_key(|(place, _)| *place);
    taken.into_iter().map(|(_, sentence)| sentence).collect()
}

/// The sentence with single spaces and with a stop at its end, if that has at most `room` characters.
fn as_sentence(sentence: &Sentence<'_>, room: usize) -> Option<String> {
    let mut spaced = single_spaced(sentence.text, room)?;
    if !sentence.complete {
        spaced.truncate(spaced.trim_end_matches([',', ';', ':']).len());
        spaced.extend(full_stop(&spaced));
    }
    fits(&spaced, room).then_some(spaced)
}

/// With spaces between, but for the scripts that write none.
fn join(sentences: Vec<String>) -> String {
    let mut joined = String::new();
    for sentence in sentences {
        if joined
            .chars()
            .next_back()
            .is_some_and(|last| last.is_ascii() || !is_wide(last))
        {
            joined.push(' ');
        }
        joined.push_str(&sentence);
    }
    joined
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff65}')
}
