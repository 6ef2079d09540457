//! From a text to its tokens, as the model was trained. It must not pad: packs have no holes.

use std::path::Path;

use tokenizers::{Encoding, PostProcessor, Tokenizer, TruncationDirection};

use crate::error::ModelError;

/// Bytes of a text that are looked at for each token that is wanted, before more of it are. Words of common languages
/// have 3 to 6 a token.
const BYTES_A_TOKEN: usize = 16;
/// So many tokens behind the wanted ones must be there too, for the cut not to have changed the wanted ones.
const MARGIN: usize = 32;

/// The model's tokenizer.
pub struct Tokens {
    tokenizer: Tokenizer,
    /// Tokens of a text, without the special ones.
    limit: usize,
    /// Tokens that every text has around it.
    special: usize,
    lower_case: bool,
}

impl Tokens {
    /// Reads `tokenizer.json`. Its own padding and truncation are set aside: `max_tokens` counts.
    pub fn read(path: &Path, max_tokens: usize, lower_case: bool) -> Result<Self, ModelError> {
        let bad = |reason: String| ModelError::BadTokenizer {
            path: path.to_owned(),
            reason,
        };
        if !path.exists() {
            return Err(ModelError::MissingFile {
                path: path.to_owned(),
                advice: "save it with transformers: AutoTokenizer.from_pretrained(directory).save_pretrained(directory\
                    )",
            });
        }
        let mut tokenizer = Tokenizer::from_file(path).map_err(|error| bad(error.to_string()))?;
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| bad(error.to_string()))?;
        let special = tokenizer
            .get_post_processor()
            .map_or(0, |processor| processor.added_tokens(false));
        match max_tokens.checked_sub(special) {
            None | Some(0) => Err(bad(format!(
                "{max_tokens} tokens are no more than its {special} special ones"
            ))),
            Some(limit) => Ok(Self {
                tokenizer,
                limit,
                special,
                lower_case,
            }),
        }
    }

    /// The largest token number that the tokenizer can return.
    pub fn largest(&self) -> Option<u32> {
        self.tokenizer.get_vocab(true).into_values().max()
    }

    /// The tokens of the whole text, with the special ones.
    pub fn count(&self, text: &str) -> Result<usize, ModelError> {
        Ok(self.split(text)?.len() + self.special)
    }

    /// The tokens of a text, cut at the model's length, with the special ones. A long text is read only as far as
    /// it is needed, so that the cost of a text has a bound; the tokens are those of the whole text.
    pub fn sequence(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let mut bytes = self.limit.saturating_mul(BYTES_A_TOKEN);
        loop {
            let start = beginning(text, bytes);
            let mut encoding = self.split(start)?;
            if start.len() == text.len() || encoding.len() >= self.limit + MARGIN {
                encoding.truncate(self.limit, 0, TruncationDirection::Right);
                let encoding = self
                    .tokenizer
                    .post_process(encoding, None, true)
                    .map_err(refused)?;
                return Ok(encoding.get_ids().to_vec());
            }
            bytes = bytes.saturating_mul(4);
        }
    }

    fn split(&self, text: &str) -> Result<Encoding, ModelError> {
        match self.lower_case {
            true => self.tokenizer.encode_fast(text.to_lowercase(), false),
            false => self.tokenizer.encode_fast(text, false),
        }
        .map_err(refused)
    }
}

/// The caller knows which text it was.
fn refused(error: tokenizers::Error) -> ModelError {
    ModelError::BadText {
        index: 0,
        reason: error.to_string(),
    }
}

/// At most so many bytes of the text, cut between words where there are words.
fn beginning(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let start = &text[..text.floor_char_boundary(bytes)];
    match start.rfind(char::is_whitespace) {
        Some(space) if space >= bytes / 2 => &start[..space],
        _ => start,
    }
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn a_long_text_is_cut_between_words_and_never_inside_a_character() {
        assert_eq!(beginning("short", 10), "short");
        assert_eq!(beginning("several short words", 12), "several");
        assert_eq!(beginning("ééééé", 3), "é");
        assert_eq!(beginning("a 1234567890", 8), "a 123456");
    }
}
