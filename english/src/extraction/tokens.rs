//! Owns how a sentence becomes tokens. It must not know what a word means, but for the abbreviations that keep their
//! dot.

use zerodb_hooks_lexical::words::fold;

use super::lexicon::{Class, is};

/// A word, a number, an address or a mark, as written.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub text: &'a str,
    /// The form in which lists are asked for it.
    pub folded: String,
    /// In bytes of the whole text.
    pub start: usize,
    pub end: usize,
    pub kind: TokenKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Number,
    /// An e-mail address, a URL or a handle.
    Address,
    /// `'s`, or the apostrophe after a plural.
    Possessive,
    /// A comma, or a dash between words.
    Comma,
    Quote,
    Open,
    Close,
    /// `.`, `!`, `?`, `;`, `:` and whatever else is no word.
    Other,
}

impl Token<'_> {
    /// Written as names are: "Alice", "ACME", "iPhone"; not as code is.
    pub fn is_capital(&self) -> bool {
        let mut letters = self.text.chars();
        let first = letters.next();
        let inner_capital = || letters.take(2).any(char::is_uppercase);
        self.kind == TokenKind::Word
            && !self.text.contains("::")
            && !self.text.contains('_')
            && first.is_some_and(|c| c.is_uppercase() || (c.is_lowercase() && inner_capital()))
            && !(self.folded == "i" || self.folded.starts_with("i'"))
    }

    /// Two capitals or more and no small letter: "AI", "GPT-4".
    pub fn is_acronym(&self) -> bool {
        self.text.chars().filter(|c| c.is_uppercase()).nth(1).is_some()
            && !self.text.chars().any(char::is_lowercase)
    }
}

/// The most tokens of a sentence that are read. It bounds the time of each rule, and nobody writes longer ones.
const LONGEST_SENTENCE: usize = 200;

/// The tokens of `sentence`, which starts at `base` in the whole text.
pub(super) fn tokens(sentence: &str, base: usize) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = sentence;
    while let Some(start) = rest
        .find(|c: char| !c.is_whitespace())
        .filter(|_| tokens.len() < LONGEST_SENTENCE)
    {
        rest = &rest[start..];
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let at = base + sentence.len() - rest.len();
        let last = rest[length..].trim_start().is_empty();
        split_chunk(&rest[..length], at, last, &mut tokens);
        rest = &rest[length..];
    }
    tokens.truncate(LONGEST_SENTENCE);
    tokens
}

fn push<'a>(text: &'a str, start: usize, kind: TokenKind, tokens: &mut Vec<Token<'a>>) {
    let folded = if matches!(kind, TokenKind::Word | TokenKind::Number) {
        folded_form(text)
    } else {
        String::new()
    };
    tokens.push(Token {
        text,
        folded,
        start,
        end: start + text.len(),
        kind,
    });
}

/// Without the dot of an abbreviation, but with those of initials: "dr", "u.s.".
fn folded_form(text: &str) -> String {
    let folded = fold(text).replace('’', "'");
    let dots = folded.bytes().filter(|byte| *byte == b'.').count();
    if dots == 1 {
        folded.trim_end_matches('.').to_owned()
    } else {
        folded
    }
}

/// Splits a run without spaces: marks before a word, the word, marks after it.
fn split_chunk<'a>(chunk: &'a str, at: usize, last: bool, tokens: &mut Vec<Token<'a>>) {
    let mut start = 0;
    while let Some(mark) = chunk[start..]
        .chars()
        .next()
        .filter(|c| mark_kind(*c).is_some() && *c != '@')
    {
        let end = start + mark.len_utf8();
        push(
            &chunk[start..end],
            at + start,
            mark_kind(mark).unwrap_or(TokenKind::Other),
            tokens,
        );
        start = end;
    }
    let core = core_length(&chunk[start..], last);
    split_word(&chunk[start..start + core], at + start, tokens);
    let start = start + core;
    for (offset, mark) in chunk[start..].char_indices() {
        let place = start + offset;
        push(
            &chunk[place..place + mark.len_utf8()],
            at + place,
            mark_kind(mark).unwrap_or(TokenKind::Other),
            tokens,
        );
    }
}

/// The length of the word without the marks after it. The dot of an abbreviation or of initials belongs to the word.
fn core_length(word: &str, last: bool) -> usize {
    let core = word.trim_end_matches(|c| mark_kind(c).is_some());
    let Some(dotted) = word.get(..core.len() + 1).filter(|dotted| dotted.ends_with('.')) else {
        return core.len();
    };
    let initials = core.contains('.') && core.split('.').all(|part| part.chars().count() <= 2);
    let initial = core.chars().count() == 1 && core.chars().all(char::is_uppercase);
    let abbreviation = is(&fold(core), Class::TITLE | Class::LEGAL);
    let more = !last || word.len() > dotted.len();
    if initials || more && (initial || abbreviation) {
        dotted.len()
    } else {
        core.len()
    }
}

/// Marks at which what stands between two spaces is split, wherever they are in it.
const MARKS: [char; 14] = [
    '/', '—', '–', '…', ',', '[', ']', '(', ')', '<', '>', '`', '*', '|',
];

