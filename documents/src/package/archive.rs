//! Parts of a ZIP archive, inflated in memory and counted while they are: what an archive says of itself is not
//! believed. Nothing is written anywhere, and an archive within an archive is not opened.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::encoding;
use super::xml::Broken;
use crate::{Kind, ParseError};

/// More entries than any document has.
const MAX_ENTRIES: usize = 10_000;
/// The most that all parts together may inflate to.
const MAX_INFLATED: u64 = 64 << 20;
/// The most that a byte may inflate to, on the average of a part. XML of documents reaches some 50, a bomb 1,000.
const MAX_RATIO: u64 = 200;
/// Parts smaller than this are harmless whatever their ratio.
const RATIO_COUNTS_FROM: u64 = 8 << 20;

/// The entries of an archive, found without case and with `\` for `/`, as packages of Office may name them.
pub(crate) struct Archive<'bytes> {
    zip: ZipArchive<Cursor<&'bytes [u8]>>,
    places: HashMap<String, usize>,
    kind: Kind,
    inflated: u64,
}

impl<'bytes> Archive<'bytes> {
    /// `kind` is what errors name.
    ///
    /// # Errors
    /// `malformed_document`, or `zip_bomb` for too many entries.
    pub(crate) fn open(bytes: &'bytes [u8], kind: Kind) -> Result<Self, ParseError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refusal(&error, kind))?;
        if zip.len() > MAX_ENTRIES {
            return Err(ParseError::ZipBomb);
        }
        let mut places = HashMap::new();
        for place in 0..zip.len() {
            if let Some(Ok(name)) = zip.name_for_index(place) {
                places.entry(key(&name)).or_insert(place);
            }
        }
        Ok(Self {
            zip,
            places,
            kind,
            inflated: 0,
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.places.contains_key(&key(name))
    }

    /// The names of all parts, in lower case and with `/`.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// The result of `take` for the XML part with that name, in UTF-8; nothing if there is none.
    ///
    /// # Errors
    /// `malformed_document` for what `take` finds broken, `encrypted_document`, and `zip_bomb` if the part grew beyond
    /// the limits while it was read.
    pub(crate) fn read<T>(
        &mut self,
        name: &str,
        take: impl FnOnce(&mut dyn BufRead) -> Result<T, Broken>,
    ) -> Result<Option<T>, ParseError> {
        self.counted(name, |part| {
            let start = part.fill_buf().map_err(|_| Broken)?;
            let Some(encoding) = encoding::other_than_utf_8(start) else {
                return take(part);
            };
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).map_err(|_| Broken)?;
            take(&mut encoding::to_utf_8(encoding, &bytes).as_bytes())
        })
    }

    /// The result of `take` for an XML part that the document can do without: nothing, too, if it is broken.
    ///
    /// # Errors
    /// The same as [`Self::read`] but `malformed_document`.
    pub(crate) fn read_if_whole<T>(
        &mut self,
        name: &str,
        take: impl FnOnce(&mut dyn BufRead) -> Result<T, Broken>,
    ) -> Result<Option<T>, ParseError> {
        match self.read(name, take) {
            Err(ParseError::MalformedDocument(_)) => Ok(None),
            result => result,
        }
    }

    /// The bytes of the part with that name, whatever they are.
    ///
    /// # Errors
    /// The same as [`Self::read`].
    pub(crate) fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, ParseError> {
        self.counted(name, |part| {
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).map_err(|_| Broken)?;
            Ok(bytes)
        })
    }

    /// Inflates every part whose name `wanted` accepts and throws it away, for a reader that does not count. With
    /// `each` parts are looked at one by one, as by a reader that keeps none of them.
    ///
    /// # Errors
    /// The same as [`Self::read`].
    pub(crate) fn count(&mut self, each: bool, wanted: impl Fn(&str) -> bool) -> Result<(), ParseError> {
        let names: Vec<String> = self
            .names()
            .filter(|name| wanted(name))
            .map(str::to_owned)
            .collect();
        for name in names {
            let before = self.inflated;
            self.counted(&name, |part| io::copy(part, &mut io::sink()).map_err(|_| Broken))?;
            if each {
                self.inflated = before;
            }
        }
        Ok(())
    }

