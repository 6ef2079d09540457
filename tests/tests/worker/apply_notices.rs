//! `zerodb-hooks apply` tells what the server says of hooks that it takes nevertheless.

use anyhow::Result;
use serde_json::Value;
use zerodb_hooks_harness::{Database, PgVersion};

use crate::hook_file::{run, said};

#[tokio::test(flavor = "multi_thread")]
async fn warnings_and_notices_of_hooks_are_told() -> Result<()> {
    let database = Database::create(PgVersion::main()).await?;
    let session = database.session().await?;
    session
        .run("CREATE FUNCTION on_event(event jsonb) RETURNS void LANGUAGE sql AS 'SELECT'")
        .await?;
    let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    let hooks = "hooks:\n  on_retain:\n    - type: sql\n      name: call\n      function: public.on_event\n  later.*:\n    - type: log\n";
    std::fs::write(file.path(), hooks)?;
    let path = file.path().to_string_lossy().into_owned();
    let (warning, notice) = (
        "hook 'call' works with the rights of a superuser",
        "no registered event type begins with 'later.'",
    );
    let tried = run(&database.url(), &["apply", &path, "--dry-run"]).await?;
    let text = said(&tried);
    assert_eq!(tried.status.code(), Some(0), "{text}");
    for told in [
        format!("warning: {warning}\nhint:  Make it as an ordinary role"),
        format!("notice: {notice}"),
    ] {
        assert_eq!(text.matches(&told).count(), 1, "{told}: {text}");
    }
    let applied = run(&database.url(), &["apply", &path, "--json"]).await?;
    let document: Value = serde_json::from_slice(&applied.stdout)?;
    let notices = document["notices"].as_array().cloned().unwrap_or_default();
    assert!(
        notices
            .iter()
            .any(|one| one["severity"] == "WARNING" && one["message"] == warning),
        "{document}"
    );
    // A file that changes nothing makes nobody say anything.
    let again = run(&database.url(), &["apply", &path]).await?;
    assert!(again.stderr.is_empty(), "{}", said(&again));
    Ok(())
}
