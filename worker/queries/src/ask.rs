//! Asking a statement for rows of one form. It knows no statement.

use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{Client, Row};
use zerodb_hooks_store::row::{self, FromRow};

use crate::QueryError;

pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Every row of the answer.
pub(crate) async fn all<T: FromRow>(
    client: &Client,
    statement: &str,
    parameters: Parameters<'_>,
) -> Result<Vec<T>, QueryError> {
    let rows = client.query(statement, parameters).await?;
    Ok(row::all(&rows)?)
}

/// The one row of the answer.
pub(crate) async fn one<T: FromRow>(
    client: &Client,
    statement: &str,
    parameters: Parameters<'_>,
) -> Result<T, QueryError> {
    let row = client.query_one(statement, parameters).await?;
    Ok(T::from_row(&row)?)
}

/// The column of that name, of every row.
pub(crate) async fn column<T: FromSqlOwned>(
    client: &Client,
    statement: &str,
    name: &str,
) -> Result<Vec<T>, QueryError> {
    let rows = client.query(statement, &[]).await?;
    let value = |row: &Row| row.try_get(name);
    Ok(rows.iter().map(value).collect::<Result<_, _>>()?)
}

/// The column of that name of the one row.
pub(crate) async fn value<T: FromSqlOwned>(
    client: &Client,
    statement: &str,
    parameters: Parameters<'_>,
    name: &str,
) -> Result<T, QueryError> {
    let row = client.query_one(statement, parameters).await?;
    Ok(row.try_get(name)?)
}
