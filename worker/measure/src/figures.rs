//! What is measured, as values. Pure.

/// All that one run measures. What needs a worker of the bench's own is `None` beside other workers.
pub struct Measured {
    /// The plain table, before and after the watched one.
    pub plain: [Writes; 2],
    /// The watched table, while no worker runs.
    pub no_worker: Option<Writes>,
    /// The watched table, while a worker delivers.
    pub busy_worker: Writes,
    /// How much of what was then written had been delivered when the writers stopped.
    pub delivered_meanwhile: Option<f64>,
    pub latency: Option<Latency>,
    pub burn_down: Option<BurnDown>,
}

/// Inserts of single rows by many clients.
pub struct Writes {
    pub seconds: f64,
    /// Of each insert with its commit, in milliseconds.
    pub took: Vec<f64>,
    /// Rows that were written before the clock ran.
    pub warm_up: usize,
}

/// The way of single events from a writer that waits to the handler, in milliseconds.
pub struct Latency {
    /// From the acknowledged commit; less than nothing when the handler was first.
    pub from_commit: Vec<f64>,
    /// From the start of the writing statement.
    pub from_statement: Vec<f64>,
    /// Events that were delivered before those that count.
    pub warm_up: usize,
}

/// A backlog that is delivered.
pub struct BurnDown {
    pub deliveries: i64,
    /// From the start of the worker to the last completion.
    pub seconds: f64,
}

impl Writes {
    /// Rows a second.
    pub fn rate(&self) -> f64 {
        number(self.took.len()) / self.seconds
    }

    pub fn rows(&self) -> usize {
        self.took.len() + self.warm_up
    }
}

impl BurnDown {
    /// Deliveries a second.
    pub fn rate(&self) -> f64 {
        self.deliveries as f64 / self.seconds
    }
}

impl Measured {
    /// Rows a second of the plain table, both times together.
    pub fn plain_rate(&self) -> f64 {
        let [before, after] = &self.plain;
        number(before.took.len() + after.took.len()) / (before.seconds + after.seconds)
    }

    /// The times of all inserts into the plain table.
    pub fn plain_took(&self) -> Vec<f64> {
        let [before, after] = &self.plain;
        [before.took.as_slice(), after.took.as_slice()].concat()
    }

    /// Events that the run has left in the log.
    pub fn events(&self) -> usize {
        let latency = self
            .latency
            .as_ref()
            .map_or(0, |latency| latency.from_commit.len() + latency.warm_up);
        let backlog = self
            .burn_down
            .as_ref()
            .map_or(0, |burn_down| burn_down.deliveries);
        self.no_worker.as_ref().map_or(0, Writes::rows)
            + self.busy_worker.rows()
            + latency
            + usize::try_from(backlog).unwrap_or(0)
    }
}

/// The smallest value that at least `share` of the values do not exceed; 0 of none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank lies between 0 and the number of values"
)]
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * number(sorted.len())).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

pub(crate) fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(rows: u32, seconds: f64) -> Writes {
        Writes {
            seconds,
            took: (1..=rows).map(f64::from).collect(),
            warm_up: 2,
        }
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values = writes(1000, 1.0).took;
        assert_eq!(
            (percentile(&values, 0.5), percentile(&values, 0.99)),
            (500.0, 990.0)
        );
        assert_eq!(percentile(&[7.0], 0.99), 7.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }

    #[test]
    fn both_times_of_the_plain_table_count() {
        let measured = Measured {
            plain: [writes(10, 1.0), writes(20, 2.0)],
            no_worker: None,
            busy_worker: writes(8, 1.0),
            delivered_meanwhile: None,
            latency: None,
            burn_down: Some(BurnDown {
                deliveries: 5,
                seconds: 0.5,
            }),
        };
        assert_eq!(measured.plain_rate(), 10.0);
        assert_eq!(measured.plain_took().len(), 30);
        assert_eq!(measured.events(), 15);
        assert_eq!(measured.burn_down.map(|burn_down| burn_down.rate()), Some(10.0));
    }
}
