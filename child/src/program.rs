//! The program that becomes a child, and how it is started.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::failure::Failure;
use crate::limits::{self, Allowance};

/// A program whose `main` calls [`crate::serve`] when it is started with these arguments.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    /// The limits are appended to them.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// This very program, led to [`crate::serve`] by `argument`. Also after its file was replaced.
    #[must_use]
    pub fn this(argument: &str) -> Self {
        Self::new("/proc/self/exe".into(), argument)
    }

    /// A program that `argument` leads to [`crate::serve`].
    #[must_use]
    pub fn new(path: PathBuf, argument: &str) -> Self {
        Self {
            path,
            arguments: vec![argument.into()],
        }
    }

    /// Starts a child, which is killed when it is dropped, and when the thread ends that calls this.
    ///
    /// # Errors
    /// `Unavailable`.
    pub(crate) fn start(&self, allowance: &Allowance, errors: Stdio) -> Result<Child, Failure> {
        Command::new(&self.path)
            .args(&self.arguments)
            .args(allowance.arguments())
            .env_clear()
            .envs(limits::environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            // Ctrl-C is for the parent, which lets what runs end.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| Failure::Unavailable)
    }
}
