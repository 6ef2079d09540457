//! Messages (RFC 5322, MIME): mails, mailboxes, and pages of the web that were saved as one (MHTML, RFC 2557).
//!
//! Attachments are named and not read.

use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use crate::text::Bounded;
use crate::{Document, Kind, MAX_TEXT, ParseError, html};

/// Attachments that are named; a message with more has them made by a program.
const MAX_ATTACHMENTS: usize = 100;
/// The longest header that is kept.
const MAX_HEADER: usize = 2000;

/// Subject, people and date of each message, its text, and the names of what is attached.
///
/// # Errors
/// `malformed_document` for what has no headers.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let bytes = crate::sniff::text_start(bytes);
    let mut text = Bounded::new(MAX_TEXT);
    let mut title = None;
    for message in messages(bytes) {
        let message = MessageParser::default()
            .parse(message)
            .ok_or(ParseError::MalformedDocument(Kind::Mail))?;
        title = title.or_else(|| message.subject().map(clipped));
        write(&message, &mut text)?;
        if text.is_truncated() {
            break;
        }
    }
    let (text, truncated) = text.finish();
    Ok(Document {
        text,
        kind: Kind::Mail,
        title: title.filter(|title| !title.is_empty()),
        truncated,
    })
}

/// The page that a web archive was made of, which is the first one in it; a plain text if there is no page.
///
/// # Errors
/// `malformed_document` for what has no headers.
pub(crate) fn parse_page(bytes: &[u8]) -> Result<Document, ParseError> {
    let malformed = ParseError::MalformedDocument(Kind::WebArchive);
    let message = MessageParser::default().parse(bytes).ok_or(malformed)?;
    let page = message.parts.iter().find_map(|part| match &part.body {
        PartType::Html(page) => Some(page),
        _ => None,
    });
    let document = match page {
        Some(page) => html::parse(page.as_bytes(), Some("utf-8"))?,
        None => plain(&message),
    };
    Ok(Document {
        kind: Kind::WebArchive,
        title: document.title.or_else(|| message.subject().map(clipped)),
        ..document
    })
}

fn plain(message: &Message<'_>) -> Document {
    let mut text = Bounded::new(MAX_TEXT);
    for part in message.text_bodies() {
        text.push(part.text_contents().unwrap_or_default());
    }
    let (text, truncated) = text.finish();
    Document {
        text,
        kind: Kind::WebArchive,
        title: None,
        truncated,
    }
}

/// The messages of a mailbox, each of which a line with `From ` and no colon begins (RFC 4155); one, where it does not
/// begin with that.
fn messages(bytes: &[u8]) -> Vec<&[u8]> {
    if !bytes.starts_with(b"From ") {
        return vec![bytes];
    }
    let mut starts: Vec<usize> = bytes
        .windows(7)
        .enumerate()
        .filter(|(_, window)| window == b"\n\nFrom " || window == b"\n\r\nFrom")
        .map(|(place, _)| place + 2)
        .collect();
    starts.insert(0, 0);
    starts.push(bytes.len());
    starts
        .windows(2)
        .map(|pair| bytes[pair[0]..pair[1]].trim_ascii_start())
        .filter_map(|message| {
            let line = message.iter().position(|byte| *byte == b'\n')?;
            Some(&message[line + 1..])
        })
        .collect()
}

fn write(message: &Message<'_>, text: &mut Bounded) -> Result<(), ParseError> {
    text.end_line(true);
    let header = |text: &mut Bounded, name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text.push(&format!("{name}: {value}\n"));
        }
    };
    header(text, "Subject", message.subject().map(clipped));
    header(text, "From", message.from().map(people));
    header(text, "To", message.to().map(people));
    header(text, "Cc", message.cc().map(people));
    header(
        text,
        "Date",
        message.date().map(mail_parser::DateTime::to_rfc3339),
    );
    text.end_line(true);
    for part in message.text_bodies() {
        text.push(words_of(part)?.trim());
        text.end_line(true);
    }
    for part in message.attachments().take(MAX_ATTACHMENTS) {
        // Parts that only belong to the layout of a page.
        if matches!(part.body, PartType::InlineBinary(_)) {
            continue;
        }
        if let Some(name) = name_of(part) {
            text.push(&format!("Attachment: {name}\n"));
        }
    }
    Ok(())
}

fn words_of(part: &MessagePart<'_>) -> Result<String, ParseError> {
    Ok(match &part.body {
        PartType::Text(words) => words.replace("\r\n", "\n"),
        PartType::Html(page) => html::parse(page.as_bytes(), Some("utf-8"))?.text,
        _ => String::new(),
    })
}

fn name_of(part: &MessagePart<'_>) -> Option<String> {
    match (&part.body, part.attachment_name()) {
        (_, Some(name)) => Some(clipped(name)),
        (PartType::Message(message), None) => message.subject().map(clipped),
        _ => None,
    }
}

fn people(address: &Address<'_>) -> String {
    let mut people = String::new();
    for one in address.iter() {
        let (name, address) = (one.name().unwrap_or_default(), one.address().unwrap_or_default());
        if people.len() > MAX_HEADER {
            break;
        }
        if !people.is_empty() {
            people.push_str(", ");
        }
        people.push_str(&match (name.is_empty(), address.is_empty()) {
            (false, false) => format!("{name} <{address}>"),
            (false, true) => name.to_owned(),
            _ => address.to_owned(),
        });
    }
    clipped(&people)
}

fn clipped(header: &str) -> String {
    crate::markdown::one_line(&header[..header.floor_char_boundary(MAX_HEADER)])
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
