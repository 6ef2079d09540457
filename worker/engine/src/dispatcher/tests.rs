use std::collections::VecDeque;
use std::future::pending;
use std::sync::Mutex;

use futures_util::FutureExt;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use uuid::Uuid;

use super::*;
use crate::capacity::Capacity;
use crate::holdings::Crowd;
use crate::lease::{Lease, Renewal};
use crate::source::WakeUpSource;
use crate::starter::Claim;
use crate::testing;
use zerodb_hooks_delivery::hook::Party;
use zerodb_hooks_store::{Claimed, Dispatched, Limits};

type StoreResult<T> = Result<T, StoreError>;

/// A database that answers looks at the log as it is told, else with nothing. It notes what it is asked.
#[derive(Clone, Default)]
struct Script {
    asked: Arc<Mutex<Vec<&'static str>>>,
    looks: Arc<Mutex<VecDeque<StoreResult<Option<Dispatched>>>>>,
}

impl Script {
    fn note(&self, question: &'static str) {
        self.asked.lock().unwrap().push(question);
    }

    /// What was asked since the last call.
    fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn next_look(&self, look: StoreResult<Option<Dispatched>>) {
        self.looks.lock().unwrap().push_back(look);
    }
}

impl DeliverySource for Script {
    type Listener = Wakes;

    async fn dispatch(&self, _: i64, _: usize, _: &Limits) -> StoreResult<Option<Dispatched>> {
        self.note("dispatch");
        self.looks
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| found(0, vec![]))
    }

    async fn claim(&self, _: i64, _: &Limits) -> StoreResult<Vec<Claimed>> {
        self.note("claim");
        Ok(Vec::new())
    }

    async fn has_suspects(&self) -> StoreResult<bool> {
        Ok(false)
    }

    async fn claim_suspects(&self, _: i64) -> StoreResult<Vec<Claimed>> {
        Ok(Vec::new())
    }

    async fn next_due(&self) -> StoreResult<Option<i64>> {
        self.note("next_due");
        Ok(None)
    }

    async fn wake_peers(&self) -> StoreResult<()> {
        self.note("wake_peers");
        Ok(())
    }

    async fn load_parties(&self, _: &Crowd) -> StoreResult<Vec<(Uuid, Party)>> {
        Ok(Vec::new())
    }

    async fn listen(&self, _: Duration) -> StoreResult<Wakes> {
        self.note("listen");
        Ok(Wakes {
            script: self.clone(),
            parked: false,
        })
    }
}

/// A listening connection to which nobody sends wake-ups.
struct Wakes {
    script: Script,
    parked: bool,
}

impl WakeUpSource for Wakes {
    async fn park(&mut self) -> StoreResult<Parked> {
        self.script.note("park");
        self.parked = true;
        Ok(Parked::Yes)
    }

    async fn unpark(&mut self) -> StoreResult<()> {
        self.script.note("unpark");
        self.parked = false;
        Ok(())
    }

    fn is_parked(&self) -> bool {
        self.parked
    }

    fn forget_wake_ups(&mut self) {}

    async fn notified(&mut self) -> StoreResult<()> {
        self.script.note("sleep");
        pending().await
    }

    async fn check(&mut self) -> StoreResult<()> {
        Ok(())
    }
}

fn found(events: usize, leased: Vec<Claimed>) -> StoreResult<Option<Dispatched>> {
    Ok(Some(Dispatched {
        events,
        matched: leased.len(),
        was_fresh: true,
        undecided: false,
        leased,
    }))
}

struct Scene {
    script: Script,
    dispatcher: Dispatcher<Script>,
    capacity: Arc<Capacity>,
    lease: Arc<Lease>,
    claims: UnboundedReceiver<Claim>,
}

