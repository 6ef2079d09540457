//! Rows of an answer as structs, read by the names of their columns. It knows no statement.

pub use tokio_postgres::{Error, Row};

/// A struct that a row is read into.
pub trait FromRow: Sized {
    /// Reads each field from the column of its name. The answer may have more columns.
    ///
    /// # Errors
    /// When a column is missing, of another type, or null where the field is no `Option`.
    fn from_row(row: &Row) -> Result<Self, Error>;
}

/// Defines a struct with a public field for each column of a row, and how it is read.
#[macro_export]
macro_rules! row {
    (
        $(#[$about:meta])*
        pub struct $name:ident {
            $($(#[$about_field:meta])* pub $field:ident: $kind:ty,)*
        }
    ) => {
        $(#[$about])*
        pub struct $name {
            $($(#[$about_field])* pub $field: $kind,)*
        }

        impl $crate::row::FromRow for $name {
            fn from_row(row: &$crate::row::Row) -> Result<Self, $crate::row::Error> {
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    };
}

/// Reads every row.
///
/// # Errors
/// Those of `FromRow::from_row`.
pub fn all<T: FromRow>(rows: &[Row]) -> Result<Vec<T>, Error> {
    rows.iter().map(T::from_row).collect()
}
