//! Takes off what models and their servers put around an answer: reasoning, marks of the chat's template, a code fence,
//! quotation marks.
//! Pure. It takes off what stands at the begin or the end; an answer that speaks of a mark keeps it.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The marks around reasoning, as different models write them.
const THOUGHTS: &[(&str, &str)] = &[
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
];
/// Marks that templates write before an answer, where a server does not take them out.
const OPENERS: &[&str] = &[
    "<|im_start|>assistant",
    "<|start|>assistant",
    "<|assistant|>",
    "<start_of_turn>model",
    "<|begin_of_solution|>",
    "<s>",
];
/// Marks that templates write behind an answer.
const CLOSERS: &[&str] = &[
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_solution|>",
    "<|user|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
    "[/INST]",
    "</s>",
];
/// The part of a harmony answer that is for the reader.
const FINAL: &str = "<|channel|>final";
const MESSAGE: &str = "<|message|>";

/// The answer without reasoning and marks; empty where the reasoning never ended.
pub fn answer(text: &str) -> &str {
    let mut rest = trimmed(text);
    loop {
        let next = without_thoughts(of_harmony(without_marks(rest)));
        // Each turn takes something off, so it ends.
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

/// A text that is to be read, without the fence, the announcement and the quotation marks around all of it.
pub fn prose(text: &str) -> Cow<'_, str> {
    let text = trimmed(text);
    if let Some(text) = of_json(text) {
        return text.into();
    }
    let bare = without_announcement(text).unwrap_or(text);
    let bare = without_fence(bare).unwrap_or(bare);
    let bare = without_announcement(bare).unwrap_or(bare);
    without_quotes(bare).unwrap_or(bare).into()
}

/// The only text of an object, as a model writes it that has learned to answer in JSON.
fn of_json(text: &str) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(without_fence(text).unwrap_or(text)).ok()?;
    let mut values = object.into_iter();
    match (values.next(), values.next()) {
        (Some((key, Value::String(text))), None) if ANNOUNCED.iter().any(|word| key.contains(word)) => {
            Some(trimmed(&text).to_owned()).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}

/// The words by which models announce a summary.
const ANNOUNCED: &[&str] = &["summar", "Summar", "SUMMAR"];

/// Without a first line, or a first word, that says only what follows.
fn without_announcement(text: &str) -> Option<&str> {
    const LONGEST: usize = 120;
    let is_announcement = |said: &str| {
        let said = said.trim_matches(['*', '#', '_', ' ']);
        said.len() <= LONGEST && said.ends_with(':') && ANNOUNCED.iter().any(|word| said.contains(word))
    };
    let line = text
        .split_once('\n')
        .filter(|(line, _)| is_announcement(line.trim_end()));
    let rest = match line {
        Some((_, rest)) => rest,
        None => {
            let bare = text.trim_start_matches(['*', '#', '_', ' ']);
            let rest = bare
                .strip_prefix("Summary:")
                .or_else(|| bare.strip_prefix("SUMMARY:"))?;
            rest.trim_start_matches(['*', '_'])
        }
    };
    let rest = trimmed(rest);
    (!rest.is_empty()).then_some(rest)
}

/// The text between the fences, if all of it is; a fence that is not closed was cut.
fn without_fence(text: &str) -> Option<&str> {
    ["```", "~~~"].iter().find_map(|fence| {
        let rest = text.strip_prefix(fence)?;
        let (info, rest) = rest.split_once('\n')?;
        if info.trim().contains(char::is_whitespace) {
            return None;
        }
        let inner = rest.trim_end().strip_suffix(fence).unwrap_or(rest).trim();
        // Two fences with something between them are the answer's own.
        (!inner.is_empty() && !inner.contains(fence)).then_some(inner)
    })
}

fn without_quotes(text: &str) -> Option<&str> {
    const PAIRS: &[(char, char)] = &[('"', '"'), ('“', '”'), ('«', '»'), ('「', '」')];
    PAIRS.iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(*open)?.strip_suffix(*close)?;
        let is_one = !inner.contains([*open, *close]);
        (is_one && !inner.trim().is_empty()).then(|| inner.trim())
    })
}

fn without_marks(text: &str) -> &str {
    let mut rest = text;
    for mark in OPENERS {
        rest = rest.strip_prefix(mark).map_or(rest, trimmed);
    }
    for mark in CLOSERS {
        rest = rest.strip_suffix(mark).map_or(rest, trimmed);
    }
    rest
}

/// gpt-oss writes its channels one after another; the one called final is the answer. Some servers drop the marks and
/// leave the channels' names.
fn of_harmony(text: &str) -> &str {
    if text.starts_with("<|channel|>") {
        let Some((_, of_final)) = text.split_once(FINAL) else {
            // It never came to the answer; a channel of another name may hold it.
            return match text.split_once(MESSAGE) {
                Some((channel, _)) if channel.contains("analysis") || channel.contains("commentary") => "",
                Some((_, message)) => trimmed(message),
                None => "",
            };
        };
        return of_final
            .split_once(MESSAGE)
            .map_or("", |(_, message)| trimmed(message));
    }
    if text.starts_with("analysis") && !text.starts_with("analysis ") {
        return text
            .split_once("assistantfinal")
            .map_or(text, |(_, message)| trimmed(message));
    }
    text
}

