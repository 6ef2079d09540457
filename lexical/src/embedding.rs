//! Owns the hashed embedding: which features a text has, what each weighs, and where it lands in the vector.
//! It must not change its result without a new [`EMBEDDING_VERSION`] and [`MODEL`].
//!
//! Only additions, multiplications, divisions and square roots are used, always in the order of the text, so that one
//! text gives the same bits on every machine.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::stems::stem_into;
use crate::words::{Word, fold, weight, words};

/// Changes whenever [`embed`] gives another vector for any text. Vectors of different versions cannot be compared.
pub const EMBEDDING_VERSION: u32 = 1;

/// The name under which vectors of [`embed`] are stored; it holds the version.
pub const MODEL: &str = "lexical-v1";

// The weights were chosen by recall on documentation: 1,500 first lines of Python docstrings against the rest of each,
// and 385 descriptions of Rust crates against their README files. Recall is flat around them; none is fine-tuned.

/// Weight of all pieces of a word together, where its stem weighs 1.
const PIECES: f32 = 1.4;
/// Weight of a word without a topic: enough for "to be or not to be" to be like itself.
const STOP_WORD: f32 = 0.05;
/// Weight of one character of a script without spaces, where two neighbours weigh 1.
const CHARACTER: f32 = 0.3;
/// Repetition counts less and less: n times count n·(S+1)/(n+S), which stays below S+1 (as in BM25).
const SATURATION: f32 = 3.0;
/// Cells that each feature is spread over. A collision of two features then touches only a part of each.
const BUCKETS: u64 = 2;
/// Words or features between two pauses: a millisecond or so.
const PAUSE: usize = 4096;
/// Pieces are taken from this many characters of a word, its two bounds counted.
const LONGEST_WORD: usize = 64;

/// A vector of length 1 for `text`: feature hashing with signs (Weinberger et al., "Feature Hashing for Large Scale
/// Multitask Learning", ICML 2009) of stems, of pieces of words (3 and 4 characters), and of neighbouring characters in
/// scripts without spaces. Case, accents and the order of words do not count.
///
/// The cosine of two such vectors says how many words and pieces of words the texts share. It knows no synonyms.
///
/// Always finite and of length 1, also for text without a word: then the symbols are the features, and blank text has a
/// fixed vector of its own. (The cosine with a vector of zeros would be NaN in pgvector.) Any number of dimensions
/// works, though below about 200 texts that share nothing begin to look alike; 0 dimensions give the empty vector.
pub fn embed(text: &str, dimensions: usize) -> Vec<f32> {
    embed_between(text, dimensions, || {})
}

/// The vector of [`embed`], with a call of `pause` after each few thousand words. It may unwind to give up.
pub fn embed_between(text: &str, dimensions: usize, mut pause: impl FnMut()) -> Vec<f32> {
    if dimensions == 0 {
        return Vec::new();
    }
    let folded = fold(text);
    let features = Features::of(&folded, &mut pause);
    let mut vector = Vector {
        cells: vec![0.0; dimensions],
    };
    let mut stem = String::new();
    for block in features.all.chunks(PAUSE) {
        pause();
        for feature in block {
            vector.add_feature(feature, &mut stem);
        }
    }
    vector.normalised(features.all.first().map_or(0, |feature| feature.hash))
}

/// A thing that is counted. The discriminants seed the hashes, so that a character and a word do not fall together.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Word = 1,
    Character = 2,
    Neighbours = 3,
    Stem = 4,
    Piece = 5,
}

struct Feature<'a> {
    kind: Kind,
    text: &'a str,
    hash: u64,
    times: f32,
}

/// The distinct features in order of their first occurrence.
#[derive(Default)]
struct Features<'a> {
    all: Vec<Feature<'a>>,
    places: HashMap<u64, usize, BuildHasherDefault<AlreadyHashed>>,
}

impl<'a> Features<'a> {
    fn of(folded: &'a str, pause: &mut impl FnMut()) -> Self {
        let mut features = Features::default();
        for (at, word) in words(folded).enumerate() {
            if at % PAUSE == 0 {
                pause();
            }
            if word.unspaced {
                features.count_characters(word);
            } else {
                features.count(Kind::Word, word.text);
            }
        }
        if features.all.is_empty() {
            features.count_symbols(folded);
        }
        features
    }

