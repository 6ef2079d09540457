//! The sizes that an endpoint takes in one request: those of the file, else those that its refusals taught, else those
//! of its kind. Pure.

/// The limits by which inputs are packed into requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLimits {
    /// Inputs of one request.
    pub inputs: usize,
    /// Tokens of one request, all inputs together.
    pub tokens: usize,
    /// Tokens of one input.
    pub input_tokens: usize,
}

/// The kind of a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    Inputs,
    Tokens,
    InputTokens,
}

/// A cap of an endpoint and model with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    pub cap: Cap,
    pub value: usize,
}

impl Cap {
    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Tokens => "tokens",
            Self::InputTokens => "input_tokens",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Inputs, Self::Tokens, Self::InputTokens]
            .into_iter()
            .find(|cap| cap.name() == name)
    }
}

const fn limits(inputs: usize, tokens: usize, input_tokens: usize) -> PackLimits {
    PackLimits {
        inputs,
        tokens,
        input_tokens,
    }
}

/// The documented limits of providers, November 2026, by a part of the host's name. A cap that has changed since is
/// learned from the first refusal.
const BY_HOST: &[(&str, PackLimits)] = &[
    ("api.openai.com", limits(2048, 300_000, 8192)),
    ("openai.azure.com", limits(2048, 300_000, 8192)),
    ("cohere", limits(96, 128_000, 128_000)),
    ("bedrock", limits(96, 128_000, 8192)),
    ("generativelanguage.googleapis.com", limits(100, 20_000, 2048)),
    ("aiplatform.googleapis.com", limits(250, 20_000, 2048)),
    ("mistral.ai", limits(128, 16_384, 8192)),
    ("voyageai.com", limits(128, 120_000, 32_000)),
    // Text Embeddings Inference under the names that its image and its documents give it.
    ("text-embeddings", limits(32, 16_384, 8192)),
    ("tei", limits(32, 16_384, 8192)),
];

/// An endpoint of which nothing is known.
const UNKNOWN: PackLimits = limits(256, 100_000, 8192);

impl PackLimits {
    /// The limits of a provider in the worker's own process: enough for few calls, little enough to be cancelled soon.
    pub const IN_PROCESS: Self = limits(256, 100_000, 8192);

    /// The limits of a model computed in this process: a big one computes some hundred tokens a second.
    pub const COMPUTED: Self = limits(32, 4096, 8192);

    /// The limits of an endpoint that is known by its host.
    pub fn of_host(host: &str) -> Self {
        BY_HOST
            .iter()
            .find(|(part, _)| names(host, part))
            .map_or(UNKNOWN, |(_, limits)| *limits)
    }

    /// These limits with a cap that a refusal taught: it only becomes smaller, and never zero.
    #[must_use]
    pub fn lowered(mut self, learned: Learned) -> Self {
        let value = learned.value.max(1);
        match learned.cap {
            Cap::Inputs => self.inputs = self.inputs.min(value),
            Cap::Tokens => self.tokens = self.tokens.min(value),
            Cap::InputTokens => self.input_tokens = self.input_tokens.min(value),
        }
        self
    }
}

/// True where `part` is in the host as a whole word: "tei" is in "tei.internal", not in "protein.example".
fn names(host: &str, part: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    host.match_indices(part).any(|(start, _)| {
        !word(host[..start].chars().next_back()) && !word(host[start + part.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_their_documented_limits_and_others_the_default() {
        assert_eq!(PackLimits::of_host("api.openai.com").inputs, 2048);
        assert_eq!(PackLimits::of_host("mine.openai.azure.com").tokens, 300_000);
        assert_eq!(
            PackLimits::of_host("bedrock-runtime.eu-central-1.amazonaws.com").inputs,
            96
        );
        assert_eq!(PackLimits::of_host("tei").inputs, 32);
        assert_eq!(PackLimits::of_host("protein.example"), UNKNOWN);
    }

    #[test]
    fn a_refusal_lowers_a_cap_and_never_raises_it() {
        let lowered = UNKNOWN.lowered(Learned {
            cap: Cap::Inputs,
            value: 32,
        });
        assert_eq!(lowered.inputs, 32);
        assert_eq!(
            lowered
                .lowered(Learned {
                    cap: Cap::Inputs,
                    value: 64
                })
                .inputs,
            32
        );
        assert_eq!(
            UNKNOWN
                .lowered(Learned {
                    cap: Cap::Tokens,
                    value: 0
                })
                .tokens,
            1
        );
    }
}
