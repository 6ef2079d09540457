//! The text of the Rich Text Format, by paragraph. Own code, because what there is reads neither the encodings of fonts
//! nor what is nested, and a reader of text needs no more of the format than this.

mod fonts;
mod output;
mod tokens;

use crate::{Document, Kind, ParseError};
use fonts::Fonts;
use output::Output;
use tokens::{Token, Tokens};

/// Deeper than any program nests groups.
const MAX_DEPTH: usize = 1000;
/// Groups that hold no text of the document.
const SKIPPED: &[&str] = &[
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "rsidtbl",
    "generator",
    "pict",
    "nonshppict",
    "objdata",
    "objclass",
    "fldinst",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "ftnsep",
    "ftnsepc",
    "aftnsep",
    "aftnsepc",
    "themedata",
    "colorschememapping",
    "datastore",
    "latentstyles",
    "xmlnstbl",
    "mmathPr",
    "filetbl",
    "revtbl",
    "author",
    "operator",
    "company",
    "keywords",
    "subject",
    "doccomm",
    "category",
    "manager",
    "hlinkbase",
    "bkmkstart",
    "bkmkend",
    "atnid",
    "atnauthor",
    "annotation",
    "sp",
    "tc",
    "xe",
    "txe",
    "rxe",
    "comment",
    "listtext",
    "pntext",
    "template",
    "userprops",
];

/// # Errors
/// `malformed_document` for what does not begin like one, or nests without end.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let bytes = crate::sniff::text_start(bytes);
    if !bytes.starts_with(b"{\\rtf") {
        return Err(ParseError::MalformedDocument(Kind::Rtf));
    }
    let mut reader = Reader::default();
    for token in Tokens::new(bytes) {
        reader.take(token)?;
        if reader.output.is_full() || reader.groups.is_empty() {
            break;
        }
    }
    // A file that is cut off has groups without an end.
    reader.flush();
    let (text, title, truncated) = reader.output.finish();
    Ok(Document {
        text,
        kind: Kind::Rtf,
        title,
        truncated,
    })
}

#[derive(Default)]
struct Reader {
    groups: Vec<Group>,
    fonts: Fonts,
    output: Output,
    /// The encoding of what has no font with one of its own.
    page: i32,
    /// The number of letters to pass by that stand for a character of Unicode in older programs.
    substitutes: i32,
    /// A group has just begun: only there `\*` means that what is not known is skipped.
    begins: bool,
    optional: bool,
}

/// The state of a group and of those within it.
#[derive(Clone, Copy)]
struct Group {
    place: Place,
    font: i32,
    substitutes: i32,
    deleted: bool,
}

/// The purpose of the text of a group.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Text,
    Note,
    Title,
    Fonts,
    Nothing,
}

