//! From glyphs at places to words, lines and paragraphs, in the order in which a page draws them.

use hayro_interpret::kurbo::Vec2;

use super::direction::{self, Strong};
use super::glyph::Placed;
use super::overprint::Overprint;
use super::unit::Unit;
use crate::text::Bounded;

/// Gaps are measured in the size of the letters. The least one between two words:
const SPACE: f64 = 0.16;
/// Off the line by more than this is another line; sub- and superscripts are less.
const OTHER_LINE: f64 = 0.5;
/// Back by more than this is another line, such as of the next column at the same height.
const BACKWARDS: f64 = 1.5;
/// Down by more than this, in the size of the smaller letters, is another paragraph.
const OTHER_PARAGRAPH: f64 = 1.5;
/// Letters that are larger than those of the line beside by more than this are those of a heading.
const OTHER_SIZE: f64 = 1.15;
/// Ideographs drawn one below the other are at most this far apart.
const BELOW: f64 = 1.2;
/// The most bytes of letters that wait for the end of their page: as many glyphs take about 30 MB.
const WAITING: usize = 200_000;

/// The lines of a page, appended to a text when the page ends.
pub(super) struct PageLines<'text> {
    text: &'text mut Bounded,
    lines: Vec<Line>,
    waiting: usize,
    drawn: Overprint,
}

struct Line {
    glyphs: Vec<Placed>,
    begins: Begin,
    strong: Strong,
}

/// The way in which a line begins.
#[derive(Clone, Copy, PartialEq)]
enum Begin {
    Paragraph,
    Line,
    /// Before the end of the line before, at the same height.
    Back,
}

/// The line of a glyph.
enum Placement {
    On,
    Begin(Begin),
}

impl<'text> PageLines<'text> {
    pub(super) fn of_page(text: &'text mut Bounded) -> Self {
        Self {
            text,
            lines: Vec::new(),
            waiting: 0,
            drawn: Overprint::default(),
        }
    }

    /// Whether nothing more fits.
    pub(super) fn is_full(&self) -> bool {
        self.text.is_truncated()
    }

    /// Adds a glyph, unless the same was drawn at its place before, which it tells.
    pub(super) fn add(&mut self, glyph: Placed) -> bool {
        if self.drawn.has(&glyph) {
            return false;
        }
        if glyph.letters.is_empty() {
            return true;
        }
        let length = glyph.letters.len();
        match self.lines.last_mut() {
            Some(line) => match line.step(&glyph) {
                Placement::On => line.add(glyph),
                Placement::Begin(begins) => self.lines.push(Line::new(glyph, begins)),
            },
            None => self.lines.push(Line::new(glyph, Begin::Line)),
        }
        self.waiting += length;
        if self.waiting >= WAITING {
            self.write();
        }
        true
    }

    /// Adds words that have no place, as a paragraph.
    pub(super) fn add_aside(&mut self, words: &str) {
        self.write();
        self.text.end_line(true);
        self.text.push(words);
        self.text.end_line(true);
    }

    /// Ends the page.
    pub(super) fn finish(mut self) {
        self.write();
        self.text.end_line(true);
    }

    fn write(&mut self) {
        self.waiting = 0;
        let lines = joined(std::mem::take(&mut self.lines));
        let mut page = Strong::default();
        lines.iter().for_each(|line| page.add(line.strong));
        let mut goes_on = false;
        for (index, line) in lines.iter().enumerate() {
            if !goes_on {
                self.text.end_line(line.begins == Begin::Paragraph);
            }
            let words = line.text(page);
            let next = lines.get(index + 1).filter(|next| next.begins == Begin::Line);
            let part = next.and_then(|next| part_of_word(&words, next));
            goes_on = part.is_some();
            self.text.push(part.unwrap_or(&words));
        }
    }
}

impl Line {
    fn new(glyph: Placed, begins: Begin) -> Self {
        Self {
            strong: Strong::of(&glyph.letters),
            glyphs: vec![glyph],
            begins,
        }
    }

    fn add(&mut self, glyph: Placed) {
        self.strong.add(Strong::of(&glyph.letters));
        self.glyphs.push(glyph);
    }

