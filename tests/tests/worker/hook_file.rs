//! Hooks of files: `zerodb-hooks apply` and `export`.

use std::process::Output;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use zerodb_hooks_harness::{Session, on_every_server};

const ALICE: &str = "aaaaaaaa-0000-4000-8000-000000000001";
pub const FILE: &str = "hooks:
  on_retain:
    - type: webhook
      url: https://a.example/in
    - type: log
      name: line
      message: \"{{ bank_id }}\"
  zerodb.*:
    - type: log
";

pub async fn run(url: &str, arguments: &[&str]) -> Result<Output> {
    let mut command = tokio::process::Command::from(zerodb_hooks_harness::programs::worker::command()?);
    Ok(command.args(arguments).env("DATABASE_URL", url).output().await?)
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A folder with a file in it, and what the command line does with it.
struct Desk {
    folder: tempfile::TempDir,
    url: String,
}

impl Desk {
    fn new(url: &str) -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            url: url.into(),
        })
    }

    fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    }

    async fn apply(&self, name: &str, text: &str, options: &[&str]) -> Result<Output> {
        let path = self.write(name, text)?;
        run(&self.url, &[&["apply", path.as_str()], options].concat()).await
    }

    /// Each change as `action event name`, and how many hooks are as they were.
    async fn changes(&self, name: &str, text: &str, options: &[&str]) -> Result<(Vec<String>, u64)> {
        let output = self.apply(name, text, &[options, &["--json"]].concat()).await?;
        let applied: Value = serde_json::from_slice(&output.stdout).with_context(|| said(&output))?;
        let word = |change: &Value, key: &str| change[key].as_str().unwrap_or_default().to_owned();
        let changes = applied["changes"].as_array().context("a list")?;
        let changes = changes.iter().map(|change| {
            format!(
                "{} {} {}",
                word(change, "action"),
                word(change, "event_type"),
                word(change, "hook_name")
            )
        });
        Ok((
            changes.collect(),
            applied["unchanged"].as_u64().context("a number")?,
        ))
    }
}

