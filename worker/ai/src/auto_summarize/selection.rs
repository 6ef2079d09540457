//! Chooses which pieces of a document are read where they are too many. Pure.

use super::pieces::Piece;
use super::units::BYTES_PER_TOKEN;

/// The indexes of the pieces that are read where all together have more than `tokens`: the first and the last of each
/// section, then others evenly, in the order of the text.
pub fn chosen(pieces: &[Piece], tokens: usize) -> Vec<usize> {
    let most = tokens * BYTES_PER_TOKEN;
    let total: usize = pieces.iter().map(|piece| piece.weight).sum();
    if total <= most {
        return (0..pieces.len()).collect();
    }
    let begins = |place: usize| place == 0 || place >= pieces.len() || pieces[place].begins_section;
    let all: Vec<usize> = (0..pieces.len()).collect();
    let is_edge = |place: &usize| begins(*place) || begins(*place + 1);
    let edges: Vec<usize> = all.iter().copied().filter(is_edge).collect();
    let inner = evenly(&all).into_iter().filter(|place| !is_edge(place));
    let mut room = most;
    let mut chosen = Vec::new();
    for place in evenly(&edges).into_iter().chain(inner) {
        let weight = pieces[place].weight;
        if weight <= room {
            room -= weight;
            chosen.push(place);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// All of them, in such an order that every beginning of it is spread evenly over the whole.
pub fn evenly(places: &[usize]) -> Vec<usize> {
    let Some(last) = places.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut ordered = vec![places[0]];
    let mut taken = vec![false; places.len()];
    taken[0] = true;
    let mut parts = 1;
    while ordered.len() < places.len() {
        for part in (1..=parts).step_by(if parts == 1 { 1 } else { 2 }) {
            let place = last * part / parts;
            if !taken[place] {
                taken[place] = true;
                ordered.push(places[place]);
            }
        }
        parts *= 2;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_pieces_the_edges_of_sections_are_read_and_others_evenly() {
        let piece = |place: usize| Piece {
            range: place * 300..place * 300 + 300,
            weight: 300,
            begins_section: place.is_multiple_of(10),
        };
        let pieces: Vec<Piece> = (0..40).map(piece).collect();
        assert_eq!(chosen(&pieces, 4000).len(), 40, "all fit");
        assert_eq!(chosen(&pieces, 800), [0, 9, 10, 19, 20, 29, 30, 39]);
        assert_eq!(chosen(&pieces, 900).len(), 9);
        assert_eq!(chosen(&pieces, 200), [0, 39]);
        let flat: Vec<Piece> = (0..40)
            .map(|place| Piece {
                begins_section: false,
                ..piece(place)
            })
            .collect();
        assert_eq!(chosen(&flat, 500), [0, 9, 19, 29, 39]);
    }
}
