//! The letters of a glyph and where they stand in their line.

/// The letters of one glyph, with the marks drawn on it.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) letters: String,
    /// Its left and right edge, from the left of the line.
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Unit {
    /// The distance of a mark from the middle of a letter.
    pub(super) fn distance(&self, mark: &Unit) -> f64 {
        (f64::midpoint(self.from, self.to) - mark.from).abs()
    }
}