async fn hooks(session: &Session) -> Result<Vec<String>> {
    session.texts("SELECT concat_ws(' ', event_type, hook_name, hook_config ->> 'managed_by', CASE WHEN NOT is_active THEN 'off' END)
        FROM zerodb.zerodb_hooks ORDER BY 1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_applied_once_and_what_is_gone_is_deleted_only_when_asked() -> Result<()> {
    on_every_server(async |database| {
        let (session, desk) = (database.session().await?, Desk::new(&database.url())?);
        let dry = desk.apply("h.yaml", FILE, &["--dry-run"]).await?;
        assert_eq!(said(&dry), "+ on_retain webhook (webhook)\n+ on_retain line (log)\n+ zerodb.* log (log)\n3 would be created, 0 changed, 0 deleted, 0 as they are\n");
        assert_eq!(hooks(&session).await?, Vec::<String>::new());
        let (made, _) = desk.changes("h.yaml", FILE, &[]).await?;
        assert_eq!(made, ["create on_retain webhook", "create on_retain line", "create zerodb.* log"]);
        let versions = "SELECT xmin::text FROM zerodb.zerodb_hooks ORDER BY id";
        let before = session.texts(versions).await?;
        assert_eq!(desk.changes("h.yaml", FILE, &["--prune"]).await?, (vec![], 3));
        assert_eq!(session.texts(versions).await?, before, "no row is written");

        let shorter = FILE.replace("  zerodb.*:\n    - type: log\n", "").replace("{{ bank_id }}", "{{ memory_id }}");
        let dry = desk.apply("h.yaml", &shorter, &["--dry-run"]).await?;
        assert_eq!(said(&dry), "~ on_retain line (log)\n    message: \"{{ bank_id }}\" → \"{{ memory_id }}\"\n= zerodb.* log (log): no longer in the file; --prune deletes it\n0 would be created, 1 changed, 0 deleted, 1 as they are\n");
        assert_eq!(desk.changes("h.yaml", &shorter, &[]).await?, (vec!["update on_retain line".into(), "leave zerodb.* log".into()], 1));
        assert_eq!(hooks(&session).await?.len(), 3);
        assert_eq!(desk.changes("h.yaml", &shorter, &["--prune"]).await?, (vec!["delete zerodb.* log".into()], 2));
        assert_eq!(hooks(&session).await?, ["on_retain line h.yaml", "on_retain webhook h.yaml"]);
        // A type that changes makes another hook of it.
        let other = shorter.replace("type: log\n      name: line\n      message: \"{{ memory_id }}\"", "type: webhook\n      name: line\n      url: https://b.example");
        assert_eq!(desk.changes("h.yaml", &other, &[]).await?, (vec!["replace on_retain line".into()], 1));
        assert_eq!(desk.changes("h.yaml", "hooks: {}\n", &["--prune"]).await?.0.len(), 2);
        assert_eq!(hooks(&session).await?, Vec::<String>::new());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_changes_only_what_a_file_of_its_name_has_made() -> Result<()> {
    on_every_server(async |database| {
        let (session, desk) = (database.session().await?, Desk::new(&database.url())?);
        session.run("SELECT zerodb.create_hook('on_retain', 'line', '{\"message\": \"by hand\"}', hook_type => 'log');
            SELECT zerodb.create_hook('on_recall', 'same', '{\"n\": 1000}', hook_type => 'function')").await?;
        let refused = desk.apply("h.yaml", FILE, &["--prune"]).await?;
        assert_eq!(refused.status.code(), Some(1));
        let expected = "h.yaml:5:7: hooks.on_retain[1]: there is a hook 'line' that differs, and no file made it. Give this one another `name`, or take that one over with --adopt.";
        assert!(said(&refused).contains(expected), "{}", said(&refused));
        assert_eq!(hooks(&session).await?, ["on_recall same", "on_retain line"], "nothing of it was applied");
        // One that is the same is nobody's business; one that is adopted is this file's.
        let both = format!("{FILE}  on_recall:\n    - {{type: function, name: same, config: {{n: 1e3}}}}\n");
        let (changes, unchanged) = desk.changes("h.yaml", &both.replace("line", "other"), &["--prune"]).await?;
        assert_eq!((changes.len(), unchanged), (3, 1));
        assert_eq!(desk.changes("h.yaml", FILE, &["--adopt"]).await?.0, ["update on_retain line", "leave on_retain other"]);
        // Another file, and its prune, leave these alone; so does one of the same hook.
        assert_eq!(desk.changes("other.yaml", "hooks: {}\n", &["--prune"]).await?, (vec![], 0));
        let theirs = desk.apply("other.yaml", &FILE.replace("bank_id", "memory_id"), &[]).await?;
        assert!(said(&theirs).contains("and the file h.yaml made it"), "{}", said(&theirs));
        assert_eq!(desk.changes("x.yaml", "hooks: {}\n", &["--prune", "--source", "h.yaml"]).await?.0.len(), 4);
        assert_eq!(hooks(&session).await?, ["on_recall same"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_file_and_database_refuse_is_told_at_once_and_nothing_is_applied() -> Result<()> {
    on_every_server(async |database| {
        let (session, desk) = (database.session().await?, Desk::new(&database.url())?);
        let name = database.name.clone();
        session.run(&format!("ALTER DATABASE {name} SET zerodb.production = on")).await?;
        let text = r#"hooks:
  on_retain:
    - type: webhook
      url: http://a.example
    - type: log
      level: loud
    - type: log
      name: fields
      message: "{{ bank_id }} {{ memory_idd }}"
    - type: log
      name: good
    - type: sql
      function: public.nothing
    - type: log
      name: when
      when: "$.["
  on_retian:
    - type: log
  zerodb.vectors.*:
    - type: log
  on_bank_deleted:
    - type: auto_embed
"#;
        let refused = desk.apply("h.yaml", text, &[]).await?;
        let said = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        let expected = [
            "h.yaml:4:12: hooks.on_retain[0].url: \"url\" in hook_config is not https: zerodb.production is on. Write https://",
            "h.yaml:6:14: hooks.on_retain[1].level: invalid value for \"level\"",
            "h.yaml:9:16: hooks.on_retain[2].message: \"message\" in hook_config names 'memory_idd', which events of 'on_retain' do not have: They have bank_id",
            "h.yaml:13:17: hooks.on_retain[4].function: function public.nothing(jsonb) does not exist. Create it",
            "h.yaml:16:13: hooks.on_retain[5].when: invalid value for \"when\" in hook_config",
            "h.yaml:17:3: hooks.on_retian: unknown event type 'on_retian'",
            "h.yaml:19:3: hooks.zerodb.vectors.*: pattern 'zerodb.vectors.*' can match no event",
            "h.yaml:22:7: hooks.on_bank_deleted[0]: auto_embed has nothing to work on in events of 'on_bank_deleted'",
        ];
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{said}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.contains(expected), "{line}\n{expected}");
        }
        assert!(lines[2].contains("Did you mean 'memory_id'?") && lines[5].contains("Did you mean 'on_retain'?"), "{said}");
        assert_eq!(hooks(&session).await?, Vec::<String>::new());
        // Without a database, what the file alone tells is told.
        let path = desk.write("h.yaml", text)?;
        let alone = run("postgres://w@127.0.0.1:1/x", &["apply", &path]).await?;
        assert!(self::said(&alone).contains("h.yaml:6:14") && alone.status.code() == Some(1), "{}", self::said(&alone));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_applied_changes_nothing_and_makes_the_same_elsewhere() -> Result<()> {
    on_every_server(async |database| {
        let (session, desk) = (database.session().await?, Desk::new(&database.url())?);
        session.run("CREATE FUNCTION public.f(event jsonb) RETURNS void LANGUAGE sql AS ''; SELECT zerodb.create_store(dimensions => 8)").await?;
        let configs = [
            ("*", "all", "log", json!({"message": "{% if bank_id %}\n  {{ bank_id }}\n{% endif %}\n", "when": "$.n > 1"})),
            ("on_retain", "a", "webhook", json!({"url": "https://a.example/${ZERODB_SECRET_A}", "headers": {"X-A": "b: #c", "X-B": null}, "body_template": "{\"a\": {{ tags|tojson }}}", "retry_count": 0})),
            ("on_retain", "b", "webhook", json!({"url": "${ZERODB_SECRET_URL}", "format": "cloudevents", "async": true})),
            ("on_recall", "mine", "function", json!({"timeout_ms": 7, "own": {"name": ["x", null, 1.50], "big": 1e30}, "type": "x", "name": "y"})),
            ("on_recall", "f", "sql", json!({"function": "public.f", "order_by": "$.bank_id"})),
            ("zerodb.vector.stored", "auto_embed", "first_party", json!({"dimensions": 8})),
        ];
        for (event_type, name, hook_type, config) in &configs {
            let config = config.to_string().replace('\'', "''");
            session.run(&format!("SELECT zerodb.create_hook('{event_type}', '{name}', '{config}', hook_type => '{hook_type}',
                project_id => CASE WHEN '{name}' = 'a' THEN '{ALICE}'::uuid END)")).await?;
        }
        session.run("SELECT zerodb.update_hook(id, is_active => false) FROM zerodb.list_hooks() WHERE hook_name = 'f'").await?;
        let exported = run(&database.url(), &["export"]).await?;
        let text = String::from_utf8(exported.stdout)?;
        let versions = "SELECT xmin::text FROM zerodb.zerodb_hooks ORDER BY id";
        let before = session.texts(versions).await?;
        assert_eq!(desk.changes("export.yaml", &text, &["--prune"]).await?, (vec![], 6), "{text}");
        assert_eq!(session.texts(versions).await?, before);
        let all = "SELECT jsonb_agg(jsonb_build_array(event_type, hook_type, hook_name, project_id, is_active, hook_config - 'managed_by') ORDER BY event_type, hook_name)::text FROM zerodb.zerodb_hooks";
        let as_it_was = session.text(all).await?;
        session.run("SELECT zerodb.delete_hook(id) FROM zerodb.list_hooks(active_only => false)").await?;
        assert_eq!(desk.changes("export.yaml", &text, &[]).await?.0.len(), 6);
        assert_eq!(session.text(all).await?, as_it_was);
        let again = run(&database.url(), &["export"]).await?;
        assert_eq!(String::from_utf8(again.stdout)?.lines().count(), text.lines().count());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_applied_with_the_rights_of_the_role_and_for_its_tenant() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let role = database.create_role("app").await?;
        session.run(&format!("SELECT zerodb.grant_user('{role}')")).await?;
        session.run("SELECT zerodb.create_hook('on_retain', 'line', '{\"level\": \"error\"}', hook_type => 'log')").await?;
        let desk = Desk::new(&database.cluster.url_as(&role, &database.name))?;
        let nobody = desk.apply("h.yaml", FILE, &[]).await?;
        assert!(nobody.status.code() == Some(1) && said(&nobody).contains("no user is set"), "{}", said(&nobody));
        let (made, _) = desk.changes("h.yaml", FILE, &["--user", ALICE]).await?;
        assert_eq!(made.len(), 3, "those of every user are not its own");
        let users = "SELECT DISTINCT user_id::text FROM zerodb.zerodb_hooks WHERE hook_config ? 'managed_by'";
        assert_eq!(session.texts(users).await?, [ALICE]);
        let owners = "SELECT DISTINCT d.owner_name::text FROM zerodb.hook_detail AS d JOIN zerodb.zerodb_hooks AS h ON h.id = d.hook_id WHERE h.user_id = '".to_owned() + ALICE + "'";
        assert_eq!(session.texts(&owners).await?, std::slice::from_ref(&role));
        // Another tenant neither sees nor prunes them.
        let other = "bbbbbbbb-0000-4000-8000-000000000002";
        assert_eq!(desk.changes("h.yaml", "hooks: {}\n", &["--user", other, "--prune"]).await?, (vec![], 0));
        assert_eq!(hooks(&session).await?.len(), 4);
        let exported = run(&desk.url, &["export", "--user", ALICE]).await?;
        assert!(said(&exported).contains("a.example") && !said(&exported).contains("error"), "{}", said(&exported));
        // A role that is bound to a tenant acts for no other.
        session.run(&format!("SELECT zerodb.bind_tenant('{role}', '{ALICE}')")).await?;
        let bound = desk.apply("h.yaml", FILE, &["--user", other]).await?;
        assert!(said(&bound).contains("bound to its tenant"), "{}", said(&bound));
        assert_eq!(desk.changes("h.yaml", "hooks: {}\n", &["--prune"]).await?.0.len(), 3);
        Ok(())
    })
    .await
}
