//! The patterns by which hooks, and whoever looks for events, name event types: a type, `*`, or a dotted prefix with
//! `.*`. Pure.

/// Whether a pattern covers an event type.
pub fn covers(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(prefix) if prefix.ends_with('.') => event_type.starts_with(prefix),
        _ => pattern == event_type,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_pattern_covers_itself_what_is_below_it_or_all() {
        for (pattern, event_type, expected) in [
            ("*", "a.b", true),
            ("a.*", "a.b", true),
            ("a.*", "ab.c", false),
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a*", "ab", false),
        ] {
            assert_eq!(covers(pattern, event_type), expected, "{pattern} {event_type}");
        }
    }
}