    fn step(&self, glyph: &Placed) -> Placement {
        let Some(last) = self.glyphs.last() else {
            return Placement::Begin(Begin::Line);
        };
        let size = last.size.max(glyph.size);
        let step = glyph.start - last.end;
        let (along, across) = (step.dot(glyph.along), step.cross(glyph.along).abs());
        let turned = last.along.dot(glyph.along) < 0.9;
        if !turned && self.is_upright(glyph, last) {
            Placement::On
        } else if turned || across > OTHER_LINE * size {
            let smaller = last.size.min(glyph.size);
            let is_other = size > OTHER_SIZE * smaller || across > OTHER_PARAGRAPH * smaller;
            Placement::Begin(if is_other { Begin::Paragraph } else { Begin::Line })
        } else if along < -BACKWARDS * size {
            let is_other = size > OTHER_SIZE * last.size.min(glyph.size);
            Placement::Begin(if is_other { Begin::Paragraph } else { Begin::Back })
        } else {
            Placement::On
        }
    }

    /// Whether ideographs are drawn one below the other, each as a line of its own.
    fn is_upright(&self, glyph: &Placed, last: &Placed) -> bool {
        let is_below = |below: &Placed, above: &Placed| {
            let step = below.start - above.start;
            let down = -step.cross(above.along);
            let beside = step.dot(above.along).abs();
            beside < 0.25 * above.size && (0.7 * above.size..=BELOW * above.size).contains(&down.abs())
        };
        let mut before = self.glyphs.iter().rev().skip(1);
        is_ideograph(&glyph.letters)
            && is_ideograph(&last.letters)
            && is_below(glyph, last)
            && before.next().is_none_or(|before| is_below(last, before))
    }

    fn text(&self, page: Strong) -> String {
        if self.strong.right > 0 {
            return self.bidirectional(page);
        }
        let mut text = String::new();
        let mut last: Option<&Placed> = None;
        for glyph in &self.glyphs {
            let gap = last.map_or(0.0, |last| (glyph.start - last.end).dot(glyph.along));
            let size = last.map_or(glyph.size, |last| last.size.max(glyph.size));
            if (glyph.is_space() || gap > SPACE * size) && !text.is_empty() && !text.ends_with(' ') {
                text.push(' ');
            }
            if !glyph.is_space() {
                text += &glyph.letters;
            }
            last = Some(glyph);
        }
        text
    }

    fn bidirectional(&self, page: Strong) -> String {
        let along = self
            .glyphs
            .first()
            .map_or(Vec2::new(1.0, 0.0), |glyph| glyph.along);
        let size = self
            .glyphs
            .iter()
            .fold(0.0_f64, |size, glyph| size.max(glyph.size));
        let units = self.glyphs.iter().map(|glyph| Unit {
            letters: glyph.letters.clone(),
            from: glyph.start.to_vec2().dot(along),
            to: glyph.end.to_vec2().dot(along),
        });
        direction::logical(units.collect(), page, SPACE * size)
    }
}

/// Joins the pieces of a line that is drawn from the right.
fn joined(lines: Vec<Line>) -> Vec<Line> {
    let mut joined: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        match joined.last_mut() {
            Some(last) if line.begins == Begin::Back && last.strong.right + line.strong.right > 0 => {
                last.strong.add(line.strong);
                last.glyphs.extend(line.glyphs);
            }
            _ => joined.push(line),
        }
    }
    joined
}

/// The part of a line before a hyphen that only its end has put there; none if the next line does not go on with the
/// same word.
fn part_of_word<'line>(line: &'line str, next: &Line) -> Option<&'line str> {
    let next = next
        .glyphs
        .iter()
        .find(|glyph| !glyph.is_space())?
        .letters
        .chars()
        .next()?;
    let line = line.trim_end_matches(' ');
    if let Some(part) = line.strip_suffix('\u{AD}') {
        return next.is_alphabetic().then_some(part);
    }
    let part = line.strip_suffix(['-', '\u{2010}'])?;
    let is_word = part.ends_with(char::is_lowercase) && next.is_lowercase();
    is_word.then_some(part)
}

fn is_ideograph(letters: &str) -> bool {
    letters.chars().all(|letter| {
        matches!(
            letter,
            '\u{2E80}'..='\u{9FFF}'
                | '\u{AC00}'..='\u{D7AF}'
                | '\u{F900}'..='\u{FAFF}'
                | '\u{FE30}'..='\u{FE4F}'
                | '\u{FF00}'..='\u{FFEF}'
                | '\u{20000}'..='\u{3FFFF}'
        )
    })
}