impl Reader {
    fn take(&mut self, token: Token<'_>) -> Result<(), ParseError> {
        let begins = std::mem::replace(&mut self.begins, token == Token::Open);
        if self.substitutes > 0 && !matches!(token, Token::Open | Token::Close) {
            self.substitutes -= 1;
            return Ok(());
        }
        match token {
            Token::Open => return self.open(),
            Token::Close => self.close(),
            Token::Word(word, number) => self.word(word, number),
            Token::Symbol(b'*') => self.optional = begins,
            Token::Symbol(symbol) => self.symbol(symbol),
            Token::Byte(byte) => self.byte(byte),
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), ParseError> {
        if self.groups.len() >= MAX_DEPTH {
            return Err(ParseError::MalformedDocument(Kind::Rtf));
        }
        self.substitutes = 0;
        self.flush();
        self.groups.push(self.groups.last().copied().unwrap_or(Group {
            place: Place::Text,
            font: 0,
            substitutes: 1,
            deleted: false,
        }));
        Ok(())
    }

    fn close(&mut self) {
        self.substitutes = 0;
        self.optional = false;
        self.flush();
        let left = self.groups.pop().map(|group| group.place);
        let place = self.groups.last().map(|group| group.place);
        if left == Some(Place::Note) && place != left {
            self.output.end_note();
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        let optional = std::mem::take(&mut self.optional);
        let Some(group) = self.groups.last_mut() else {
            return;
        };
        match word {
            "fonttbl" => group.place = Place::Fonts,
            _ if group.place == Place::Fonts => self.fonts.describe(word, number),
            // Text in a shape is in a group that older programs skip.
            "shptxt" => group.place = Place::Text,
            _ if group.place == Place::Nothing => {}
            "title" => group.place = Place::Title,
            "footnote" => group.place = Place::Note,
            _ if SKIPPED.contains(&word) || optional => group.place = Place::Nothing,
            "uc" => group.substitutes = number.unwrap_or(1).clamp(0, 100),
            "u" => self.character(number.unwrap_or(0)),
            _ => self.format(word, number),
        }
    }
    /// A control word that changes the text, or how its bytes are read.
    fn format(&mut self, word: &str, number: Option<i32>) {
        self.flush();
        let Some(group) = self.groups.last_mut() else {
            return;
        };
        match word {
            "ansicpg" => self.page = number.unwrap_or(0),
            "mac" => self.page = 10_000,
            "f" => group.font = number.unwrap_or(0),
            "deleted" => group.deleted = number != Some(0),
            "plain" => {
                group.font = 0;
                group.deleted = false;
            }
            "par" | "sect" | "page" if group.place == Place::Text => self.output.end_paragraph(),
            "row" | "nestrow" if group.place == Place::Text => self.output.end_line(),
            "par" => self.write(" "),
            "cell" | "nestcell" if group.place == Place::Text => self.output.end_cell(),
            "tab" => self.write("\t"),
            "line" => self.write("\n"),
            "emdash" => self.write("—"),
            "endash" => self.write("–"),
            "emspace" | "enspace" | "qmspace" => self.write(" "),
            "bullet" => self.write("•"),
            "lquote" => self.write("‘"),
            "rquote" => self.write("’"),
            "ldblquote" => self.write("“"),
            "rdblquote" => self.write("”"),
            _ => {}
        }
    }

    fn symbol(&mut self, symbol: u8) {
        self.flush();
        match symbol {
            b'~' => self.write(" "),
            b'_' => self.write("-"),
            b'{' | b'}' | b'\\' => self.byte(symbol),
            _ => {}
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.groups.last().map(|group| group.place) {
            Some(Place::Fonts) => self.fonts.spell(byte),
            Some(Place::Nothing) | None => {}
            Some(_) => self.output.bytes.push(byte),
        }
    }

    /// A character of Unicode, in the two halves of UTF-16 where it has them; letters that stand for it follow.
    fn character(&mut self, number: i32) {
        self.flush_bytes();
        // Numbers are written as signed ones of 16 bits.
        self.output.units.push((number & 0xFFFF) as u16);
        self.substitutes = self.groups.last().map_or(0, |group| group.substitutes);
    }

    fn flush(&mut self) {
        self.flush_bytes();
        let units = std::mem::take(&mut self.output.units);
        if !units.is_empty() {
            let font = self.groups.last().and_then(|group| self.fonts.signs(group.font));
            let shown: String = String::from_utf16_lossy(&units)
                .chars()
                .map(|letter| font.as_ref().map_or(letter, |font| font.shown(letter)))
                .collect();
            self.write(&shown);
        }
    }

    fn flush_bytes(&mut self) {
        let bytes = std::mem::take(&mut self.output.bytes);
        if bytes.is_empty() {
            return;
        }
        let units = std::mem::take(&mut self.output.units);
        if !units.is_empty() {
            self.write(&String::from_utf16_lossy(&units));
        }
        let font = self.groups.last().map_or(0, |group| group.font);
        if let Some(signs) = self.fonts.signs(font) {
            let shown: String = bytes.iter().map(|byte| signs.shown(char::from(*byte))).collect();
            self.write(&shown);
            return;
        }
        let encoding = self.fonts.encoding(font).or_else(|| fonts::of_page(self.page));
        let (text, _) = encoding
            .unwrap_or(encoding_rs::WINDOWS_1252)
            .decode_without_bom_handling(&bytes);
        self.write(&text);
    }

    fn write(&mut self, text: &str) {
        let Some(group) = self.groups.last() else {
            return;
        };
        if group.deleted {
            return;
        }
        match group.place {
            Place::Text => self.output.write(text),
            Place::Note => self.output.write_note(text),
            Place::Title => self.output.write_title(text),
            Place::Fonts | Place::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(rtf: &str) -> String {
        let fonts = r"{\fonttbl{\f0 Times;}{\f1\fcharset204 Arial Cyr;}{\f2\fcharset128 Mincho;}{\f3\fcharset2 Symbol;}}";
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
