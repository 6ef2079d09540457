//! Numbers that look drawn at random and are the same in each run, without a generator's state. Pure.

/// The golden ratio of 64 bits: its multiples are spread evenly, and none comes twice.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The `at`-th number drawn, below `end`.
pub fn number(at: u32, end: u32) -> u32 {
    let drawn = u64::from(at + 1).wrapping_mul(SPREAD) >> 32;
    // Less than `end`, so it has as many bits.
    u32::try_from((drawn * u64::from(end)) >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::number;

    #[test]
    fn numbers_are_spread_over_all_there_are() {
        let drawn: BTreeSet<_> = (0..1000).map(|at| number(at, 1_000_000)).collect();
        assert_eq!(drawn.len(), 1000);
        let tenths: BTreeSet<_> = drawn.iter().map(|number| number / 100_000).collect();
        assert_eq!(tenths, (0..10).collect());
    }
}
