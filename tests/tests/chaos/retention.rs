//! A week in a minute: the server is shown a clock that is put forward while a writer and a worker go on.

use anyhow::{Result, ensure};
use zerodb_hooks_harness::receivers::Request;
use zerodb_hooks_harness::{
    Answer, Clock, Cluster, Launch, PgVersion, Receiver, Session, Worker, eventually,
};

use crate::factor;
use crate::setup::{LONG, all_arrive, arrivals, watched_table, webhook};

/// Writes come every 20 minutes, maintenance every hour.
const STEP: i64 = 20 * 60;
const STEPS_OF_AN_HOUR: i64 = 3;
const HOURS: i64 = 7 * 24;
/// `zerodb.retention`, in hours.
const RETENTION: i64 = 24;

/// What the worker does once a minute, with the arguments that it does it with.
const MAINTENANCE: &str =
    "SELECT zerodb._rotate_log((zerodb._current_slot() + 1) % 8, current_setting('zerodb.retention')::interval);
     SELECT zerodb._prune_deliveries(current_setting('zerodb.retention')::interval, 0, 100000);
     SELECT zerodb._prune_cursor()";

/// Bytes of everything that the extension keeps.
const SIZE: &str = "SELECT sum(pg_table_size(c.oid)) FROM pg_class AS c WHERE c.relnamespace = 'zerodb'::regnamespace AND c.relkind = 'r'";

struct Week {
    cluster: Cluster,
    clock: Clock,
    receiver: Receiver,
    /// The endpoint of a hook that cannot deliver for half of the week.
    broken: Receiver,
    session: Session,
    written: i64,
}

impl Week {
    async fn begin(version: &PgVersion, clock: Clock) -> Result<Self> {
        let variables = clock.variables();
        let cluster = Cluster::start_as(version, &[], |_| Launch {
            behind: Vec::new(),
            variables,
        })?;
        let (receiver, broken) = (Receiver::start()?, Receiver::start()?);
        broken.always(Answer::Status(404));
        let session = cluster.session("postgres").await?;
        session
            .run(&format!(
                "CREATE EXTENSION zerodb_hooks; ALTER DATABASE postgres SET zerodb.retention = '{RETENTION}h'"
            ))
            .await?;
        watched_table(&session).await?;
        webhook(&session, "web", &receiver, "").await?;
        // Again, now that the setting holds.
        let session = cluster.session("postgres").await?;
        Ok(Self {
            cluster,
            clock,
            receiver,
            broken,
            session,
            written: 0,
        })
    }

    /// One hour: maintenance, then writes at each step and their deliveries.
    async fn pass(&mut self, hour: i64) -> Result<()> {
        for step in 0..STEPS_OF_AN_HOUR {
            self.clock
                .set(&format!("+{}s", (hour * STEPS_OF_AN_HOUR + step) * STEP))?;
            if step == 0 {
                self.session.run(MAINTENANCE).await?;
            }
            self.write().await?;
        }
        // Some may come again: leases run out when the clock is put forward.
        let count = usize::try_from(self.written)?;
        eventually(LONG, async || {
            (self.receiver.look(<[Request]>::len) >= count && arrivals(&self.receiver).len() >= count)
                .then_some(())
        })
        .await?;
        // As autovacuum does, which has less than a minute for this week.
        self.session.run("VACUUM").await
    }

    async fn write(&mut self) -> Result<()> {
        let events = i64::try_from(20 * factor())?;
        self.session
            .run(&format!(
                "INSERT INTO doc (body) SELECT repeat('x', 200) FROM generate_series(1, {events})"
            ))
            .await?;
        self.written += events;
        Ok(())
    }

