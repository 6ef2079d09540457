//! The operations between tensors that candle's generic ones are too slow for on a CPU, fused and without copies.
//! Each is tested against the same made of candle's own. They must not know layers or texts.
//!
//! Loops are plain Rust, compiled several times by `pulp` for the instruction sets of a processor (AVX-512, AVX2 with
//! FMA, or what every one has) and chosen when the program runs. Such a loop is a [`pulp::NullaryFnOnce`] whose `call` is
//! always inlined, as is all that it calls: what the compiler leaves outside is compiled without vectors. A sum goes
//! over [`LANES`] partial sums, for only then may the compiler use them.

mod add_norm;
mod attention;
mod curves;
mod linear;
mod product;

use candle_core::{CpuStorage, Layout, Result};
use rayon::prelude::*;

pub use add_norm::{AddNorm, Norm};
pub use attention::Attention;
pub use linear::{Activation, Linear};

/// How many partial results a reduction has: the width of the widest vectors.
const LANES: usize = 16;

/// The numbers of a contiguous tensor, and their rows and columns. A single row may be given without its dimension.
fn matrix<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<(&'a [f32], usize, usize)> {
    let (rows, columns) = match layout.dims() {
        [columns] => (1, *columns),
        dims => (
            dims.iter().rev().skip(1).product(),
            dims.last().copied().unwrap_or(1),
        ),
    };
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a tensor of shape {:?} is not contiguous", layout.dims());
    };
    Ok((&storage.as_slice::<f32>()?[start..end], rows, columns))
}

/// Calls `work` with parts of `size` numbers, on several threads if there are.
fn parts(numbers: &mut [f32], size: usize, threads: usize, work: impl Fn(usize, &mut [f32]) + Send + Sync) {
    if threads > 1 {
        numbers
            .par_chunks_mut(size)
            .enumerate()
            .for_each(|(part, numbers)| work(part, numbers));
    } else {
        numbers
            .chunks_mut(size)
            .enumerate()
            .for_each(|(part, numbers)| work(part, numbers));
    }
}

/// The sum of what `term` makes of each number.
#[inline(always)]
fn sum(numbers: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    reduce(numbers, 0.0, |sum, number| sum + term(number), |a, b| a + b)
}

/// Takes the numbers in, each into one of the lanes, and then puts the lanes together.
#[inline(always)]
fn reduce(
    numbers: &[f32],
    first: f32,
    take: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [first; LANES];
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = take(lanes[lane], chunk[lane]);
        }
    }
    for (lane, &number) in lanes.iter_mut().zip(rest) {
        *lane = take(*lane, number);
    }
    // In halves, so that the first ones are vectors too.
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
    }
    lanes[0]
}
