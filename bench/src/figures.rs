//! Readings and what is made of them: medians over the rounds, ratios within a round. Pure.

use std::borrow::Cow;

use serde::Serialize;

/// What is measured, with its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: Cow<'static, str>,
    pub unit: &'static str,
}

/// One value of one measurement.
#[derive(Clone, Debug)]
pub struct Reading {
    pub metric: Metric,
    pub value: f64,
}

impl Metric {
    pub const fn new(name: &'static str, unit: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            unit,
        }
    }

    /// Of something that is known at run time only, such as a table.
    pub fn named(name: String, unit: &'static str) -> Self {
        Self {
            name: Cow::Owned(name),
            unit,
        }
    }

    pub fn reads(self, value: f64) -> Reading {
        Reading { metric: self, value }
    }
}

/// All readings of one metric of one case, one for each round.
#[derive(Debug, Serialize)]
pub struct Figure {
    pub case: String,
    pub metric: Cow<'static, str>,
    pub unit: &'static str,
    pub spread: Spread,
    pub rounds: Vec<f64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(values: &[f64]) -> Self {
        let sorted = sorted(values);
        let (Some(min), Some(max)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Self {
            median,
            min: *min,
            max: *max,
        }
    }
}

/// The figures of a run, in the order in which they were first read.
#[derive(Default)]
pub struct Figures(Vec<Figure>);

impl Figures {
    pub fn add(&mut self, case: &str, reading: Reading) {
        let known = self
            .0
            .iter()
            .position(|figure| figure.case == case && figure.metric == reading.metric.name);
        let at = known.unwrap_or_else(|| {
            let Metric { name: metric, unit } = reading.metric;
            self.0.push(Figure {
                case: case.to_owned(),
                metric,
                unit,
                spread: Spread::default(),
                rounds: Vec::new(),
            });
            self.0.len() - 1
        });
        let figure = &mut self.0[at];
        figure.rounds.push(reading.value);
        figure.spread = Spread::of(&figure.rounds);
    }

    pub fn all(&self) -> &[Figure] {
        &self.0
    }

    /// The readings of one figure; `None` when it was not measured.
    pub fn rounds(&self, case: &str, metric: &Metric) -> Option<&[f64]> {
        let figure = self
            .0
            .iter()
            .find(|figure| figure.case == case && figure.metric == metric.name)?;
        Some(&figure.rounds)
    }

    /// One figure divided by another, round by round; `None` when one of them was not measured.
    pub fn ratio(&self, of: (&str, &Metric), to: (&str, &Metric)) -> Option<Vec<f64>> {
        Some(
            self.rounds(of.0, of.1)?
                .iter()
                .zip(self.rounds(to.0, to.1)?)
                .map(|(above, below)| above / below)
                .collect(),
        )
    }
}

/// The smallest value that at least `share` of the values do not exceed.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let sorted = sorted(values);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Metric = Metric::new("rate", "tx/s");

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(
            Spread::of(&[3.0, 1.0, 2.0]),
            Spread {
                median: 2.0,
                min: 1.0,
                max: 3.0
            }
        );
        assert_eq!(Spread::of(&[4.0, 1.0]).median, 2.5);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<_> = (1..=1000).map(f64::from).collect();
        assert_eq!(
            (percentile(&values, 0.5), percentile(&values, 0.99)),
            (500.0, 990.0)
        );
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let mut figures = Figures::default();
        for (slow, fast) in [(10.0, 100.0), (30.0, 60.0)] {
            figures.add("slow", RATE.reads(slow));
            figures.add("fast", RATE.reads(fast));
        }
        assert_eq!(
            figures.ratio(("slow", &RATE), ("fast", &RATE)),
            Some(vec![0.1, 0.5])
        );
        assert_eq!(figures.ratio(("slow", &RATE), ("absent", &RATE)), None);
    }
}
