//! The positions of an answer's columns. Each is found by its name once for all rows: looking it up in every row
//! would cost time where thousands of rows come at once.

use tokio_postgres::Row;

use super::error::StoreError;

/// Declares the columns of an answer by their names. `of` finds their positions in its first row.
macro_rules! columns {
    ($(#[$doc:meta])* $columns:ident { $($name:ident),* $(,)? }) => {
        $(#[$doc])*
        struct $columns {
            $($name: usize),*
        }

        impl $columns {
            fn of(row: &tokio_postgres::Row) -> Result<Self, $crate::error::StoreError> {
                Ok(Self {
                    $($name: $crate::columns::position(row, stringify!($name))?),*
                })
            }
        }
    };
}
pub(super) use columns;

/// # Errors
/// `Answer` when there is no such column.
pub(super) fn position(row: &Row, name: &str) -> Result<usize, StoreError> {
    let found = row.columns().iter().position(|column| column.name() == name);
    found.ok_or_else(|| StoreError::Answer {
        reason: format!("it has no column {name}"),
    })
}
