//! The glyphs that a page has drawn already. Text is drawn twice at nearly the same place to be filled and stroked, to
//! be bold without a bold font, or to cast a shadow; it is read once.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use hayro_interpret::kurbo::Point;

use super::glyph::Placed;

/// The most that the second of two glyphs may be from the first, in the size of the letters.
const NEAR: f64 = 0.15;
/// The same along the line, in the glyph's width, so that narrow letters beside each other are two.
const NEAR_IN_WIDTH: f64 = 0.7;
/// The least number of glyphs that are remembered.
const REMEMBERED: usize = 50_000;

/// The glyphs of a page that were drawn of late.
#[derive(Default)]
pub(super) struct Overprint {
    recent: HashMap<Square, Point>,
    before: HashMap<Square, Point>,
}

/// The letters and their size, and a square of the page.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
struct Square {
    letters: u64,
    x: i64,
    y: i64,
}

impl Overprint {
    /// Whether the same was drawn at this place; if not, it is remembered.
    pub(super) fn has(&mut self, glyph: &Placed) -> bool {
        let cell = Square::of(glyph);
        if self.is_beside(glyph, cell) {
            return true;
        }
        if self.recent.len() == REMEMBERED {
            self.before = std::mem::take(&mut self.recent);
        }
        self.recent.insert(cell, glyph.start);
        false
    }

    fn is_beside(&self, glyph: &Placed, cell: Square) -> bool {
        cell.around(glyph).into_iter().any(|cell| {
            let at = [self.recent.get(&cell), self.before.get(&cell)];
            at.into_iter().flatten().any(|at| is_near(glyph, *at))
        })
    }
}

impl Square {
    fn of(glyph: &Placed) -> Self {
        let mut hasher = DefaultHasher::new();
        glyph.letters.hash(&mut hasher);
        ((glyph.size * 16.0).round() as i64).hash(&mut hasher);
        let (x, y) = squares(glyph);
        Self {
            letters: hasher.finish(),
            x: x.floor() as i64,
            y: y.floor() as i64,
        }
    }

    /// The four cells that the glyph is nearest to.
    fn around(self, glyph: &Placed) -> [Self; 4] {
        let beside = |at: f64, cell: i64| {
            if at - at.floor() < 0.5 {
                cell.saturating_sub(1)
            } else {
                cell.saturating_add(1)
            }
        };
        let (x, y) = squares(glyph);
        let (x, y) = (beside(x, self.x), beside(y, self.y));
        [
            self,
            Self { x, ..self },
            Self { y, ..self },
            Self { x, y, ..self },
        ]
    }
}

/// The square in which a glyph begins, of twice the distance within which it is the same.
fn squares(glyph: &Placed) -> (f64, f64) {
    let square = 2.0 * NEAR * glyph.size;
    (glyph.start.x / square, glyph.start.y / square)
}

fn is_near(glyph: &Placed, other: Point) -> bool {
    let step = glyph.start - other;
    let along = step.dot(glyph.along).abs();
    let width = (glyph.end - glyph.start).hypot();
    along <= (NEAR * glyph.size).min(NEAR_IN_WIDTH * width)
        && step.cross(glyph.along).abs() <= NEAR * glyph.size
}
