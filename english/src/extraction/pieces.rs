//! Owns the sentence as the rules read it: names, words, dates and commas. It must not know grammar.

use super::casing::Casing;
use super::dates::{Period, period};
use super::graph::Graph;
use super::names::mentions;
use super::tokens::{Token, TokenKind};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// The id of an entity.
    Name(usize),
    /// Folded.
    Word(String),
    Number,
    Date(Period),
    Comma,
    And,
    Possessive,
    /// A mark after which nothing belongs to what was before it.
    Stop,
}

impl Piece {
    pub fn name(&self) -> Option<usize> {
        if let Piece::Name(id) = self {
            Some(*id)
        } else {
            None
        }
    }
}

/// Looking at a place that may be outside, or hold something else.
pub(super) trait Look {
    fn word(&self, at: usize) -> &str;
    fn name(&self, at: usize) -> Option<usize>;
}

impl Look for [Piece] {
    /// The word at a place, or nothing.
    fn word(&self, at: usize) -> &str {
        if let Some(Piece::Word(word)) = self.get(at) {
            word
        } else {
            ""
        }
    }

    fn name(&self, at: usize) -> Option<usize> {
        self.get(at).and_then(Piece::name)
    }
}

/// The pieces of a sentence. Its names become entities of the graph; what stands in brackets is left out, but for
/// another name of what stands before them: "World Health Organization (WHO)".
pub(super) fn pieces(tokens: &[Token<'_>], casing: &Casing, graph: &mut Graph) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut names = mentions(tokens, casing).into_iter().peekable();
    let (mut at, mut depth) = (0, 0_usize);
    while at < tokens.len() {
        if let Some(mention) = names.next_if(|mention| mention.tokens.start == at) {
            let range = mention.tokens.clone();
            let id = graph.enter(&mention, (tokens[range.start].start, tokens[range.end - 1].end));
            let acronym = tokens[range.start].is_acronym() && range.len() == 1;
            if depth == 0 {
                pieces.push(Piece::Name(id));
            } else if acronym
                && is_alone(tokens, range.clone())
                && pieces.last().is_some_and(|last| last.name().is_some())
            {
                pieces
                    .last()
                    .and_then(Piece::name)
                    .into_iter()
                    .for_each(|before| graph.alias(before, id));
            }
            at = range.end;
            continue;
        }
        if let Some((period, length)) = period(tokens, at).filter(|_| depth == 0) {
            pieces.push(Piece::Date(period));
            at += length;
            continue;
        }
        match tokens[at].kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ => pieces.extend(piece(&tokens[at])),
        }
        at += 1;
    }
    pieces
}

/// Whether a mention is all that its brackets hold.
fn is_alone(tokens: &[Token<'_>], range: std::ops::Range<usize>) -> bool {
    let before = range.start.checked_sub(1).map(|before| tokens[before].kind);
    before == Some(TokenKind::Open)
        && tokens
            .get(range.end)
            .is_some_and(|after| after.kind == TokenKind::Close)
}

fn piece(token: &Token<'_>) -> Option<Piece> {
    Some(match token.kind {
        TokenKind::Word if matches!(token.folded.as_str(), "and" | "&") => Piece::And,
        TokenKind::Word => Piece::Word(token.folded.clone()),
        TokenKind::Number => Piece::Number,
        TokenKind::Comma => Piece::Comma,
        TokenKind::Possessive => Piece::Possessive,
        TokenKind::Other | TokenKind::Address => Piece::Stop,
        TokenKind::Quote | TokenKind::Open | TokenKind::Close => return None,
    })
}
