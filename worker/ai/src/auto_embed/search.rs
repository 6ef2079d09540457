//! The search for texts at fault: chooses the next request. A request that is refused is halved; where the first half
//! has no text at fault, the second must, and is halved without being asked. A single text is always asked before it is
//! blamed. Pure.

use std::ops::Range;

/// The ranges of texts that are still to be asked for.
pub struct Search {
    /// The next one is the last.
    open: Vec<OpenRange>,
    /// Texts found at fault so far.
    faults: usize,
}

enum OpenRange {
    Ask(Range<usize>),
    /// The second half of a request that was refused, when so many texts were at fault before its first half was asked.
    Rest {
        range: Range<usize>,
        faults: usize,
    },
}

impl Search {
    pub fn new(packs: Vec<Range<usize>>) -> Self {
        Self {
            open: packs.into_iter().rev().map(OpenRange::Ask).collect(),
            faults: 0,
        }
    }

    /// The texts of the next request.
    pub fn next(&mut self) -> Option<Range<usize>> {
        loop {
            match self.open.pop()? {
                OpenRange::Rest { range, faults } if faults == self.faults && range.len() > 1 => {
                    self.halve(&range)
                }
                OpenRange::Ask(range) | OpenRange::Rest { range, .. } => return Some(range),
            }
        }
    }

    /// One of these texts is at fault. True when it is the only one, and so found.
    pub fn blame(&mut self, range: &Range<usize>) -> bool {
        if range.len() < 2 {
            self.faults += 1;
            return true;
        }
        self.halve(range);
        false
    }

    /// The request was too large: smaller ones, of at most `most` texts where that is known. False for a single text.
    pub fn split(&mut self, range: &Range<usize>, most: Option<usize>) -> bool {
        if range.len() < 2 {
            return false;
        }
        let half = range.len().div_ceil(2);
        let size = most.unwrap_or(half).clamp(1, half);
        let parts = range.clone().step_by(size);
        let parts: Vec<_> = parts.map(|start| start..(start + size).min(range.end)).collect();
        self.open.extend(parts.into_iter().rev().map(OpenRange::Ask));
        true
    }

    fn halve(&mut self, range: &Range<usize>) {
        let middle = range.start + range.len() / 2;
        self.open.push(OpenRange::Rest {
            range: middle..range.end,
            faults: self.faults,
        });
        self.open.push(OpenRange::Ask(range.start..middle));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches for the bad ones; returns the requests it took and what was blamed.
    fn search(packs: &[Range<usize>], bad: &[usize]) -> (usize, Vec<usize>) {
        let (mut search, mut requests, mut found) = (Search::new(packs.to_vec()), 0, Vec::new());
        while let Some(range) = search.next() {
            requests += 1;
            if bad.iter().any(|one| range.contains(one)) && search.blame(&range) {
                found.push(range.start);
            }
        }
        (requests, found)
    }

    #[test]
    fn one_bad_text_in_2048_is_found_in_23_requests() {
        for bad in 0..2048 {
            let (requests, found) = search(std::slice::from_ref(&(0..2048)), &[bad]);
            assert_eq!(found, [bad]);
            assert!(requests <= 23, "{requests} for {bad}");
        }
    }

    #[test]
    fn every_bad_text_is_found_and_no_other_is_blamed() {
        assert_eq!(search(&[0..9, 9..20], &[0, 8, 9, 13, 19]).1, [0, 8, 9, 13, 19]);
        assert_eq!(search(std::slice::from_ref(&(0..3)), &[0, 1, 2]).1, [0, 1, 2]);
        assert_eq!(search(std::slice::from_ref(&(0..5)), &[]), (1, vec![]));
    }

    #[test]
    fn a_request_that_is_too_large_is_cut_to_what_was_named() {
        let parts = |range: Range<usize>, most| {
            let mut search = Search::new(Vec::new());
            search.split(&range, most);
            std::iter::from_fn(|| search.next()).collect::<Vec<_>>()
        };
        assert_eq!(parts(10..20, Some(4)), [10..14, 14..18, 18..20]);
        assert_eq!(parts(0..5, None), [0..3, 3..5]);
        assert!(parts(3..4, Some(1)).is_empty());
    }
}
