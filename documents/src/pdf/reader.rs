//! The glyphs of a page, as the crate hayro-interpret hands them over: glyphs and the text that is meant by them.
//! Counts the glyphs that no letter is known of.

use encoding_rs::WINDOWS_1252;
use hayro_interpret::font::GlyphRun;
use hayro_interpret::hayro_syntax::object::{Dict, String as PdfString};
use hayro_interpret::kurbo::{BezPath, Rect};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};

use super::composite::Composites;
use super::glyph::Placed;
use super::letters::{self, Meaning};
use super::lines::PageLines;
use crate::text::{self, Bounded};

/// The longest text that one mark gives for what it surrounds, in bytes.
const MAX_ACTUAL_TEXT: usize = 64 << 10;
/// The most glyphs for which a mark can give another text; more is a mark that nobody closed.
const MAX_REPLACED: usize = 100_000;

/// Counts of a page's glyphs with letters, and without.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    pub(super) known: u32,
    pub(super) unknown: u32,
}

impl Count {
    pub(super) fn add(&mut self, other: Self) {
        self.known = self.known.saturating_add(other.known);
        self.unknown = self.unknown.saturating_add(other.unknown);
    }

    pub(super) fn is_mostly_unknown(self) -> bool {
        self.unknown > self.known
    }
}

/// Reads one page.
pub(super) struct PageReader<'text, 'fonts, 'pdf> {
    lines: PageLines<'text>,
    fonts: &'fonts Composites<'pdf>,
    count: Count,
    /// The number of open marks.
    depth: usize,
    replaced: Option<Replaced>,
}

/// Glyphs for which the document itself says what is meant: ISO 32000-1, 14.9.4.
struct Replaced {
    by: String,
    depth: usize,
    glyphs: Vec<Placed>,
}

impl<'text, 'fonts, 'pdf> PageReader<'text, 'fonts, 'pdf> {
    pub(super) fn of_page(text: &'text mut Bounded, fonts: &'fonts Composites<'pdf>) -> Self {
        Self {
            lines: PageLines::of_page(text),
            fonts,
            count: Count::default(),
            depth: 0,
            replaced: None,
        }
    }

    /// Ends the page.
    pub(super) fn finish(mut self) -> Count {
        self.read_as_drawn();
        self.lines.finish();
        self.count
    }

    fn add(&mut self, glyph: Placed) {
        match &mut self.replaced {
            Some(replaced) if replaced.glyphs.len() < MAX_REPLACED => replaced.glyphs.push(glyph),
            Some(_) => {
                self.read_as_drawn();
                self.read(glyph);
            }
            None => self.read(glyph),
        }
    }

    /// Counts what is drawn for the first time. A glyph without letters adds nothing else.
    fn read(&mut self, glyph: Placed) {
        let counted = if letters::are_known(&glyph.letters) {
            &mut self.count.known
        } else {
            &mut self.count.unknown
        };
        let is_letter = !glyph.is_space() || glyph.letters.is_empty();
        if self.lines.add(glyph) && is_letter {
            *counted = counted.saturating_add(1);
        }
    }

    /// Forgets a mark that is not closed, so that it costs no text.
    fn read_as_drawn(&mut self) {
        for glyph in self
            .replaced
            .take()
            .into_iter()
            .flat_map(|replaced| replaced.glyphs)
        {
            self.read(glyph);
        }
    }

    fn replace(&mut self, replaced: Replaced) {
        let mut glyphs = replaced.glyphs.into_iter();
        match glyphs.next() {
            Some(first) => {
                let end = glyphs.last().map_or(first.end, |last| last.end);
                self.read(Placed {
                    letters: replaced.by,
                    end,
                    ..first
                });
            }
            None => self.lines.add_aside(&replaced.by),
        }
    }
}

fn actual_text(properties: &Dict<'_>) -> Option<String> {
    let bytes = properties.get::<PdfString<'_>>("ActualText")?;
    let (text, _) = text::decode(&bytes, Some(WINDOWS_1252), MAX_ACTUAL_TEXT).ok()?;
    letters::written(&text).filter(|text| !text.trim().is_empty())
}

impl Device<'_> for PageReader<'_, '_, '_> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        let mode = run.writing_mode();
        for glyph in run.glyphs() {
            if self.lines.is_full() {
                return;
            }
            let letters = match letters::meaning(glyph, mode, self.fonts) {
                Meaning::Letters(letters) => letters,
                Meaning::Nothing => continue,
                Meaning::Unknown => String::new(),
            };
            if let Some(placed) = Placed::new(letters, glyph, mode, props.transform) {
                self.add(placed);
            }
        }
    }

    fn begin_marked_content(&mut self, _: &[u8], properties: Option<&Dict<'_>>) {
        if self.replaced.is_none()
            && let Some(by) = properties.and_then(actual_text)
        {
            self.replaced = Some(Replaced {
                by,
                depth: self.depth,
                glyphs: Vec::new(),
            });
        }
        self.depth += 1;
    }

    fn end_marked_content(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(replaced) = self.replaced.take_if(|replaced| replaced.depth == self.depth) {
            self.replace(replaced);
        }
    }

    // Only letters count: an image is never decoded, a shape never computed.
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn draw_rect(&mut self, _: &Rect, _: DrawProps<'_>, _: &DrawMode) {}
    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_clip_rect(&mut self, _: &Rect) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
