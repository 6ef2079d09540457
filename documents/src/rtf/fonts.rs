//! The fonts of a file, as far as they tell which letters its bytes are.

use std::collections::HashMap;

use encoding_rs::Encoding;

use crate::symbols::{self, Font};

/// More than any file has.
const MAX_FONTS: usize = 10_000;
/// The longest name of a font that is kept.
const MAX_NAME: usize = 100;

/// The table of fonts, by their numbers.
#[derive(Default)]
pub(super) struct Fonts {
    fonts: HashMap<i32, Entry>,
    /// The one that is being described.
    open: Option<i32>,
}

#[derive(Default)]
struct Entry {
    name: String,
    encoding: Option<&'static Encoding>,
}

impl Fonts {
    /// A word within the table.
    pub(super) fn describe(&mut self, word: &str, number: Option<i32>) {
        match (word, number) {
            ("f", Some(number)) if self.fonts.len() < MAX_FONTS => {
                self.open = Some(number);
                self.fonts.insert(number, Entry::default());
            }
            ("fcharset", Some(charset)) => self.encode(of_charset(charset)),
            ("cpg", Some(page)) => self.encode(of_page(page)),
            _ => {}
        }
    }

    /// A letter of a name within the table.
    pub(super) fn spell(&mut self, byte: u8) {
        let font = self.open.and_then(|number| self.fonts.get_mut(&number));
        if let Some(font) = font
            && byte != b';'
            && font.name.len() < MAX_NAME
        {
            font.name.push(char::from(byte));
        }
    }

    pub(super) fn encoding(&self, number: i32) -> Option<&'static Encoding> {
        self.fonts.get(&number)?.encoding
    }

    /// The signs that its letters show, if they are signs.
    pub(super) fn signs(&self, number: i32) -> Option<Font> {
        symbols::font(&self.fonts.get(&number)?.name)
    }

    fn encode(&mut self, encoding: Option<&'static Encoding>) {
        if let Some(font) = self.open.and_then(|number| self.fonts.get_mut(&number)) {
            font.encoding = encoding;
        }
    }
}

/// The encoding of a code page of Windows or the Mac.
pub(super) fn of_page(page: i32) -> Option<&'static Encoding> {
    let label = match page {
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        866 => "ibm866",
        10_000 => "macintosh",
        10_007 => "x-mac-cyrillic",
        65_001 => "utf-8",
        1250..=1258 => return Encoding::for_label(format!("windows-{page}").as_bytes()),
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

/// The encoding of a character set of Windows.
fn of_charset(charset: i32) -> Option<&'static Encoding> {
    of_page(match charset {
        77 => 10_000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178..=180 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}
