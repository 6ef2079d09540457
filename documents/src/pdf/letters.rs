//! Which letters a glyph stands for. Owns what is no letter, and the forms of letters that are drawn but not written.

use hayro_interpret::font::{Glyph, PositionedGlyph};
use hayro_interpret::hayro_cmap::{BfString, WritingMode};
use unicode_normalization::UnicodeNormalization;

use super::composite::Composites;

/// The meaning of a glyph.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    Letters(String),
    /// Nothing is drawn.
    Nothing,
    /// Something is drawn, and nothing tells what it is.
    Unknown,
}

/// By what the font says of the glyph, else by the tables of the font's program and collection.
pub(super) fn meaning(glyph: &PositionedGlyph<'_>, mode: WritingMode, fonts: &Composites<'_>) -> Meaning {
    let said = match glyph.as_unicode() {
        Some(BfString::Char(letter)) => written(&letter.to_string()),
        Some(BfString::String(letters)) => written(&letters),
        None => None,
    };
    let letters = said.or_else(|| match &**glyph {
        Glyph::Outline(outline) => written(&fonts.letters(outline, mode)?),
        // Bitmap fonts of old typesetters name their glyphs by number and leave the meaning to the code.
        Glyph::Type3(drawing) => {
            let code = u8::try_from(drawing.char_code()).ok()?;
            let (letter, _) =
                encoding_rs::WINDOWS_1252.decode_without_bom_handling(std::slice::from_ref(&code));
            written(&letter)
        }
    });
    match (letters, &**glyph) {
        (Some(letters), _) => Meaning::Letters(letters),
        (None, Glyph::Outline(outline)) if outline.outline().elements().is_empty() => Meaning::Nothing,
        (None, _) => Meaning::Unknown,
    }
}

/// Whether a reader of the letters alone would know what is meant: not without any, nor by those of a font's private
/// area.
pub(super) fn are_known(letters: &str) -> bool {
    !letters
        .chars()
        .all(|letter| matches!(letter, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}'))
}

/// The letters as they are written: without marks that nobody sees, ligatures and positional forms as the letters
/// that they join. None if nothing is left.
pub(super) fn written(letters: &str) -> Option<String> {
    let mut text = String::with_capacity(letters.len());
    for letter in letters.chars() {
        match letter {
            '\t' | '\n' | '\r' => text.push(' '),
            '\u{FFFD}'
            | '\u{FEFF}'
            | '\u{200E}'
            | '\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}' => {}
            _ if letter.is_control() => {}
            // Marks that stand alone are decomposed to a space and the mark.
            _ if is_form(letter) => text.extend(std::iter::once(letter).nfkc().filter(|part| *part != ' ')),
            // Small capitals and old figures by their names in the Adobe Glyph List.
            '\u{F721}'..='\u{F7FE}' => text.extend(char::from_u32(u32::from(letter) - 0xF700)),
            // Signs that the usual symbol fonts put before the items of a list.
            '\u{F0B7}' => text.push('•'),
            '\u{F0A7}' => text.push('▪'),
            '\u{F0D8}' => text.push('➢'),
            '\u{F0FC}' => text.push('✓'),
            _ => text.push(letter),
        }
    }
    (!text.is_empty()).then_some(text)
}

/// A form for drawing of other letters: Kangxi radicals, ligatures, Hebrew and Arabic forms, vertical punctuation.
fn is_form(letter: char) -> bool {
    matches!(letter,
        '\u{2F00}'..='\u{2FDF}'
            | '\u{FB00}'..='\u{FDFF}'
            | '\u{FE10}'..='\u{FE19}'
            | '\u{FE30}'..='\u{FE4F}'
            | '\u{FE70}'..='\u{FEFC}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_for_drawing_become_the_letters_that_are_written() {
        for (drawn, expected) in [
            ("ﬁ", Some("fi")),
            ("ﬃ", Some("ffi")),
            ("\u{FEFB}", Some("لا")),
            ("\u{FEB7}", Some("ش")),
            ("\u{FB2A}", Some("שׁ")),
            ("\u{2F42}", Some("文")),
            ("\u{FE35}", Some("(")),
            ("\u{FC60}", Some("\u{64E}\u{651}")),
            ("\u{F761}\u{F731}", Some("a1")),
            ("Ａ", Some("Ａ")),
            ("½", Some("½")),
            ("\t", Some(" ")),
            ("\0", None),
            ("\u{FFFD}", None),
            ("\u{200F}", None),
        ] {
            assert_eq!(written(drawn).as_deref(), expected, "{drawn:?}");
        }
    }
}
