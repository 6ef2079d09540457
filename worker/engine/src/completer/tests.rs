use std::collections::HashSet;
use std::sync::Mutex;

use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::*;
use crate::lease::Renewal;
use crate::testing;
use jiff::Timestamp;
use zerodb_hooks_delivery::outcome::Outcome;
use zerodb_hooks_store::{Settled, Stored};

/// A database that notes what is written. It can refuse what another session holds.
#[derive(Clone, Default)]
struct Database(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    /// The writes, each with its lease and its deliveries.
    writes: Vec<(i64, Vec<i64>)>,
    locked: HashSet<i64>,
    breaks: bool,
}

impl Settle for Database {
    async fn settle(&self, lease: i64, attempts: Vec<EndedAttempt>) -> Settled {
        let mut contents = self.0.lock().unwrap();
        let ids = attempts.iter().map(|attempt| attempt.delivery_id).collect();
        contents.writes.push((lease, ids));
        let is_locked = |attempt: &EndedAttempt| contents.locked.contains(&attempt.delivery_id);
        Settled {
            locked: attempts.into_iter().filter(is_locked).collect(),
            unwritten: contents.breaks,
            requeued: contents.breaks,
            refused: 0,
        }
    }
}

struct Scene {
    database: Database,
    messages: UnboundedSender<Message>,
    capacity: Arc<Capacity>,
    lease: Arc<Lease>,
    requeued: Arc<Notify>,
    running: JoinHandle<()>,
}

fn scene() -> Scene {
    let (database, lease) = (Database::default(), testing::lease(7));
    let (capacity, requeued) = (Arc::new(Capacity::new(400)), Arc::new(Notify::new()));
    let completer = Completer::new(
        database.clone(),
        Arc::clone(&lease),
        Arc::clone(&capacity),
        Arc::clone(&requeued),
    );
    let (messages, received) = mpsc::unbounded_channel();
    Scene {
        database,
        messages,
        capacity,
        lease,
        requeued,
        running: TaskTracker::new().spawn(completer.run(received)),
    }
}

impl Scene {
    /// Takes a delivery and ends it.
    fn end(&self, lease: i64, delivery_id: i64) {
        let hook_id = Uuid::from_u128(1);
        self.capacity.take(hook_id);
        let attempt = EndedAttempt {
            delivery_id,
            hook_id,
            stored: Stored::row(),
            epoch: 1,
            started_at: Timestamp::UNIX_EPOCH,
            duration: Duration::ZERO,
            outcome: Outcome::Completed { status: None },
        };
        assert!(self.messages.send(Message::Ended { lease, attempt }).is_ok());
    }

    /// Waits until the completer has ended.
    async fn close(self) -> Vec<(i64, Vec<i64>)> {
        assert!(self.messages.send(Message::Close).is_ok());
        self.running.await.unwrap();
        self.database.writes()
    }
}

impl Database {
    fn writes(&self) -> Vec<(i64, Vec<i64>)> {
        let mut writes = self.0.lock().unwrap().writes.clone();
        writes.sort();
        writes
    }

    fn lock_row(&self, delivery: i64) {
        self.0.lock().unwrap().locked.insert(delivery);
    }

    fn unlock_rows(&self) {
        self.0.lock().unwrap().locked.clear();
    }
}

#[tokio::test]
async fn what_ended_together_is_written_together_but_each_lease_by_itself() {
    let scene = scene();
    scene.end(7, 1);
    scene.end(8, 2);
    scene.end(7, 3);
    let capacity = Arc::clone(&scene.capacity);
    assert_eq!(scene.close().await, [(7, vec![1, 3]), (8, vec![2])]);
    assert_eq!(capacity.in_flight(), 0);
}

#[test]
fn more_is_waited_for_where_a_few_come_all_the_time() {
    let just_now = Some(Duration::from_millis(1));
    assert!(is_gathered(1, just_now));
    assert!(!is_gathered(BATCH, just_now), "they are many");
    assert!(!is_gathered(1, Some(STEADY)), "it came alone");
    assert!(!is_gathered(1, None), "it is the first");
}

#[tokio::test]
async fn what_another_session_holds_counts_until_it_is_written() {
    let scene = scene();
    scene.database.lock_row(2);
    scene.end(7, 1);
    scene.end(7, 2);
    while scene.capacity.in_flight() > 1 {
        scene.capacity.freed().await;
    }
    assert_eq!(scene.database.writes(), [(7, vec![1, 2])]);
    scene.database.unlock_rows();
    while scene.capacity.in_flight() > 0 {
        scene.capacity.freed().await;
    }
    assert_eq!(scene.close().await, [(7, vec![1, 2]), (7, vec![2])]);
}

#[tokio::test]
async fn at_the_end_what_is_held_is_tried_a_few_times_and_left_to_the_lease() {
    let scene = scene();
    scene.database.lock_row(1);
    scene.end(7, 1);
    let tries = 1 + usize::try_from(LAST_TRIES).unwrap();
    assert_eq!(scene.close().await, vec![(7, vec![1]); tries]);
}

#[tokio::test]
async fn what_cannot_be_written_at_all_makes_the_lease_doubtful() {
    let scene = scene();
    scene.database.0.lock().unwrap().breaks = true;
    scene.end(7, 1);
    scene.requeued.notified().await;
    assert_eq!(scene.lease.renew().await.unwrap(), Renewal::Left);
    assert_eq!(scene.capacity.in_flight(), 0);
}
