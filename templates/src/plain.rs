//! Which templates are plain: text, and tags that write a field of the event, perhaps through filters without
//! arguments. Such a template feeds nothing that it makes back to itself, so that its work is its pieces times the
//! event's size.

use minijinja::machinery::{Token, tokenize};

/// Filters whose work and result are proportional to what they are given.
const FILTERS: &[&str] = &[
    "capitalize",
    "e",
    "escape",
    "length",
    "lower",
    "safe",
    "string",
    "title",
    "tojson",
    "trim",
    "upper",
];

/// Words that are not fields.
const KEYWORDS: &[&str] = &[
    "and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "self", "super", "true",
    "True", "loop", "caller",
];

/// The number of fields and filters of a plain template; `None` for one that is not plain, or does not parse.
#[must_use]
pub fn pieces(template: &str) -> Option<usize> {
    let mut tokens = tokenize(template, false, Default::default(), Default::default());
    let mut pieces = 0;
    while let Some(token) = tokens.next() {
        match token.ok()?.0 {
            Token::TemplateData(_) => {}
            Token::VariableStart => pieces += in_tag(&mut || Some(tokens.next()?.ok()?.0))?,
            _ => return None,
        }
    }
    Some(pieces)
}

/// The pieces of one tag, whose beginning was read: `a.b.c|upper|tojson`.
fn in_tag<'a>(next: &mut impl FnMut() -> Option<Token<'a>>) -> Option<usize> {
    match next()? {
        Token::Ident(name) if !KEYWORDS.contains(&name) => {}
        _ => return None,
    }
    let (mut pieces, mut filtered) = (1, false);
    // So that no tag nests deeper than the parser likes.
    while pieces <= 16 {
        match next()? {
            Token::VariableEnd => return Some(pieces),
            Token::Dot if !filtered => match next()? {
                Token::Ident(_) => {}
                _ => return None,
            },
            Token::Pipe => match next()? {
                Token::Ident(name) if FILTERS.contains(&name) => filtered = true,
                _ => return None,
            },
            _ => return None,
        }
        pieces += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn fields_and_filters_are_plain_and_nothing_else_is() {
        for (template, expected) in [
            ("", Some(0)),
            ("text } { %", Some(0)),
            ("{# a note #}{{a}}", Some(1)),
            (r#"{"text": {{ data.text|tojson }}, "n": {{ n }}}"#, Some(4)),
            ("{{ a.b.c | upper | trim }}", Some(5)),
            ("{% raw %}{{ a }}{% endraw %}", Some(0)),
            ("{{ a ~ a }}", None),
            ("{{ a * 9 }}", None),
            ("{{ 'a' }}", None),
            ("{{ a() }}", None),
            ("{{ a|replace('a', 'aa') }}", None),
            ("{{ a|join }}", None),
            ("{{ a|upper.b }}", None),
            ("{{ a[0] }}", None),
            ("{{ not a }}", None),
            ("{% if a %}{% endif %}", None),
            ("{% set a = 1 %}", None),
            ("{{ a", None),
        ] {
            assert_eq!(pieces(template), expected, "{template}");
        }
        assert_eq!(pieces(&format!("{{{{ a{} }}}}", "|upper".repeat(17))), None);
    }
}
