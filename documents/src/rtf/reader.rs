//! The walk through the tokens of a file: which groups and control words give text. It must not split tokens.

use super::fonts::{self, Fonts};
use super::output::Output;
use super::tokens::Token;
use crate::{Kind, ParseError};

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

/// The state between two tokens of a file.
#[derive(Default)]
pub(super) struct RtfReader {
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
    destination: Destination,
    font: i32,
    substitutes: i32,
    deleted: bool,
}

/// The purpose of the text of a group.
#[derive(Clone, Copy, PartialEq)]
enum Destination {
    Text,
    Note,
    Title,
    Fonts,
    Nothing,
}

impl RtfReader {
    /// Whether the text is full, or the outermost group has ended.
    pub(super) fn is_done(&self) -> bool {
        self.output.is_full() || self.groups.is_empty()
    }

    /// The text, the title, and whether the text was cut.
    pub(super) fn finish(mut self) -> (String, Option<String>, bool) {
        // A file that is cut off has groups without an end.
        self.flush();
        self.output.finish()
    }

    /// # Errors
    /// `malformed_document` for what nests without end.
    pub(super) fn take(&mut self, token: Token<'_>) -> Result<(), ParseError> {
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
            destination: Destination::Text,
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
        let left = self.groups.pop().map(|group| group.destination);
        let place = self.groups.last().map(|group| group.destination);
        if left == Some(Destination::Note) && place != left {
            self.output.end_note();
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        let optional = std::mem::take(&mut self.optional);
        let Some(group) = self.groups.last_mut() else {
            return;
        };
        match word {
            "fonttbl" => group.destination = Destination::Fonts,
            _ if group.destination == Destination::Fonts => self.fonts.describe(word, number),
            // Text in a shape is in a group that older programs skip.
            "shptxt" => group.destination = Destination::Text,
            _ if group.destination == Destination::Nothing => {}
            "title" => group.destination = Destination::Title,
            "footnote" => group.destination = Destination::Note,
            _ if SKIPPED.contains(&word) || optional => group.destination = Destination::Nothing,
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
            "par" | "sect" | "page" if group.destination == Destination::Text => self.output.end_paragraph(),
            "row" | "nestrow" if group.destination == Destination::Text => self.output.end_line(),
            "par" => self.write(" "),
            "cell" | "nestcell" if group.destination == Destination::Text => self.output.end_cell(),
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
        match self.groups.last().map(|group| group.destination) {
            Some(Destination::Fonts) => self.fonts.spell(byte),
            Some(Destination::Nothing) | None => {}
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
        match group.destination {
            Destination::Text => self.output.write(text),
            Destination::Note => self.output.write_note(text),
            Destination::Title => self.output.write_title(text),
            Destination::Fonts | Destination::Nothing => {}
        }
    }
}
