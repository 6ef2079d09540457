//! XML in other encodings than UTF-8: which one a part is in, and how it becomes UTF-8.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The encoding of a part that begins with these bytes; nothing for UTF-8.
pub(super) fn other_than_utf_8(start: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(start) {
        return (encoding != UTF_8).then_some(encoding);
    }
    match start {
        [b'<', 0, ..] => return Some(UTF_16LE),
        [0, b'<', ..] => return Some(UTF_16BE),
        _ => {}
    }
    let declaration = start.strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|byte| *byte == b'>')?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let label = value.get(1..)?.split(['"', '\'']).next()?;
    // A part that can be read as ASCII up to here is not in UTF-16, whatever it says.
    Encoding::for_label(label.as_bytes()).filter(|encoding| ![UTF_8, UTF_16LE, UTF_16BE].contains(encoding))
}

/// The part in UTF-8, without the declaration, which would now be wrong.
pub(super) fn to_utf_8(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let (text, _, _) = encoding.decode(bytes);
    let declared = text.starts_with("<?xml").then(|| text.find("?>")).flatten();
    match declared {
        Some(end) => text[end + "?>".len()..].to_owned(),
        None => text.into_owned(),
    }
}
