//! One event through the handler of one hook, for a person who wants to see what happens: only rendered, or done once.
//! The code is that of a delivery, with the means of a worker, but there is no delivery: no event, no attempt and no
//! state is written, nothing is tried again, and no hook is switched off. What is shown holds no secret.
//!
//! [`Means`] are what a worker would have, [`Subject`] says which event, [`Trial`] is the two together with a hook.

mod error;
mod means;
mod sample;
mod shown;
mod subject;
mod trial;

pub use error::TrialError;
pub use means::Means;
pub use shown::{Shown, ShownAnswer, ShownTimes};
pub use subject::{About, Subject};
pub use trial::{Report, Trial};
