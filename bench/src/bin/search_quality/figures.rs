//! Owns the figures of a search: recall within five, mean reciprocal rank within ten, and how sure the recall is. Pure.

/// The place of the first labelled passage in a ranking, from 0; `None` if it has none.
pub type Found = Option<usize>;

const RECALL_WITHIN: usize = 5;
const RANK_WITHIN: usize = 10;
const RESAMPLES: usize = 2000;
const SEED: u64 = 42;

pub struct Figures {
    /// The share of queries with a labelled passage among the first five.
    recall: f64,
    /// The bounds between which 95 % of the resamples lie.
    interval: (f64, f64),
    /// The mean of 1 / place, the first place being 1, or of 0 from the eleventh on.
    mean_reciprocal_rank: f64,
}

impl Figures {
    pub fn of(found: &[Found]) -> Self {
        let hits: Vec<bool> = found
            .iter()
            .map(|place| place.is_some_and(|place| place < RECALL_WITHIN))
            .collect();
        let reciprocal = |place: &Found| match *place {
            Some(place) if place < RANK_WITHIN => 1.0 / (place as f64 + 1.0),
            _ => 0.0,
        };
        Self {
            recall: share(hits.iter().copied(), hits.len()),
            interval: bootstrap(&hits),
            mean_reciprocal_rank: found.iter().map(reciprocal).sum::<f64>() / found.len().max(1) as f64,
        }
    }

    /// Two cells of a Markdown table, without the last bar.
    pub fn cells(&self) -> String {
        let (low, high) = self.interval;
        format!(
            "| {:.2} ({low:.2}–{high:.2}) | {:.2} ",
            self.recall, self.mean_reciprocal_rank
        )
    }
}

fn share(hits: impl Iterator<Item = bool>, of: usize) -> f64 {
    hits.filter(|hit| *hit).count() as f64 / of.max(1) as f64
}

/// The 95 % percentile bootstrap of the share of hits: as many queries drawn again, with repetition, 2,000 times.
fn bootstrap(hits: &[bool]) -> (f64, f64) {
    if hits.is_empty() {
        return (0.0, 0.0);
    }
    let mut random = SplitMix(SEED);
    let mut shares: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            share(
                (0..hits.len()).map(|_| hits[random.below(hits.len())]),
                hits.len(),
            )
        })
        .collect();
    shares.sort_by(f64::total_cmp);
    let tail = RESAMPLES / 40;
    (shares[tail], shares[RESAMPLES - 1 - tail])
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers on every machine and with every version.
struct SplitMix(u64);

impl SplitMix {
    /// A number below `bound`; the unevenness of the remainder is 1 in 2⁵⁰ here.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_place_is_found_and_the_eleventh_counts_nothing() {
        let figures = Figures::of(&[Some(0), Some(4), Some(5), Some(10), None]);
        assert_eq!(figures.recall, 0.4);
        let expected = (1.0 + 1.0 / 5.0 + 1.0 / 6.0) / 5.0;
        assert!((figures.mean_reciprocal_rank - expected).abs() < 1e-12);
    }

    #[test]
    fn the_interval_is_that_of_a_binomial() {
        let hits: Vec<bool> = (0..100).map(|query| query < 50).collect();
        let (low, high) = bootstrap(&hits);
        // 0.5 ± 1.96 · √(0.25 / 100)
        assert!(
            (low - 0.402).abs() < 0.02 && (high - 0.598).abs() < 0.02,
            "{low} {high}"
        );
        assert_eq!(bootstrap(&[true; 10]), (1.0, 1.0));
    }
}
