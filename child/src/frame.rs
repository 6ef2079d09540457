//! Frames: a fixed number of parts with their lengths before them. Each side knows how many parts come and how long
//! each may be. It must not know what they mean.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The length of a part, little endian.
type Length = [u8; 4];

/// Parts of so many bytes together are copied, to be sent at once.
const AT_ONCE: usize = 16 << 10;

/// The bytes that a frame has beside its parts.
pub(crate) const fn overhead(parts: usize) -> usize {
    parts * size_of::<Length>()
}

/// Writes a frame, and flushes.
///
/// # Errors
/// `FileTooLarge` when a part has 4 GiB or more; those of the pipe.
pub(crate) fn write<const N: usize>(output: &mut impl Write, parts: [&[u8]; N]) -> io::Result<()> {
    output.write_all(header(parts)?.as_flattened())?;
    for part in parts {
        output.write_all(part)?;
    }
    output.flush()
}

/// The next frame; `None` at the end, when no more will come. Takes no byte of the frame after it.
///
/// # Errors
/// `InvalidData` when a part is longer than its limit; those of the pipe, such as `UnexpectedEof` within a frame.
pub(crate) fn read<const N: usize>(
    input: &mut impl Read,
    limits: [usize; N],
) -> io::Result<Option<[Vec<u8>; N]>> {
    let mut header = [Length::default(); N];
    let Some((first, rest)) = header.as_flattened_mut().split_at_mut_checked(1) else {
        return Ok(None);
    };
    match input.read_exact(first) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    input.read_exact(rest)?;
    let mut parts = room(header, limits)?;
    for part in &mut parts {
        input.read_exact(part)?;
    }
    Ok(Some(parts))
}

/// The one frame that these bytes are, whole and with nothing behind it.
pub(crate) fn decode<const N: usize>(mut bytes: &[u8], limits: [usize; N]) -> Option<[Vec<u8>; N]> {
    let parts = read(&mut bytes, limits).ok().flatten()?;
    bytes.is_empty().then_some(parts)
}

/// [`write`] for the parent. Not safe to cancel: a part of the frame may have been sent.
///
/// # Errors
/// The same as [`write`].
pub(crate) async fn send<const N: usize>(
    output: &mut (impl AsyncWrite + Unpin),
    parts: [&[u8]; N],
) -> io::Result<()> {
    let header = header(parts)?;
    if parts.iter().map(|part| part.len()).sum::<usize>() <= AT_ONCE {
        let whole = [header.as_flattened(), &parts.concat()].concat();
        output.write_all(&whole).await?;
    } else {
        output.write_all(header.as_flattened()).await?;
        for part in parts {
            output.write_all(part).await?;
        }
    }
    output.flush().await
}

/// [`read`] for the parent, to whom the end of the pipe is an error. Not safe to cancel: a part of the frame may be
/// lost.
///
/// # Errors
/// The same as [`read`].
pub(crate) async fn receive<const N: usize>(
    input: &mut (impl AsyncRead + Unpin),
    limits: [usize; N],
) -> io::Result<[Vec<u8>; N]> {
    let mut header = [Length::default(); N];
    input.read_exact(header.as_flattened_mut()).await?;
    let mut parts = room(header, limits)?;
    for part in &mut parts {
        input.read_exact(part).await?;
    }
    Ok(parts)
}

fn header<const N: usize>(parts: [&[u8]; N]) -> io::Result<[Length; N]> {
    let mut header = [Length::default(); N];
    for (length, part) in header.iter_mut().zip(parts) {
        let bytes = u32::try_from(part.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        *length = bytes.to_le_bytes();
    }
    Ok(header)
}

/// Room for the parts that a header announces.
fn room<const N: usize>(header: [Length; N], limits: [usize; N]) -> io::Result<[Vec<u8>; N]> {
    let mut parts = [const { Vec::new() }; N];
    for ((part, length), limit) in parts.iter_mut().zip(header).zip(limits) {
        let length = u32::from_le_bytes(length) as usize;
        if length > limit {
            return Err(io::ErrorKind::InvalidData.into());
        }
        *part = vec![0; length];
    }
    Ok(parts)
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