    fn count(&mut self, kind: Kind, text: &'a str) {
        let hash = hash(kind, text);
        let next = self.all.len();
        let place = *self.places.entry(hash).or_insert(next);
        match self.all.get_mut(place) {
            Some(feature) => feature.times += 1.0,
            None => self.all.push(Feature {
                kind,
                text,
                hash,
                times: 1.0,
            }),
        }
    }

    fn count_characters(&mut self, run: Word<'a>) {
        let mut before: Option<usize> = None;
        for (at, c) in run.text.char_indices() {
            let end = at + c.len_utf8();
            self.count(Kind::Character, &run.text[at..end]);
            if let Some(before) = before {
                self.count(Kind::Neighbours, &run.text[before..end]);
            }
            before = Some(at);
        }
    }

    fn count_symbols(&mut self, folded: &'a str) {
        for (at, c) in folded.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            self.count(Kind::Character, &folded[at..at + c.len_utf8()]);
        }
    }
}

struct Vector {
    cells: Vec<f32>,
}

impl Vector {
    fn add_feature(&mut self, feature: &Feature<'_>, stem: &mut String) {
        let saturated = feature.times * (SATURATION + 1.0) / (feature.times + SATURATION);
        match feature.kind {
            Kind::Word => {
                let weight = weight(feature.text);
                if weight == 0.0 {
                    self.add(feature.hash, saturated * STOP_WORD);
                } else {
                    stem_into(feature.text, stem);
                    self.add(hash(Kind::Stem, stem), saturated * weight);
                    self.add_pieces(feature.text, saturated * weight * PIECES);
                }
            }
            Kind::Character => self.add(feature.hash, saturated * CHARACTER),
            Kind::Neighbours | Kind::Stem | Kind::Piece => self.add(feature.hash, saturated),
        }
    }

    /// The runs of 3 and 4 characters of a word between its bounds; all of them together have the length `weight`.
    fn add_pieces(&mut self, word: &str, weight: f32) {
        let mut bounded = ['\u{2}'; LONGEST_WORD];
        let mut length = 1;
        for c in word.chars().take(LONGEST_WORD - 2) {
            bounded[length] = c;
            length += 1;
        }
        bounded[length] = '\u{3}';
        let bounded = &bounded[..=length];
        // At least 3 characters: a word has one.
        let pieces = 2 * bounded.len() - 5;
        let each = weight / (pieces as f32).sqrt();
        for start in 0..bounded.len() - 2 {
            let three = bounded[start..start + 3]
                .iter()
                .fold(seed(Kind::Piece), |hash, c| hash_step(hash, *c as u32));
            self.add(mix(three), each);
            if let Some(fourth) = bounded.get(start + 3) {
                self.add(mix(hash_step(three, *fourth as u32)), each);
            }
        }
    }

    fn add(&mut self, hash: u64, weight: f32) {
        for bucket in 1..=BUCKETS {
            let (cell, sign) = self.cell(hash, bucket);
            self.cells[cell] += sign * weight;
        }
    }

    /// The cell is taken from the upper half of the hash by multiplication (Lemire 2016), the sign from its lowest bit.
    fn cell(&self, hash: u64, bucket: u64) -> (usize, f32) {
        let hash = mix(hash.wrapping_add(bucket.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let cell = ((hash >> 32) * self.cells.len() as u64) >> 32;
        (cell as usize, if hash & 1 == 0 { 1.0 } else { -1.0 })
    }

    /// If nothing is left (blank text, or features that took each other away in few dimensions), one cell becomes ±1.
    fn normalised(mut self, first: u64) -> Vec<f32> {
        let length = self.cells.iter().map(|cell| cell * cell).sum::<f32>().sqrt();
        if length > 1e-4 {
            self.cells.iter_mut().for_each(|cell| *cell /= length);
        } else {
            let (cell, sign) = self.cell(first, 1);
            self.cells.fill(0.0);
            self.cells[cell] = sign;
        }
        self.cells
    }
}

/// 64-bit FNV-1a over the bytes, then mixed: FNV alone leaves the upper bits of short texts alike.
fn hash(kind: Kind, text: &str) -> u64 {
    mix(text
        .bytes()
        .fold(seed(kind), |hash, byte| hash_step(hash, u32::from(byte))))
}

fn seed(kind: Kind) -> u64 {
    hash_step(0xcbf2_9ce4_8422_2325, kind as u32)
}

fn hash_step(hash: u64, value: u32) -> u64 {
    (hash ^ u64::from(value)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The finaliser of MurmurHash3.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// The keys are hashes already.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes
            .iter()
            .fold(self.0, |hash, byte| hash_step(hash, u32::from(*byte)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
