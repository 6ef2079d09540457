//! The right to run a delivery, or a pack of them, within the concurrency of its hook and of its handler.

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use std::sync::Arc;

use crate::hooks::LoadedHook;
use zerodb_hooks_turns::Turn;

/// Given back when it is dropped.
pub struct Permit {
    _of_hook: OwnedSemaphorePermit,
    _of_handler: Turn,
}

impl Permit {
    /// A permit, if there is one now.
    pub fn try_take(loaded: &LoadedHook) -> Option<Self> {
        Some(Self {
            _of_hook: Arc::clone(&loaded.permits).try_acquire_owned().ok()?,
            _of_handler: loaded.registered.turns.try_take(&loaded.hook)?,
        })
    }

    /// Waits for one; `None` when the worker stops before. Safe to cancel.
    pub async fn take(loaded: &LoadedHook, stop: &CancellationToken) -> Option<Self> {
        let taken = async {
            Some(Self {
                _of_hook: Arc::clone(&loaded.permits).acquire_owned().await.ok()?,
                _of_handler: loaded.registered.turns.take(&loaded.hook).await?,
            })
        };
        tokio::select! {
            biased;
            permit = taken => permit,
            () = stop.cancelled() => None,
        }
    }
}
