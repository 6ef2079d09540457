//! The forms that the models of an endpoint understand and the sizes that they take, as learned from its answers. In
//! this process only; the gate is told the sizes too.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::caps::{Learned, PackLimits};
use crate::config::EncodingFormat;
use crate::dialect::Dialect;

pub struct LearnedModels {
    encoding: EncodingFormat,
    models: Mutex<HashMap<String, LearnedModel>>,
}

#[derive(Clone)]
struct LearnedModel {
    dialect: Dialect,
    learned: Vec<Learned>,
    /// The gate was asked for the sizes that other workers learned.
    asked: bool,
}

impl LearnedModels {
    pub fn new(encoding: EncodingFormat) -> Self {
        Self {
            encoding,
            models: Mutex::default(),
        }
    }

    pub fn dialect(&self, model: &str) -> Dialect {
        let models = self.models.lock();
        models
            .get(model)
            .map_or_else(|| Dialect::new(self.encoding), |known| known.dialect)
    }

    /// Replaces the dialect by `next` if it is still the one that was `tried`: another request may have learned more.
    pub fn replace(&self, model: &str, tried: Dialect, next: Dialect) {
        self.change(model, |known| {
            if known.dialect == tried {
                known.dialect = next;
            }
        });
    }

    pub fn update(&self, model: &str, change: impl FnOnce(Dialect) -> Dialect) {
        self.change(model, |known| known.dialect = change(known.dialect));
    }

    pub fn learn(&self, model: &str, learned: Learned) {
        self.change(model, |known| {
            known
                .learned
                .retain(|earlier| earlier.cap != learned.cap || earlier.value < learned.value);
            known.learned.push(learned);
        });
    }

    /// True the first time that it is asked for a model.
    pub fn is_new(&self, model: &str) -> bool {
        let mut is_new = false;
        self.change(model, |known| is_new = !std::mem::replace(&mut known.asked, true));
        is_new
    }

    /// `limits` with all that was learned of the model.
    pub fn lowered(&self, model: &str, limits: PackLimits) -> PackLimits {
        let models = self.models.lock();
        let learned = models.get(model).into_iter().flat_map(|known| &known.learned);
        learned.fold(limits, |limits, learned| limits.lowered(*learned))
    }

    fn change(&self, model: &str, change: impl FnOnce(&mut LearnedModel)) {
        let known = || LearnedModel {
            dialect: Dialect::new(self.encoding),
            learned: Vec::new(),
            asked: false,
        };
        change(self.models.lock().entry(model.to_owned()).or_insert_with(known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caps::Cap;
    use crate::refusal::Parameter;

    #[test]
    fn two_requests_that_are_refused_at_once_go_one_step_down() {
        let models = LearnedModels::new(EncodingFormat::Auto);
        let tried = models.dialect("m");
        let next = tried.without(Parameter::ResponseFormat).unwrap();
        models.replace("m", tried, next);
        models.replace("m", tried, next);
        assert_eq!(models.dialect("m"), next);
        assert_eq!(models.dialect("other"), tried);
    }

    #[test]
    fn the_smallest_size_counts() {
        let models = LearnedModels::new(EncodingFormat::Auto);
        for value in [64, 32, 48] {
            models.learn(
                "m",
                Learned {
                    cap: Cap::Inputs,
                    value,
                },
            );
        }
        assert_eq!(models.lowered("m", PackLimits::IN_PROCESS).inputs, 32);
        assert_eq!(
            models.lowered("other", PackLimits::IN_PROCESS),
            PackLimits::IN_PROCESS
        );
        assert!(models.is_new("m") && !models.is_new("m"));
    }
}
