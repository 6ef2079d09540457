//! How much an endpoint takes in one request: what the file says, else what its refusals taught, else what is known of
//! its kind. Pure.

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

/// Which cap a refusal named.
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
    /// As it is stored.
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

impl PackLimits {
    /// Of a provider in the worker's own process: enough for few calls, little enough to be cancelled soon.
    pub const IN_PROCESS: Self = Self {
        inputs: 256,
        tokens: 300_000,
        input_tokens: 8192,
    };
}
