//! What a check found, and how it is shown. Knows nothing of databases but how an error of one reads.

use serde_json::{Value, json};

use crate::failure;
use crate::render::{self, Screen, Tone};
use zerodb_hooks_queries::QueryError;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Ok,
    /// It works, but not as it should, or not for long.
    Warning,
    /// Hooks do not run, or events are lost to them.
    Failed,
}

/// The result of one check.
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    /// What is the case and what it means.
    pub(super) message: String,
    /// How to mend it; empty when there is nothing to mend.
    pub(super) remedy: String,
}

impl Finding {
    pub(super) fn ok(message: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Ok,
            message: message.into(),
            remedy: String::new(),
        }
    }

    pub(super) fn warning(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn failed(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Failed,
            ..Self::warning(message, remedy)
        }
    }
}

/// What a check returns; its error means that it could not be made.
pub(super) type Checked = Result<Finding, QueryError>;

/// All findings, in the order of the checks.
#[derive(Default)]
pub(super) struct Report {
    findings: Vec<(&'static str, Finding)>,
}

impl Report {
    /// Adds a check. One that could not be made is a warning, so that it does not hide the others.
    pub(super) fn add(&mut self, name: &'static str, checked: Checked) {
        let finding = checked.unwrap_or_else(|error| {
            let failure = failure::explain(&error);
            Finding::warning(format!("could not be checked: {}", failure.message), failure.hint)
        });
        self.findings.push((name, finding));
    }

    /// The worst verdict.
    pub(super) fn verdict(&self) -> Verdict {
        self.findings
            .iter()
            .map(|(_, finding)| finding.verdict)
            .max()
            .unwrap_or(Verdict::Ok)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.findings
            .iter()
            .filter(|(_, finding)| finding.verdict == verdict)
            .count()
    }

    /// One document for programs.
    pub(super) fn json(&self) -> String {
        let checks: Vec<Value> = self
            .findings
            .iter()
            .map(|(name, finding)| {
                json!({
                    "check": name, "result": finding.verdict.word(), "message": finding.message,
                    "remedy": Some(&finding.remedy).filter(|remedy| !remedy.is_empty())
                })
            })
            .collect();
        json!({ "version": env!("CARGO_PKG_VERSION"), "result": self.verdict().word(), "checks": checks })
            .to_string()
    }

    /// One line a check, a second one with the remedy, and the sum.
    pub(super) fn text(&self, screen: Screen) -> String {
        let width = self
            .findings
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        let mut text = String::new();
        for (name, finding) in &self.findings {
            let word = screen.paint(finding.verdict.tone(), &format!("{:<7}", finding.verdict.word()));
            text.push_str(&format!(
                "{word}  {name:<width$}  {}\n",
                render::clean(&finding.message)
            ));
            if !finding.remedy.is_empty() {
                text.push_str(&format!(
                    "{:indent$}→ {}\n",
                    "",
                    render::clean(&finding.remedy),
                    indent = 11 + width
                ));
            }
        }
        let [ok, warnings, failed] =
            [Verdict::Ok, Verdict::Warning, Verdict::Failed].map(|verdict| self.count(verdict));
        let sum = format!(
            "{ok} ok, {warnings} {}, {failed} FAILED",
            if warnings == 1 { "warning" } else { "warnings" }
        );
        text + "\n" + &screen.paint(self.verdict().tone(), &sum)
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Ok => Tone::Good,
            Self::Warning => Tone::Warning,
            Self::Failed => Tone::Bad,
        }
    }
}

/// The first few of many, so that a message stays a line.
pub(super) fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!("{shown} and {} more", names.len() - SHOWN)
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_decides() {
        let mut report = Report::default();
        assert!(report.verdict() == Verdict::Ok);
        report.add("a", Ok(Finding::warning("w", "mend")));
        report.add("b", Ok(Finding::ok("o")));
        assert!(report.verdict() == Verdict::Warning);
        report.add("c", Ok(Finding::failed("f", "")));
        assert!(report.verdict() == Verdict::Failed);
        let text = report.text(Screen::stdout());
        assert!(
            text.ends_with("1 ok, 1 warning, 1 FAILED") && text.contains("→ mend"),
            "{text}"
        );
        assert!(report.json().contains(r#""remedy":null"#));
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<_> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(some_of(&names), "1, 2, 3, 4, 5 and 2 more");
        assert_eq!(some_of(&names[..2]), "1, 2");
    }
}
