//! The log emptied over and over under a writer, a worker and readers that are in the way.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use zerodb_hooks_harness::{Database, Receiver, Worker, eventually, on_every_server};

use crate::factor;
use crate::setup::{LONG, ROWS, Writers, all_arrive, arrivals, watched_table, webhook};

/// The partition that is written now, whatever its age: the one that everybody is in the way of.
const ROTATE: &str = "SELECT zerodb._rotate_log(zerodb._current_slot(), '0 s')";

/// How often the log was emptied, and how often it was not.
#[derive(Default)]
struct Rotations {
    emptied: AtomicUsize,
    refused: AtomicUsize,
    stop: AtomicBool,
}

impl Rotations {
    async fn rotate(&self, database: &Database) -> Result<()> {
        let session = database.session().await?;
        while !self.stop.load(Ordering::Relaxed) {
            let counted = match session.text(ROTATE).await?.as_str() {
                "t" => &self.emptied,
                _ => &self.refused,
            };
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Reads all of the log in a transaction that stays open while others write, then is away as long, over and over.
    async fn read(&self, database: &Database, writers: &Writers) -> Result<()> {
        let reader = database.session().await?;
        while !self.stop.load(Ordering::Relaxed) {
            reader
                .run("BEGIN; SELECT count(*) FROM zerodb.events; SELECT count(*) FROM zerodb.attempts")
                .await?;
            self.until_more_is_written(writers).await?;
            reader.run("COMMIT").await?;
            self.until_more_is_written(writers).await?;
        }
        Ok(())
    }

    async fn until_more_is_written(&self, writers: &Writers) -> Result<()> {
        let began = writers.acknowledged();
        let later =
            async || (writers.acknowledged() > began + 20 || self.stop.load(Ordering::Relaxed)).then_some(());
        eventually(LONG, later).await
    }
}

/// The lock timeouts of writers and readers are far beyond that of maintenance: who ran into one was blocked.
#[tokio::test(flavor = "multi_thread")]
async fn emptying_the_log_over_and_over_loses_nothing_and_blocks_neither_writers_nor_readers() -> Result<()> {
    on_every_server(async |database| {
        let session = database.session().await?;
        let receiver = Receiver::start()?;
        watched_table(&session).await?;
        webhook(&session, "web", &receiver, "").await?;
        session
            .run(&format!(
                "ALTER DATABASE {} SET lock_timeout = '10s'",
                database.name
            ))
            .await?;
        let _worker = Worker::start_with(&database.worker_url(), &["--poll-ms", "200"], &[])?;
        // It writes when all that was written has come: there are moments in which the log can be emptied.
        let writers = Writers::new(&database.url(), ROWS);
        let rotations = Rotations::default();
        let enough = async {
            let many = i64::try_from(500 * factor())?;
            let often = 3 * factor();
            let reached = async || {
                let emptied = rotations.emptied.load(Ordering::Relaxed);
                (writers.acknowledged() >= many && emptied >= often).then_some(())
            };
            let reached = eventually(LONG, reached).await;
            writers.stop();
            rotations.stop.store(true, Ordering::Relaxed);
            reached
        };
        let (reached, written, read, rotated) = tokio::join!(
            enough,
            writers.write(&receiver),
            rotations.read(&database, &writers),
            rotations.rotate(&database)
        );
        reached?;
        read?;
        rotated?;
        assert!(written.errors.is_empty(), "the writer saw {:?}", written.errors);
        all_arrive(&session, &receiver).await?;
        let twice = arrivals(&receiver).values().filter(|times| **times > 1).count();
        assert_eq!(twice, 0, "documents that came twice");
        let refused = rotations.refused.load(Ordering::Relaxed);
        eprintln!(
            "emptied {:?} times, not emptied {refused} times",
            rotations.emptied
        );
        assert!(refused > 0, "undelivered work and readers were in the way");
        session.idle().await?;
        // Whatever transaction is open in the server, and whoever reads, is in the way of one try.
        let emptied = eventually(LONG, async || {
            session.text(ROTATE).await.ok()?;
            let left = session.number("SELECT count(*) FROM zerodb.events").await.ok()?;
            (left == 0).then_some(())
        });
        emptied.await.context("in the end all is emptied")?;
        Ok(())
    })
    .await
}
