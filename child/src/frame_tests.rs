//! Frames arrive as they were sent, however the pipe cuts them.

use proptest::prelude::*;

use super::*;

const LIMITS: [usize; 2] = [50, 50];

/// A pipe that gives its bytes in pieces, as pipes may.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().copied().unwrap_or(1);
        let size = size.min(buffer.len()).min(self.bytes.len());
        buffer[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

fn part() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..50)
}

fn written(frames: &[[Vec<u8>; 2]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for [first, second] in frames {
        write(&mut bytes, [first, second]).unwrap();
    }
    bytes
}

proptest! {
    #[test]
    fn frames_arrive_one_by_one_however_they_are_split(
        frames in prop::collection::vec([part(), part()], 0..4),
        sizes in prop::collection::vec(1..9_usize, 1..5),
    ) {
        let bytes = written(&frames);
        let mut pipe = Pieces { bytes: &bytes, sizes: sizes.iter().cycle() };
        for frame in frames {
            prop_assert_eq!(read(&mut pipe, LIMITS).unwrap(), Some(frame));
        }
        prop_assert_eq!(read(&mut pipe, LIMITS).unwrap(), None);
    }

    #[test]
    fn only_a_whole_frame_is_one(frame in [part(), part()], more in any::<u8>()) {
        let mut bytes = written(std::slice::from_ref(&frame));
        for length in 0..bytes.len() {
            prop_assert_eq!(decode(&bytes[..length], LIMITS), None);
            prop_assert_eq!(read(&mut &bytes[..length], LIMITS).is_err(), length > 0);
        }
        prop_assert_eq!(decode(&bytes, LIMITS), Some(frame));
        bytes.push(more);
        prop_assert_eq!(decode(&bytes, LIMITS), None);
    }

    #[test]
    fn a_part_above_its_limit_is_refused_before_it_is_read(frame in [part(), part()]) {
        let bytes = written(std::slice::from_ref(&frame));
        let lengths = [frame[0].len(), frame[1].len()];
        prop_assert!(read(&mut bytes.as_slice(), lengths).is_ok());
        if let Some(below) = lengths[1].checked_sub(1) {
            let mut pipe = bytes.as_slice();
            let refused = read(&mut pipe, [lengths[0], below]).unwrap_err();
            prop_assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
            prop_assert_eq!(pipe.len(), bytes.len() - overhead(2));
        }
    }
}