fn scene(size: usize) -> Scene {
    let (script, capacity, lease) = (
        Script::default(),
        Arc::new(Capacity::new(size)),
        testing::lease(7),
    );
    let (starter, claims) = mpsc::unbounded_channel();
    let claiming = Claiming {
        source: Arc::new(script.clone()),
        lease: Arc::clone(&lease),
        capacity: Arc::clone(&capacity),
        starter,
        meters: Arc::default(),
    };
    let (signals, stop) = (Signals::default(), CancellationToken::new());
    Scene {
        script,
        dispatcher: Dispatcher::new(claiming, &signals, Duration::from_millis(1), &stop),
        capacity,
        lease,
        claims,
    }
}

#[tokio::test]
async fn it_looks_once_more_after_parking_before_it_sleeps() {
    let mut scene = scene(400);
    scene.dispatcher.turn().await.unwrap();
    let expected = [
        "dispatch", "claim", "listen", "park", "dispatch", "claim", "next_due", "sleep",
    ];
    assert_eq!(scene.script.asked(), expected);
    scene.dispatcher.turn().await.unwrap();
    let parked = ["dispatch", "claim", "next_due", "sleep"];
    assert_eq!(scene.script.asked(), parked, "whatever came before has notified");
}

#[tokio::test]
async fn what_was_committed_before_it_parked_is_not_slept_on() {
    let mut scene = scene(400);
    scene.script.next_look(found(0, vec![]));
    scene.script.next_look(found(1, vec![testing::claimed(1)]));
    scene.dispatcher.turn().await.unwrap();
    let asked = scene.script.asked();
    assert!(!asked.contains(&"sleep"), "{asked:?}");
    scene.dispatcher.turn().await.unwrap();
    assert!(scene.script.asked().contains(&"sleep"));
}

#[tokio::test]
async fn a_look_that_is_not_sure_is_no_reason_to_park_or_to_sleep() {
    let mut scene = scene(400);
    let ended_window = Dispatched {
        events: 0,
        matched: 0,
        was_fresh: false,
        undecided: false,
        leased: Vec::new(),
    };
    for unsure in [None, Some(ended_window)] {
        scene.script.next_look(Ok(unsure));
        scene.dispatcher.turn().await.unwrap();
        assert_eq!(scene.script.asked(), ["dispatch", "claim"]);
    }
}

#[tokio::test]
async fn while_it_works_writers_need_not_notify() {
    let mut scene = scene(400);
    scene.dispatcher.turn().await.unwrap();
    scene.script.asked();
    scene.script.next_look(found(1, vec![]));
    scene.script.next_look(found(1, vec![]));
    scene.dispatcher.turn().await.unwrap();
    assert_eq!(scene.script.asked().last(), Some(&"unpark"));
}

#[tokio::test]
async fn what_is_leased_counts_before_it_is_handed_over() {
    let mut scene = scene(400);
    let leased = vec![testing::claimed(1), testing::claimed(2)];
    scene.script.next_look(found(2, leased));
    scene.dispatcher.turn().await.unwrap();
    assert_eq!(scene.capacity.in_flight(), 2);
    let claim = scene.claims.try_recv().unwrap();
    assert_eq!((claim.lease, claim.deliveries.len()), (7, 2));
    assert!(claim.alone.is_none());
}

#[tokio::test]
async fn a_full_worker_calls_the_others_and_asks_for_nothing() {
    let mut scene = scene(4);
    (0..4).for_each(|hook| scene.capacity.take(Uuid::from_u128(hook)));
    let turn = Box::pin(scene.dispatcher.turn()).now_or_never();
    assert!(turn.is_none(), "it waits for room");
    assert_eq!(scene.script.asked(), ["wake_peers"]);
}

#[tokio::test]
async fn a_lost_answer_makes_the_lease_doubtful() {
    let mut scene = scene(400);
    let lost = StoreError::Unavailable { reason: "cut".into() };
    scene.script.next_look(Err(lost));
    assert!(scene.dispatcher.turn().await.is_err());
    assert_eq!(scene.lease.renew().await.unwrap(), Renewal::Left);
}
