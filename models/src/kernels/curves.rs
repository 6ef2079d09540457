//! The exponential and the curves made of it, written so that the compiler can compute many at once.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

use super::lanes::{reduce, sum};

/// Adding it to a small number leaves the nearest whole one in the low bits.
const ROUND: f32 = 12_582_912.0;
/// Below it the exponential is not a normal number any more.
const LOWEST: f32 = -87.0;
const HIGHEST: f32 = 88.0;
/// The natural logarithm of 2 in two parts, the first with few digits, so that their products are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// e to the power of x, to within 3 units in the last place; the ends are kept at the smallest and largest numbers.
/// The whole powers of two are put into the exponent, and the rest is a Taylor polynomial of degree 7.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Comparisons this way around keep what is not a number.
    let x = if x < LOWEST { LOWEST } else { x };
    let x = if x > HIGHEST { HIGHEST } else { x };
    let shifted = x * LOG2_E + ROUND;
    let twos = shifted - ROUND;
    let rest = x - twos * LN_2_HIGH - twos * LN_2_LOW;
    let mut value = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        value = value * rest + factor;
    }
    value * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
}

/// x · Φ(x), the exact form of GELU. The error function is formula 7.1.26 of Abramowitz and Stegun, Handbook of
/// Mathematical Functions: at most 1.5e-7 away.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let z = x.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut tail = 1.061_405_4;
    for factor in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        tail = tail * t + factor;
    }
    let erf = 1.0 - tail * t * exp(-z * z);
    0.5 * x * (1.0 + erf.copysign(x))
}

/// Replaces the numbers by their exponentials, as seen from the largest, and returns one over their sum: the softmax
/// is their product, which is cheaper to take later.
#[inline(always)]
pub fn softmax(numbers: &mut [f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let largest = reduce(numbers, f32::NEG_INFINITY, larger, larger);
    for number in &mut *numbers {
        *number = exp(*number - largest);
    }
    1.0 / sum(numbers, |number| number)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    fn samples() -> Vec<f32> {
        (-8700..=8700).map(|step| step as f32 / 100.0).collect()
    }

    #[test]
    fn exp_is_the_exponential() {
        for x in samples() {
            let exact = f64::from(x).exp();
            assert!(
                (f64::from(exp(x)) / exact - 1.0).abs() < 4e-7,
                "exp({x}) = {}, not {exact}",
                exp(x)
            );
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(-1e9) < 1e-37);
        assert!(exp(1e9).is_finite());
    }

    #[test]
    fn gelu_is_that_of_candle() {
        let exact = Tensor::new(samples(), &Device::Cpu)
            .unwrap()
            .gelu_erf()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        for (x, exact) in samples().into_iter().zip(exact) {
            assert!(
                (gelu(x) - exact).abs() <= 3e-7 * x.abs().max(1.0),
                "gelu({x}) = {}, not {exact}",
                gelu(x)
            );
        }
        assert!(gelu(f32::NAN).is_nan());
    }

    #[test]
    fn softmax_sums_to_one_and_keeps_what_is_not_a_number() {
        let mut numbers: Vec<f32> = (0..37).map(|n| (n * 7 % 11) as f32 * 30.0).collect();
        let exact: Vec<f64> = numbers
            .iter()
            .map(|&number| f64::from(number - 300.0).exp())
            .collect();
        let total: f64 = exact.iter().sum();
        let scale = softmax(&mut numbers);
        for (number, exact) in numbers.iter().zip(exact) {
            assert!((f64::from(number * scale) - exact / total).abs() < 1e-6);
        }
        assert!(softmax(&mut [1.0, f32::NAN]).is_nan());
    }
}