    fn counted<T>(
        &mut self,
        name: &str,
        take: impl FnOnce(&mut dyn BufRead) -> Result<T, Broken>,
    ) -> Result<Option<T>, ParseError> {
        let Some(place) = self.places.get(&key(name)) else {
            return Ok(None);
        };
        let kind = self.kind;
        let file = self.zip.by_index(*place).map_err(|error| refusal(&error, kind))?;
        let by_ratio = file
            .compressed_size()
            .saturating_mul(MAX_RATIO)
            .max(RATIO_COUNTS_FROM);
        let limit = by_ratio.min(MAX_INFLATED - self.inflated);
        let mut part = BufReader::new(Counted {
            file,
            read: 0,
            limit,
            exceeded: false,
        });
        let taken = take(&mut part);
        let counted = part.into_inner();
        self.inflated += counted.read.min(limit);
        if counted.exceeded {
            Err(ParseError::ZipBomb)
        } else {
            taken
                .map(Some)
                .map_err(|Broken| ParseError::MalformedDocument(kind))
        }
    }
}

/// A reader that fails once it has given its limit.
struct Counted<R> {
    file: R,
    read: u64,
    limit: u64,
    exceeded: bool,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read += read as u64;
        self.exceeded = self.read > self.limit;
        if self.exceeded {
            Err(io::Error::other("the part inflates to more than it may"))
        } else {
            Ok(read)
        }
    }
}

fn key(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_lowercase()
}

fn refusal(error: &ZipError, kind: Kind) -> ParseError {
    match error {
        ZipError::InvalidPassword | ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            ParseError::EncryptedDocument(kind)
        }
        _ => ParseError::MalformedDocument(kind),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn open(bytes: &[u8]) -> Archive<'_> {
        Archive::open(bytes, Kind::Docx).unwrap()
    }

    fn length(archive: &mut Archive<'_>, name: &str) -> Result<Option<u64>, ParseError> {
        archive.read(name, |part| io::copy(part, &mut io::sink()).map_err(|_| Broken))
    }

    #[test]
    fn a_part_that_inflates_too_well_is_a_bomb_and_a_small_one_is_not() {
        let zeros = vec![0; 16 << 20];
        let bytes = archive(&[("small", &zeros[..4 << 20]), ("large", &zeros)]);
        let mut archive = open(&bytes);
        assert_eq!(length(&mut archive, "small"), Ok(Some(4 << 20)));
        assert_eq!(length(&mut archive, "large"), Err(ParseError::ZipBomb));
        assert_eq!(length(&mut archive, "absent"), Ok(None));
        assert_eq!(open(&bytes).count(false, |name| name == "small"), Ok(()));
        assert_eq!(open(&bytes).count(true, |_| true), Err(ParseError::ZipBomb));
    }

    #[test]
    fn all_parts_together_have_a_limit() {
        let bytes = archive(&[("small", &vec![0; 7 << 20])]);
        let mut archive = open(&bytes);
        let reads = (0..100)
            .take_while(|_| length(&mut archive, "small").is_ok())
            .count();
        assert_eq!(reads as u64, MAX_INFLATED / (7 << 20));
    }

    #[test]
    fn ten_thousand_entries_are_enough() {
        let names: Vec<String> = (0..=MAX_ENTRIES).map(|number| number.to_string()).collect();
        let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        let bytes = archive(&entries);
        assert_eq!(Archive::open(&bytes, Kind::Docx).err(), Some(ParseError::ZipBomb));
    }

    #[test]
    fn names_are_found_without_case_and_with_backslashes() {
        let bytes = archive(&[("Word\\Document.XML", b"<a/>")]);
        assert_eq!(length(&mut open(&bytes), "/word/document.xml"), Ok(Some(4)));
    }

    #[test]
    fn a_part_in_another_encoding_arrives_in_utf_8() {
        let utf_16: Vec<u8> = "\u{FEFF}<?xml version='1.0' encoding='utf-16'?><a>ü</a>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xFC</a>";
        let bytes = archive(&[("wide", &utf_16), ("latin", latin)]);
        let mut archive = open(&bytes);
        for name in ["wide", "latin"] {
            let text = archive.read(name, |part| {
                let mut text = String::new();
                part.read_to_string(&mut text).map_err(|_| Broken)?;
                Ok(text)
            });
            assert_eq!(text.unwrap().as_deref(), Some("<a>ü</a>"), "{name}");
        }
    }
}
