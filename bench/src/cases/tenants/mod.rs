//! What other tenants cost: their hooks, the changes of their hooks, their event types and tables, and one user with
//! very many hooks of its own. `crowd` puts them there.

mod changes;
mod crowd;
mod fan_out;
mod hooks;
mod others;
mod types;

use super::Case;

pub use changes::{CHANGES_ELSEWHERE, USED_BY_WRITER, WITH_CHANGES, WITHOUT_CHANGES};
pub use hooks::{CREATE_P50, MANY_HOOKS, MILLION_HOOKS};
pub use others::{ALONE, MANY, MILLION};

/// In the order of a round; then those that are measured once.
pub fn all() -> Vec<Box<dyn Case>> {
    let mut all: Vec<Box<dyn Case>> = Vec::new();
    all.extend(others::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.extend(changes::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.extend(hooks::ALL.iter().map(|case| Box::new(*case) as Box<dyn Case>));
    all.push(Box::new(types::Types));
    all.push(Box::new(fan_out::FanOut));
    all
}
