//! Parses files into texts in a child process, so that a file which breaks its parser harms the child alone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zerodb_hooks_documents::Parser;

use super::text::{FileLabel, Text};
use zerodb_hooks_delivery::outcome::HandlerError;
use zerodb_hooks_delivery::outcome::UNTIL_CHANGED;

/// The command of `zerodb-hooks` that is the child.
const COMMAND: &str = "parse";
/// Children at once: each may take half a gigabyte.
const AT_ONCE: usize = 2;

/// The parser of files and its turns.
pub struct Files {
    parser: Option<Parser>,
    turns: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Files {
    /// `program` becomes the child; it must be `zerodb-hooks`. Without one, files are left for a worker that has it.
    pub fn new(program: Option<PathBuf>) -> Self {
        let parser = program.map(|program| Parser::new(program, COMMAND));
        Self {
            parser,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            large: Arc::new(Semaphore::new(1)),
        }
    }

    /// The turn of a source that takes much memory.
    ///
    /// # Errors
    /// Deferred, when it does not come while there is time to do something with it.
    pub async fn turn_of_large(&self, time: Duration) -> Result<OwnedSemaphorePermit, HandlerError> {
        turn(&self.large, time).await
    }

    /// The text of a file.
    ///
    /// # Errors
    /// Permanent, for what is wrong with the file; its text begins with the class. Safe to cancel: the child is then
    /// killed.
    pub async fn parse(
        &self,
        bytes: &[u8],
        label: FileLabel<'_>,
        time: Duration,
    ) -> Result<Text, HandlerError> {
        let Some(parser) = &self.parser else {
            return Err(HandlerError::Deferred {
                message: "no_parser: this worker reads no files; name the program with WorkerBuilder::parser"
                    .into(),
                after: UNTIL_CHANGED,
            });
        };
        let _turn = turn(&self.turns, time).await?;
        let (content_type, name) = (label.content_type.unwrap_or(""), label.name.unwrap_or(""));
        match parser.parse(bytes, content_type, name).await {
            Ok(document) => Ok(Text {
                is_markdown: document.kind.is_markdown(),
                text: document.text,
                truncated: document.truncated,
            }),
            Err(error) => {
                let message = format!("{}: {error}", error.class());
                Err(if error.is_permanent() {
                    HandlerError::permanent(message)
                } else {
                    HandlerError::transient(message)
                })
            }
        }
    }
}

/// Waits for half of the time at most; the rest is left for the work.
async fn turn(turns: &Arc<Semaphore>, time: Duration) -> Result<OwnedSemaphorePermit, HandlerError> {
    match tokio::time::timeout(time / 2, Arc::clone(turns).acquire_owned()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(HandlerError::Deferred {
            message: "busy: other files are read".into(),
            after: Duration::from_secs(5),
        }),
    }
}
