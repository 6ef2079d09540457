//! Times and durations as they are typed. Pure but for the clock that an age is counted back from.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// An age (10m, 2h, 1d) before now, or a point in time.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let hint = "give an age such as 30s, 10m, 2h or 1d, or a time such as 2026-05-01T12:00:00Z";
    let age = milliseconds(text).map(SignedDuration::from_millis).ok_or(hint)?;
    Timestamp::now().checked_sub(age).map_err(|_| hint.into())
}

/// A duration such as 500ms, 2s or 5m; an hour at most.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let hint = "give a time such as 500ms, 2s or 5m, an hour at most";
    let milliseconds = milliseconds(text).and_then(|ms| u64::try_from(ms).ok());
    milliseconds
        .map(Duration::from_millis)
        .filter(|time| *time <= Duration::from_secs(3600))
        .ok_or_else(|| hint.into())
}

/// A whole number with its unit.
fn milliseconds(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let number: i64 = digits.trim().parse().ok()?;
    number.checked_mul(unit).filter(|ms| *ms >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_age_or_a_point() {
        assert_eq!(
            parse_time("2026-05-01T12:00:00Z").map(|at| at.to_string()),
            Ok("2026-05-01T12:00:00Z".into())
        );
        let at = parse_time("2h").expect("an age");
        let age = Timestamp::now().duration_since(at);
        assert!((7200..7210).contains(&age.as_secs()));
        for wrong in ["", "h", "2", "2w", "-1h", "9223372036854775807d", "ü"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_duration_has_a_unit_and_a_bound() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2s"), Ok(Duration::from_secs(2)));
        for wrong in ["2", "-1s", "2h", "s", "1.5s"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
