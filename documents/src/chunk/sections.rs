//! Which of the places of a text are borders of its sections: those that outrank every other within reach.
//!
//! The rule is that of local maxima (Bjørner, Blass, Gurevich: Content-dependent chunking for differential compression,
//! 2010), with the classes of text in place of bytes. A border depends on what is within its reach and on nothing
//! else, so text that is inserted elsewhere moves it along and never makes another of it.

use std::collections::VecDeque;

use super::places::Place;

/// The places, as offsets, that no other within `reach` tokens on either side outranks; of equals the first. `weights`
/// holds the tokens before each place. Two borders are at least `reach` apart.
pub(super) fn borders(places: &[Place], weights: &[usize], reach: usize) -> Vec<usize> {
    let mut borders = Vec::new();
    // The places within reach that nothing after them outranks: ranks fall, and the first is the highest.
    let mut falling: VecDeque<usize> = VecDeque::new();
    let mut ahead = 0;
    for (index, place) in places.iter().enumerate() {
        while ahead < places.len() && weights[ahead] < weights[index] + reach {
            while falling
                .back()
                .is_some_and(|last| places[*last].rank < places[ahead].rank)
            {
                falling.pop_back();
            }
            falling.push_back(ahead);
            ahead += 1;
        }
        while falling
            .front()
            .is_some_and(|first| weights[*first] + reach <= weights[index])
        {
            falling.pop_front();
        }
        if falling.front() == Some(&index) {
            borders.push(place.at);
        }
    }
    borders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn borders_of(ranks: &[u64], reach: usize) -> Vec<usize> {
        let places: Vec<Place> = ranks
            .iter()
            .enumerate()
            .map(|(at, rank)| Place { at, rank: *rank })
            .collect();
        let weights: Vec<usize> = (0..ranks.len()).collect();
        borders(&places, &weights, reach)
    }

    #[test]
    fn a_border_outranks_all_within_reach() {
        assert_eq!(borders_of(&[1, 2, 9, 3, 4, 8, 1, 1, 7], 3), [2, 5, 8]);
        assert_eq!(borders_of(&[1, 2, 9, 3, 4, 8, 1, 1, 7], 4), [2]);
    }

    #[test]
    fn of_equals_the_first_is_taken_and_the_next_only_out_of_its_reach() {
        assert_eq!(borders_of(&[5; 10], 4), [0]);
        assert_eq!(borders_of(&[5, 1, 1, 1, 5], 4), [0, 4]);
    }

    #[test]
    fn borders_are_those_of_the_plain_rule() {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        };
        for reach in 1..20 {
            let ranks: Vec<u64> = (0..200).map(|_| next() % 40).collect();
            let plain: Vec<usize> = (0..ranks.len())
                .filter(|&i| {
                    let before = i.saturating_sub(reach - 1)..i;
                    let after = i + 1..ranks.len().min(i + reach);
                    before.into_iter().all(|j| ranks[j] < ranks[i])
                        && after.into_iter().all(|j| ranks[j] <= ranks[i])
                })
                .collect();
            assert_eq!(borders_of(&ranks, reach), plain, "reach {reach}");
        }
    }
}
