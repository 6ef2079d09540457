//! A process sandbox: work on untrusted input runs in a child process of the same program, so that whatever the input
//! does to the work, it does to nothing else.
//!
//! The child is the same program, started again with an argument that leads its `main` to [`serve`] before it starts a
//! thread or a runtime. The parent asks it, either once ([`ask_once`]: a new child for each request) or again and again
//! ([`Session`]: starting a process would take longer than the work).
//!
//! **Limits.** Before it reads a byte, a child limits itself, for good: bytes of address space, seconds of processor
//! time, no file but its three pipes, no process of its own, no new privileges, no core file. It starts with an empty
//! environment but for a setting of the allocator. A child that cannot limit itself ends without reading anything. The
//! parent limits the time that passes, the length of each part of an answer, and for a session the processor time of
//! each request.
//!
//! **Frames.** A request and an answer are frames: a fixed number of parts, each some bytes of a length that both sides
//! limit. What the parts mean is the caller's affair. The parent must believe nothing of an answer that it has not
//! checked: the child may do what the input wants.
//!
//! **Ends.** A child is killed (SIGKILL) when its request takes too long, when it says more than it may, when the
//! future or session that waits for it is dropped, and when the thread ends that started it. So ask on a thread that
//! lives at least as long, such as a worker of a runtime, and cancel by dropping. Each ended child is waited for. A
//! child ends by itself when no more requests will come. It is in a process group of its own, which the terminal does
//! not interrupt.
//!
//! Linux only. This crate must not know what the children work on.

mod clock;
mod failure;
mod frame;
mod limits;
mod once;
mod program;
mod serve;
mod session;

pub use clock::Clock;
pub use failure::Failure;
pub use once::{Limits, ask_once};
pub use program::Program;
pub use serve::serve;
pub use session::{Budget, Session};
