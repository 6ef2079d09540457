//! A vector for a text, computed from its words: the sum of one random sign vector for each word, normalised. Texts
//! that share words are near, texts that share none are nearly orthogonal. The first dimensions of a longer vector
//! have the direction of the shorter one.

/// The signs of eight dimensions for each byte.
const SIGNS: [[i16; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte][bit] = if byte >> bit & 1 == 1 { 1 } else { -1 };
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// The unit vector of a text; the same in every process. A word is a run of letters and digits, without regard to case.
pub fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let mut sums = vec![0_i16; dimensions.next_multiple_of(64)];
    for word in text.split(|letter: char| !letter.is_alphanumeric()) {
        if !word.is_empty() {
            add(&mut sums, hash(word));
        }
    }
    sums.truncate(dimensions);
    if sums.iter().all(|sum| *sum == 0) {
        sums = vec![0; dimensions.next_multiple_of(64)];
        add(&mut sums, hash_exactly(text));
        sums.truncate(dimensions);
    }
    let square: f32 = sums.iter().map(|sum| f32::from(*sum) * f32::from(*sum)).sum();
    let scale = square.sqrt().recip();
    sums.iter().map(|sum| f32::from(*sum) * scale).collect()
}

fn add(sums: &mut [i16], word: u64) {
    let mut state = word;
    for block in sums.chunks_exact_mut(64) {
        let bytes = next(&mut state).to_le_bytes();
        for (eight, byte) in block.chunks_exact_mut(8).zip(bytes) {
            for (sum, sign) in eight.iter_mut().zip(SIGNS[usize::from(byte)]) {
                *sum = sum.wrapping_add(sign);
            }
        }
    }
}

/// FNV-1a of the lower-case letters.
fn hash(word: &str) -> u64 {
    let fold = |hash: u64, letter: char| (hash ^ u64::from(letter)).wrapping_mul(0x0100_0000_01b3);
    word.chars()
        .flat_map(char::to_lowercase)
        .fold(0xcbf2_9ce4_8422_2325, fold)
}

fn hash_exactly(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(1, fold)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *state;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(one: &str, other: &str) -> f32 {
        let (one, other) = (vector(one, 1024), vector(other, 1024));
        one.iter().zip(&other).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn texts_are_as_near_as_they_share_words() {
        let text = "Alice founded a bakery in Berlin";
        assert!((cosine(text, text) - 1.0).abs() < 1e-5);
        assert!((cosine(text, "berlin: ALICE, a bakery founded in!") - 1.0).abs() < 1e-5);
        assert!(cosine(text, "Bob founded a bakery in Rome") > 0.4);
        assert!(cosine(text, "The committee postponed its decision").abs() < 0.2);
    }

    #[test]
    fn a_text_without_words_has_a_vector_of_length_one() {
        for text in ["", "…", "!!"] {
            let length: f32 = vector(text, 1000).iter().map(|value| value * value).sum();
            assert!((length - 1.0).abs() < 1e-5, "{text:?}: {length}");
        }
    }
}
