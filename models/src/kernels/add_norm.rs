//! A residual and the layer norm after it.

use candle_core::{CpuStorage, InplaceOp2, Layout, Result, bail};

use super::lanes::sum;
use super::rows::{matrix, parts};

/// The learned numbers of a layer norm.
pub struct Norm {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    pub epsilon: f32,
}

/// `norm(rows + other)`, in the place of `rows`.
pub struct AddNorm<'a> {
    pub norm: &'a Norm,
    pub threads: usize,
}

impl InplaceOp2 for AddNorm<'_> {
    fn name(&self) -> &'static str {
        "add-norm"
    }

    fn cpu_fwd(
        &self,
        rows: &mut CpuStorage,
        rows_layout: &Layout,
        other: &CpuStorage,
        other_layout: &Layout,
    ) -> Result<()> {
        let width = self.norm.scale.len();
        let (other, count, columns) = matrix(other, other_layout)?;
        let (Some((start, end)), CpuStorage::F32(rows)) = (rows_layout.contiguous_offsets(), rows) else {
            bail!("the rows are not contiguous, or no 32-bit floats");
        };
        if columns != width || end - start != count * width {
            bail!(
                "{} numbers and ({count}, {columns}) others do not fit a norm of {width}",
                end - start
            );
        }
        let size = 64 * width;
        let arch = pulp::Arch::new();
        parts(&mut rows[start..end], size, self.threads, |part, rows| {
            let other = &other[part * size..];
            arch.dispatch(Rows {
                rows,
                other,
                norm: self.norm,
            });
        });
        Ok(())
    }
}

/// Some of the rows.
struct Rows<'a> {
    rows: &'a mut [f32],
    other: &'a [f32],
    norm: &'a Norm,
}

impl pulp::NullaryFnOnce for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let width = self.norm.scale.len();
        for (row, other) in self
            .rows
            .chunks_exact_mut(width)
            .zip(self.other.chunks_exact(width))
        {
            self.norm.apply(row, other);
        }
    }
}

impl Norm {
    #[inline(always)]
    fn apply(&self, row: &mut [f32], other: &[f32]) {
        for (number, other) in row.iter_mut().zip(other) {
            *number += other;
        }
        let mean = sum(row, |number| number) / row.len() as f32;
        let variance = sum(row, |number| (number - mean) * (number - mean)) / row.len() as f32;
        let scale = 1.0 / (variance + self.epsilon).sqrt();
        for ((number, by), shift) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
            *number = (*number - mean) * scale * by + shift;
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device, Tensor};

    use super::*;

    #[test]
    fn the_norm_is_that_of_candle() {
        for (count, width) in [(1, 16), (130, 384), (70, 37)] {
            let random = |shape: &[usize]| Tensor::randn(0f32, 3.0, shape, &Device::Cpu).unwrap();
            let (rows, other) = (random(&[count, width]), random(&[count, width]));
            let (scale, shift) = (random(&[width]), random(&[width]));
            let added = (&rows + &other).unwrap();
            let centred = added
                .broadcast_sub(&added.mean_keepdim(D::Minus1).unwrap())
                .unwrap();
            let variance = centred.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
            let plain = centred
                .broadcast_div(&(variance + 1e-5).unwrap().sqrt().unwrap())
                .unwrap();
            let plain = plain
                .broadcast_mul(&scale)
                .unwrap()
                .broadcast_add(&shift)
                .unwrap();
            let norm = Norm {
                scale: scale.to_vec1().unwrap(),
                shift: shift.to_vec1().unwrap(),
                epsilon: 1e-5,
            };
            for threads in [1, 2] {
                let found = rows.copy().unwrap();
                found
                    .inplace_op2(&other, &AddNorm { norm: &norm, threads })
                    .unwrap();
                let apart = (found - &plain).unwrap().abs().unwrap().max_all().unwrap();
                assert!(apart.to_scalar::<f32>().unwrap() < 2e-5);
            }
        }
    }
}
