//! Owns the blocks of a text: paragraphs, headings and list items of plain text or Markdown. It must not look for
//! sentences inside them.
//!
//! It is no Markdown parser, because its text may be none. Markdown takes an indented paragraph for code, and so all
//! that follows a fence that is never closed; "12. three" below a line goes on with that line, and lines that follow
//! each other are one paragraph, whatever they begin with. All of these would lose sentences of plain text, or join
//! them.

use zerodb_hooks_lexical::words::{fold, weight};

/// A paragraph, a heading or a list item, without its mark. Line breaks inside it are those of wrapped lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    pub text: &'a str,
    /// Start, in bytes of the whole text.
    pub start: usize,
    pub heading: bool,
}

/// The blocks of `text` in order. Left out are fenced code, table rows and rules: there are no sentences in them.
pub(crate) fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    Blocks { text, at: 0 }
}

struct Blocks<'a> {
    text: &'a str,
    at: usize,
}

/// Bounds of the content of a line, in bytes of the whole text, without indent, marks and line end.
#[derive(Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    kind: LineKind,
}

#[derive(Clone, Copy, PartialEq)]
enum LineKind {
    Blank,
    Prose,
    /// Begins a block of its own, which may go on in the next line.
    Item,
    /// Is a block of its own.
    Heading,
    Quote,
    Underline,
    /// Table row or rule.
    Skipped,
    Fence,
    /// A comment of HTML: the reader does not see it.
    Comment,
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        let mut block: Option<Line> = None;
        let mut last: Option<Line> = None;
        while self.at < self.text.len() {
            let (line, next) = self.line();
            if let (Some(first), Some(previous)) = (&mut block, last) {
                if line.kind == LineKind::Underline && previous.start == first.start {
                    self.at = next;
                    first.kind = LineKind::Heading;
                    break;
                }
                if line.kind != LineKind::Prose || self.is_hard_break(previous, line) {
                    break;
                }
                first.end = line.end;
            } else if matches!(
                line.kind,
                LineKind::Prose | LineKind::Item | LineKind::Heading | LineKind::Quote
            ) {
                block = Some(line);
            }
            self.at = match line.kind {
                LineKind::Fence => self.after_fence(line, next),
                LineKind::Comment => self.after_comment(line, next),
                _ => next,
            };
            last = Some(line);
            if matches!(line.kind, LineKind::Heading | LineKind::Quote) {
                break;
            }
        }
        let Line { start, end, kind } = block?;
        Some(Block {
            text: &self.text[start..end],
            start,
            heading: kind == LineKind::Heading,
        })
    }
}

impl Blocks<'_> {
    /// The line at `self.at` and where the next one starts.
    fn line(&self) -> (Line, usize) {
        let rest = &self.text[self.at..];
        let length = rest.find('\n').unwrap_or(rest.len());
        let next = self.at + (length + 1).min(rest.len());
        let content = rest[..length].trim();
        let indent = rest[..length].len() - rest[..length].trim_start().len();
        let (kind, marks) = kind_of(content);
        let inner = content[marks..].trim();
        let inner = if kind == LineKind::Heading {
            inner.trim_end_matches('#').trim_end()
        } else {
            inner
        };
        let start = self.at + indent + marks + (content[marks..].len() - content[marks..].trim_start().len());
        let kind = if inner.is_empty() && matches!(kind, LineKind::Item | LineKind::Heading | LineKind::Quote)
        {
            LineKind::Blank
        } else {
            kind
        };
        (
            Line {
                start,
                end: start + inner.len(),
                kind,
            },
            next,
        )
    }

    /// The place after a fenced block; after its opening line if it is never closed. What closes it is at least as
    /// long, and alone on its line.
    fn after_fence(&self, fence: Line, next: usize) -> usize {
        let opening = &self.text[fence.start..fence.end];
        let mark = &opening[..1];
        let length = opening.len() - opening.trim_start_matches(mark).len();
        let mut at = next;
        for line in self.text[next..].split_inclusive('\n') {
            at += line.len();
            let line = line.trim();
            if line.len() >= length && line.trim_start_matches(mark).is_empty() {
                return at;
            }
        }
        next
    }

    /// The place after a comment: after the line of its end, or after its first line if it has no end.
    fn after_comment(&self, comment: Line, next: usize) -> usize {
        let Some(end) = self.text[comment.start..].find("-->") else {
            return next;
        };
        let rest = &self.text[comment.start + end..];
        comment.start + end + rest.find('\n').map_or(rest.len(), |line| line + 1)
    }

    /// Whether the break after `line` was meant: the next line starts like a sentence, though its first word had room
    /// in this one, and this one does not end in the middle of a phrase.
    fn is_hard_break(&self, line: Line, next: Line) -> bool {
        const NARROW: usize = 40;
        let (text, following) = (&self.text[line.start..line.end], &self.text[next.start..next.end]);
        let first_word = following.split_whitespace().next().unwrap_or_default();
        let starts = following
            .chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || c.is_numeric());
        starts && text.chars().take(NARROW).count() + first_word.chars().count() < NARROW && !goes_on(text)
    }
}

