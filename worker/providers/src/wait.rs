//! The wait that a model server asks for, in headers or in the text of its refusal. Pure.

use std::time::{Duration, SystemTime};

use zerodb_hooks_http::Answer;

/// The longest wait that is heeded: the reason may have passed by then, and one request tells.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The wait that an answer asks for: `retry-after-ms`, `retry-after`, "try again in 41.7s" in `message`, then the reset
/// headers of the limits that are used up. `None` where it names no wait above zero.
pub fn asked(answer: &Answer, message: &str, now: SystemTime) -> Option<Duration> {
    let wait = milliseconds(answer.header("retry-after-ms"))
        .or_else(|| answer.retry_after(now))
        // Some servers write the unit: "20s".
        .or_else(|| duration(answer.header("retry-after")?))
        .or_else(|| in_words(message))
        .or_else(|| reset(answer, now))?;
    (!wait.is_zero()).then(|| wait.min(LONGEST))
}

fn milliseconds(value: Option<&str>) -> Option<Duration> {
    let milliseconds: f64 = value?.trim().parse().ok()?;
    Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

/// The words before the wait in a refusal, in lower case.
const ANNOUNCED: &[&str] = &["try again in ", "retry in ", "retry after ", "wait for ", "wait "];

fn in_words(message: &str) -> Option<Duration> {
    ANNOUNCED.iter().find_map(|words| {
        let (_, after) = message.split_once(words)?;
        duration(after)
    })
}

/// The reset of requests or of tokens, which OpenAI names. The one that is not used up counts only where neither is
/// said to be. `-1` and `0`, which Azure sends, say nothing.
fn reset(answer: &Answer, now: SystemTime) -> Option<Duration> {
    let of = |what: &str| {
        let left = answer.header(&format!("x-ratelimit-remaining-{what}"));
        let wait = duration(answer.header(&format!("x-ratelimit-reset-{what}"))?)?;
        Some((left.is_some_and(|left| left.trim() == "0"), wait))
    };
    let both: Vec<(bool, Duration)> = [of("requests"), of("tokens")].into_iter().flatten().collect();
    let used_up = both.iter().filter(|(none_left, _)| *none_left);
    used_up
        .map(|(_, wait)| *wait)
        .max()
        .or_else(|| both.iter().map(|(_, wait)| *wait).max())
        .or_else(|| plain_reset(answer.header("x-ratelimit-reset")?, now))
}

/// `x-ratelimit-reset`: seconds, or the seconds or milliseconds of the Unix time.
fn plain_reset(value: &str, now: SystemTime) -> Option<Duration> {
    // Three years: longer than any wait, and long before any clock.
    const UNIX_SECONDS: f64 = 1e8;
    const UNIX_MILLISECONDS: f64 = 1e11;
    let number: f64 = value.trim().parse().ok()?;
    let at = match number {
        n if n >= UNIX_MILLISECONDS => n / 1000.0,
        n if n >= UNIX_SECONDS => n,
        n => return Duration::try_from_secs_f64(n).ok(),
    };
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(at).ok()?)?;
    at.duration_since(now).ok()
}

/// A duration at the begin of a text, in the forms of model servers: "6m0s", "120ms", "41.7s", "2 minutes"; a number
/// without a unit is of seconds.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim_start();
    let mut total = None;
    loop {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        // "1.5s." ends a sentence.
        let Ok(number) = rest[..digits].trim_end_matches('.').parse::<f64>() else {
            return total;
        };
        let after = rest[digits..].trim_start();
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let Some(unit) = unit(&after[..letters]) else {
            // Without a unit it is of seconds if nothing else is there, and otherwise no duration: "Wed, 21 Oct".
            return total.or_else(|| after.is_empty().then(|| seconds(number)).flatten());
        };
        total = Some(
            total
                .unwrap_or(Duration::ZERO)
                .saturating_add(seconds(number * unit)?),
        );
        rest = after[letters..].trim_start();
    }
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

fn unit(letters: &str) -> Option<f64> {
    Some(match letters.to_ascii_lowercase().as_str() {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)]) -> Answer {
        Answer {
            status: 429,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: bytes::Bytes::new(),
        }
    }

    /// Sunday, 6 November 1994, 08:49:37 GMT, the date of RFC 9110.
    fn then() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    #[test]
    fn the_durations_of_model_servers_are_read() {
        let cases = [
            ("6m0s", Some(360_000)),
            ("120ms", Some(120)),
            ("41.7s", Some(41_700)),
            ("1h2m3s", Some(3_723_000)),
            ("50.597142857s. Visit the console", Some(50_597)),
            ("60 seconds. Passed model=x", Some(60_000)),
            ("7", Some(7_000)),
            ("0", Some(0)),
            ("-1", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999d", None),
        ];
        for (text, milliseconds) in cases {
            let read = duration(text).map(|wait| wait.as_millis());
            assert_eq!(read, milliseconds, "{text}");
        }
    }

    /// Headers, the words of the refusal, and the seconds to wait.
    type Case = (&'static [(&'static str, &'static str)], &'static str, Option<f64>);

    #[test]
    fn headers_and_words_are_heeded_in_their_order() {
        let cases: &[Case] = &[
            (&[("retry-after-ms", "250"), ("retry-after", "9")], "", Some(0.25)),
            (&[("retry-after", "20")], "please try again in 41.7s.", Some(20.0)),
            (
                &[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")],
                "",
                Some(30.0),
            ),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT")], "", None),
            (
                &[("x-ratelimit-reset-requests", "9s")],
                "please try again in 41.7s.",
                Some(41.7),
            ),
            (
                &[
                    ("x-ratelimit-remaining-requests", "99"),
                    ("x-ratelimit-reset-requests", "6m0s"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "120ms"),
                ],
                "",
                Some(0.12),
            ),
            (
                &[
                    ("x-ratelimit-reset-requests", "-1"),
                    ("x-ratelimit-reset-tokens", "0"),
                ],
                "",
                None,
            ),
            (&[("x-ratelimit-reset", "784111787")], "", Some(10.0)),
            (&[("retry-after", "86400")], "", Some(900.0)),
            (&[], "the model is overloaded", None),
        ];
        for (headers, message, expected) in cases {
            let wait = asked(&answer(headers), message, then()).map(|wait| wait.as_secs_f64());
            assert_eq!(wait, *expected, "{headers:?} {message}");
        }
    }
}
