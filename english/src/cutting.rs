//! Owns how a text is made to fit a length. Lengths are Unicode scalar values, as `char_length` counts in Postgres.
//! It must not choose sentences by their worth.

use unicode_segmentation::UnicodeSegmentation;

use crate::sentences::detailed;

/// The longest beginning of `text` that ends with a sentence and has at most `max_length` characters; all of it where
/// it fits. For the answer of a model that kept on writing.
///
/// If not even the first sentence fits, it is cut at a clause or a word and ends with `…`, within the limit.
pub fn cut_at_sentence(text: &str, max_length: usize) -> String {
    let text = text.trim();
    if fits(text, max_length) {
        return text.to_owned();
    }
    let (mut end, mut counted, mut length) = (0, 0, 0);
    for sentence in detailed(text) {
        let sentence_end = sentence.start + sentence.text.len();
        length += text[counted..sentence_end].chars().take(max_length + 1).count();
        counted = sentence_end;
        if length > max_length {
            break;
        }
        if sentence.complete {
            end = sentence_end;
        }
    }
    if end > 0 {
        text[..end].to_owned()
    } else {
        cut_with_ellipsis(text, max_length)
    }
}

/// Whether `text` has at most `max_length` characters; reads no more of it than it must.
pub(crate) fn fits(text: &str, max_length: usize) -> bool {
    text.len() <= max_length || text.chars().nth(max_length).is_none()
}

/// `text` with single spaces for all whitespace, if that has at most `max_length` characters.
pub(crate) fn single_spaced(text: &str, max_length: usize) -> Option<String> {
    let (mut spaced, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
            length += 1;
        }
        for c in word.chars() {
            length += 1;
            if length > max_length {
                return None;
            }
            spaced.push(c);
        }
    }
    Some(spaced)
}

/// The beginning of `text`, at most `max_length` characters with the `…` it ends in. Cut after a clause in its second
/// half, else after a word, else (long words, scripts without spaces) between two characters as a reader sees them.
pub(crate) fn cut_with_ellipsis(text: &str, max_length: usize) -> String {
    let Some(room) = max_length.checked_sub(1) else {
        return String::new();
    };
    let (mut kept, mut length) = (String::new(), 0);
    let (mut clause, mut word) = (0, 0);
    for part in text.trim_start().graphemes(true) {
        let space = part.chars().all(char::is_whitespace);
        if space {
            if matches!(kept.chars().next_back(), Some(',' | ';' | ':' | '–' | '—')) || part.contains('\n')
            {
                clause = kept.len();
            }
            word = kept.len();
            if kept.ends_with(' ') {
                continue;
            }
        }
        length += if space { 1 } else { part.chars().count() };
        if length > room {
            break;
        }
        kept.push_str(if space { " " } else { part });
    }
    let half = kept.len() / 2;
    let end = [clause, word]
        .into_iter()
        .find(|end| *end > half)
        .unwrap_or(kept.len());
    kept.truncate(end);
    kept.truncate(
        kept.trim_end_matches(|c: char| {
            c.is_whitespace() || matches!(c, ',' | ';' | ':' | '–' | '—' | '-' | '(')
        })
        .len(),
    );
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(cut_at_sentence("  One.\nTwo. ", 9), "One.\nTwo.");
        assert_eq!(cut_at_sentence("", 0), "");
    }

    #[test]
    fn ends_with_the_last_sentence_that_fits() {
        assert_eq!(cut_at_sentence("One. Two. Three.", 15), "One. Two.");
        assert_eq!(cut_at_sentence("One.\n\n## Head\n\nTwo is longer.", 20), "One.");
        assert_eq!(cut_at_sentence("今日は雨です。家にいます。", 8), "今日は雨です。");
    }

    #[test]
    fn a_sentence_too_long_is_cut_at_a_clause_or_a_word() {
        assert_eq!(
            cut_at_sentence("The quick brown fox, as we saw, jumps over it.", 24),
            "The quick brown fox…"
        );
        assert_eq!(
            cut_at_sentence("The quick brown fox jumps.", 18),
            "The quick brown…"
        );
        assert_eq!(cut_at_sentence("Donaudampfschifffahrt", 6), "Donau…");
        assert_eq!(cut_at_sentence("今日は雨です", 4), "今日は…");
        assert_eq!(cut_at_sentence("abc", 1), "…");
        assert_eq!(cut_at_sentence("abc", 0), "");
    }

    #[test]
    fn a_character_of_several_code_points_is_never_split() {
        let family = "👨\u{200d}👩\u{200d}👧";
        assert_eq!(cut_at_sentence(&family.repeat(3), 7), format!("{family}…"));
        assert_eq!(cut_at_sentence(&family.repeat(3), 4), "…");
    }
}
