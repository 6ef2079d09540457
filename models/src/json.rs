//! Reads the files of JSON in a model's directory. It must not know what they say.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::ModelError;

/// Reads a file of JSON that must be there.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let text = read(path)?;
    serde_json::from_slice(&text).map_err(|error| ModelError::BadConfig {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads a file of JSON; the default where it is not there.
pub fn read_optional<T: DeserializeOwned + Default>(path: &Path) -> Result<T, ModelError> {
    match read_json(path) {
        Err(ModelError::MissingFile { .. }) => Ok(T::default()),
        other => other,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ModelError::MissingFile {
            path: path.to_owned(),
            advice: "name the directory that sentence-transformers or transformers saved the model in",
        },
        _ => ModelError::Unreadable {
            path: path.to_owned(),
            source,
        },
    })
}
