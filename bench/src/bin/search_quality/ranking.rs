//! Orders of passages: by score, by cosine, and several orders made into one. Pure.

use std::collections::HashMap;

/// Numbers of passages, best first.
pub type Ranking = Vec<usize>;

/// The constant of reciprocal rank fusion that its authors use.
const FUSION_K: f64 = 60.0;

/// By score, the highest first; equal ones in the order of the passages, so that the result is always the same.
pub fn descending(scores: impl IntoIterator<Item = (usize, f64)>) -> Ranking {
    let mut scores: Vec<(usize, f64)> = scores.into_iter().collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    scores.into_iter().map(|(passage, _)| passage).collect()
}

/// All passages by their cosine with the query. The vectors must have length one, so that it is their product.
pub fn by_cosine(query: &[f32], passages: &[Vec<f32>]) -> Ranking {
    let cosine = |passage: &Vec<f32>| {
        let products = query.iter().zip(passage);
        products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
    };
    descending(passages.iter().map(cosine).enumerate())
}

/// Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009) of whole rankings: a passage gets 1 / (60 + place)
/// from each ranking that has it, the first place being 1.
pub fn fuse(rankings: &[&Ranking]) -> Ranking {
    let mut scores: HashMap<usize, f64> = HashMap::new();
    for ranking in rankings {
        for (place, passage) in ranking.iter().enumerate() {
            *scores.entry(*passage).or_default() += 1.0 / (FUSION_K + place as f64 + 1.0);
        }
    }
    descending(scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_direction_comes_first() {
        let passages = [vec![0.0, 1.0], vec![0.6, 0.8], vec![1.0, 0.0]];
        assert_eq!(by_cosine(&[1.0, 0.0], &passages), [2, 1, 0]);
    }

    #[test]
    fn what_two_rankings_have_beats_what_one_has_at_the_top() {
        assert_eq!(fuse(&[&vec![7, 3], &vec![5, 3]]), [3, 5, 7]);
    }
}
