//! The sizes that servers name when something is too large. Pure: words and numbers of a refusal, in lower case.

use super::reported::Reported;

/// The size that was too large, with the most that is allowed where the refusal says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The tokens of one input.
    Input(Option<usize>),
    /// The number of inputs.
    Inputs(Option<usize>),
    /// The tokens of all inputs together.
    Tokens(Option<usize>),
}

/// The words before a limit.
const BEFORE: &[&str] = &[
    "maximum allowed batch size",
    "maximum context length is",
    "maximum input length",
    "maximum length of",
    "maximum length",
    "batch size limit is",
    "should not be larger than",
    "must have less than",
    "less than or equal to",
    "not exceed",
    "maximum of",
    "maximum is",
    "maximum",
    "at most",
    "no more than",
    "up to",
    "limit of",
    "limit is",
    "limit",
    "max is",
    "max",
    "current batch size:",
    "context size (",
];
/// The words after a limit.
const AFTER: &[&str] = &[" instance(s) is allowed", " instances allowed"];

/// Reads a refusal; `inputs` is how many were sent.
pub fn read(reported: &Reported, inputs: usize) -> Option<Limit> {
    let message = reported.message.as_str();
    if message.is_empty() {
        return None;
    }
    let named = number_of(message);
    let tokens = message.contains("token");
    if reported.has_code(&["max_tokens_per_request"]) || (tokens && reported.mentions(TOKENS_OF_ALL)) {
        return Some(Limit::Tokens(named));
    }
    if reported.has_code(ONE_TOO_LONG_CODES) || reported.mentions(ONE_TOO_LONG) {
        return Some(Limit::Input(named));
    }
    if inputs > 1 && !tokens && reported.mentions(TOO_MANY) {
        // A number that was kept to is about something else.
        return Some(Limit::Inputs(named.filter(|most| *most < inputs)));
    }
    None
}

const TOKENS_OF_ALL: &[&str] = &[
    "tokens per request",
    "tokens in batch",
    "tokens in the batch",
    "total tokens",
    "total number of tokens",
    "request too large",
    "batch tokens",
];
const ONE_TOO_LONG_CODES: &[&str] = &[
    "context_length_exceeded",
    "exceed_context_size_error",
    "string_above_max_length",
];
const ONE_TOO_LONG: &[&str] = &[
    "is too large to process",
    "must have less than",
    "maximum context length",
    "context length",
    "context size",
    "context window",
    "maximum input length",
    "input is too long",
    "prompt is too long",
    "input too long",
    "too many tokens",
    "exceeds the maximum number of tokens",
    "exceeds the context",
];
const TOO_MANY: &[&str] = &[
    "batch size",
    "batch_size",
    "in one batch",
    "array too long",
    "too many inputs",
    "too many texts",
    "number of texts",
    "number of inputs",
    "instance(s) is allowed",
    "list should have at most",
    "ensure this value has at most",
    "inputs per request",
    "texts per request",
];

/// The first number next to the words of a limit.
fn number_of(message: &str) -> Option<usize> {
    let after = AFTER.iter().find_map(|words| {
        let (before, _) = message.split_once(words)?;
        let start = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
        before[start..].parse().ok()
    });
    after.or_else(|| BEFORE.iter().find_map(|words| number_after(message, words)))
}

/// The number that directly follows `words`, wherever they occur.
fn number_after(message: &str, words: &str) -> Option<usize> {
    message.match_indices(words).find_map(|(at, _)| {
        let rest = message[at + words.len()..].trim_start_matches([' ', ':', '(', '=', '`', '\'']);
        let digits: String = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == ',')
            .filter(char::is_ascii_digit)
            .collect();
        digits.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal's message, how many inputs were sent, and what it says.
    type Case = (&'static str, usize, Option<Limit>);

    const REFUSALS: &[Case] = &[
        (
            "batch size 33 > maximum allowed batch size 32",
            33,
            Some(Limit::Inputs(Some(32))),
        ),
        (
            "invalid 'input': array too long. expected an array with maximum length 2048, but got an array with length 2049 instead.",
            2049,
            Some(Limit::Inputs(Some(2048))),
        ),
        (
            "invalid request: total number of texts must be at most 96 - received 97",
            97,
            Some(Limit::Inputs(Some(96))),
        ),
        (
            "* batchembedcontentsrequest.requests: at most 100 requests can be in one batch\n",
            128,
            Some(Limit::Inputs(Some(100))),
        ),
        (
            "250 instance(s) is allowed per prediction. actual: 251.",
            251,
            Some(Limit::Inputs(Some(250))),
        ),
        (
            "<400> internalerror.algo.invalidparameter: value error, batch size is invalid, it should not be larger than 10.: input.contents",
            25,
            Some(Limit::Inputs(Some(10))),
        ),
        (
            "list should have at most 32 items after validation, not 64",
            64,
            Some(Limit::Inputs(Some(32))),
        ),
        ("too many inputs for model", 200, Some(Limit::Inputs(None))),
        (
            "requested 416735 tokens, max 300000 tokens per request",
            900,
            Some(Limit::Tokens(Some(300_000))),
        ),
        (
            "too many tokens in batch. max is 16384 got 17555",
            90,
            Some(Limit::Tokens(Some(16_384))),
        ),
        (
            "`inputs` must have less than 512 tokens. given: 600",
            8,
            Some(Limit::Input(Some(512))),
        ),
        (
            "this model's maximum context length is 8192 tokens, however you requested 9001 tokens",
            1,
            Some(Limit::Input(Some(8192))),
        ),
        (
            "input (596 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
            8,
            Some(Limit::Input(Some(512))),
        ),
        (
            "input is too large to process. increase the physical batch size",
            8,
            Some(Limit::Input(None)),
        ),
        (
            "the request exceeds the available context size (4,096 tokens)",
            1,
            Some(Limit::Input(Some(4096))),
        ),
        ("the model is overloaded", 8, None),
        ("'$.input' is invalid", 8, None),
        ("batch size limit reached", 1, None),
    ];

    #[test]
    fn limits_are_read_from_what_servers_say() {
        for (message, inputs, expected) in REFUSALS {
            let reported = Reported {
                message: (*message).to_owned(),
                ..Reported::default()
            };
            assert_eq!(read(&reported, *inputs), *expected, "{message}");
        }
    }
}
