//! The cleaning of a text. Owns line ends, control characters, what a reader does not see, and the guard of lines that
//! only look like Markdown.

use std::borrow::Cow;

/// Before a line that says what Markdown would take for a heading, code or markup: one of the noncharacters, which
/// Unicode leaves to a program's own use. Cut as Markdown, the line is words; [`unguarded`] then gives the words alone.
const GUARD: char = '\u{FDD0}';

/// Lines end in `\n`, and control characters, which neither Postgres nor a model wants, separate words: what ends a
/// page, a section or a record ends a line, the others are spaces. What a reader does not see is left out, ligatures
/// are the letters they show, and there is no white space at the end. Joiners stay: scripts are written with them.
#[must_use]
pub fn clean(mut text: String) -> String {
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    if text.contains(|c| !is_plain(c)) {
        let mut cleaned = String::with_capacity(text.len());
        for c in text.chars() {
            push_clean(&mut cleaned, c);
        }
        text = cleaned;
    }
    text.truncate(text.trim_end().len());
    text
}

fn push_clean(text: &mut String, c: char) {
    match c {
        '\n' | '\t' => text.push(c),
        '\u{0B}' | '\u{0C}' | '\u{1C}'..='\u{1E}' | '\u{85}' | '\u{2028}' | '\u{2029}' => text.push('\n'),
        // One space is enough between two words.
        _ if c.is_control() => {
            if text.ends_with(|before: char| !before.is_whitespace()) {
                text.push(' ');
            }
        }
        _ if is_unseen(c) => {}
        _ => match letters(c) {
            Some(letters) => text.push_str(letters),
            None => text.push(c),
        },
    }
}

fn is_plain(c: char) -> bool {
    matches!(c, '\n' | '\t' | ' '..='~')
        || (c > '\u{A0}' && !is_unseen(c) && !matches!(c, '\u{2028}' | '\u{2029}') && letters(c).is_none())
        || c == '\u{A0}'
}

/// Soft hyphen, zero width space, word joiner, and a byte order mark within the text.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// The letters that a ligature shows: those of the block Alphabetic Presentation Forms for Latin and Armenian.
fn letters(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{FB00}' => "ff",
        '\u{FB01}' => "fi",
        '\u{FB02}' => "fl",
        '\u{FB03}' => "ffi",
        '\u{FB04}' => "ffl",
        '\u{FB05}' | '\u{FB06}' => "st",
        '\u{FB13}' => "մն",
        '\u{FB14}' => "մե",
        '\u{FB15}' => "մի",
        '\u{FB16}' => "վն",
        '\u{FB17}' => "մխ",
        _ => return None,
    })
}

/// The words of a document whose headings and code are Markdown: a guard stands before each line that Markdown would
/// take for more than words.
pub(crate) fn guarded(words: &str) -> Cow<'_, str> {
    if !words.lines().any(looks_like_markdown) {
        return Cow::Borrowed(words);
    }
    let mut text = String::with_capacity(words.len() + 8);
    for line in words.split_inclusive('\n') {
        if looks_like_markdown(line) {
            text.push(GUARD);
        }
        text.push_str(line);
    }
    Cow::Owned(text)
}

/// A text without the guards of its lines.
#[must_use]
pub fn unguarded(text: &str) -> Cow<'_, str> {
    if text.contains(GUARD) {
        Cow::Owned(text.replace(GUARD, ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether `CommonMark` reads the line as a heading, the underline of one, a fence of code or the start of markup.
fn looks_like_markdown(line: &str) -> bool {
    let line = line.trim();
    match line.chars().next() {
        Some('#') => line.trim_start_matches('#').starts_with([' ', '\t']) || line.chars().all(|c| c == '#'),
        Some(mark @ ('=' | '-')) => line.chars().all(|c| c == mark),
        Some('`') => line.starts_with("```"),
        Some('~') => line.starts_with("~~~"),
        Some('<') => line[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_separate_words_and_lines_end_in_one_way() {
        for (text, expected) in [
            ("a\r\nb\rc\n", "a\nb\nc"),
            (
                "The first page ends here\u{C}The second",
                "The first page ends here\nThe second",
            ),
            (
                "one\u{B}two\u{85}three\u{2028}four\u{2029}five",
                "one\ntwo\nthree\nfour\nfive",
            ),
            (
                "file\u{1C}group\u{1D}record\u{1E}unit\u{1F}end",
                "file\ngroup\nrecord\nunit end",
            ),
            ("cell\u{7}\u{7}cell\0\0end \u{1}x\u{9F}y", "cell cell end x y"),
            ("tab\tstays\nand lines \n ", "tab\tstays\nand lines"),
        ] {
            assert_eq!(clean(text.to_owned()), expected, "{text:?}");
        }
    }

    #[test]
    fn what_a_reader_does_not_see_is_left_out_and_ligatures_are_letters() {
        for (text, expected) in [
            (
                "Donau\u{AD}dampf\u{200B}schiff\u{2060}fahrt\u{FEFF}",
                "Donaudampfschifffahrt",
            ),
            (
                "o\u{FB03}ce \u{FB01}le \u{FB02}at o\u{FB00} wa\u{FB04}e \u{FB06}op",
                "office file flat off waffle stop",
            ),
            // Persian and emoji are written with joiners, and a space without break is one.
            (
                "می\u{200C}خواهم 👨\u{200D}👩 5\u{A0}000",
                "می\u{200C}خواهم 👨\u{200D}👩 5\u{A0}000",
            ),
        ] {
            assert_eq!(clean(text.to_owned()), expected, "{text:?}");
        }
    }

    #[test]
    fn only_lines_that_markdown_would_take_for_more_are_guarded() {
        for line in [
            "# five", "  ## x", "#", "===", "---", "```", "~~~ x", "<div>", "</p>", "<!-- x",
        ] {
            assert_ne!(guarded(line), line);
            assert_eq!(unguarded(&guarded(line)), line);
        }
        for line in [
            "#1 is best",
            "a # b",
            "- item",
            "< 5",
            "a < b",
            "`code`",
            "--x",
            "max_length",
        ] {
            assert_eq!(guarded(line), line);
        }
        assert_eq!(unguarded(&guarded("a\n# b\nc")), "a\n# b\nc");
    }
}
