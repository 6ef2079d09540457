//! The error that a server reports in a body, in the shapes that OpenAI, Azure, TEI, llama.cpp, Ollama, vLLM, LiteLLM,
//! Gemini, FastAPI and proxies use. Pure. Its texts are only compared, never shown: they may repeat an input or a key.

use serde_json::Value;

/// The report of a failure in a body; every text in lower case, empty where there is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reported {
    pub message: String,
    /// `type` and `code` in one text, such as "invalid_request_error model_not_found".
    pub code: String,
    /// The parameter of the request that it is about, such as "dimensions" or "body.input".
    pub parameter: String,
    /// A status within the body, which gateways send with 200.
    pub status: Option<u16>,
    pub html: bool,
}

impl Reported {
    /// Reads any body; one that is no JSON is its own message.
    pub fn read(body: &[u8]) -> Self {
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            return Self::of(&value).unwrap_or_default();
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(4096)]).to_lowercase();
        let html = text.trim_start().starts_with('<');
        Self {
            message: if html { String::new() } else { text },
            html,
            ..Self::default()
        }
    }

    /// Reads a JSON body that has an error in it, whatever its status; `None` where it has none.
    pub fn of(body: &Value) -> Option<Self> {
        match body {
            // Gemini sends a list with one error.
            Value::Array(list) => Self::of(list.first()?),
            Value::Object(object) => {
                let error = ["error", "errors", "detail"]
                    .iter()
                    .find_map(|key| object.get(*key));
                match error.filter(|error| !is_nothing(error)) {
                    Some(error) => Some(Self::inner(error, body)),
                    // vLLM, TEI and Mistral have the fields at the top.
                    None if object.contains_key("message") => Some(Self::fields(body)),
                    None => None,
                }
            }
            _ => None,
        }
    }

    /// `error` is what lies under the key, `around` the body that holds it.
    fn inner(error: &Value, around: &Value) -> Self {
        match error {
            // TEI: {"error": "…", "error_type": "Validation"}.
            Value::String(text) => Self {
                message: text.to_lowercase(),
                code: words(&[&around["error_type"], &around["type"], &around["code"]]),
                ..Self::default()
            },
            // FastAPI: {"detail": [{"loc": ["body", "input"], "msg": "…", "type": "too_long"}]}.
            Value::Array(list) => list
                .first()
                .map(|first| Self::inner(first, around))
                .unwrap_or_default(),
            _ => Self::fields(error),
        }
    }

    fn fields(error: &Value) -> Self {
        let message = ["message", "msg", "error", "detail"]
            .iter()
            .find_map(|key| error[*key].as_str())
            .unwrap_or_default();
        let place: Vec<&str> = error["loc"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let parameter = match error["param"].as_str() {
            Some("None") | None => place.join("."),
            Some(name) => name.to_owned(),
        };
        let status = &error["code"];
        Self {
            message: message.to_lowercase(),
            code: words(&[
                &error["type"],
                &error["code"],
                &error["status"],
                &error["innererror"]["code"],
            ]),
            parameter: parameter.to_lowercase(),
            status: status
                .as_u64()
                .or_else(|| status.as_str()?.parse().ok())
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (400..600).contains(status)),
            html: false,
        }
    }

    pub fn mentions(&self, any: &[&str]) -> bool {
        any.iter().any(|word| self.message.contains(word))
    }

    pub fn has_code(&self, any: &[&str]) -> bool {
        self.code.split(' ').any(|code| any.contains(&code))
    }

    /// The code, where it is a word that may be shown: it is of the protocol, not of the request.
    pub fn shown_code(&self) -> Option<&str> {
        const LONGEST: usize = 48;
        self.code.split(' ').rfind(|word| {
            !word.is_empty()
                && word.len() <= LONGEST
                && word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        })
    }
}

fn is_nothing(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// Texts and numbers, joined with spaces, in lower case; "None" is how a Python gateway writes null.
fn words(values: &[&Value]) -> String {
    let texts = values.iter().filter_map(|value| match value {
        Value::String(text) if text != "None" => Some(text.to_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Reported {
        Reported::read(body.as_bytes())
    }

    #[test]
    fn every_shape_of_an_error_gives_its_message() {
        let bodies = [
            r#"{"error":{"message":"Boom","type":"t","param":null,"code":null}}"#,
            r#"{"error":"Boom","error_type":"Validation"}"#,
            r#"{"object":"error","message":"Boom","type":"BadRequestError","param":null,"code":400}"#,
            r#"{"detail":"Boom"}"#,
            r#"{"detail":[{"type":"missing","loc":["body","input"],"msg":"Boom"}]}"#,
            r#"[{"error":{"code":429,"message":"Boom","status":"RESOURCE_EXHAUSTED"}}]"#,
            r#"{"errors":[{"message":"Boom"}]}"#,
            "Boom",
        ];
        for body in bodies {
            assert_eq!(read(body).message, "boom", "{body}");
        }
    }

    #[test]
    fn codes_parameters_and_statuses_are_found() {
        let reported = read(
            r#"{"error":{"message":"x","type":"invalid_request_error","param":"dimensions","code":"unsupported_parameter"}}"#,
        );
        assert!(reported.has_code(&["unsupported_parameter"]));
        assert_eq!(reported.parameter, "dimensions");
        assert_eq!(
            read(r#"{"detail":[{"loc":["body","input",3],"msg":"x"}]}"#).parameter,
            "body.input"
        );
        assert_eq!(
            read(r#"{"error":{"message":"x","type":"None","param":"None","code":"429"}}"#).status,
            Some(429)
        );
    }

    #[test]
    fn html_is_noticed_and_an_answer_without_an_error_is_none() {
        assert!(read("<!doctype html><h1>502</h1>").html);
        assert_eq!(read(r#"{"data":[],"error":null}"#), Reported::default());
        assert!(Reported::of(&serde_json::json!({"data": [], "error": null})).is_none());
    }

    #[test]
    fn only_a_plain_word_is_shown_of_a_code() {
        let shown = |code: &str| {
            read(&format!(r#"{{"error":{{"message":"x","code":"{code}"}}}}"#))
                .shown_code()
                .map(str::to_owned)
        };
        assert_eq!(shown("insufficient_quota").as_deref(), Some("insufficient_quota"));
        assert_eq!(shown("sk-abc123"), None);
    }
}
