//! Vectors as a faulty server would send them.

use super::behaviour::Predicate;
use super::fault::Fault;

pub(crate) type Vectors = Vec<Vec<f32>>;

pub(crate) struct Distorted {
    /// Each vector with its `index`, in the order in which they are sent.
    pub items: Vec<(usize, Vec<f32>)>,
    /// How an array shows a NaN.
    pub not_a_number: &'static str,
}

/// Applies a fault of the whole answer, else `spoiled` to the vectors of its texts. A fault that belongs to a vector
/// falls on the first one of the request.
pub(crate) fn distort(
    vectors: Vectors,
    inputs: &[String],
    fault: Option<&Fault>,
    spoiled: Option<&(Predicate, Fault)>,
) -> Distorted {
    let mut items: Vec<_> = vectors.into_iter().enumerate().collect();
    let mut not_a_number = "null";
    if let Some((texts, fault)) = spoiled {
        not_a_number = written(fault);
        for (index, values) in &mut items {
            if texts(&inputs[*index]) {
                distort_vector(values, fault);
            }
        }
    }
    let Some(fault) = fault else {
        return Distorted { items, not_a_number };
    };
    match fault {
        Fault::TooFew => {
            items.pop();
        }
        Fault::TooMany => {
            let last = items.last().map(|(index, values)| (index + 1, values.clone()));
            items.extend(last);
        }
        // Neither in order nor in the reverse order, as long as there are three of them.
        Fault::Shuffled => {
            let middle = items.len() / 2;
            items.rotate_left(middle);
            items.reverse();
        }
        Fault::DuplicateIndex => {
            if let [.., (before, _), (last, _)] = items.as_mut_slice() {
                *last = *before;
            }
        }
        fault => {
            not_a_number = written(fault);
            if let Some((_, values)) = items.first_mut() {
                distort_vector(values, fault);
            }
        }
    }
    Distorted { items, not_a_number }
}

fn written(fault: &Fault) -> &'static str {
    match fault {
        Fault::NotANumberText => r#""NaN""#,
        _ => "null",
    }
}

fn distort_vector(values: &mut Vec<f32>, fault: &Fault) {
    match fault {
        Fault::WrongDimensions(dimensions) => values.resize(*dimensions, 0.5),
        Fault::ZeroVector => values.fill(0.0),
        Fault::NotANumber | Fault::NotANumberText => set_first(values, f32::NAN),
        Fault::Infinite => set_first(values, f32::INFINITY),
        _ => {}
    }
}

fn set_first(values: &mut [f32], value: f32) {
    if let Some(first) = values.first_mut() {
        *first = value;
    }
}
