//! The wall clock that a process is shown instead of the machine's, which a test sets while the process runs. The
//! clock by which programs measure how long they wait stays right, as it does when somebody sets the time of a
//! machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::programs::tools;

pub struct Clock {
    library: String,
    folder: TempDir,
}

impl Clock {
    /// A clock that is right. `None`, and the reason on stderr, where libfaketime is missing.
    pub fn new() -> Result<Option<Self>> {
        let Some(library) = tools::libfaketime() else {
            return Ok(None);
        };
        let folder = tempfile::tempdir_in("/tmp")?;
        // Servers run as another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let clock = Self {
            library: library.display().to_string(),
            folder,
        };
        clock.set("+0s")?;
        Ok(Some(clock))
    }

    /// The time from now on, in the words of libfaketime: `+5h`, `-40s`, `+1d x1.5`.
    pub fn set(&self, time: &str) -> Result<()> {
        let (next, file) = (self.folder.path().join("next"), self.folder.path().join("time"));
        fs::write(&next, time)?;
        // Nobody must read half of it.
        fs::rename(next, file).context("the clock's file")
    }

    /// What a process needs in its environment to be shown this clock.
    pub fn variables(&self) -> Vec<(String, String)> {
        let file = |name: &str| Path::join(self.folder.path(), name).display().to_string();
        vec![
            ("LD_PRELOAD".into(), self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE".into(), file("time")),
            ("FAKETIME_NO_CACHE".into(), "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
        ]
    }
}
