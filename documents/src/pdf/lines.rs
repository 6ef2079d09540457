//! From glyphs at places to words, lines and paragraphs, in the order in which a page draws them.

use hayro_interpret::font::{Glyph, GlyphRun, PositionedGlyph};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Vec2};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};

use crate::text::Bounded;

/// Glyphs are a thousandth of an em high and wide in their own space.
const EM: f64 = 1000.0;
/// The advance of a glyph of which the font tells none, in thousandths of an em.
const USUAL_ADVANCE: f64 = 500.0;
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

/// The lines of a page, appended to a text as the page is drawn.
pub(super) struct Lines<'text> {
    text: &'text mut Bounded,
    last: Option<Last>,
}

/// Where the last glyph ended.
struct Last {
    end: Point,
    /// The direction of the writing, of length one.
    along: Vec2,
    size: f64,
}

/// What a glyph adds.
struct Placed {
    letters: String,
    start: Point,
    end: Point,
    along: Vec2,
    size: f64,
}

impl<'text> Lines<'text> {
    pub(super) fn of_page(text: &'text mut Bounded) -> Self {
        Self { text, last: None }
    }

    fn add(&mut self, glyph: &Placed) {
        if let Some(last) = &self.last {
            let size = last.size.max(glyph.size);
            let step = glyph.start - last.end;
            let (along, across) = (step.dot(glyph.along), step.cross(glyph.along).abs());
            let turned = last.along.dot(glyph.along) < 0.9;
            if turned || across > OTHER_LINE * size || along < -BACKWARDS * size {
                let smaller = last.size.min(glyph.size);
                let is_other = size > OTHER_SIZE * smaller || across > OTHER_PARAGRAPH * smaller;
                self.text.end_line(is_other);
            } else if along > SPACE * size {
                self.space();
            }
        }
        if glyph.letters.trim().is_empty() {
            self.space();
        } else {
            self.text.push(&glyph.letters);
        }
        self.last = Some(Last {
            end: glyph.end,
            along: glyph.along,
            size: glyph.size,
        });
    }

    fn space(&mut self) {
        let text = self.text.as_str();
        if !text.is_empty() && !text.ends_with([' ', '\n']) {
            self.text.push(" ");
        }
    }
}

/// Where a glyph is and what it stands for; none if that is unknown.
fn place(glyph: &PositionedGlyph<'_>, mode: WritingMode, page: Affine) -> Option<Placed> {
    let letters = letters(glyph)?;
    let transform = page * glyph.transform();
    let (step, up) = match mode {
        WritingMode::Horizontal => (Vec2::new(advance(glyph), 0.0), Vec2::new(0.0, EM)),
        WritingMode::Vertical => (Vec2::new(0.0, -EM), Vec2::new(EM, 0.0)),
    };
    let start = transform * Point::ZERO;
    let size = (transform * up.to_point() - start).hypot();
    let direction = transform * (step.normalize() * EM).to_point() - start;
    let measurable = size.is_finite() && size > 0.0 && direction.is_finite() && direction.hypot() > 0.0;
    measurable.then(|| Placed {
        letters,
        start,
        end: transform * step.to_point(),
        along: direction.normalize(),
        size,
    })
}

/// How far the next glyph is; never nothing, because that has no direction.
fn advance(glyph: &PositionedGlyph<'_>) -> f64 {
    let advance = match &**glyph {
        Glyph::Outline(outline) => outline.advance_width(),
        Glyph::Type3(drawing) => drawing.advance_width(),
    };
    advance.map_or(USUAL_ADVANCE, f64::from).max(1.0)
}

fn letters(glyph: &PositionedGlyph<'_>) -> Option<String> {
    match glyph.as_unicode() {
        Some(BfString::Char(letter)) => Some(letter.to_string()),
        Some(BfString::String(letters)) => Some(letters),
        // Bitmap fonts of old typesetters name their glyphs by number and leave the meaning to the code.
        None if matches!(**glyph, Glyph::Type3(_)) => {
            let code = u8::try_from(glyph.char_code()).ok()?;
            Some(
                encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(&[code])
                    .0
                    .into_owned(),
            )
        }
        None => None,
    }
}

impl Device<'_> for Lines<'_> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for glyph in run.glyphs() {
            if self.text.is_truncated() {
                return;
            }
            if let Some(placed) = place(glyph, run.writing_mode(), props.transform) {
                self.add(&placed);
            }
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
