//! Which texts are computed together. It must not look at anything but their lengths.

use std::ops::Range;

/// The most tokens that are computed together. More makes the matrices no faster, and their rows leave the processor's
/// cache: measured with all-MiniLM, 256 to 512 are the fastest.
pub const PACK_TOKENS: usize = 512;

/// Texts that are computed together: their places in the call, from the longest to the shortest.
pub type Pack = Vec<usize>;

/// Sorts texts by their lengths in tokens, longest first, and packs neighbours. A pack has at most `limit` tokens,
/// or one text; with at least as many texts as `threads` there are at least as many packs as threads.
pub fn pack(lengths: &[usize], limit: usize, threads: usize) -> Vec<Pack> {
    let share = lengths.iter().sum::<usize>().div_ceil(threads.max(1));
    let limit = limit.min(share);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&text| std::cmp::Reverse(lengths[text]));
    let mut packs: Vec<Pack> = Vec::new();
    let mut tokens = 0;
    for text in order {
        let length = lengths[text];
        match packs.last_mut() {
            Some(pack) if tokens + length <= limit => {
                pack.push(text);
                tokens += length;
            }
            _ => {
                packs.push(vec![text]);
                tokens = length;
            }
        }
    }
    packs
}

/// The rows that each text of a pack has in its matrices.
pub fn spans(lengths: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    lengths
        .scan(0, |end, length| {
            let start = *end;
            *end += length;
            Some(start..*end)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_in_one_pack_and_no_pack_is_over_the_limit() {
        let lengths: Vec<usize> = (0..100).map(|text| 2 + text * 37 % 101).collect();
        let packs = pack(&lengths, 200, 2);
        let mut seen: Vec<usize> = packs.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
        assert!(
            packs
                .iter()
                .all(|pack| pack.iter().map(|&text| lengths[text]).sum::<usize>() <= 200)
        );
    }

    #[test]
    fn a_text_over_the_limit_is_alone() {
        assert_eq!(pack(&[10, 900, 20], 512, 1), [vec![1], vec![2, 0]]);
    }

    #[test]
    fn few_texts_are_shared_out_among_the_threads() {
        assert_eq!(pack(&[5, 5, 5, 5], 512, 2).len(), 2);
        assert_eq!(pack(&[5], 512, 2), [vec![0]]);
        assert!(pack(&[], 512, 2).is_empty());
    }

    #[test]
    fn spans_follow_each_other() {
        assert_eq!(spans([2, 3, 1].into_iter()), [0..2, 2..5, 5..6]);
    }
}
