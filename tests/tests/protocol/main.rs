//! The product's protocols, model-checked: every order of their steps is tried, and every state is looked at. A model
//! is the protocol's reading, not its code; each file names the code that a step stands for. Every model also has
//! broken variants, each of which must be caught: a property that nothing can break proves nothing.
//! `cargo test -p zerodb_hooks_tests --test protocol -- --nocapture` prints the sizes and a way to break each.

mod batch;
mod dispatch;
mod lease;
mod order;
mod wake;

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, HasDiscoveries, Model};

/// Every property holds in every state, and there are at least `floor` of them: a model that does nothing fails.
#[track_caller]
fn holds<M>(model: M, floor: usize)
where
    M: Model<State: Clone + Debug + Hash + PartialEq + Send + Sync, Action: Clone + Debug + PartialEq>
        + Send
        + Sync
        + Debug
        + 'static,
{
    let name = format!("{model:?}");
    let checker = model
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let states = checker.unique_state_count();
    println!("{name}: {states} states, depth {}", checker.max_depth());
    checker.assert_properties();
    assert!(states >= floor, "{name} has {states} states only");
}

/// The variant breaks `property`.
#[track_caller]
fn is_caught<M>(model: M, property: &'static str)
where
    M: Model<State: Clone + Debug + Hash + PartialEq + Send + Sync, Action: Clone + Debug + PartialEq>
        + Send
        + Sync
        + Debug
        + 'static,
{
    let name = format!("{model:?}");
    let wanted = HasDiscoveries::AnyOf([property].into());
    let checker = model.checker().finish_when(wanted).spawn_bfs().join();
    let way = checker.assert_any_discovery(property);
    println!(
        "{name}, {} states: not \"{property}\" after {:?}",
        checker.unique_state_count(),
        way.into_actions()
    );
}
