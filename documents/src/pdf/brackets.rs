//! Brackets in lines from right to left: whether a font names them by their shape or by their meaning, and the mirror
//! of each.

use super::unit::Unit;

/// Whether brackets are named by their shape and not by their meaning: whether they make pairs from the left rather
/// than from the right.
pub(super) fn are_shapes(units: &[Unit]) -> bool {
    let letters: Vec<char> = units.iter().flat_map(|unit| unit.letters.chars()).collect();
    pairs(letters.iter().copied()) >= pairs(letters.iter().rev().copied())
}

fn pairs(letters: impl Iterator<Item = char>) -> usize {
    let (mut open, mut pairs) = (0_usize, 0_usize);
    for letter in letters {
        match letter {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' if open > 0 => {
                open -= 1;
                pairs += 1;
            }
            _ => {}
        }
    }
    pairs
}

pub(super) fn mirror(unit: &mut Unit) {
    let mirrored = |letter| match letter {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        '‹' => '›',
        '›' => '‹',
        other => other,
    };
    // The order of several letters in one glyph is the font's, and so are the shapes.
    let mut letters = unit.letters.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        unit.letters = mirrored(letter).to_string();
    }
}
