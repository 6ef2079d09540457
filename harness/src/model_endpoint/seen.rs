//! Which texts were sent, and how often.

use std::collections::HashMap;

use super::route::Request;

#[derive(Clone, Debug, Default)]
pub struct InputsSeen {
    /// How often each text was sent.
    pub sent: HashMap<String, usize>,
    /// How often each text was sent in a request that was answered 200, and so would be paid for.
    pub answered: HashMap<String, usize>,
    /// The number of inputs of each request, in order of arrival.
    pub batches: Vec<usize>,
}

impl InputsSeen {
    pub fn of<'a>(requests: impl IntoIterator<Item = &'a Request>) -> Self {
        let mut seen = Self::default();
        for request in requests {
            seen.batches.push(request.inputs.len());
            for text in &request.inputs {
                *seen.sent.entry(text.clone()).or_default() += 1;
                if request.answered == Some(200) {
                    *seen.answered.entry(text.clone()).or_default() += 1;
                }
            }
        }
        seen
    }

    /// How often a text was sent.
    pub fn times(&self, text: &str) -> usize {
        self.sent.get(text).copied().unwrap_or_default()
    }
}
