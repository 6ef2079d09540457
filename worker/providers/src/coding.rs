//! The body of an answer as it was before its server, or a proxy, compressed it. Nobody asks for that, but a server may
//! do so unasked (RFC 9110, 12.5.3), and some say it wrongly. Pure; never more than `most` bytes come of it.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// Codings one upon another; nobody needs two.
const LAYERS: usize = 3;
const BUFFER: usize = 4096;
/// The window that every decoder of zstd must have for HTTP (RFC 9659).
const WINDOW: u64 = 8 * 1024 * 1024;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    #[error("the answer has more than {most} bytes when it is decompressed")]
    TooLarge { most: usize },
    #[error("the answer cannot be decompressed; let the server, or the proxy before it, send it as it is")]
    Broken,
    #[error(
        "the answer has a coding that is not known; let the server, or the proxy before it, send it as it is"
    )]
    Unknown,
}

/// The body without the codings that its header names and without a byte order mark and white space before it.
///
/// # Errors
/// When it is too large, cut, or in a coding that is not known.
pub fn plain(body: &Bytes, codings: &str, most: usize) -> Result<Bytes, CodingError> {
    let mut body = body.clone();
    let codings = codings.split(',').map(|name| name.trim().to_ascii_lowercase());
    let named: Vec<String> = codings
        .filter(|name| !matches!(name.as_str(), "" | "identity" | "none"))
        .collect();
    if named.len() > LAYERS {
        return Err(CodingError::Unknown);
    }
    for coding in named.iter().rev() {
        // Proxies decompress and keep the header.
        if !is_json(&body) {
            body = decoded(&body, coding, most)?.into();
        }
    }
    if named.is_empty() && body.starts_with(&[0x1f, 0x8b]) {
        body = read(MultiGzDecoder::new(&body[..]), most)?.into();
    }
    let bare = bare(&body);
    Ok(body.slice_ref(bare))
}

fn decoded(body: &[u8], coding: &str, most: usize) -> Result<Vec<u8>, CodingError> {
    match coding {
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(body), most),
        // With the frame that the name stands for, or without it, as some servers take it.
        "deflate" => read(ZlibDecoder::new(body), most).or_else(|error| match error {
            CodingError::Broken => read(DeflateDecoder::new(body), most),
            other => Err(other),
        }),
        "br" => read(brotli_decompressor::Decompressor::new(body, BUFFER), most),
        "zstd" => {
            // The decoder keeps as much as the frame asks for, without a bound of its own.
            let window = window(body).ok_or(CodingError::Broken)?;
            if window > WINDOW.max(u64::try_from(most).unwrap_or(u64::MAX)) {
                return Err(CodingError::TooLarge { most });
            }
            let decoder = ruzstd::decoding::StreamingDecoder::new(body).map_err(|_| CodingError::Broken)?;
            read(decoder, most)
        }
        _ => Err(CodingError::Unknown),
    }
}

/// The window of a frame of zstd (RFC 8878, 3.1.1.1); of a single segment it is the size of the content.
fn window(frame: &[u8]) -> Option<u64> {
    let rest = frame.strip_prefix(&[0x28, 0xb5, 0x2f, 0xfd])?;
    let (descriptor, rest) = rest.split_first()?;
    if descriptor & 0x20 == 0 {
        let window = *rest.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut size = [0; 8];
    size[..length].copy_from_slice(rest.get(dictionary..dictionary + length)?);
    let size = u64::from_le_bytes(size);
    Some(if length == 2 { size + 256 } else { size })
}

fn read(decoder: impl Read, most: usize) -> Result<Vec<u8>, CodingError> {
    let mut plain = Vec::new();
    // One byte more shows that there are more.
    let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read: io::Result<usize> = decoder.take(bound).read_to_end(&mut plain);
    match read {
        Err(_) => Err(CodingError::Broken),
        Ok(bytes) if bytes > most => Err(CodingError::TooLarge { most }),
        Ok(_) => Ok(plain),
    }
}

/// True for a body that is JSON already; no coding begins so.
fn is_json(body: &[u8]) -> bool {
    matches!(bare(body).first(), Some(b'{' | b'['))
}

fn bare(body: &[u8]) -> &[u8] {
    let body = body.trim_ascii();
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    const PLAIN: &str = "{\"data\": [1, 2, 3]}";
    /// `PLAIN` in brotli, whose encoder is not here.
    const BROTLI: &[u8] = b"\x0b\x09\x80{\"data\": [1, 2, 3]}\x03";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn of(body: Vec<u8>, codings: &str) -> Result<String, CodingError> {
        let plain = plain(&Bytes::from(body), codings, 1000)?;
        Ok(String::from_utf8_lossy(&plain).into_owned())
    }

    #[test]
    fn every_coding_of_http_is_read() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(PLAIN.as_bytes()).unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(PLAIN.as_bytes()).unwrap();
        let zstd =
            ruzstd::encoding::compress_to_vec(PLAIN.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest);
        let twice = gzip(&gzip(PLAIN.as_bytes()));
        for (body, codings) in [
            (gzip(PLAIN.as_bytes()), "gzip"),
            (gzip(PLAIN.as_bytes()), "X-GZIP"),
            (gzip(PLAIN.as_bytes()), ""),
            (twice, "gzip, gzip"),
            (zlib.finish().unwrap(), "deflate"),
            (raw.finish().unwrap(), "deflate"),
            (BROTLI.to_vec(), "br"),
            (zstd, "zstd"),
            (PLAIN.into(), ""),
            (PLAIN.into(), "identity"),
            (PLAIN.into(), "gzip"),
            (format!("\u{feff}{PLAIN}\r\n").into_bytes(), ""),
            (format!("\n\n \u{feff} {PLAIN}").into_bytes(), ""),
            (gzip(format!("\u{feff}{PLAIN}").as_bytes()), "gzip"),
        ] {
            assert_eq!(of(body, codings), Ok(PLAIN.to_owned()), "{codings}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_a_bomb_is_bounded() {
        assert_eq!(
            of(gzip(PLAIN.as_bytes())[..20].to_vec(), "gzip"),
            Err(CodingError::Broken)
        );
        assert_eq!(of(b"\x1f\x8bxyz".to_vec(), ""), Err(CodingError::Broken));
        assert_eq!(of(b"xyz".to_vec(), "deflate"), Err(CodingError::Broken));
        assert_eq!(of(b"xyz".to_vec(), "br"), Err(CodingError::Broken));
        assert_eq!(of(b"xyz".to_vec(), "zstd"), Err(CodingError::Broken));
        assert_eq!(of(b"xyz".to_vec(), "compress"), Err(CodingError::Unknown));
        assert_eq!(
            of(b"xyz".to_vec(), "gzip,gzip,gzip,gzip"),
            Err(CodingError::Unknown)
        );
        // A window of 2 TiB, and a single segment of 2^56 bytes.
        for greedy in [
            &b"\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00"[..],
            b"\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\0\0\x01\x01\x00\x00",
        ] {
            assert_eq!(
                of(greedy.to_vec(), "zstd"),
                Err(CodingError::TooLarge { most: 1000 })
            );
        }
        let bomb = gzip(&vec![b' '; 10_000_000]);
        assert!(bomb.len() < 100_000);
        assert_eq!(of(bomb, "gzip"), Err(CodingError::TooLarge { most: 1000 }));
    }
}
