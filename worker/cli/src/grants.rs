//! What the current role lacks of the rights of a worker. It must only look.

use tokio_postgres::{Client, Error};

use super::statements;

/// What is missing where the schema may not be used at all.
pub const SCHEMA_USAGE: &str = "USAGE on schema zerodb";

/// The privileges that `zerodb.grant_worker` gives and this role does not have; `SCHEMA_USAGE` alone where nothing else can be
/// asked for.
///
/// # Errors
/// Those of the statements.
pub async fn missing(client: &Client) -> Result<Vec<String>, Error> {
    let schema = client.query_one(statements::DOCTOR_SCHEMA, &[]).await?;
    if !schema.try_get::<_, bool>("usable")? {
        return Ok(vec![SCHEMA_USAGE.to_owned()]);
    }
    if !schema.try_get::<_, bool>("has_list")? {
        return Ok(vec!["EXECUTE on its functions".to_owned()]);
    }
    let rows = client.query(statements::DOCTOR_GRANTS, &[]).await?;
    rows.iter().map(|row| row.try_get("privilege")).collect()
}
