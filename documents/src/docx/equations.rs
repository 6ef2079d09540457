//! Equations in one line, as they would be read out: fences, fraction bars, powers and indices, which are no text in
//! the file, become text.

use crate::package::Element;

/// A walk through an equation.
#[derive(Default)]
pub(super) struct Equations {
    /// The elements from the equation down to here.
    path: Vec<Part>,
    fences: Vec<Fences>,
    /// The text to write once something follows it.
    before_next: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Fenced,
    Root,
    Fraction,
    Script,
    Row,
    Argument,
    Nary,
    Other,
}

struct Fences {
    begin: String,
    separator: String,
    end: String,
    arguments: usize,
}

impl Equations {
    pub(super) fn is_within(&self) -> bool {
        !self.path.is_empty()
    }

    /// The text to write where an element begins.
    pub(super) fn open(&mut self, element: &Element<'_>) -> String {
        let around = self.path.last().copied().unwrap_or(Part::Other);
        let (part, text) = match element.name() {
            "d" => {
                self.fences.push(Fences {
                    begin: "(".into(),
                    separator: "|".into(),
                    end: ")".into(),
                    arguments: 0,
                });
                (Part::Fenced, String::new())
            }
            "rad" => (Part::Root, String::new()),
            "f" => (Part::Fraction, String::new()),
            "sSup" | "sSub" | "sSubSup" => (Part::Script, String::new()),
            "nary" => (Part::Nary, String::new()),
            "mr" | "eqArr" => (Part::Row, " ".to_owned()),
            "e" => (Part::Argument, self.argument(around)),
            "den" if around == Part::Fraction => (Part::Other, "/".to_owned()),
            "sup" if matches!(around, Part::Script | Part::Nary) => {
                self.before_next = "^".to_owned();
                (Part::Other, String::new())
            }
            "sub" if matches!(around, Part::Script | Part::Nary) => {
                self.before_next = "_".to_owned();
                (Part::Other, String::new())
            }
            name => (Part::Other, self.property(name, element)),
        };
        self.path.push(part);
        text
    }

    /// The text to write where an element ends.
    pub(super) fn close(&mut self) -> String {
        self.before_next.clear();
        let part = self.path.pop();
        match part {
            Some(Part::Fenced) => self.fences.pop().map(|fences| fences.end).unwrap_or_default(),
            Some(Part::Argument) if self.path.last() == Some(&Part::Root) => ")".to_owned(),
            _ => String::new(),
        }
    }

    /// The text to write before a text.
    pub(super) fn before_text(&mut self) -> String {
        std::mem::take(&mut self.before_next)
    }

    fn argument(&mut self, around: Part) -> String {
        match (around, self.fences.last_mut()) {
            (Part::Fenced, Some(fences)) => {
                fences.arguments += 1;
                let text = if fences.arguments == 1 {
                    &fences.begin
                } else {
                    &fences.separator
                };
                text.clone()
            }
            (Part::Root, _) => "√(".to_owned(),
            (Part::Row, _) => " ".to_owned(),
            _ => String::new(),
        }
    }

    fn property(&mut self, name: &str, element: &Element<'_>) -> String {
        let value = || element.attribute("val").unwrap_or_default();
        match (name, self.fences.last_mut()) {
            ("begChr", Some(fences)) => fences.begin = value(),
            ("sepChr", Some(fences)) => fences.separator = value(),
            ("endChr", Some(fences)) => fences.end = value(),
            // The sign of a sum, unless it is the usual integral.
            ("chr", _) if self.path.len() > 1 && self.path[self.path.len() - 2] == Part::Nary => {
                return value();
            }
            _ => {}
        }
        String::new()
    }
}