    /// A second hook fails to deliver some events and is then switched off, so that they wait.
    async fn leave_work(&mut self) -> Result<()> {
        webhook(&self.session, "broken", &self.broken, "").await?;
        self.write().await?;
        let waiting = "SELECT count(*) FROM zerodb.deliveries WHERE state = 'retryable'";
        let some = i64::try_from(20 * factor())?;
        self.session.becomes_within(LONG, waiting, some).await?;
        self.switch(false).await?;
        // Those that were running at that moment go on waiting too.
        self.session.becomes_within(LONG, waiting, some).await
    }

    async fn switch(&self, on: bool) -> Result<()> {
        let switch = format!(
            "SELECT zerodb.update_hook(id, is_active => {on}) FROM zerodb.zerodb_hooks WHERE hook_name = 'broken'"
        );
        self.session.run(&switch).await
    }

    /// The endpoint works and the hook is on again: all that waited comes, with its data.
    async fn do_what_was_left(&self) -> Result<()> {
        self.broken.always(Answer::Status(200));
        let refused = self.broken.look(<[Request]>::len);
        self.switch(true).await?;
        let some = 20 * factor();
        self.broken.wait_for(refused + some, LONG).await?;
        ensure!(
            arrivals(&self.broken).len() == some,
            "all that waited, and nothing else"
        );
        let body = "x".repeat(200);
        let whole = self.broken.look(|all| {
            all.iter()
                .all(|one| one.json().is_ok_and(|json| json["data"]["body"] == body))
        });
        ensure!(whole, "an event lost its data");
        let off = "SELECT zerodb.delete_hook(id) FROM zerodb.zerodb_hooks WHERE hook_name = 'broken'";
        self.session.run(off).await
    }

    /// What is younger than the retention is all there; what is older by more than half of it has gone.
    async fn assert_the_log_is_as_long_as_the_retention(&self) -> Result<()> {
        let younger =
            "SELECT count(*) FROM zerodb.events WHERE timestamp > clock_timestamp() - interval '24 h'";
        let expected = RETENTION * STEPS_OF_AN_HOUR * i64::try_from(20 * factor())?;
        let younger = self.session.number(younger).await?;
        ensure!(
            (expected - younger).abs() <= expected / 20,
            "{younger} events of the last day, of {expected}"
        );
        let older =
            "SELECT count(*) FROM zerodb.events WHERE timestamp < clock_timestamp() - interval '36 h'";
        let older = self.session.number(older).await?;
        ensure!(older == 0, "{older} events are too old");
        let done =
            "SELECT count(*) FROM zerodb.deliveries WHERE created_at < clock_timestamp() - interval '36 h'";
        let done = self.session.number(done).await?;
        ensure!(done == 0, "{done} deliveries are too old");
        Ok(())
    }
}

async fn sizes_stay_flat(version: &PgVersion, clock: Clock) -> Result<()> {
    let mut week = Week::begin(version, clock).await?;
    let _worker = Worker::start_with(&week.cluster.url("postgres"), &["--poll-ms", "200"], &[])?;
    let mut daily = Vec::new();
    for hour in 0..HOURS {
        week.pass(hour).await?;
        match hour {
            30 => week.leave_work().await?,
            // Three turns of the ring later.
            120 => week.do_what_was_left().await?,
            _ => {}
        }
        if hour % 24 == 23 {
            daily.push(week.session.number(SIZE).await?);
        }
    }
    eprintln!(
        "PostgreSQL {}: {} events in a week; bytes at the end of each day: {daily:?}",
        version.major, week.written
    );
    all_arrive(&week.session, &week.receiver).await?;
    week.assert_the_log_is_as_long_as_the_retention().await?;
    // The second day ends with the ring full, the last with what was left behind done.
    let (full, last) = (daily[1], daily[6]);
    ensure!(
        last <= full + full / 4,
        "{full} bytes on the second day, {last} on the last: {daily:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_week_of_rotations_sizes_stay_flat_and_no_work_is_emptied() -> Result<()> {
    for version in PgVersion::present() {
        let Some(clock) = Clock::new()? else {
            return Ok(());
        };
        sizes_stay_flat(version, clock).await?;
    }
    Ok(())
}
