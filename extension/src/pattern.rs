//! The patterns by which hooks name an event type. Those that writers compare with are in `capture::wanted`, without a
//! list.

use pgrx::prelude::*;

/// Characters of the longest pattern that a hook can have: the width of its column.
const LONGEST: usize = 100;

/// `zerodb._patterns`: the hook patterns that cover an event type: itself, `*`, and every dotted prefix with `.*`. What
/// follows the longest pattern that there can be is not looked at, however long the type is.
#[pg_extern(name = "_patterns", immutable, strict, parallel_safe)]
pub fn patterns(event_type: &str) -> Vec<String> {
    let within = event_type
        .char_indices()
        .nth(LONGEST)
        .map_or(event_type, |(end, _)| &event_type[..end]);
    let prefixes = within
        .match_indices('.')
        .map(|(dot, _)| format!("{}*", &within[..=dot]));
    [event_type.to_owned(), "*".to_owned()]
        .into_iter()
        .chain(prefixes)
        .collect()
}

/// The patterns of a type in the server's encoding. One that is not UTF-8 has no prefixes.
pub fn of(event_type: &[u8]) -> Vec<Vec<u8>> {
    match std::str::from_utf8(event_type) {
        Ok(event_type) => patterns(event_type).into_iter().map(String::into_bytes).collect(),
        Err(_) => vec![event_type.to_vec(), b"*".to_vec()],
    }
}

/// `zerodb._may_name`: whether the argument of a watch's trigger has the text of an event type, or of what a pattern
/// begins with. It tells the triggers that need not be parsed, of which there may be thousands: parsing one takes a
/// tenth of a millisecond.
#[pg_extern(name = "_may_name", immutable, strict, parallel_safe)]
pub fn may_name(arguments: &[u8], pattern: &str) -> bool {
    let start = pattern.strip_suffix('*').unwrap_or(pattern).as_bytes();
    start.is_empty() || arguments.windows(start.len()).any(|text| text == start)
}
