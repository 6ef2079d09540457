//! The parent's side of one child that renders: what it may use, and what the end of a child says about a template.

use std::path::Path;
use std::time::Duration;

use zerodb_hooks_child::{Budget, Clock, Failure, Program, Session};

use crate::message::{self, Head};

/// The command of `zerodb-hooks` that is the child.
const COMMAND: &str = "render";
/// Bytes of address space of a child, the program itself included.
const MEMORY: u64 = 256 << 20;
/// For one rendering; the wall clock for a machine that gives the child no processor.
const BUDGET: Budget = Budget {
    cpu: Duration::from_millis(500),
    wall: Duration::from_secs(10),
};

/// Why there is no answer. The child is gone.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Trouble {
    #[error("it needs more than {} MiB of memory, or nests too deeply", MEMORY >> 20)]
    Memory,
    #[error("it takes more than {} ms of processor time", BUDGET.cpu.as_millis())]
    Time,
    /// The template's fault, as far as one can tell.
    #[error("the process that rendered it ended")]
    Crashed,
    /// Nobody's fault.
    #[error("no process could be started or reached to render it")]
    Unavailable,
    #[error("the process that renders it got no processor time within {} s", BUDGET.wall.as_secs())]
    Starved,
}

impl Trouble {
    /// Whether it comes again with the template.
    pub fn is_of_the_template(&self) -> bool {
        matches!(self, Self::Memory | Self::Time | Self::Crashed)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Time(Clock::Cpu) => Self::Time,
            Failure::Time(Clock::Wall) => Self::Starved,
            failure if failure.may_be_of_memory() => Self::Memory,
            Failure::Crashed { signal: None } => Self::Crashed,
            // By whoever ends processes when the machine is out of memory, or stops the service.
            _ => Self::Unavailable,
        }
    }
}

/// A child that waits for its next template. Dropping it kills the child.
pub struct Renderer(Session);

impl Renderer {
    /// Call it on a thread that lives as long as the worker: the child is killed when the thread ends that started it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn start(program: &Path) -> Result<Self, Trouble> {
        let program = Program::new(program.to_owned(), COMMAND);
        Ok(Self(Session::start(&program, MEMORY)?))
    }

    /// The text, or the child's words for what is wrong with the template; with the renderer for the next one. After an
    /// error, or when it was cancelled, the child is killed.
    ///
    /// # Errors
    /// See `Trouble`.
    pub async fn render(
        self,
        head: &Head,
        template: &str,
        data: &str,
    ) -> Result<(Result<String, String>, Self), Trouble> {
        let json = serde_json::to_vec(head).map_err(|_| Trouble::Memory)?;
        let request = [json.as_slice(), template.as_bytes(), data.as_bytes()];
        if request
            .iter()
            .zip(message::REQUEST)
            .any(|(part, most)| part.len() > most)
        {
            return Err(Trouble::Memory);
        }
        let (answer, session) = self.0.ask(request, head.answer(), &BUDGET).await?;
        let answer = message::read_answer(answer).ok_or(Trouble::Crashed)?;
        Ok((answer, Self(session)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fault_of_a_template_is_held_against_it() {
        let crashed = |signal| Failure::Crashed { signal };
        let (abort, terminate) = (Some(6), Some(15));
        for (failure, trouble, held) in [
            (Failure::Time(Clock::Cpu), Trouble::Time, true),
            (crashed(abort), Trouble::Memory, true),
            (crashed(None), Trouble::Crashed, true),
            (crashed(terminate), Trouble::Unavailable, false),
            (Failure::Killed, Trouble::Unavailable, false),
            (Failure::Unavailable, Trouble::Unavailable, false),
            (Failure::Time(Clock::Wall), Trouble::Starved, false),
        ] {
            assert_eq!(Trouble::from(failure), trouble);
            assert_eq!(trouble.is_of_the_template(), held, "{trouble:?}");
        }
    }
}
