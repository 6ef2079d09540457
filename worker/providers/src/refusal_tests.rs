//! The table of refusals.yaml.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

const PARAMETERS: [Parameter; 5] = [
    Parameter::EncodingFormat,
    Parameter::Dimensions,
    Parameter::ResponseFormat,
    Parameter::MaxTokens,
    Parameter::Temperature,
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: String,
    #[serde(default = "eight")]
    inputs: usize,
    /// A parameter that was sent and that the refusal is about.
    sent: Option<String>,
    class: String,
    advice: String,
    learned: Option<String>,
}

fn eight() -> usize {
    8
}

impl Case {
    fn classify(&self, sent: &[Parameter]) -> Refusal {
        let answer = Answer {
            status: self.status,
            headers: self.headers.clone().into_iter().collect(),
            body: bytes::Bytes::copy_from_slice(self.body.as_bytes()),
        };
        let asked = Asked {
            inputs: self.inputs,
            tokens: self.inputs * 100,
            parameters: sent.to_vec(),
        };
        classify(&answer, &asked, SystemTime::UNIX_EPOCH)
    }
}

fn cases() -> Vec<Case> {
    serde_saphyr::from_str(include_str!("refusals.yaml")).unwrap()
}

/// The words of the table.
fn words(advice: Advice) -> String {
    match advice {
        Advice::RetryLater { after, charged } => {
            let after = after.map_or(String::new(), |after| format!(" {}", after.as_secs()));
            format!("later{after}{}", if charged { "" } else { " uncharged" })
        }
        Advice::PauseEndpoint { after } => format!("pause {}", after.as_secs()),
        Advice::SplitBatch { most: Some(most) } => format!("split {most}"),
        Advice::SplitBatch { most: None } => "split".into(),
        Advice::ItemsAtFault => "items".into(),
        Advice::ConfigError => "config".into(),
    }
}

#[test]
fn every_refusal_means_what_the_table_says() {
    for case in cases() {
        let refusal = case.classify(&[]);
        let learned = refusal
            .learned
            .map(|learned| format!("{} {}", learned.cap.name(), learned.value));
        let seen = (refusal.class.name(), words(refusal.advice), learned);
        let expected = (case.class.as_str(), case.advice.clone(), case.learned.clone());
        // A parameter that was not sent may be about anything.
        if case.sent.is_none() {
            assert_eq!(seen, expected, "{} {}", case.name, case.status);
        }
    }
}

#[test]
fn a_refusal_is_about_the_parameter_that_it_names_if_that_was_sent() {
    for case in cases() {
        let expected = PARAMETERS
            .into_iter()
            .find(|parameter| case.sent.as_deref() == Some(&format!("{parameter:?}")));
        let refusal = case.classify(&PARAMETERS);
        assert_eq!(refusal.about, expected, "{} {}", case.name, case.status);
        if expected.is_some() {
            assert_eq!(refusal.class.name(), case.class, "{}", case.name);
            assert_eq!(case.classify(&[]).about, None, "{}", case.name);
        }
    }
}
