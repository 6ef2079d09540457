//! Where functions and long lines stand in a source text.

use anyhow::Result;
use proc_macro2::{Literal, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

pub struct Function {
    pub name: String,
    /// From its `fn` to the brace that closes it.
    pub lines: usize,
}

pub fn functions(file: &syn::File) -> Vec<Function> {
    let mut found = Functions(Vec::new());
    found.visit_file(file);
    found.0
}

struct Functions(Vec<Function>);

impl Functions {
    fn add(&mut self, signature: &Signature, body: &Block) {
        let (first, last) = (
            signature.fn_token.span.start(),
            body.brace_token.span.close().end(),
        );
        self.0.push(Function {
            name: signature.ident.to_string(),
            lines: last.line - first.line + 1,
        });
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a TraitItemFn) {
        if let Some(body) = &function.default {
            self.add(&function.sig, body);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// The numbers of the lines that have more than `most` columns beside their string literals; comments have none.
pub fn long_lines(text: &str, most: usize) -> Result<Vec<usize>> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut columns: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
    let whole = columns.clone();
    literals(tokens, &mut |span| {
        let (start, end) = (span.start(), span.end());
        for line in start.line..=end.line {
            let from = if line == start.line { start.column } else { 0 };
            let to = if line == end.line {
                end.column
            } else {
                whole[line - 1]
            };
            columns[line - 1] = columns[line - 1].saturating_sub(to - from);
        }
    });
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let of_line = |(at, line): (usize, &str)| if is_comment(line) { whole[at] } else { columns[at] };
    let long = text.lines().enumerate().filter(|line| of_line(*line) > most);
    Ok(long.map(|(at, _)| at + 1).collect())
}

fn literals(tokens: TokenStream, found: &mut impl FnMut(Span)) {
    for token in tokens {
        match token {
            TokenTree::Literal(literal) if is_text(&literal) => found(literal.span()),
            TokenTree::Group(group) => literals(group.stream(), found),
            _ => {}
        }
    }
}

fn is_text(literal: &Literal) -> bool {
    let said = literal.to_string();
    said.trim_start_matches(['b', 'c', 'r', '#']).starts_with('"')
}

#[test]
fn a_text_has_no_columns_and_a_comment_has_all() -> Result<()> {
    let code = "const A: &str = \"0123456789\";\n// 0123456789012345678901234\nconst LONGER_THAN_IT_MAY_BE: u8 = 0;\n";
    assert_eq!(long_lines(code, 20)?, [2, 3]);
    let found = functions(&syn::parse_file(
        "fn a() {\n}\nimpl B {\n    fn b() {\n        1\n    }\n}\n",
    )?);
    let sizes: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.lines)).collect();
    assert_eq!(sizes, [("a", 2), ("b", 3)]);
    Ok(())
}
