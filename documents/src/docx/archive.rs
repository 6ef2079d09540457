//! Parts of a ZIP archive, inflated in memory and counted while they are: what an archive says of itself is not
//! believed. Nothing is written anywhere, and an archive within an archive is not opened.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::{Kind, ParseError};

/// More entries than any document has.
const MAX_ENTRIES: usize = 10_000;
/// The most that all parts together may inflate to.
const MAX_INFLATED: u64 = 64 << 20;
/// The most that a byte may inflate to, on the average of a part. XML of documents reaches some 50, a bomb 1,000.
const MAX_RATIO: u64 = 200;
/// Parts smaller than this are harmless whatever their ratio.
const RATIO_COUNTS_FROM: u64 = 8 << 20;

/// The entries of an archive.
pub(super) struct Archive<'bytes> {
    zip: ZipArchive<Cursor<&'bytes [u8]>>,
    inflated: u64,
}

impl<'bytes> Archive<'bytes> {
    /// # Errors
    /// `malformed_document`, or `zip_bomb` for too many entries.
    pub(super) fn open(bytes: &'bytes [u8]) -> Result<Self, ParseError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| refusal(&error))?;
        if zip.len() > MAX_ENTRIES {
            return Err(ParseError::ZipBomb);
        }
        Ok(Self { zip, inflated: 0 })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// What `take` makes of the part with that name; nothing if there is none.
    ///
    /// # Errors
    /// What `take` returns, `encrypted_document`, and `zip_bomb` if the part grew beyond the limits while it was read.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        take: impl FnOnce(&mut dyn BufRead) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        if !self.has(name) {
            return Ok(None);
        }
        let file = self.zip.by_name(name).map_err(|error| refusal(&error))?;
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
            taken.map(Some)
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

fn refusal(error: &ZipError) -> ParseError {
    match error {
        ZipError::InvalidPassword | ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            ParseError::EncryptedDocument(Kind::Docx)
        }
        _ => ParseError::MalformedDocument(Kind::Docx),
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

    fn length(archive: &mut Archive<'_>, name: &str) -> Result<Option<u64>, ParseError> {
        archive.read(name, |part| {
            io::copy(part, &mut io::sink()).map_err(|_| ParseError::MalformedDocument(Kind::Docx))
        })
    }

    #[test]
    fn a_part_that_inflates_too_well_is_a_bomb_and_a_small_one_is_not() {
        let zeros = vec![0; 16 << 20];
        let bytes = archive(&[("small", &zeros[..4 << 20]), ("large", &zeros)]);
        let mut archive = Archive::open(&bytes).unwrap();
        assert_eq!(length(&mut archive, "small"), Ok(Some(4 << 20)));
        assert_eq!(length(&mut archive, "large"), Err(ParseError::ZipBomb));
        assert_eq!(length(&mut archive, "absent"), Ok(None));
    }

    #[test]
    fn all_parts_together_have_a_limit() {
        let bytes = archive(&[("small", &vec![0; 7 << 20])]);
        let mut archive = Archive::open(&bytes).unwrap();
        let reads = (0..100)
            .take_while(|_| length(&mut archive, "small").is_ok())
            .count();
        assert_eq!(reads as u64, MAX_INFLATED / (7 << 20));
    }

    #[test]
    fn ten_thousand_entries_are_enough() {
        let names: Vec<String> = (0..=MAX_ENTRIES).map(|number| number.to_string()).collect();
        let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert_eq!(Archive::open(&archive(&entries)).err(), Some(ParseError::ZipBomb));
    }
}
