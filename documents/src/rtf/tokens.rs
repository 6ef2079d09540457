//! The tokens of the Rich Text Format: groups, control words, bytes.

/// A piece of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Token<'a> {
    Open,
    Close,
    /// A control word, without its backslash, and its number.
    Word(&'a str, Option<i32>),
    /// A control symbol: one letter that is none.
    Symbol(u8),
    /// A byte of text in the encoding of its font.
    Byte(u8),
}

/// The tokens of a file, one after another.
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn take(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn while_(&mut self, wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|byte| wanted(**byte)).count();
        self.at += length;
        // Only ASCII is ever wanted.
        std::str::from_utf8(&rest[..length]).unwrap_or_default()
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = *self.bytes.get(self.at)?;
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            return Some(match first {
                b'\'' => self.hexadecimal(),
                b'\r' | b'\n' => Token::Word("par", None),
                symbol => Token::Symbol(symbol),
            });
        }
        let word = self.while_(|byte| byte.is_ascii_alphabetic());
        let minus = self.bytes.get(self.at) == Some(&b'-');
        self.at += usize::from(minus);
        let digits = self.while_(|byte| byte.is_ascii_digit());
        let number = (!digits.is_empty()).then(|| digits.parse().unwrap_or(i32::MAX));
        let number = number.map(|number: i32| if minus { -number } else { number });
        if self.bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        // Bytes as they are, which can look like anything.
        if word == "bin" {
            let length = number
                .and_then(|length| usize::try_from(length).ok())
                .unwrap_or(0);
            self.at = self.at.saturating_add(length).min(self.bytes.len());
        }
        Some(Token::Word(word, number))
    }

    fn hexadecimal(&mut self) -> Token<'a> {
        let digits = self.bytes.get(self.at..self.at + 2);
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) => {
                self.at += 2;
                Token::Byte(byte)
            }
            None => Token::Symbol(b'\''),
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            return Some(match self.take()? {
                b'{' => Token::Open,
                b'}' => Token::Close,
                b'\\' => self.control()?,
                b'\r' | b'\n' | 0 => continue,
                byte => Token::Byte(byte),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_bytes_and_what_is_cut_off() {
        let tokens: Vec<Token<'_>> =
            Tokens::new(b"{\\rtf1\\u-10179 ?\\'e4\\~\\bin3 }}}x\r\n\\'z\\").collect();
        assert_eq!(
            tokens,
            [
                Token::Open,
                Token::Word("rtf", Some(1)),
                Token::Word("u", Some(-10179)),
                Token::Byte(b'?'),
                Token::Byte(0xE4),
                Token::Symbol(b'~'),
                Token::Word("bin", Some(3)),
                Token::Byte(b'x'),
                Token::Symbol(b'\''),
                Token::Byte(b'z'),
            ]
        );
    }
}
