//! One glyph on its page: which letters it adds, and where. Knows nothing of lines.

use hayro_interpret::font::{Glyph, PositionedGlyph};
use hayro_interpret::hayro_cmap::WritingMode;
use hayro_interpret::kurbo::{Affine, Point, Vec2};

/// Glyphs are a thousandth of an em high and wide in their own space.
const EM: f64 = 1000.0;
/// The advance of a glyph of which the font tells none, in thousandths of an em.
const USUAL_ADVANCE: f64 = 500.0;

/// The letters of a glyph, and its place on the page.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) letters: String,
    pub(super) start: Point,
    /// The place of the next glyph.
    pub(super) end: Point,
    /// The direction of the writing, of length one.
    pub(super) along: Vec2,
    /// The height of the letters.
    pub(super) size: f64,
}

impl Placed {
    /// A glyph that stands for `letters`; none if it has no place, such as one of no size.
    pub(super) fn new(
        letters: String,
        glyph: &PositionedGlyph<'_>,
        mode: WritingMode,
        page: Affine,
    ) -> Option<Self> {
        let transform = page * glyph.transform();
        let (step, up) = match mode {
            WritingMode::Horizontal => (Vec2::new(advance(glyph), 0.0), Vec2::new(0.0, EM)),
            WritingMode::Vertical => (Vec2::new(0.0, -EM), Vec2::new(EM, 0.0)),
        };
        let start = transform * Point::ZERO;
        let size = (transform * up.to_point() - start).hypot();
        let direction = transform * (step.normalize() * EM).to_point() - start;
        let measurable = size.is_finite() && size > 0.0 && direction.is_finite() && direction.hypot() > 0.0;
        measurable.then(|| Self {
            letters,
            start,
            end: transform * step.to_point(),
            along: direction.normalize(),
            size,
        })
    }

    pub(super) fn is_space(&self) -> bool {
        self.letters.trim().is_empty()
    }
}

/// The distance to the next glyph; never nothing, because that has no direction.
fn advance(glyph: &PositionedGlyph<'_>) -> f64 {
    let advance = match &**glyph {
        Glyph::Outline(outline) => outline.advance_width(),
        Glyph::Type3(drawing) => drawing.advance_width(),
    };
    advance.map_or(USUAL_ADVANCE, f64::from).max(1.0)
}
