//! Owns the times that a sentence states: "in 2019", "since March 2021", "from 2015 to 2019". It must not know what day
//! it is: "yesterday" and "last year" give nothing.

use super::tokens::{Token, TokenKind};

/// When a fact began and ended to be true: the first instant of the stated year, month or day, as RFC 3339 in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Period {
    pub from: Option<String>,
    pub until: Option<String>,
    /// It goes on: "since".
    pub ongoing: bool,
}

/// The period that begins at `at`, and how many tokens it takes, its preposition counted.
pub(super) fn period(tokens: &[Token<'_>], at: usize) -> Option<(Period, usize)> {
    let word = |place: usize| tokens.get(place).map_or("", |token| token.folded.as_str());
    let preposition = word(at);
    if !matches!(
        preposition,
        "from" | "between" | "since" | "until" | "till" | "in" | "on" | "during"
    ) {
        // Without a preposition only a full date is one; a number alone may be anything.
        let (from, length) =
            date(tokens, at).filter(|(_, length)| *length > 1 || tokens[at].text.len() == 10)?;
        return Some((
            Period {
                from: Some(from),
                ..Period::default()
            },
            length,
        ));
    }
    let start = at
        + 1
        + usize::from(matches!(
            word(at + 1),
            "early" | "late" | "mid" | "about" | "around" | "the"
        ));
    let (from, length) = date(tokens, start)?;
    let end = start + length;
    let from_here = Period {
        from: Some(from.clone()),
        ..Period::default()
    };
    let (period, end) = match preposition {
        "from" | "between" if matches!(word(end), "to" | "until" | "till" | "and") => {
            match date(tokens, end + 1) {
                Some((until, length)) => (
                    Period {
                        until: Some(until),
                        ..from_here
                    },
                    end + 1 + length,
                ),
                None => (from_here, end),
            }
        }
        "since" => (
            Period {
                ongoing: true,
                ..from_here
            },
            end,
        ),
        "until" | "till" => (
            Period {
                until: Some(from),
                ..Period::default()
            },
            end,
        ),
        _ => (from_here, end),
    };
    Some((period, end - at))
}

/// A year, a month of a year, or a day, and its tokens: "2019", "March 2021", "3 May 2020", "May 3, 2020",
/// "2020-05-03".
fn date(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let part = |place: usize| tokens.get(at + place);
    let number = |place: usize| part(place).filter(|token| token.kind == TokenKind::Number);
    let first = part(0)?;
    if let Some(day) = number(0).and_then(day_of_month) {
        let (month, year) = (part(1).and_then(month)?, number(2).and_then(year)?);
        return Some((instant(year, month, day)?, 3));
    }
    if let Some(month) = month(first) {
        let comma = usize::from(part(2).is_some_and(|token| token.kind == TokenKind::Comma));
        if let (Some(day), Some(year)) = (number(1).and_then(day_of_month), number(2 + comma).and_then(year))
        {
            return Some((instant(year, month, day)?, 3 + comma));
        }
        return Some((instant(number(1).and_then(year)?, month, 1)?, 2));
    }
    if let Some(year) = number(0).and_then(year) {
        return Some((instant(year, 1, 1)?, 1));
    }
    iso(first.text).map(|date| (date, 1))
}

fn year(token: &Token<'_>) -> Option<u32> {
    let four_digits = token.text.len() == 4 && token.text.bytes().all(|b| b.is_ascii_digit());
    four_digits
        .then(|| token.text.parse().ok())
        .flatten()
        .filter(|year| (1500..=2100).contains(year))
}

fn day_of_month(token: &Token<'_>) -> Option<u32> {
    let digits = token.text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    digits
        .parse()
        .ok()
        .filter(|day| digits.len() <= 2 && (1..=31).contains(day))
}

fn month(token: &Token<'_>) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    const LONG: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = token.folded.as_str();
    let place = LONG.iter().position(|long| *long == name).or_else(|| {
        MONTHS
            .iter()
            .position(|short| *short == name || name == "sept" && *short == "sep")
    })?;
    (token.kind == TokenKind::Word && token.text.starts_with(char::is_uppercase)).then_some(place as u32 + 1)
}

/// "2020-05-03" and "2020-05".
fn iso(text: &str) -> Option<String> {
    let mut parts = text.split('-');
    let number =
        |text: &str, length: usize| (text.len() == length).then(|| text.parse::<u32>().ok()).flatten();
    let year = number(parts.next()?, 4).filter(|year| (1500..=2100).contains(year))?;
    let month = number(parts.next()?, 2)?;
    let day = parts.next().map_or(Some(1), |day| number(day, 2))?;
    if parts.next().is_some() {
        None
    } else {
        instant(year, month, day)
    }
}

fn instant(year: u32, month: u32, day: u32) -> Option<String> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days)
        .contains(&day)
        .then(|| format!("{year:04}-{month:02}-{day:02}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extraction::tokens::tokens;

    fn of(text: &str) -> Option<(Option<String>, Option<String>, usize)> {
        let (period, length) = period(&tokens(text, 0), 0)?;
        let day = |date: Option<String>| date.map(|date| date.trim_end_matches("T00:00:00Z").to_owned());
        Some((day(period.from), day(period.until), length))
    }

    #[test]
    fn stated_times_begin_with_the_first_instant_of_what_is_stated() {
        for (text, from, until, length) in [
            ("in 2019", "2019-01-01", "", 2),
            ("since March 2021", "2021-03-01", "", 3),
            ("on 3 May 2020", "2020-05-03", "", 4),
            ("on May 3rd, 2020", "2020-05-03", "", 5),
            ("on 2020-05-03", "2020-05-03", "", 2),
            ("in early Sept 2020", "2020-09-01", "", 4),
            ("from 2015 to 2019", "2015-01-01", "2019-01-01", 4),
            ("between May 2015 and June 2016", "2015-05-01", "2016-06-01", 6),
            ("until 2019", "", "2019-01-01", 2),
            ("3 May 2020", "2020-05-03", "", 3),
        ] {
            let day = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            assert_eq!(of(text), Some((day(from), day(until), length)), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_gives_nothing() {
        for text in [
            "in Berlin",
            "in 12",
            "on 31 February 2020",
            "2019",
            "in march 2021",
            "on 2020-13-01",
            "in May",
            "at 2019",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