/// Reasoning stands at the begin. Some servers leave out the mark that opens it; then the one that closes it must look
/// like an end, because answers speak of these marks too.
fn without_thoughts(text: &str) -> &str {
    for (open, close) in THOUGHTS {
        if let Some(inner) = text.strip_prefix(open) {
            let end = end_of_thoughts(inner, close).or_else(|| inner.find(close));
            // Reasoning that never ended is no answer.
            return end.map_or("", |at| trimmed(&inner[at + close.len()..]));
        }
    }
    let unopened = THOUGHTS.iter().find_map(|(_, close)| {
        let at = end_of_thoughts(text, close)?;
        Some(at + close.len())
    });
    // JSON that holds such a mark is an answer.
    match unopened {
        Some(at) if !text.starts_with(['{', '[']) => trimmed(&text[at..]),
        _ => text,
    }
}

/// The first place of the mark where it ends something: it is not quoted, the sentence before it is over or nothing
/// separates them, and what follows it begins anew.
fn end_of_thoughts(text: &str, close: &str) -> Option<usize> {
    text.match_indices(close).map(|(at, _)| at).find(|at| {
        let (before, after) = (&text[..*at], &text[at + close.len()..]);
        let is_over = match before.chars().next_back() {
            None | Some('\n') => true,
            Some(last) if last.is_whitespace() => before.trim_end().ends_with(['.', '!', '?', '。', '…']),
            Some(last) => !"`'\"“‘«([{".contains(last),
        };
        let next = after.trim_start().chars().next();
        let begins_anew = after.starts_with('\n')
            || next.is_none_or(|next| !next.is_lowercase() && !"`'\"”’».,;:!?)".contains(next));
        is_over && begins_anew
    })
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_at_the_begin_is_left_out() {
        for (text, expected) in [
            ("<think>{\"a\": 0}</think>\n{\"a\": 1}", "{\"a\": 1}"),
            ("<think>\n\n</think>\n\nYes.", "Yes."),
            ("hm, so</think> Yes.", "Yes."),
            ("First this.\nThen that.\n</think>\n\nyes", "yes"),
            ("It is done. </think> Yes.", "Yes."),
            ("<think>I must end with `</think>` first.</think>Yes.", "Yes."),
            ("<think>one</think><think>two</think>Yes.", "Yes."),
            ("[THINK]hm[/THINK]Yes.", "Yes."),
            ("◁think▷hm◁/think▷Yes.", "Yes."),
            ("<seed:think>hm</seed:think>Yes.", "Yes."),
            ("<thought>hm</thought>\nYes.", "Yes."),
            (
                "<|begin_of_thought|>x<|end_of_thought|><|begin_of_solution|>Yes.<|end_of_solution|>",
                "Yes.",
            ),
            ("\u{feff} Yes. ", "Yes."),
            ("<think>never ended", ""),
            ("<think>", ""),
        ] {
            assert_eq!(answer(text), expected, "{text}");
        }
    }

    #[test]
    fn an_answer_that_speaks_of_a_mark_keeps_it() {
        for text in [
            "The model writes </think> when its reasoning ends.",
            "The tag `</think>` closes it. The tag `<think>` opens it.",
            "It ends with \"</think>\".",
            "{\"a\": \"x</think>\\nY\"}",
            "The letter ends with <|end|> and a name.",
            "A comparison of <|channel|>final and others.",
            "analysis of the year, by the final board",
        ] {
            assert_eq!(answer(text), text);
        }
    }

    #[test]
    fn marks_of_templates_are_left_out() {
        for text in [
            "<|im_start|>assistant\nYes.<|im_end|>",
            "Yes.</s>",
            "<s> Yes.<|eot_id|>",
            "Yes.<end_of_turn>\n",
            "Yes.<|end|><|endoftext|>",
            "<|channel|>final<|message|>Yes.<|return|>",
            "<|channel|>analysis<|message|>Is it so?<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
            "<|start|>assistant<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>Yes.",
            "analysisWe think about it.assistantfinalYes.",
        ] {
            assert_eq!(answer(text), "Yes.", "{text}");
        }
        assert_eq!(answer("<|channel|>analysis<|message|>It never came to an"), "");
    }

    #[test]
    fn a_fence_or_quotation_marks_around_all_of_a_text_are_left_out() {
        for text in [
            "```\nAlice met Bob.\n```",
            "```markdown\nAlice met Bob.\n```\n",
            "~~~text\nAlice met Bob.\n~~~",
            "```text\nAlice met Bob.",
            "\"Alice met Bob.\"",
            "“Alice met Bob.”",
            "```\n\"Alice met Bob.\"\n```",
            "Here is a concise summary of the text:\n\nAlice met Bob.",
            "**Summary:** Alice met Bob.",
            "Summary: Alice met Bob.",
            "### Summary:\nAlice met Bob.",
            "Sure! Here's the summary:\n```\nAlice met Bob.\n```",
            "{\"summary\": \"Alice met Bob.\"}",
            "```json\n{\"summary\": \"Alice met Bob.\"}\n```",
        ] {
            assert_eq!(prose(text), "Alice met Bob.", "{text}");
        }
        for text in [
            "\"Yes\", she said. \"No\"",
            "See ```x``` for more.",
            "```\na\n```\nand\n```\nb\n```",
            "The summary of the year: Alice met Bob.",
            "They agreed on the following:\nno summaries.",
            "{\"title\": \"Alice met Bob.\"}",
            "Summary:",
            "Alice met Bob.",
        ] {
            assert_eq!(prose(text), text);
        }
    }
}
