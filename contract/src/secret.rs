//! References to secrets in a text: `${ZERODB_SECRET_NAME}`. Knows how one is written, never a value.

/// Of the variables that hooks may refer to.
pub const PREFIX: &str = "ZERODB_SECRET_";
/// Of the keys of providers, which only the worker's file may refer to.
pub const PROVIDER_PREFIX: &str = "ZERODB_PROVIDER_";
/// The secret that signs the webhooks of hooks that name none.
pub const SIGNING: &str = "ZERODB_SECRET_WEBHOOK";

const OPEN: &str = "${";

/// A piece of a text with references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    Plain(&'t str),
    /// The name between `${` and `}`, whatever it is.
    Reference(&'t str),
    /// What follows a `${` that has no `}`; the last part.
    NotClosed(&'t str),
}

/// The parts of a text, in order.
pub fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(inside) = rest.strip_prefix(OPEN) else {
            let (plain, after) = rest.split_at(rest.find(OPEN).unwrap_or(rest.len()));
            rest = after;
            return Some(Part::Plain(plain));
        };
        match inside.split_once('}') {
            Some((name, after)) => {
                rest = after;
                Some(Part::Reference(name))
            }
            None => {
                rest = "";
                Some(Part::NotClosed(inside))
            }
        }
    })
}

/// The names that a text refers to, whatever they are.
pub fn references(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter_map(|part| match part {
        Part::Reference(name) => Some(name),
        Part::Plain(_) | Part::NotClosed(_) => None,
    })
}

/// Whether a variable is a secret by its name: the prefix, then capitals, digits and `_`.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.strip_prefix(PREFIX)
        .is_some_and(|name| !name.is_empty() && name.chars().all(plain))
}

/// The name that a variable would have as a secret; `None` for what is no name of a variable, which may be anything.
pub fn renamed(name: &str) -> Option<String> {
    const LONGEST: usize = 64;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix(PREFIX).unwrap_or(&upper);
    (begins && name.len() <= LONGEST && name.chars().all(plain) && !bare.is_empty())
        .then(|| format!("{PREFIX}{bare}"))
}

/// The first name in a text that is not that of a secret.
pub fn first_foreign(text: &str) -> Option<&str> {
    references(text).find(|name| !is_name(name))
}

/// Whether the text is one reference to a secret and nothing else.
pub fn is_reference(text: &str) -> bool {
    let mut parts = parts(text);
    matches!((parts.next(), parts.next()), (Some(Part::Reference(name)), None) if is_name(name))
}

/// Whether the text refers to a secret; `None` where it refers to anything else, or a reference is not closed.
pub fn refers(text: &str) -> Option<bool> {
    let mut refers = false;
    for part in parts(text) {
        match part {
            Part::Plain(_) => {}
            Part::Reference(name) if is_name(name) => refers = true,
            Part::Reference(_) | Part::NotClosed(_) => return None,
        }
    }
    Some(refers)
}

/// The text with `stand_in` in the place of each reference.
pub fn replaced(text: &str, stand_in: &str) -> String {
    let part = |part| match part {
        Part::Plain(plain) => plain,
        Part::Reference(_) | Part::NotClosed(_) => stand_in,
    };
    parts(text).map(part).collect()
}

/// Whether somebody may have meant a reference, to whatever variable: `${NAME}`, or anything that begins with
/// `${ZERODB_`.
pub fn looks_like_reference(text: &str) -> bool {
    text.split(OPEN).skip(1).any(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        name.starts_with("ZERODB_") || (!name.is_empty() && after.starts_with('}'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_its_references() {
        let parts = |text| parts(text).collect::<Vec<_>>();
        assert_eq!(
            parts("a${X}${Y}b${Z"),
            [
                Part::Plain("a"),
                Part::Reference("X"),
                Part::Reference("Y"),
                Part::Plain("b"),
                Part::NotClosed("Z"),
            ]
        );
        assert!(parts("").is_empty());
        assert_eq!(replaced("https://${A}/${B}?", "1"), "https://1/1?");
    }

    #[test]
    fn only_secrets_may_be_referred_to() {
        for (text, refers_to_secret) in [
            ("plain", Some(false)),
            ("Bearer ${ZERODB_SECRET_A}", Some(true)),
            ("${ZERODB_SECRET_A}${PATH}", None),
            ("${ZERODB_SECRET_}", None),
            ("${ZERODB_SECRET_a}", None),
            ("${ZERODB_PROVIDER_A}", None),
            ("${ZERODB_SECRET_A", None),
        ] {
            assert_eq!(refers(text), refers_to_secret, "{text}");
        }
        assert!(is_reference("${ZERODB_SECRET_A}"));
        for text in [
            "x${ZERODB_SECRET_A}",
            "${ZERODB_SECRET_A}x",
            "${ZERODB_SECRET_A}}",
            "",
        ] {
            assert!(!is_reference(text), "{text}");
        }
    }

    #[test]
    fn a_dollar_in_a_template_is_no_reference() {
        for (text, looks) in [
            ("${HOME}", true),
            ("${ZERODB_SECRET_A", true),
            ("it costs ${{ note }}", false),
            ("$ {HOME}", false),
        ] {
            assert_eq!(looks_like_reference(text), looks, "{text}");
        }
    }
}
