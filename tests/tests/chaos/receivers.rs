//! Many receivers whose answers have no end cost the worker little memory and nobody else's deliveries.

use anyhow::Result;
use zerodb_hooks_harness::{Answer, Receiver, Worker, on_every_server};

use crate::setup::LONG;

/// Answers at once that have no end.
const RECEIVERS: usize = 1000;
/// KiB.
const MOST: u64 = 128 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_endless_answers_need_little_memory() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let endless = Receiver::start()?;
        endless.always(Answer::Endless(200));
        session.run("SELECT zerodb.register_event_type('doc.new', 'app', '{id}', 'a document')").await?;
        session
            .run(&format!(
                "SELECT count(zerodb.create_hook('doc.new', 'h' || n,
                     jsonb_build_object('url', format('{}/%s', n), 'timeout_ms', 60000), hook_type => 'webhook'))
                 FROM generate_series(1, {RECEIVERS}) AS n",
                endless.url("")
            ))
            .await?;
        let worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &[])?;
        for round in 1..=3 {
            session.run("SELECT zerodb.emit('doc.new', '{\"id\": 1}')").await?;
            let ended = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'completed'";
            session.becomes_within(LONG, ended, RECEIVERS * round).await?;
        }
        let peak = worker.peak_memory_kib()?;
        println!("{RECEIVERS} endless answers at once: the worker took at most {} MiB", peak >> 10);
        assert!(peak <= MOST, "{peak} KiB");
        Ok(())
    })
    .await
}
