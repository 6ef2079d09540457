//! The two clocks that bound a child.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which of the two clocks ended a child.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The processor time it used, which is the input's doing.
    Cpu,
    /// The time that passed, which can be a busy machine's.
    Wall,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "processor time",
            Self::Wall => "wall clock",
        })
    }
}
