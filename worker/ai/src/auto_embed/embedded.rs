//! The results of embedding rows, whether a row has one vector or many. Pure.

use std::collections::HashMap;

use serde_json::Value;

use crate::row_key::Key;
use crate::spending::Spent;
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_store::StoreError;

/// The message for a row that changed in each round.
pub const CHANGED: &str = "the row changed each time while its text was embedded";

/// The effect of an update on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It has no text, or its vectors are of that text already.
    Nothing,
    Vectors,
}

/// The result of each row, and what they cost together.
#[derive(Default)]
pub struct Embedded {
    pub results: HashMap<Key, Result<Effect, HandlerError>>,
    pub spent: Spent,
}

/// Reads the answer of an action.
///
/// # Errors
/// `Answer`, where it has not the form that this worker expects.
pub fn parsed<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, StoreError> {
    serde_json::from_value(answer).map_err(|error| StoreError::Answer {
        reason: error.to_string(),
    })
}
