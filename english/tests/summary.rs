//! The promises of summaries: never too long, made of the text's own sentences, ending with one.

#![allow(clippy::unwrap_used, reason = "a test may panic, also in its helpers")]

use zerodb_hooks_english::{cut_at_sentence, sentences, summarize};

const REPORT: &str = "# Quarterly report\n\n\
The storage team moved the event log to partitioned tables in May. Partitioned tables made deleting old events cheap, \
because a whole partition of the event log is dropped at once. The move took two weekends. Nobody noticed any \
downtime, \
as Dr. Meyer of the platform group confirmed.\n\n\
- Backups of the event log now take 12.5 minutes instead of 40.\n\
- The office got a new coffee machine.\n\n\
Old events are kept for 30 days. After that the storage team drops the oldest partition every night. Deleting row by \
row \
had kept autovacuum busy for hours. Lunch will be served on the third floor.";

#[test]
fn takes_what_the_text_is_about() {
    let summary = summarize(REPORT, 260);
    assert!(summary.contains("event log"), "{summary}");
    for aside in ["Lunch", "coffee", "weekends"] {
        assert!(!summary.contains(aside), "{summary}");
    }
}

#[test]
fn is_made_of_sentences_in_their_order() {
    let spaced = REPORT.split_whitespace().collect::<Vec<_>>().join(" ");
    for max_length in 70..600 {
        let summary = summarize(REPORT, max_length);
        assert!(summary.chars().count() <= max_length);
        assert!(summary.ends_with('.'), "{max_length}: {summary}");
        let mut rest = spaced.as_str();
        for sentence in sentences(&summary) {
            let at = rest
                .find(sentence)
                .unwrap_or_else(|| panic!("{sentence:?} is not in the rest of the text"));
            rest = &rest[at + sentence.len()..];
        }
    }
}

#[test]
fn a_longer_limit_is_used() {
    assert!(summarize(REPORT, 500).chars().count() > 250);
    assert!(summarize(REPORT, 150).chars().count() > 60);
}

#[test]
fn text_that_fits_is_kept_whole() {
    assert_eq!(
        summarize("  Short\n\n text, no stop ", 500),
        "Short text, no stop"
    );
    assert_eq!(summarize("", 500), "");
    assert_eq!(summarize(" \n ", 0), "");
}

#[test]
fn where_no_sentence_fits_the_best_is_cut_at_a_word() {
    let summary = summarize(REPORT, 25);
    assert!(
        summary.ends_with('…') && summary.chars().count() <= 30,
        "{summary}"
    );
    assert!(
        REPORT
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(summary.trim_end_matches('…'))
    );
    assert_eq!(summarize(REPORT, 1), "…");
    assert_eq!(summarize(REPORT, 0), "");
}

#[test]
fn a_sentence_that_stands_alone_is_taken_before_one_that_points_back() {
    let text = "It keeps new events in the log table. The worker keeps new events in the log table. Rome is nice in \
        spring.";
    assert_eq!(
        summarize(text, 50),
        "The worker keeps new events in the log table."
    );
}

#[test]
fn a_sentence_is_not_said_twice() {
    let text = "The cache holds ten thousand rows of results. ".repeat(20)
        + "Eviction removes the oldest rows of the cache first.";
    let summary = summarize(&text, 150);
    assert_eq!(summary.matches("ten thousand").count(), 1, "{summary}");
    assert!(summary.contains("Eviction"), "{summary}");
}

#[test]
fn a_list_without_stops_becomes_sentences() {
    let text = "# Changes\n- Fixed the login of new users\n- Added a limit for the login of users\n- Removed the old \
        banner\n";
    assert_eq!(
        summarize(text, 80),
        "Fixed the login of new users. Added a limit for the login of users."
    );
}

#[test]
fn code_alone_is_cut_at_its_beginning() {
    let code = format!("```\n{}```\n", "let answer = 42;\n".repeat(100));
    let summary = summarize(&code, 60);
    assert!(summary.ends_with('…') && summary.len() > 20, "{summary}");
}

#[test]
fn japanese_is_joined_without_spaces() {
    let text = "東京は日本の首都です。東京には多くの人が住んでいます。日本の天気は変わりやすいです。昼ご飯はカレーでした。";
    let summary = summarize(text, 30);
    assert!(summary.ends_with('。') && !summary.contains(' '), "{summary}");
    assert!(summary.contains("東京"), "{summary}");
}

/// Minutes if any step did: none may look at all pairs of sentences.
#[test]
fn a_book_is_read_in_linear_time() {
    let words = [
        "alpha", "beta", "gamma", "delta", "log", "event", "hook", "table", "row", "index",
    ];
    let mut text = String::new();
    for number in 0..50_000_usize {
        text += &format!(
            "Sentence {number} tells of {} and {}. ",
            words[number % 10],
            words[(number / 7) % 10]
        );
    }
    let summary = summarize(&text, 500);
    assert!(summary.ends_with('.') && summary.chars().count() <= 500);
}

#[test]
fn the_answer_of_a_model_is_cut_at_its_last_sentence() {
    let answer =
        "The log is partitioned. Old partitions are dropped every night. Backups take a third of the ti";
    assert_eq!(
        cut_at_sentence(answer, 90),
        "The log is partitioned. Old partitions are dropped every night."
    );
    assert_eq!(cut_at_sentence(answer, 62), "The log is partitioned.");
}
