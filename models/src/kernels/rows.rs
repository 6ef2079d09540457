//! The rows of a tensor, and parts of it for several threads.

use candle_core::{CpuStorage, Layout, Result};
use rayon::prelude::*;

/// The numbers of a contiguous tensor, and their rows and columns. A single row may be given without its dimension.
pub(super) fn matrix<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<(&'a [f32], usize, usize)> {
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
pub(super) fn parts(
    numbers: &mut [f32],
    size: usize,
    threads: usize,
    work: impl Fn(usize, &mut [f32]) + Send + Sync,
) {
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
