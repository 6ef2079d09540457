//! The header Retry-After (RFC 9110, 10.2.3): seconds, or a date. Pure.

use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;

/// More than anybody heeds, and little enough to be added to any time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The wait of `retry-after`. A date is compared with the answer's own `date`, where it has one: the two clocks need
/// not agree. `None` for a text of neither form, for a time that has passed, and for a number below zero.
pub fn wait(retry_after: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let text = retry_after.trim();
    let wait = seconds(text).or_else(|| until(text, date, now))?;
    (!wait.is_zero()).then(|| wait.min(LONGEST))
}

/// Whole seconds by the letter; some servers send a fraction, and some more digits than a number has.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if !is_number {
        return None;
    }
    let seconds: f64 = text.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST))
}

fn until(text: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let sent = date.and_then(|date| parse_http_date(date.trim()).ok());
    parse_http_date(text)
        .ok()?
        .duration_since(sent.unwrap_or(now))
        .ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn any_text_is_a_bounded_wait_or_none(
            text in "(?s).{0,40}|[0-9.]{0,40}|[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{0,9} GMT",
            date in prop::option::of("(?s).{0,40}"),
            now in 0_u64..1 << 40,
        ) {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            let wait = wait(&text, date.as_deref(), now);
            prop_assert!(wait.is_none_or(|wait| !wait.is_zero() && wait <= LONGEST));
        }
    }

    #[test]
    fn seconds_and_dates_are_read_and_nonsense_is_not() {
        // Sunday, 6 November 1994, 08:49:37 GMT, the date of RFC 9110.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let cases: &[(&str, Option<&str>, Option<u64>)] = &[
            ("6", None, Some(6_000)),
            (" 120 ", None, Some(120_000)),
            ("1.5", None, Some(1_500)),
            ("0", None, None),
            ("-5", None, None),
            ("soon", None, None),
            ("", None, None),
            ("1e3", None, None),
            ("99999999999999999999999", None, Some(31_536_000_000)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(30_000)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", None, Some(30_000)),
            ("Sun Nov  6 08:50:07 1994", None, Some(30_000)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", None, None),
            // The endpoint's clock is an hour behind: it means six seconds.
            (
                "Sun, 06 Nov 1994 07:49:43 GMT",
                Some("Sun, 06 Nov 1994 07:49:37 GMT"),
                Some(6_000),
            ),
            ("Sun, 06 Nov 1994 08:49:43 GMT", Some("nonsense"), Some(6_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", None, Some(31_536_000_000)),
        ];
        for (text, date, expected) in cases {
            let read = wait(text, *date, now).map(|wait| u64::try_from(wait.as_millis()).unwrap());
            assert_eq!(read, *expected, "{text} {date:?}");
        }
    }
}
