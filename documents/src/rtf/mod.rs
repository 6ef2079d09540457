//! The text of the Rich Text Format, by paragraph. Own code, because what there is reads neither the encodings of fonts
//! nor what is nested, and a reader of text needs no more of the format than this.

mod fonts;
mod output;
mod reader;
mod tokens;

use crate::{Document, Kind, ParseError};
use reader::RtfReader;
use tokens::Tokens;

/// # Errors
/// `malformed_document` for what does not begin like one, or nests without end.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let bytes = crate::sniff::text_start(bytes);
    if !bytes.starts_with(b"{\\rtf") {
        return Err(ParseError::MalformedDocument(Kind::Rtf));
    }
    let mut reader = RtfReader::default();
    for token in Tokens::new(bytes) {
        reader.take(token)?;
        if reader.is_done() {
            break;
        }
    }
    let (text, title, truncated) = reader.finish();
    Ok(Document {
        text,
        kind: Kind::Rtf,
        title,
        truncated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rtf: &str) -> String {
        let fonts = concat!(
            r"{\fonttbl{\f0 Times;}{\f1\fcharset204 Arial Cyr;}",
            r"{\f2\fcharset128 Mincho;}{\f3\fcharset2 Symbol;}}"
        );
        let file =
            format!(r"{{\rtf1\ansi\ansicpg1252{fonts}{{\info{{\title The title}}{{\author Nobody}}}}{rtf}}}");
        let document = parse(file.as_bytes()).unwrap();
        assert_eq!(document.title.as_deref(), Some("The title"));
        document.text
    }

    #[test]
    fn words_paragraphs_and_letters_of_all_sorts() {
        for (rtf, expected) in [
            (r"One\par Two\line three\par", "One\n\nTwo\nthree"),
            (r"{\b bold} and {\i slanted}", "bold and slanted"),
            (r"Gr\'fc\'dfe \endash  \ldblquote x\rdblquote", "Grüße – “x”"),
            (r"\uc1\u322?\u243\'f3d\u378 z", "łódź"),
            (r"\u-10179?\u-8704? ok", "😀 ok"),
            (r"\uc0\u26085\u26412", "日本"),
            (r"{\f1\'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
            (r"{\f2\'83\'65\'83X}", "テス"),
            (r"{\f3 a\'b3}b", "α≥b"),
            (r"{\f3\u-3999 ?}", "α"),
            (r"e\_mail co\-op a\~b \{\\\}", "e-mail coop a b {\\}"),
            (r"kept{\deleted gone} on{\*\unheard of}", "kept on"),
            (r"{\b\*\cs7 shown}", "shown"),
            (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt the link}}", "the link"),
            (r"{\pict\pngblip 89504e470d0a}after", "after"),
            (r"a\cell b\cell\row c\cell d\cell\row", "a\tb\nc\td"),
            (
                r"Noted{\footnote A note.} here.\par Next.",
                "Noted here.\n\n[1] A note.\n\nNext.",
            ),
            (
                r"{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt In the box.\par}}}out",
                "In the box.\n\nout",
            ),
        ] {
            assert_eq!(text(rtf), expected, "{rtf}");
        }
    }

    #[test]
    fn what_is_broken_ends_as_its_beginning_or_as_malformed() {
        assert_eq!(parse(br"{\rtf1 cut off {in the").unwrap().text, "cut off in the");
        assert_eq!(parse(br"{\rtf1 a}}}}} b").unwrap().text, "a");
        assert_eq!(parse(br"{\rtf1 a\bin99999999999 b").unwrap().text, "a");
        let deep = format!("{{\\rtf1{}", "{".repeat(100_000));
        assert_eq!(
            parse(deep.as_bytes()),
            Err(ParseError::MalformedDocument(Kind::Rtf))
        );
    }
}
