//! The operations between tensors that candle's generic ones are too slow for on a CPU, fused and without copies.
//! Each is tested against the same made of candle's own. They must not know layers or texts.
//!
//! Loops are plain Rust, compiled several times by `pulp` for the instruction sets of a processor (AVX-512, AVX2 with
//! FMA, or what every one has) and chosen when the program runs. Such a loop is a [`pulp::NullaryFnOnce`] whose `call`
//! is always inlined, as is all that it calls: what the compiler leaves outside is compiled without vectors. A sum goes
//! over [`lanes::LANES`] partial sums, for only then may the compiler use them.

mod add_norm;
mod attention;
mod curves;
mod lanes;
mod linear;
mod product;
mod rows;

pub use add_norm::{AddNorm, Norm};
pub use attention::Attention;
pub use linear::{Activation, Linear};