/// Whether a line without its end cannot be all: it ends in a comma, a hyphen or a word such as "the".
fn goes_on(line: &str) -> bool {
    let word = line
        .rsplit(|c: char| c.is_whitespace())
        .next()
        .unwrap_or_default();
    line.ends_with([',', ';', '-', '–', '—', '&', '(']) || weight(&fold(word)) == 0.0
}

/// The kind of a trimmed line, and the bytes of marks that it starts with.
fn kind_of(line: &str) -> (LineKind, usize) {
    if line.is_empty() {
        return (LineKind::Blank, 0);
    }
    if line.starts_with("```") || line.starts_with("~~~") {
        return (LineKind::Fence, 0);
    }
    if line.starts_with("<!--") {
        return (LineKind::Comment, 0);
    }
    if line.len() >= 2 && (line.bytes().all(|b| b == b'=') || line.bytes().all(|b| b == b'-')) {
        return (LineKind::Underline, 0);
    }
    if line.starts_with('|')
        || (line.len() >= 3
            && line
                .bytes()
                .all(|b| matches!(b, b'*' | b'_' | b'-' | b'=' | b' ')))
    {
        return (LineKind::Skipped, 0);
    }
    let hashes = line.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&hashes) && line[hashes..].starts_with([' ', '\t']) {
        return (LineKind::Heading, hashes);
    }
    if line.starts_with('>') {
        return (
            LineKind::Quote,
            line.find(|c: char| c != '>' && !c.is_whitespace())
                .unwrap_or(line.len()),
        );
    }
    match item_mark(line) {
        Some(length) => (LineKind::Item, length),
        None => (LineKind::Prose, 0),
    }
}

/// The length of a bullet or a number ("-", "•", "12.", "a)") before a space.
fn item_mark(line: &str) -> Option<usize> {
    let (mark, _) = line.split_once([' ', '\t'])?;
    let numbered = mark.strip_suffix(['.', ')']).is_some_and(|number| {
        (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
            || mark.ends_with(')') && number.len() == 1 && number.bytes().all(|b| b.is_ascii_alphabetic())
    });
    (numbered || matches!(mark, "-" | "*" | "+" | "•" | "‣" | "◦" | "–" | "—")).then_some(mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        for block in blocks(text) {
            assert_eq!(&text[block.start..block.start + block.text.len()], block.text);
        }
        blocks(text).map(|block| block.text).collect()
    }

    #[test]
    fn marks_are_left_out_and_wrapped_lines_stay_together() {
        let text = "# Title #\n\nA paragraph that is wrapped by an editor at\nsome width.\n- one\n  more of one\n- \
            two\n12. three\n> said";
        let expected = [
            "Title",
            "A paragraph that is wrapped by an editor at\nsome width.",
            "one\n  more of one",
            "two",
            "three",
            "said",
        ];
        assert_eq!(of(text), expected);
        assert!(blocks(text).next().is_some_and(|block| block.heading));
    }

    #[test]
    fn code_tables_and_rules_are_left_out() {
        assert_eq!(
            of("Before\n```rust\nlet x = 1;\n```\nAfter\n\n| a | b |\n|---|---|\n\n* * *\n"),
            ["Before", "After"]
        );
        assert_eq!(of("```\nnever closed"), ["never closed"]);
        assert_eq!(of("A\n\n````md\n```\nin\n```\nin\n````\n\nB"), ["A", "B"]);
        assert_eq!(of("A\n\n~~~\n```\nin\n~~~\n\nB"), ["A", "B"]);
        assert_eq!(of("A\n\n<!-- not\nseen -->\nB\n<!-- open"), ["A", "B"]);
        assert_eq!(of("Title\n=====\nText"), ["Title", "Text"]);
    }

    #[test]
    fn short_lines_that_start_anew_are_blocks() {
        assert_eq!(
            of("Alice lives in Berlin\nBob lives in Paris"),
            ["Alice lives in Berlin", "Bob lives in Paris"]
        );
        assert_eq!(of("I met Bob in\nBerlin"), ["I met Bob in\nBerlin"]);
        assert_eq!(of("apples,\nOranges"), ["apples,\nOranges"]);
    }

    #[test]
    fn nothing_has_no_blocks() {
        assert!(of(" \n\t\n").is_empty());
        assert!(of("-\n#\n>").len() <= 2);
    }
}
