//! The form of requests that an endpoint understands for a model, so that it is found out once. Pure.

use super::config::EncodingFormat;
use super::refusal::Parameter;

/// The ways of asking for a JSON answer, from the surest to the simplest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonMode {
    /// `json_schema` with `strict`.
    Strict,
    /// `json_schema`.
    Schema,
    /// `json_object`, and the schema in the prompt.
    Object,
    /// The schema in the prompt alone.
    Prompt,
}

impl JsonMode {
    fn next(self) -> Option<Self> {
        match self {
            Self::Strict => Some(Self::Schema),
            Self::Schema => Some(Self::Object),
            Self::Object => Some(Self::Prompt),
            Self::Prompt => None,
        }
    }

    /// True where the model must be told the schema in words.
    pub fn tells_schema(self) -> bool {
        matches!(self, Self::Object | Self::Prompt)
    }
}

/// The name under which the length of an answer is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthName {
    MaxTokens,
    MaxCompletionTokens,
    Unlimited,
}

/// The form of the requests to one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// `encoding_format`; `None` leaves it out.
    pub encoding: Option<&'static str>,
    /// The file says so: it is not given up.
    encoding_fixed: bool,
    /// An answer has come in this form, so that a refusal is not about it.
    pub encoding_proven: bool,
    pub dimensions: bool,
    pub json: JsonMode,
    json_proven: bool,
    pub length: LengthName,
    pub temperature: bool,
}

impl Dialect {
    /// The form that is tried first.
    pub fn new(encoding: EncodingFormat) -> Self {
        Self {
            encoding: Some(match encoding {
                EncodingFormat::Float => "float",
                EncodingFormat::Auto | EncodingFormat::Base64 => "base64",
            }),
            encoding_fixed: encoding != EncodingFormat::Auto,
            encoding_proven: false,
            dimensions: true,
            json: JsonMode::Strict,
            json_proven: false,
            length: LengthName::MaxTokens,
            temperature: true,
        }
    }

    /// Without a parameter that was refused by name; `None` if it cannot do without.
    pub fn without(self, parameter: Parameter) -> Option<Self> {
        match parameter {
            Parameter::EncodingFormat => self.plain_encoding(),
            Parameter::Dimensions => self.dimensions.then_some(Self {
                dimensions: false,
                ..self
            }),
            Parameter::ResponseFormat => self.json.next().map(|json| Self { json, ..self }),
            Parameter::MaxTokens => {
                let length = match self.length {
                    LengthName::MaxTokens => LengthName::MaxCompletionTokens,
                    LengthName::MaxCompletionTokens => LengthName::Unlimited,
                    LengthName::Unlimited => return None,
                };
                Some(Self { length, ..self })
            }
            Parameter::Temperature => self.temperature.then_some(Self {
                temperature: false,
                ..self
            }),
        }
    }

    /// Without `encoding_format`, which every server takes; `None` where the file fixes it.
    pub fn plain_encoding(self) -> Option<Self> {
        (self.encoding.is_some() && !self.encoding_fixed).then_some(Self {
            encoding: None,
            ..self
        })
    }

    /// After a refusal of a request of JSON that names nothing: the next step, if none has worked yet.
    pub fn guess_json(self) -> Option<Self> {
        if self.json_proven {
            return None;
        }
        self.json.next().map(|json| Self { json, ..self })
    }

    /// After an answer that is no JSON of the schema: the server passed over the form, so the model is told.
    pub fn tell_schema(self) -> Option<Self> {
        (!self.json_proven && !self.json.tells_schema()).then_some(Self {
            json: JsonMode::Object,
            ..self
        })
    }

    /// This form with the embedding part of `other`, which a good answer has proven.
    #[must_use]
    pub fn embedded(self, other: Self) -> Self {
        Self {
            encoding: other.encoding,
            encoding_proven: true,
            dimensions: other.dimensions,
            ..self
        }
    }

    /// This form with the chat part of `other`, which a good answer has proven; `json`: the answer was to be JSON.
    #[must_use]
    pub fn chatted(self, other: Self, json: bool) -> Self {
        let mut shown = Self {
            length: other.length,
            temperature: other.temperature,
            ..self
        };
        if json {
            shown.json = other.json;
            shown.json_proven = true;
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_ends_with_the_prompt_alone() {
        let (mut dialect, mut steps) = (Dialect::new(EncodingFormat::Auto), Vec::new());
        while let Some(next) = dialect.without(Parameter::ResponseFormat) {
            steps.push(next.json);
            dialect = next;
        }
        assert_eq!(steps, [JsonMode::Schema, JsonMode::Object, JsonMode::Prompt]);
    }

    #[test]
    fn what_has_worked_is_not_guessed_away_and_what_the_file_says_is_kept() {
        let first = Dialect::new(EncodingFormat::Auto);
        assert_eq!(first.plain_encoding().unwrap().encoding, None);
        assert!(first.embedded(first).encoding_proven);
        assert_eq!(first.chatted(first, true).guess_json(), None);
        assert_eq!(
            first.chatted(first, false).guess_json().unwrap().json,
            JsonMode::Schema
        );
        assert_eq!(
            Dialect::new(EncodingFormat::Base64).without(Parameter::EncodingFormat),
            None
        );
    }

    #[test]
    fn a_length_has_two_names_and_then_none() {
        let second = Dialect::new(EncodingFormat::Float)
            .without(Parameter::MaxTokens)
            .unwrap();
        assert_eq!(second.length, LengthName::MaxCompletionTokens);
        assert_eq!(
            second.without(Parameter::MaxTokens).unwrap().length,
            LengthName::Unlimited
        );
    }
}
