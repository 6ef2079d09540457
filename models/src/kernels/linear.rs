//! A linear layer with its bias and activation.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, bail};

use super::curves::gelu;
use super::product::{Store, View, product};
use super::{matrix, parts};

/// What is done to each number of a layer's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    None,
    Gelu,
}

/// `activation(rows · weightᵀ + bias)` for a weight of shape (outputs, inputs).
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    pub activation: Activation,
    pub threads: usize,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        rows: &CpuStorage,
        rows_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, count, inputs) = matrix(rows, rows_layout)?;
        let (weight, outputs, width) = matrix(weight, weight_layout)?;
        let (bias, _, biases) = matrix(bias, bias_layout)?;
        if inputs != width || outputs != biases {
            bail!("rows of {inputs} do not fit a weight of ({outputs}, {width}) and a bias of {biases}");
        }
        let mut result = Vec::with_capacity(count * outputs);
        (0..count).for_each(|_| result.extend_from_slice(bias));
        let store = Store {
            row_step: outputs,
            scale: 1.0,
            add: true,
            threads: self.threads,
        };
        let left = View::new(rows, count, inputs, inputs);
        product(
            &mut result,
            left,
            View::new(weight, outputs, inputs, inputs).transposed(),
            store,
        );
        if self.activation == Activation::Gelu {
            let arch = pulp::Arch::new();
            parts(&mut result, 64 * outputs, self.threads, |_, numbers| {
                arch.dispatch(|| numbers.iter_mut().for_each(|number| *number = gelu(*number)));
            });
        }
        Ok((CpuStorage::F32(result), Shape::from((count, outputs))))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn a_layer_is_that_of_candle() {
        let random = |shape: &[usize]| Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap();
        for (count, inputs, outputs) in [(1, 8, 3), (67, 40, 50), (130, 96, 33)] {
            let (rows, weight, bias) = (
                random(&[count, inputs]),
                random(&[outputs, inputs]),
                random(&[outputs]),
            );
            let plain = rows
                .matmul(&weight.t().unwrap())
                .unwrap()
                .broadcast_add(&bias)
                .unwrap();
            for (activation, plain) in [
                (Activation::None, plain.clone()),
                (Activation::Gelu, plain.gelu_erf().unwrap()),
            ] {
                for threads in [1, 2] {
                    let found = rows
                        .apply_op3_no_bwd(&weight, &bias, &Linear { activation, threads })
                        .unwrap();
                    let apart = (found - &plain).unwrap().abs().unwrap().max_all().unwrap();
                    assert!(
                        apart.to_scalar::<f32>().unwrap() < 1e-4,
                        "{activation:?}, {threads} threads"
                    );
                }
            }
        }
    }

    #[test]
    fn sides_that_do_not_fit_are_refused() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu).unwrap();
        let layer = Linear {
            activation: Activation::None,
            threads: 1,
        };
        assert!(
            zeros(&[2, 3])
                .apply_op3_no_bwd(&zeros(&[4, 5]), &zeros(&[4]), &layer)
                .is_err()
        );
        assert!(
            zeros(&[2, 5])
                .apply_op3_no_bwd(&zeros(&[4, 5]), &zeros(&[5]), &layer)
                .is_err()
        );
    }
}
