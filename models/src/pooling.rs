//! From the rows of a text's tokens to its one vector.

/// Which rows make the vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The row of the first token.
    Cls,
    /// The mean of all rows, those of the special tokens too.
    Mean,
}

impl Pooling {
    /// The vector, of length one, from rows of `width` numbers. None if it has no direction: a number in it is not
    /// finite, or all are zero.
    pub fn vector(self, rows: &[f32], width: usize) -> Option<Vec<f32>> {
        let mut vector = match self {
            Self::Cls => rows.get(..width)?.to_vec(),
            // The sum is enough: the length is made one anyhow.
            Self::Mean => rows.chunks_exact(width).fold(vec![0.0; width], |mut sum, row| {
                sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                sum
            }),
        };
        let norm = vector
            .iter()
            .map(|&value| f64::from(value).powi(2))
            .sum::<f64>()
            .sqrt() as f32;
        if !norm.is_normal() {
            return None;
        }
        vector.iter_mut().for_each(|value| *value /= norm);
        Some(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_has_length_one() {
        assert_eq!(
            Pooling::Cls.vector(&[3.0, 4.0, 9.0, 9.0], 2),
            Some(vec![0.6, 0.8])
        );
        assert_eq!(
            Pooling::Mean.vector(&[1.0, 9.0, 5.0, -1.0], 2),
            Some(vec![0.6, 0.8])
        );
    }

    #[test]
    fn what_is_no_direction_gives_no_vector() {
        assert_eq!(Pooling::Cls.vector(&[f32::NAN, 1.0], 2), None);
        assert_eq!(Pooling::Cls.vector(&[f32::INFINITY, 1.0], 2), None);
        assert_eq!(Pooling::Mean.vector(&[1.0, -1.0, -1.0, 1.0], 2), None);
    }
}
