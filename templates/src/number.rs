//! Numbers of JSON in templates: none of their digits is lost.
//!
//! A number that the renderer would write with other digits is an object that only has its text, as long as the
//! template does not calculate or compare. One that does gets floating-point numbers, and a table says what each of
//! them was written as.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::machinery::{Token, tokenize};
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Error, ErrorKind, Value};

/// Filters that take a number as its text, or do not look at it.
const BY_TEXT: &[&str] = &[
    "capitalize",
    "d",
    "default",
    "e",
    "escape",
    "first",
    "indent",
    "items",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "replace",
    "reverse",
    "safe",
    "string",
    "title",
    "tojson",
    "trim",
    "upper",
    "urlencode",
];
/// Decimal digits that a floating-point number always tells apart.
const CERTAIN_DIGITS: usize = 15;

/// The digits of one number.
#[derive(Debug)]
pub struct Digits(String);

impl Digits {
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        let (mantissa, _) = split(&self.0);
        mantissa.contains(|digit: char| matches!(digit, '1'..='9'))
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The numbers of one rendering.
pub struct Numbers {
    calculates: bool,
    /// The digits of a floating-point number by its bits; `None` where two numbers have become one.
    written: HashMap<u64, Option<String>>,
}

impl Numbers {
    pub fn of(template: &str) -> Self {
        Self {
            calculates: calculates(template),
            written: HashMap::new(),
        }
    }

    /// The value of a number as JSON writes it.
    pub fn value(&mut self, text: &str) -> Value {
        if let Some(whole) = whole(text) {
            return whole;
        }
        match text.parse::<f64>() {
            Ok(float) if self.calculates && float.is_finite() => {
                self.note(float, text);
                Value::from(float)
            }
            Ok(float) if Value::from(float).to_string() == text => Value::from(float),
            _ => Value::from_object(Digits(text.to_owned())),
        }
    }

    fn note(&mut self, float: f64, text: &str) {
        let known = self
            .written
            .entry(float.to_bits())
            .or_insert_with(|| Some(text.to_owned()));
        let is_same = known
            .as_deref()
            .is_none_or(|known| known == text || (is_certain(known) && is_certain(text)));
        if !is_same {
            *known = None;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The digits with which a number of the data was written; `None` for any other value.
    ///
    /// # Errors
    /// If another number of the data, with other digits, has become the same.
    pub fn text<'a>(&'a self, value: &'a Value) -> Result<Option<&'a str>, Error> {
        if let Some(digits) = value.downcast_object_ref::<Digits>() {
            return Ok(Some(digits.text()));
        }
        if self.is_empty() || !value.is_number() || value.is_integer() {
            return Ok(None);
        }
        let float = f64::try_from(value.clone()).unwrap_or(f64::NAN);
        match self.written.get(&float.to_bits()) {
            Some(None) => Err(Error::new(
                ErrorKind::InvalidOperation,
                "two numbers differ only in digits that a template cannot calculate with",
            )),
            Some(Some(text)) => Ok(Some(text)),
            None => Ok(None),
        }
    }
}

/// A whole number, where the renderer writes it as it was written.
fn whole(text: &str) -> Option<Value> {
    let value = match (text.parse::<i64>(), text.parse::<i128>(), text.parse::<u128>()) {
        (Ok(number), ..) => Value::from(number),
        (_, Ok(number), _) => Value::from(number),
        (.., Ok(number)) => Value::from(number),
        _ => return None,
    };
    (value.to_string() == text).then_some(value)
}

fn split(number: &str) -> (&str, &str) {
    number.split_at(number.find(['e', 'E']).unwrap_or(number.len()))
}

fn is_certain(number: &str) -> bool {
    let (mantissa, _) = split(number);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len() <= CERTAIN_DIGITS
}

/// Whether a template may look at a number as a number.
fn calculates(template: &str) -> bool {
    let mut after_pipe = false;
    for token in tokenize(template, false, Default::default(), Default::default()) {
        let Ok((token, _)) = token else { return true };
        match token {
            Token::Ident(filter) if after_pipe && !BY_TEXT.contains(&filter) => return true,
            Token::Ident("is" | "in") if !after_pipe => return true,
            Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::FloorDiv
            | Token::Pow
            | Token::Mod
            | Token::Eq
            | Token::Ne
            | Token::Gt
            | Token::Gte
            | Token::Lt
            | Token::Lte => return true,
            _ => {}
        }
        after_pipe = matches!(token, Token::Pipe);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: &[&str] = &[
        "0",
        "-1",
        "10.50",
        "10.5",
        "12345678901234567890.123456789",
        "1E5",
        "-0",
        "1e400",
        "1e-400",
        "1.0",
        "0.1",
        "9223372036854775807",
        "18446744073709551616",
        "-170141183460469231731687303715884105728",
        "115792089237316195423570985008687907853269984665640564039457584007913129639935",
        "1e300",
    ];

    #[test]
    fn a_number_is_written_as_it_was() {
        let mut exact = Numbers::of("{{ a }}{{ b|tojson }}{{ c ~ d }}");
        let mut calculating = Numbers::of("{% if a > 1 %}{{ a }}{% endif %}");
        for number in NUMBERS {
            assert_eq!(exact.value(number).to_string(), *number);
            let value = calculating.value(number);
            let text = calculating
                .text(&value)
                .unwrap()
                .map_or(value.to_string(), str::to_owned);
            assert!(
                text == *number || (*number, text.as_str()) == ("10.5", "10.50"),
                "{number} {text}"
            );
        }
    }

    #[test]
    fn two_numbers_that_have_become_one_are_not_written() {
        let mut numbers = Numbers::of("{{ a > b }}");
        let value = numbers.value("12345678901234567890.1");
        assert!(numbers.text(&value).is_ok());
        numbers.value("12345678901234567890.2");
        assert!(numbers.text(&value).is_err());
    }
}
