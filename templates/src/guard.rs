//! The guard before the parser: it refuses what nests too deeply. The parser and the compiler call themselves once for
//! each operator of an expression and for each `elif`; that ends a process when the stack does, and no error can be
//! caught.

use minijinja::machinery::{Token, tokenize};

use crate::fault::{Fault, MAX_TEMPLATE};

/// Tokens of one tag. Each may be one call deeper.
const IN_A_TAG: usize = 400;
/// The most `elif` tags of a whole template: each is a condition within the last one.
const ELIFS: usize = 100;

/// # Errors
/// `TooLong`, or `Wrong` for what the lexer refuses and what nests too deeply.
pub fn check(template: &str) -> Result<(), Fault> {
    if template.len() > MAX_TEMPLATE {
        return Err(Fault::TooLong);
    }
    let (mut in_tag, mut elifs) = (0, 0);
    for token in tokenize(template, false, Default::default(), Default::default()) {
        let (token, span) = token.map_err(|error| Fault::of(&error))?;
        match token {
            Token::VariableStart | Token::BlockStart => in_tag = 0,
            Token::Ident("elif") => elifs += 1,
            _ => {}
        }
        in_tag += 1;
        if in_tag > IN_A_TAG || elifs > ELIFS {
            return Err(Fault::Wrong {
                what: "nested too deeply, or a tag is too long".into(),
                line: Some(span.start_line.into()),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::check;

    /// Every construct that is one call deeper for each of its parts. Each of them ended a thread of 2 MiB.
    const DEEPER: &[(&str, &str, &str)] = &[
        ("{{ a", ".b", " }}"),
        ("{{ a", "|e", " }}"),
        ("{{ a", "~a", " }}"),
        ("{{ 2", "**2", " }}"),
        ("{{ a", "()", " }}"),
        ("{{ ", "not ", "a }}"),
        ("{{ ", "-", "a }}"),
        ("{{ a", " or a", " }}"),
        ("{{ a", " is a", " }}"),
        ("{{ ", "1 if a else ", "1 }}"),
        ("{{ ", "(", "a }}"),
        ("{{ ", "[", "a }}"),
        ("{% if a %}", "{% elif a %}", "{% endif %}"),
        ("", "{% if a %}", ""),
        ("{% for ", "(", "a in b %}{% endfor %}"),
        ("{{ '}}' ", "~'{{'", " }}"),
    ];

    #[test]
    fn no_depth_ends_the_stack() {
        for (before, part, after) in DEEPER {
            for count in [50, 99, 150, 399, 3000] {
                let template = format!("{before}{}{after}", part.repeat(count));
                let checked = std::thread::Builder::new()
                    .stack_size(2 << 20)
                    .spawn(move || check(&template));
                let checked = checked.unwrap().join().unwrap();
                assert!(checked.is_err() || count < 400, "{part} × {count}");
            }
        }
    }

    #[test]
    fn depths_add_up() {
        let inner = format!("{{{{ {}a{} }}}}", "-".repeat(300), "|e".repeat(40));
        let elifs = "{% elif a %}".repeat(99);
        let template = format!(
            "{}{elifs}{inner}{}",
            "{% if a %}".repeat(140),
            "{% endif %}".repeat(140)
        );
        let checked = std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || check(&template));
        assert!(checked.unwrap().join().unwrap().is_ok());
    }
}
