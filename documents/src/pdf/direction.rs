//! A line with Hebrew or Arabic in it, from places to the order in which it is read: UAX #9 backwards. Printers draw
//! such lines from the left or from the right, as a whole or in pieces; where the glyphs are is what counts.

use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};
use unicode_normalization::char::is_combining_mark;

use super::brackets::{are_shapes, mirror};
use super::unit::Unit;

/// Strong letters of each direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Strong {
    pub(super) left: usize,
    pub(super) right: usize,
}

impl Strong {
    pub(super) fn of(letters: &str) -> Self {
        let mut strong = Self::default();
        for letter in letters.chars() {
            match bidi_class(letter) {
                BidiClass::L => strong.left += 1,
                BidiClass::R | BidiClass::AL => strong.right += 1,
                _ => {}
            }
        }
        strong
    }

    /// Words from right to left are shorter, because few of their vowels are written.
    fn is_right_to_left(self) -> bool {
        2 * self.right >= self.left
    }

    pub(super) fn add(&mut self, other: Self) {
        self.left += other.left;
        self.right += other.right;
    }
}

/// The line as it is read. `drawn` is in the order of drawing; `page` tells the direction where the line does not;
/// gaps wider than `space` are spaces.
pub(super) fn logical(drawn: Vec<Unit>, page: Strong, space: f64) -> String {
    let from_the_right = is_drawn_from_the_right(&drawn);
    let mut units = with_marks(drawn);
    units.sort_by(|one, other| one.from.total_cmp(&other.from));
    let mut units = with_spaces(units, space);
    let right_to_left = is_right_to_left(&units, page, from_the_right);
    let shapes = are_shapes(&units);
    if right_to_left {
        units.reverse();
        if shapes {
            units.iter_mut().for_each(mirror);
        }
    }
    let levels = levels(&units, right_to_left);
    let mut order = BidiInfo::reorder_visual(&levels);
    if right_to_left {
        order.reverse();
    }
    // Only what is read from the right was drawn mirrored.
    let is_to_mirror = |level: Level| shapes && level.is_rtl() != right_to_left;
    let mut text = String::new();
    for index in order {
        if is_to_mirror(levels[index]) {
            mirror(&mut units[index]);
        }
        text.push_str(&units[index].letters);
    }
    text.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Joins each mark, such as a vowel point, to the letter that it is drawn on: the nearer of the letters drawn before
/// and after it.
fn with_marks(drawn: Vec<Unit>) -> Vec<Unit> {
    let is_mark = |unit: &Unit| unit.letters.chars().all(is_combining_mark);
    let mut units: Vec<Unit> = Vec::with_capacity(drawn.len());
    let mut waiting: Vec<Unit> = Vec::new();
    for unit in drawn {
        if is_mark(&unit) {
            waiting.push(unit);
            continue;
        }
        let mut letter = unit;
        for mark in waiting.drain(..) {
            match units.last_mut() {
                Some(last) if last.distance(&mark) < letter.distance(&mark) => last.letters += &mark.letters,
                _ => letter.letters += &mark.letters,
            }
        }
        units.push(letter);
    }
    match units.last_mut() {
        Some(last) => last.letters.extend(waiting.into_iter().map(|mark| mark.letters)),
        None => units = waiting,
    }
    units
}

/// A space where there is a gap. A space that lies below a letter is none: printers leave it there and go back.
fn with_spaces(mut units: Vec<Unit>, space: f64) -> Vec<Unit> {
    let is_space = |unit: &Unit| unit.letters.trim().is_empty();
    let mut covered = f64::NEG_INFINITY;
    units.retain(|unit| {
        if is_space(unit) {
            return f64::midpoint(unit.from, unit.to) > covered;
        }
        covered = covered.max(unit.to);
        true
    });
    let mut spaced: Vec<Unit> = Vec::with_capacity(units.len());
    for unit in units {
        while spaced
            .last()
            .is_some_and(|last| is_space(last) && f64::midpoint(last.from, last.to) >= unit.from)
        {
            spaced.pop();
        }
        if let Some(last) = spaced.last()
            && unit.from - last.to > space
        {
            let gap = Unit {
                letters: " ".to_owned(),
                from: last.to,
                to: unit.from,
            };
            spaced.push(gap);
        }
        spaced.push(unit);
    }
    spaced
}

/// By the letters of the page; or by those of the line, if it does not begin at the left with a letter of the page's
/// own direction; or because it was drawn so.
fn is_right_to_left(units: &[Unit], page: Strong, from_the_right: bool) -> bool {
    let mut line = Strong::default();
    let mut first = None;
    for unit in units {
        let strong = Strong::of(&unit.letters);
        if first.is_none() && strong.left + strong.right > 0 {
            first = Some(strong);
        }
        line.add(strong);
    }
    let begins_left = first.is_some_and(|first| first.left > 0);
    from_the_right || page.is_right_to_left() || (line.is_right_to_left() && !begins_left)
}

/// Whether the first letter drawn is at the right of the last.
fn is_drawn_from_the_right(drawn: &[Unit]) -> bool {
    let is_strong = |unit: &&Unit| last_strong(&unit.letters).is_some();
    let (first, last) = (drawn.iter().find(is_strong), drawn.iter().rfind(is_strong));
    first
        .zip(last)
        .is_some_and(|(first, last)| first.from > last.from)
}

/// The direction of the last strong letter.
fn last_strong(letters: &str) -> Option<BidiClass> {
    let mut classes = letters.chars().rev().map(bidi_class);
    classes.find(|class| matches!(class, BidiClass::L | BidiClass::R | BidiClass::AL))
}

fn levels(units: &[Unit], right_to_left: bool) -> Vec<Level> {
    let mut classes: Vec<&str> = units.iter().map(class).collect();
    if right_to_left {
        numbers_of_names(&mut classes);
    }
    let text = classes.concat();
    let base = if right_to_left { Level::rtl() } else { Level::ltr() };
    let levels = BidiInfo::new(&text, Some(base)).levels;
    let mut begin = 0;
    let level_of = |class: &&str| {
        let level = levels.get(begin).copied().unwrap_or(base);
        begin += class.len();
        level
    };
    classes.iter().map(level_of).collect()
}

/// Letters of the kind by which a unit takes its place: its own, unless it holds words of both directions, as a glyph
/// may that stands for a whole phrase; then those that it ends with.
fn class(unit: &Unit) -> &str {
    let strong = Strong::of(&unit.letters);
    if strong.left == 0 || strong.right == 0 {
        return &unit.letters;
    }
    if last_strong(&unit.letters) == Some(BidiClass::L) {
        "a"
    } else {
        "א"
    }
}

/// A number at the right of Latin letters may be read before or after them; it is after them, as in «Windows 10», if
/// it is taken for letters.
fn numbers_of_names(units: &mut [&str]) {
    let mut after_letters = false;
    for unit in units.iter_mut().rev() {
        match unit.chars().next().map(bidi_class) {
            Some(BidiClass::L) => after_letters = true,
            Some(BidiClass::R | BidiClass::AL) => after_letters = false,
            Some(BidiClass::EN) if after_letters => *unit = "a",
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units of width one in the order of their places.
    fn line(visual: &str) -> Vec<Unit> {
        let place = |(index, letter): (usize, char)| Unit {
            letters: letter.to_string(),
            from: index as f64,
            to: index as f64 + 1.0,
        };
        visual.chars().enumerate().map(place).collect()
    }

    #[test]
    fn a_glyph_that_stands_for_a_phrase_takes_the_place_of_its_end() {
        let mut units = line("hבא");
        units[0].letters = "שלום h".to_owned();
        assert_eq!(logical(units, LATIN, 0.5), "שלום hאב");
    }

    const HEBREW: Strong = Strong { left: 0, right: 100 };
    const LATIN: Strong = Strong { left: 100, right: 0 };

    #[test]
    fn what_is_seen_becomes_what_is_read() {
        for (seen, page, read) in [
            ("םולש", HEBREW, "שלום"),
            (".םולש", HEBREW, "שלום."),
            ("123 םולש", HEBREW, "שלום 123"),
            ("ABC םולש", HEBREW, "שלום ABC"),
            ("12:30-09:00 םולש", HEBREW, "שלום 12:30-09:00"),
            ("םולש ABC DEF 12 םולש", HEBREW, "שלום ABC DEF 12 שלום"),
            ("(םולש) םלוע", HEBREW, "עולם (שלום)"),
            (")םולש( םלוע", HEBREW, "עולם (שלום)"),
            (")4()ב(15 ףיעס", HEBREW, "סעיף 15(ב)(4)"),
            ("(4)(ב)15 ףיעס", HEBREW, "סעיף 15(ב)(4)"),
            ("ABC (DEF) םולש", HEBREW, "שלום (DEF) ABC"),
            ("see םולש now", LATIN, "see שלום now"),
            ("see (םלוע םולש) now", LATIN, "see (שלום עולם) now"),
            ("םולש", LATIN, "שלום"),
            ("ملاع", HEBREW, "عالم"),
        ] {
            assert_eq!(logical(line(seen), page, 0.5), read, "{seen}");
        }
    }

    #[test]
    fn the_order_of_drawing_does_not_matter() {
        let seen = line("ABC 12 םולש");
        let mut from_the_right = seen.clone();
        from_the_right.reverse();
        assert_eq!(logical(from_the_right, HEBREW, 0.5), logical(seen, HEBREW, 0.5));
    }

    #[test]
    fn a_space_below_a_letter_is_none() {
        let mut units = line("םולש");
        for (from, to) in [(0.1, 0.5), (-0.2, 0.1)] {
            units.insert(
                0,
                Unit {
                    letters: " ".to_owned(),
                    from,
                    to,
                },
            );
        }
        assert_eq!(logical(units, HEBREW, 0.5), "שלום");
    }

    #[test]
    fn a_mark_stays_on_its_letter() {
        let unit = |letters: &str, from, to| Unit {
            letters: letters.to_owned(),
            from,
            to,
        };
        let visual = vec![
            unit("ם", 0.0, 1.0),
            unit("\u{5B8}", 1.4, 1.4),
            unit("ל", 1.0, 2.0),
            unit("ש", 2.0, 3.0),
        ];
        let drawn_from_the_right = vec![
            unit("ש", 2.0, 3.0),
            unit("ל", 1.0, 2.0),
            unit("\u{5B8}", 1.4, 1.4),
            unit("ם", 0.0, 1.0),
        ];
        assert_eq!(logical(visual, HEBREW, 0.5), "של\u{5B8}ם");
        assert_eq!(logical(drawn_from_the_right, HEBREW, 0.5), "של\u{5B8}ם");
    }
}
