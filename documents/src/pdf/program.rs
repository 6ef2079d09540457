//! The Unicode table of a font's program, read backwards.

use std::collections::HashMap;

use hayro_interpret::font::FontData;

/// More than all the characters that there are in one font's table.
const MAX_MAPPINGS: usize = 1 << 18;

/// From glyphs to letters, by the table that leads from letters to glyphs, or by the names of the glyphs.
pub(super) fn letters_by_glyph(data: &FontData) -> HashMap<u32, char> {
    let mut letters = HashMap::new();
    let Some(font) = skrifa::Font::new(FontData::clone(data), 0) else {
        return letters;
    };
    for (letter, glyph) in font.charmap().unicodes().take(MAX_MAPPINGS) {
        let Some(letter) = char::from_u32(letter) else {
            continue;
        };
        let known = letters.entry(glyph.to_u32()).or_insert(letter);
        // A letter has its forms in the same glyph: radicals beside ideographs, Persian forms beside Arabic, private
        // codes beside all.
        if rank(letter) < rank(*known) {
            *known = letter;
        }
    }
    letters
}

/// Which of the letters with the same glyph is meant: the lower, the likelier.
fn rank(letter: char) -> u8 {
    match letter {
        '\u{2E80}'..='\u{2FDF}' | '\u{F900}'..='\u{FAFF}' | '\u{FB50}'..='\u{FDFF}' => 1,
        '\u{E000}'..='\u{F8FF}' => 2,
        '\0'..='\u{1F}' | '\u{A0}' | '\u{AD}' => 3,
        _ => 0,
    }
}
