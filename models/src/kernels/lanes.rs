//! Reductions over several partial results, which the compiler can compute with vectors.

/// The number of partial results of a reduction: the width of the widest vectors.
pub(super) const LANES: usize = 16;

/// The sum of what `term` makes of each number.
#[inline(always)]
pub(super) fn sum(numbers: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    reduce(numbers, 0.0, |sum, number| sum + term(number), |a, b| a + b)
}

/// Takes the numbers in, each into one of the lanes, and then puts the lanes together.
#[inline(always)]
pub(super) fn reduce(
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
