//! What the chat says.

use std::sync::Arc;

use super::chat::ChatRequest;

/// From the request to the answer's text.
pub type Script = Arc<dyn Fn(&ChatRequest) -> String + Send + Sync>;

/// The first sentence of the last message of the user.
pub fn echo_summary(request: &ChatRequest) -> String {
    let text = request.user();
    let end = text.find(['.', '!', '?']).map_or(text.len(), |at| at + 1);
    text[..end].trim().to_owned()
}

/// The same JSON for every request.
pub fn fixed_json(json: serde_json::Value) -> impl Fn(&ChatRequest) -> String + Send + Sync {
    move |_| json.to_string()
}
