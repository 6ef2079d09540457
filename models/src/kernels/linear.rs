//! A linear layer with its bias and activation.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, bail};

use super::curves::gelu;
use super::product::{Store, View, product};
use super::rows::{matrix, parts};

/// The function that is applied to each number of a layer's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    None,
    Gelu,
}

/// `activation(rows · weight + bias)` for a weight of shape (inputs, outputs): the transposed one of the file, because
/// the product then reads what lies side by side.
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
        let (weight, height, outputs) = matrix(weight, weight_layout)?;
        let (bias, _, biases) = matrix(bias, bias_layout)?;
        if inputs != height || outputs != biases {
            bail!("rows of {inputs} do not fit a weight of ({height}, {outputs}) and a bias of {biases}");
        }
        let mut result = Vec::with_capacity(count * outputs);
        (0..count).for_each(|_| result.extend_from_slice(bias));
        let store = Store {
            row_step: outputs,
            scale: 1.0,
            add: true,
            threads: self.threads,
        };
        let (left, right) = (
            View::new(rows, count, inputs, inputs),
            View::new(weight, inputs, outputs, outputs),
        );
        product(&mut result, left, right, store);
        if self.activation == Activation::Gelu {
            let arch = pulp::Arch::new();
            parts(&mut result, 64 * outputs, self.threads, |_, numbers| {
                arch.dispatch(Gelu(numbers))
            });
        }
        Ok((CpuStorage::F32(result), Shape::from((count, outputs))))
    }
}

/// GELU of each number.
struct Gelu<'a>(&'a mut [f32]);

impl pulp::NullaryFnOnce for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for number in self.0 {
            *number = gelu(*number);
        }
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
                random(&[inputs, outputs]),
                random(&[outputs]),
            );
            let plain = rows.matmul(&weight).unwrap().broadcast_add(&bias).unwrap();
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
                .apply_op3_no_bwd(&zeros(&[5, 4]), &zeros(&[4]), &layer)
                .is_err()
        );
        assert!(
            zeros(&[2, 5])
                .apply_op3_no_bwd(&zeros(&[5, 4]), &zeros(&[5]), &layer)
                .is_err()
        );
    }
}