/// A word may be an address, hold slashes or dashes, and end in a possessive.
fn split_word<'a>(mut word: &'a str, mut at: usize, tokens: &mut Vec<Token<'a>>) {
    if is_address(word) {
        return push(word, at, TokenKind::Address, tokens);
    }
    while let Some(mark) = word.find(MARKS).filter(|_| !is_number(word)) {
        let after = mark + word[mark..].chars().next().map_or(1, char::len_utf8);
        push_word(&word[..mark], at, tokens);
        let kind = word[mark..]
            .chars()
            .next()
            .and_then(mark_kind)
            .unwrap_or(TokenKind::Other);
        push(&word[mark..after], at + mark, kind, tokens);
        (word, at) = (&word[after..], at + after);
    }
    push_word(word, at, tokens);
}

fn push_word<'a>(word: &'a str, at: usize, tokens: &mut Vec<Token<'a>>) {
    if word.is_empty() {
        return;
    }
    let possessive = ["'s", "’s", "'S", "’S"]
        .into_iter()
        .find(|end| word.len() > end.len() && word.ends_with(end));
    let length = word.len() - possessive.map_or(0, str::len);
    let kind = if is_number(word) {
        TokenKind::Number
    } else {
        TokenKind::Word
    };
    push(&word[..length], at, kind, tokens);
    if possessive.is_some() {
        push(&word[length..], at + length, TokenKind::Possessive, tokens);
    }
}

/// "2019", "3.5", "1,000", "3rd", "40%".
fn is_number(word: &str) -> bool {
    let ending = word.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | ':'));
    word.starts_with(|c: char| c.is_ascii_digit()) && matches!(ending, "" | "st" | "nd" | "rd" | "th" | "%")
}

fn is_address(word: &str) -> bool {
    if word.starts_with("https://") || word.starts_with("http://") || word.starts_with("www.") {
        return word.len() > 10;
    }
    let name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+'))
    };
    match word.split_once('@') {
        Some(("", handle)) => name(handle) && handle.starts_with(char::is_alphanumeric),
        Some((local, domain)) => name(local) && name(domain) && domain.contains('.'),
        None => false,
    }
}

/// The kind of a mark before or after a word.
fn mark_kind(c: char) -> Option<TokenKind> {
    Some(match c {
        ',' | '—' | '–' => TokenKind::Comma,
        '"' | '“' | '”' | '„' | '«' | '»' | '‘' | '‚' | '`' => TokenKind::Quote,
        // After a plural it is a possessive; nothing here depends on telling it from a quote.
        '\'' | '’' => TokenKind::Possessive,
        '(' | '[' | '{' => TokenKind::Open,
        ')' | ']' | '}' => TokenKind::Close,
        '&' => return None,
        c if c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c) => return None,
        _ => TokenKind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sentence: &str) -> Vec<(&str, TokenKind)> {
        let tokens = tokens(sentence, 0);
        for token in &tokens {
            assert_eq!(&sentence[token.start..token.end], token.text);
        }
        tokens.into_iter().map(|token| (token.text, token.kind)).collect()
    }

    #[test]
    fn words_marks_and_possessives_are_apart() {
        use TokenKind::{Close, Comma, Number, Open, Other, Possessive, Quote, Word};
        let expected = [
            ("Alice", Word),
            ("'s", Possessive),
            ("boss", Word),
            (",", Comma),
            ("\"", Quote),
            ("Bob", Word),
            ("\"", Quote),
            ("(", Open),
            ("42", Number),
            (")", Close),
            (".", Other),
        ];
        assert_eq!(of("Alice's boss, \"Bob\" (42)."), expected);
    }

    #[test]
    fn addresses_stay_whole() {
        for address in ["https://example.com/a?b=c", "bob@mail.example", "@bob_42"] {
            assert_eq!(of(&format!("ask {address}."))[1], (address, TokenKind::Address));
        }
        assert_eq!(of("a @ b")[1].1, TokenKind::Other);
    }

    #[test]
    fn abbreviations_keep_their_dot_and_sentences_lose_it() {
        let texts = |sentence| {
            of(sentence)
                .into_iter()
                .map(|(text, _)| text.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            texts("Dr. J. Smith left the U.S."),
            ["Dr.", "J.", "Smith", "left", "the", "U.S."]
        );
        assert_eq!(
            texts("She joined Acme Inc."),
            ["She", "joined", "Acme", "Inc", "."]
        );
        assert_eq!(
            texts("Node.js and/or AT&T – O'Brien"),
            ["Node.js", "and", "/", "or", "AT&T", "–", "O'Brien"]
        );
    }

    #[test]
    fn capitals() {
        let capitals = |sentence| {
            tokens(sentence, 0)
                .iter()
                .map(Token::is_capital)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            capitals("I said Alice uses iPhone and GPT-4 I'm"),
            [false, false, true, false, true, false, true, false]
        );
        assert!(tokens("GPT-4", 0)[0].is_acronym() && !tokens("Acme", 0)[0].is_acronym());
    }
}
