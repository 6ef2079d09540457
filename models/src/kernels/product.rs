//! The product of two matrices, by the library that candle uses for its own. The only place that calls it.

use gemm::Parallelism;

/// A matrix in a slice: the number in a row and a column is at `row * row_step + column * column_step`.
#[derive(Clone, Copy)]
pub struct View<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> View<'a> {
    /// Rows that begin `row_step` numbers apart.
    pub fn new(numbers: &'a [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        Self {
            numbers,
            rows,
            columns,
            row_step,
            column_step: 1,
        }
    }

    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    fn fits(&self) -> bool {
        self.rows > 0
            && self.columns > 0
            && (self.rows - 1) * self.row_step + (self.columns - 1) * self.column_step < self.numbers.len()
    }
}

/// The way in which a product is stored.
#[derive(Clone, Copy)]
pub struct Store {
    /// The distance between the starts of two rows of the result.
    pub row_step: usize,
    /// The factor of the product.
    pub scale: f32,
    /// Whether it is added to what is there.
    pub add: bool,
    pub threads: usize,
}

/// `left` times `right` into `result`. A side without rows or columns leaves the result as it is.
///
/// # Panics
///
/// If the sides do not fit each other or their slices.
pub fn product(result: &mut [f32], left: View<'_>, right: View<'_>, store: Store) {
    let (rows, columns, inner) = (left.rows, right.columns, left.columns);
    if rows == 0 || columns == 0 || inner == 0 {
        return;
    }
    assert_eq!(
        inner, right.rows,
        "the sides of the product do not fit each other"
    );
    assert!(
        left.fits() && right.fits(),
        "a side of the product is larger than its slice"
    );
    let end = (rows - 1) * store.row_step + columns;
    assert!(
        store.row_step >= columns && end <= result.len(),
        "the product is larger than its slice"
    );
    let threads = if store.threads > 1 {
        Parallelism::Rayon(store.threads)
    } else {
        Parallelism::None
    };
    // SAFETY: by the assertions above every number that the steps lead to is inside its slice, and the rows of the
    // result do not overlap. The result is borrowed for writing, so it is neither of the sides.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            result.as_mut_ptr(),
            1,
            store.row_step as isize,
            store.add,
            left.numbers.as_ptr(),
            left.column_step as isize,
            left.row_step as isize,
            right.numbers.as_ptr(),
            right.column_step as isize,
            right.row_step as isize,
            1.0,
            store.scale,
            false,
            false,
            false,
            threads,
        );
    }
}
