//! Makes a summary of an answer: never longer than its limit, and it ends with a sentence. Pure.

use zerodb_hooks_english::cut_at_sentence;
use zerodb_hooks_lexical::stops::{ends_sentence, full_stop};

/// An answer that is longer than this many times its limit is asked for again, shorter; what is less too long is cut.
const TOO_LONG: f64 = 1.5;

/// True where the model should shorten its answer before it is cut.
pub fn is_much_too_long(answer: &str, max_length: usize) -> bool {
    let length = answer.chars().count();
    // Lengths are far below 2^52.
    length as f64 > max_length as f64 * TOO_LONG
}

/// The answer within `max_length` characters, ending with a sentence. `is_cut`: the model was stopped before its end.
/// Empty only for an answer that is blank.
pub fn fitted(answer: &str, max_length: usize, is_cut: bool) -> String {
    let answer = answer.trim();
    let length = answer.chars().count();
    if length <= max_length && ends_sentence(answer) {
        return answer.to_owned();
    }
    let closed = closed(answer);
    if !is_cut && closed.chars().count() <= max_length {
        return closed;
    }
    // One character less than there is, so that it is cut at all: back to the last sentence that is whole.
    let cut = cut_at_sentence(answer, max_length.min(length.saturating_sub(1)));
    if cut.is_empty() && !answer.is_empty() {
        // A single character; it stays.
        return answer.chars().take(max_length).collect();
    }
    cut
}

/// The answer with the full stop that it lacks, if its script writes one.
fn closed(answer: &str) -> String {
    let mut closed = answer
        .trim_end_matches([',', ';', ':', '-', '–', '—', ' '])
        .to_owned();
    if !closed.is_empty() {
        closed.extend(full_stop(answer));
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_and_ends_stays() {
        assert_eq!(fitted(" Alice met Bob. ", 100, false), "Alice met Bob.");
        assert_eq!(fitted("She said \"yes.\"", 100, false), "She said \"yes.\"");
        assert_eq!(fitted("今日は雨です。", 100, false), "今日は雨です。");
    }

    #[test]
    fn a_missing_full_stop_is_added() {
        assert_eq!(fitted("A report on sales", 100, false), "A report on sales.");
        assert_eq!(fitted("今日は雨", 100, false), "今日は雨。");
        assert_eq!(fitted("Three parts:", 100, false), "Three parts.");
        for (answer, expected) in [
            ("Հարկայինը բացվում է", "Հարկայինը բացվում է։"),
            ("སྐད་ཡིག", "སྐད་ཡིག།"),
            ("यह रिपोर्ट है", "यह रिपोर्ट है।"),
            ("รายงานการขาย", "รายงานการขาย"),
        ] {
            assert_eq!(fitted(answer, 100, false), expected);
            assert_eq!(fitted(expected, expected.chars().count(), false), expected);
        }
    }

    #[test]
    fn what_was_cut_goes_back_to_its_last_sentence() {
        assert_eq!(fitted("Alice met Bob. They went to", 100, true), "Alice met Bob.");
        assert_eq!(
            fitted("Alice met Bob. They went.", 100, true),
            "Alice met Bob. They went."
        );
    }

    #[test]
    fn no_answer_is_longer_than_its_limit_and_each_ends() {
        let answers = [
            "One sentence. Another sentence. A third one, longer than the others.".to_owned(),
            "no full stop anywhere in a very long answer ".repeat(20),
            "x".repeat(500),
            "日本語".repeat(100),
            "Ends at the limit".to_owned(),
            "a".to_owned(),
        ];
        for answer in &answers {
            for max_length in 1..80 {
                for is_cut in [false, true] {
                    let fitted = fitted(answer, max_length, is_cut);
                    assert!(
                        !fitted.is_empty() && fitted.chars().count() <= max_length,
                        "{fitted}"
                    );
                    assert!(
                        ends_sentence(&fitted) || answer.chars().count() == 1,
                        "{max_length}: {fitted}"
                    );
                }
            }
        }
    }

    #[test]
    fn only_what_is_much_too_long_is_asked_for_again() {
        assert!(!is_much_too_long(&"x".repeat(150), 100));
        assert!(is_much_too_long(&"x".repeat(151), 100));
    }
}
