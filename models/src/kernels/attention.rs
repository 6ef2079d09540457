//! Attention of each text to itself, without padding and without a mask.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, bail};
use rayon::prelude::*;

use super::curves::softmax;
use super::product::{Store, View, product};
use super::rows::matrix;

/// Rows that look at the whole text at a time: so few that the table of weights stays in the processor's cache.
const BLOCK: usize = 64;

/// Softmax attention of rows of query, key and value side by side, of which each head has an equal share. The result
/// has a third of the columns. `spans` are the rows of each text, one behind the other.
pub struct Attention<'a> {
    pub spans: &'a [Range<usize>],
    pub heads: usize,
    pub threads: usize,
}

/// Some rows of a text, and where their result goes.
struct Part<'a> {
    text: Range<usize>,
    rows: Range<usize>,
    result: &'a mut [f32],
}

impl CustomOp1 for Attention<'_> {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, rows: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, count, columns) = matrix(rows, layout)?;
        let width = columns / 3;
        let covered = self
            .spans
            .iter()
            .try_fold(0, |end, span| (span.start == end).then_some(span.end));
        if columns % 3 != 0 || width % self.heads != 0 || covered != Some(count) {
            bail!(
                "({count}, {columns}) rows do not fit {} heads and their texts",
                self.heads
            );
        }
        let mut result = vec![0.0; count * width];
        let parts = self.parts(&mut result, width);
        if self.threads > 1 {
            parts
                .into_par_iter()
                .for_each_init(Vec::new, |seen, part| self.part(rows, part, seen));
        } else {
            let mut seen = Vec::new();
            parts
                .into_iter()
                .for_each(|part| self.part(rows, part, &mut seen));
        }
        Ok((CpuStorage::F32(result), Shape::from((count, width))))
    }
}

impl Attention<'_> {
    fn parts<'a>(&self, mut result: &'a mut [f32], width: usize) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        for text in self.spans {
            for start in text.clone().step_by(BLOCK) {
                let rows = start..text.end.min(start + BLOCK);
                let (here, rest) = result.split_at_mut(rows.len() * width);
                result = rest;
                parts.push(Part {
                    text: text.clone(),
                    rows,
                    result: here,
                });
            }
        }
        parts
    }

    /// `seen` is how much each row sees of each of its text: memory that the parts of a thread share.
    fn part(&self, numbers: &[f32], part: Part<'_>, seen: &mut Vec<f32>) {
        let (rows, keys) = (part.rows.len(), part.text.len());
        let width = part.result.len() / rows;
        let head_width = width / self.heads;
        let arch = pulp::Arch::new();
        seen.resize(rows * keys, 0.0);
        for head in 0..self.heads {
            let view = |rows: &Range<usize>, third: usize| {
                let start = rows.start * 3 * width + third * width + head * head_width;
                View::new(&numbers[start..], rows.len(), head_width, 3 * width)
            };
            let store = Store {
                row_step: keys,
                scale: 1.0 / (head_width as f32).sqrt(),
                add: false,
                threads: 1,
            };
            product(seen, view(&part.rows, 0), view(&part.text, 1).transposed(), store);
            let mut scales = [0.0; BLOCK];
            arch.dispatch(Softmax {
                rows: seen,
                width: keys,
                scales: &mut scales,
            });
            let result = &mut part.result[head * head_width..];
            let store = Store {
                row_step: width,
                scale: 1.0,
                ..store
            };
            product(
                result,
                View::new(seen, rows, keys, keys),
                view(&part.text, 2),
                store,
            );
            for (row, scale) in result.chunks_mut(width).zip(scales) {
                row[..head_width].iter_mut().for_each(|number| *number *= scale);
            }
        }
    }
}

/// The softmax of each row, but for the scale that it is still to be multiplied by.
struct Softmax<'a> {
    rows: &'a mut [f32],
    width: usize,
    scales: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (row, scale) in self.rows.chunks_exact_mut(self.width).zip(self.scales) {
            *scale = softmax(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device, Tensor};

    use super::*;

    /// The same by candle, for one text.
    fn plain(rows: &Tensor, heads: usize) -> Tensor {
        let (count, columns) = rows.dims2().unwrap();
        let width = columns / 3;
        let third = |third: usize| {
            let third = rows.narrow(1, third * width, width).unwrap();
            third
                .reshape((count, heads, width / heads))
                .unwrap()
                .transpose(0, 1)
                .unwrap()
                .contiguous()
                .unwrap()
        };
        let scores = third(0).matmul(&third(1).transpose(1, 2).unwrap()).unwrap();
        let scores = (scores / ((width / heads) as f64).sqrt()).unwrap();
        let seen = scores
            .broadcast_sub(&scores.max_keepdim(D::Minus1).unwrap())
            .unwrap()
            .exp()
            .unwrap();
        let seen = seen.broadcast_div(&seen.sum_keepdim(D::Minus1).unwrap()).unwrap();
        seen.matmul(&third(2))
            .unwrap()
            .transpose(0, 1)
            .unwrap()
            .reshape((count, width))
            .unwrap()
    }

    #[test]
    fn attention_is_that_of_candle_for_each_text_by_itself() {
        let rows = Tensor::randn(0f32, 1.0, (211, 3 * 48), &Device::Cpu).unwrap();
        let spans = [0..150, 150..200, 200..210, 210..211];
        let texts: Vec<Tensor> = spans
            .iter()
            .map(|span| plain(&rows.narrow(0, span.start, span.len()).unwrap(), 4))
            .collect();
        let plain = Tensor::cat(&texts, 0).unwrap();
        for threads in [1, 2] {
            let attention = Attention {
                spans: &spans,
                heads: 4,
                threads,
            };
            let found = rows.apply_op1_no_bwd(&attention).unwrap();
            let apart = (found - &plain).unwrap().abs().unwrap().max_all().unwrap();
            assert!(apart.to_scalar::<f32>().unwrap() < 1e-5, "{threads} threads");
        }
    }

    #[test]
    fn texts_that_do_not_cover_the_rows_are_refused() {
        let rows = Tensor::zeros((3, 12), candle_core::DType::F32, &Device::Cpu).unwrap();
        let attention = Attention {
            spans: &[0..2, 2..4],
            heads: 2,
            threads: 1,
        };
        assert!(rows.apply_op1_no_bwd(&attention).is_err());
    }
}
