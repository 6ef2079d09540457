//! A delivery that kills its worker each time.

use std::process::{Child, Command, Stdio};

use anyhow::Result;
use zerodb_hooks_harness::{eventually, on_every_server};

use crate::setup::LONG;

/// The worker, started again whenever it has ended, as systemd does.
struct Supervised {
    url: String,
    child: Child,
    deaths: usize,
}

impl Supervised {
    fn start(url: &str) -> Result<Self> {
        Ok(Self {
            url: url.into(),
            child: spawn(url)?,
            deaths: 0,
        })
    }

    fn keep_alive(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            self.deaths += 1;
            self.child = spawn(&self.url)?;
        }
        Ok(())
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(url: &str) -> Result<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poison_worker"));
    Ok(command
        .env("DATABASE_URL", url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_given_up_in_the_end_and_takes_no_other_with_it() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        session
            .run(
                r#"CREATE TABLE doc (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, size integer);
                 SELECT zerodb.register_event_type('doc.created', 'app', '{doc_id,size}', 'a document');
                 SELECT zerodb.watch('doc', 'doc.created');
                 SELECT zerodb.create_hook('doc.created', 'poison', '{"max_attempts": 1}', hook_type => 'function');
                 INSERT INTO doc (size) SELECT CASE n WHEN 100 THEN 666 ELSE n END FROM generate_series(1, 200) AS n"#,
            )
            .await?;
        let mut worker = Supervised::start(&database.url())?;
        let done = "SELECT count(*) FROM zerodb.deliveries WHERE state IN ('completed', 'discarded')";
        eventually(LONG, async || {
            worker.keep_alive().ok()?;
            (session.number(done).await.ok()? == 200).then_some(())
        })
        .await?;
        let discarded = session
            .rows("SELECT e.data ->> 'size' AS size, d.last_error FROM zerodb.deliveries AS d JOIN zerodb.events AS e ON e.id = d.event_id WHERE d.state = 'discarded'")
            .await?;
        assert_eq!(discarded.len(), 1, "{discarded:?}");
        assert_eq!(discarded[0]["size"], "666");
        assert!(worker.deaths >= 2, "it was started again after each death");
        Ok(())
    })
    .await
}
