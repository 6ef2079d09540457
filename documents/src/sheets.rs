//! The sheets of a workbook as tables, by the crate `calamine`: what the cells show, not how they were computed.

use std::io::Cursor;

use calamine::{Data, ExcelDateTime, Reader, Sheets, open_workbook_auto_from_rs};

use crate::markdown::Writer;
use crate::package::{Archive, title};
use crate::{Document, Kind, ParseError};

/// A cell further to the right does not keep its column.
const MAX_COLUMNS: u32 = 1000;
/// The parts of a package that are kept while it is read, wherever they are.
const KEPT: &[&str] = &["sharedstrings.", "styles.", "workbook."];
const MALFORMED: ParseError = ParseError::MalformedDocument(Kind::Spreadsheet);

/// # Errors
/// `malformed_document`, `encrypted_document`, `zip_bomb`.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, ParseError> {
    let mut document_title = None;
    if bytes.starts_with(b"PK") {
        let mut archive = Archive::open(bytes, Kind::Spreadsheet)?;
        // Parts that calamine keeps in memory are bounded together, the rest, which it reads piece by piece, one by
        // one.
        let is_kept = |name: &str| KEPT.iter().any(|kept| name.contains(kept));
        archive.count(false, is_kept)?;
        archive.count(true, |name| {
            !is_kept(name) && (name.ends_with(".xml") || name.ends_with(".bin"))
        })?;
        document_title = archive.read_if_whole("docProps/core.xml", title)?.flatten();
    }
    // Calamine indexes what a broken file may lack, a relationship of a binary workbook for one.
    let (text, truncated) = std::panic::catch_unwind(|| sheets(bytes)).unwrap_or(Err(MALFORMED))?;
    Ok(Document {
        text,
        kind: Kind::Spreadsheet,
        title: document_title,
        truncated,
    })
}

/// The sheets, and whether something of them was left out.
fn sheets(bytes: &[u8]) -> Result<(String, bool), ParseError> {
    let mut workbook = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| refusal(&error))?;
    let mut text = Rows::new();
    let mut whole = true;
    for name in workbook.sheet_names() {
        text.sheet(&name);
        // A sheet that breaks off is no reason to lose the others.
        whole &= read(&mut workbook, &name, &mut text).is_some();
        text.end_row();
        if text.writer.is_full() {
            break;
        }
    }
    let (text, truncated) = text.writer.finish();
    Ok((text, truncated || !whole))
}

/// Nothing where the sheet could not be read to its end.
fn read(workbook: &mut Sheets<Cursor<&[u8]>>, name: &str, text: &mut Rows) -> Option<()> {
    match workbook {
        Sheets::Xlsx(workbook) => {
            let Ok(mut cells) = workbook.worksheet_cells_reader(name) else {
                // A sheet that is a chart.
                return Some(());
            };
            while let Some(cell) = cells.next_cell().ok()? {
                text.cell(cell.get_position(), &shown(&Data::from(cell.get_value().clone())))?;
            }
        }
        Sheets::Xlsb(workbook) => {
            let Ok(mut cells) = workbook.worksheet_cells_reader(name) else {
                return Some(());
            };
            while let Some(cell) = cells.next_cell().ok()? {
                text.cell(cell.get_position(), &shown(&Data::from(cell.get_value().clone())))?;
            }
        }
        other => {
            let range = other.worksheet_range(name).ok()?;
            let (row, column) = range.start().unwrap_or_default();
            for (down, right, value) in range.used_cells() {
                let position = (
                    row + u32::try_from(down).ok()?,
                    column + u32::try_from(right).ok()?,
                );
                text.cell(position, &shown(value))?;
            }
        }
    }
    Some(())
}

/// The rows of the sheets as they come.
struct Rows {
    writer: Writer,
    row: u32,
    cells: Vec<String>,
}

impl Rows {
    fn new() -> Self {
        Self {
            writer: Writer::new(),
            row: 0,
            cells: Vec::new(),
        }
    }

    fn sheet(&mut self, name: &str) {
        self.writer.heading_if_followed(2, name);
    }

    /// Nothing once there is no room.
    fn cell(&mut self, (row, column): (u32, u32), text: &str) -> Option<()> {
        if text.is_empty() {
            return Some(());
        }
        if row != self.row {
            self.end_row();
            self.row = row;
        }
        let column = column.min(MAX_COLUMNS) as usize;
        while self.cells.len() < column {
            self.cells.push(String::new());
        }
        self.cells.push(text.to_owned());
        (!self.writer.is_full()).then_some(())
    }

    fn end_row(&mut self) {
        self.writer.row(&std::mem::take(&mut self.cells));
    }
}

/// The text that a cell shows, but for its currency or percent sign.
fn shown(value: &Data) -> String {
    match value {
        Data::Float(number) => rounded(*number),
        Data::DateTime(time) => moment(time),
        Data::Bool(truth) => truth.to_string().to_uppercase(),
        other => other.to_string(),
    }
}

/// With the fifteen digits that spreadsheets keep, so that 0.3 is not 0.30000000000000004.
fn rounded(number: f64) -> String {
    let short = format!("{number:.14e}").parse::<f64>().unwrap_or(number);
    if short == 0.0 || (1e-9..1e16).contains(&short.abs()) {
        short.to_string()
    } else {
        format!("{short:E}")
    }
}

fn moment(time: &ExcelDateTime) -> String {
    if time.is_duration() {
        let seconds = (time.as_f64() * 86_400.0).round() as i64;
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        return format!("{hours}:{:02}:{:02}", minutes.abs(), seconds.abs());
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if time.as_f64() < 1.0 {
        clock
    } else if clock == "00:00:00" {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {clock}")
    }
}

fn refusal(error: &calamine::Error) -> ParseError {
    use calamine::{XlsError, XlsbError, XlsxError};
    match error {
        calamine::Error::Xlsx(XlsxError::Password)
        | calamine::Error::Xlsb(XlsbError::Password)
        | calamine::Error::Xls(XlsError::Password) => ParseError::EncryptedDocument(Kind::Spreadsheet),
        _ => MALFORMED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_what_a_spreadsheet_shows() {
        use calamine::ExcelDateTimeType::{DateTime, TimeDelta};
        for (value, expected) in [
            (Data::Float(0.1 + 0.2), "0.3"),
            (Data::Float(1_234_567.0), "1234567"),
            (Data::Float(-2.5e-104), "-2.5E-104"),
            (Data::Bool(true), "TRUE"),
            (
                Data::DateTime(ExcelDateTime::new(45_943.5, DateTime, false)),
                "2025-10-13 12:00:00",
            ),
            (
                Data::DateTime(ExcelDateTime::new(45_943.0, DateTime, false)),
                "2025-10-13",
            ),
            (
                Data::DateTime(ExcelDateTime::new(0.375, DateTime, false)),
                "09:00:00",
            ),
            (
                Data::DateTime(ExcelDateTime::new(1.5, TimeDelta, false)),
                "36:00:00",
            ),
        ] {
            assert_eq!(shown(&value), expected);
        }
    }
}
