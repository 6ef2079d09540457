//! The text of a template that is none of its tags: what stands in the result as it is. Pure.

use minijinja::machinery::{Token, tokenize};

use crate::fault::Fault;
use crate::guard;

/// The texts between the tags, in order.
///
/// # Errors
/// The same as [`crate::check`], but for what only the parser finds.
pub fn texts(template: &str) -> Result<Vec<&str>, Fault> {
    guard::check(template)?;
    let mut texts = Vec::new();
    for token in tokenize(template, false, Default::default(), Default::default()) {
        if let Token::TemplateData(text) = token.map_err(|error| Fault::of(&error))?.0 {
            texts.push(text);
        }
    }
    Ok(texts)
}

/// The template with something else in the place of each text between its tags; the tags stay.
///
/// # Errors
/// The same as `texts`.
pub fn with_texts(template: &str, mut replace: impl FnMut(&str) -> String) -> Result<String, Fault> {
    let mut replaced = String::with_capacity(template.len());
    let mut written = 0;
    for text in texts(template)? {
        // A part of the template itself, so that its place is the distance.
        let at = text.as_ptr().addr() - template.as_ptr().addr();
        replaced.push_str(template.get(written..at).unwrap_or_default());
        replaced.push_str(&replace(text));
        written = at + text.len();
    }
    replaced.push_str(template.get(written..).unwrap_or_default());
    Ok(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_no_tag_is_replaced() {
        let template = "a{{- x -}} a {# a #}{% if a %}a{% endif %}{% raw %}{{ a }}{% endraw %}{{ 'a' }}ä";
        let replaced = with_texts(template, |text| text.replace('a', "b")).unwrap();
        assert_eq!(
            replaced,
            "b{{- x -}} b {# a #}{% if a %}b{% endif %}{% raw %}{{ b }}{% endraw %}{{ 'a' }}ä"
        );
        assert_eq!(texts("{{ a }}").unwrap(), Vec::<&str>::new());
        assert!(texts("{{ 'a").is_err());
    }
}
