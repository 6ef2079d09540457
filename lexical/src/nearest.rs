//! The name that somebody meant who wrote another: for hints. Pure.

/// Characters of a word that are looked at: the time is that of their square.
const LONGEST: usize = 100;

/// The name of the known ones that differs least from `word` but for case, `-` and `_`, when that is little.
pub fn nearest<'n>(word: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |name: &str| -> String {
        let letters = name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' '));
        letters.flat_map(char::to_lowercase).take(LONGEST).collect()
    };
    let word = plain(word);
    let most = (word.chars().count() / 3).clamp(1, 3);
    let distances = known.map(|name| (strsim::damerau_levenshtein(&word, &plain(name)), name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_little_different_is_meant() {
        let known = ["providers", "default_provider", "secrets", "requests_per_minute"];
        for (word, meant) in [
            ("provider", Some("providers")),
            ("Default-Provider", Some("default_provider")),
            ("secert", Some("secrets")),
            ("requestsPerMinute", Some("requests_per_minute")),
            ("hooks", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), meant, "{word}");
        }
    }
}
