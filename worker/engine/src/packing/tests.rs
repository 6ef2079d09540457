use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::Semaphore;

use super::*;
use crate::handler::{Context, Handler};
use crate::testing::{Ends, executor, jobs, loaded};
use zerodb_hooks_delivery::delivery::Delivery;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::outcome::{Done, HandlerError};

/// Takes three deliveries in a call, notes how many it got, and ends a call for each permit of `gate`.
#[derive(Clone)]
struct Threes {
    sizes: Arc<Mutex<Vec<usize>>>,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl Handler for Threes {
    async fn run(&self, _context: &Context, _delivery: &Delivery) -> Result<Done, HandlerError> {
        Err(HandlerError::permanent("called for one"))
    }

    fn pack(&self, _context: &Context, _hook: &Hook) -> usize {
        3
    }

    async fn run_pack(
        &self,
        _context: &Context,
        deliveries: &[Arc<Delivery>],
    ) -> Vec<Result<Done, HandlerError>> {
        self.sizes.lock().unwrap().push(deliveries.len());
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        deliveries.iter().map(|_| Ok(Done::default())).collect()
    }
}

struct Scene {
    packing: Arc<Packing>,
    handler: Threes,
    hook: Arc<LoadedHook>,
    capacity: Arc<Capacity>,
    ends: Ends,
}

fn scene() -> Scene {
    let handler = Threes {
        sizes: Arc::default(),
        gate: Arc::new(Semaphore::new(0)),
    };
    let (executor, capacity, ends) = executor();
    let packing = Packing::new(executor, Arc::clone(&capacity), CancellationToken::new());
    Scene {
        packing: Arc::new(packing),
        hook: loaded(handler.clone(), None, 8),
        handler,
        capacity,
        ends,
    }
}

impl Scene {
    fn add(&self, count: i64) {
        self.packing.add(&self.hook, jobs(&self.hook, count));
    }

    /// Lets every task go as far as it can without waiting.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    fn sizes(&self) -> Vec<usize> {
        self.handler.sizes.lock().unwrap().clone()
    }
}

#[test]
fn a_pack_leaves_when_it_is_full_or_alone_or_has_waited_long_enough() {
    assert_eq!(wait(1, 3, 0, Duration::ZERO), None, "no other is under way");
    assert_eq!(wait(3, 3, 1, Duration::ZERO), None, "it is full");
    assert_eq!(wait(2, 3, 1, Duration::ZERO), Some(GATHERING));
    assert_eq!(wait(2, 3, 1, GATHERING), None);
    assert_eq!(
        wait(0, 3, 0, Duration::ZERO),
        Some(GATHERING),
        "there is nothing to send"
    );
}

#[tokio::test]
async fn a_job_that_comes_alone_leaves_at_once() {
    let scene = scene();
    scene.add(1);
    scene.settle().await;
    assert_eq!(scene.sizes(), [1]);
}

#[tokio::test]
async fn a_full_pack_waits_for_no_other_one() {
    let scene = scene();
    scene.add(1);
    scene.settle().await;
    scene.add(4);
    scene.settle().await;
    assert!(scene.sizes().starts_with(&[1, 3]), "{:?}", scene.sizes());
}

#[tokio::test]
async fn a_pack_that_is_not_full_leaves_when_the_one_before_has_ended() {
    let mut scene = scene();
    scene.add(1);
    scene.settle().await;
    scene.add(2);
    scene.handler.gate.add_permits(2);
    assert_eq!(scene.ends.take(3).await.len(), 3);
    assert_eq!(scene.sizes(), [1, 2]);
}

#[tokio::test]
async fn a_hook_is_idle_when_none_of_its_jobs_is_queued() {
    let scene = scene();
    let hook = scene.hook.hook.id;
    assert!(scene.packing.idle(hook).now_or_never().is_some());
    scene.add(1);
    let mut idle = Box::pin(scene.packing.idle(hook));
    assert!((&mut idle).now_or_never().is_none());
    scene.settle().await;
    assert!(
        (&mut idle).now_or_never().is_some(),
        "what is under way waits for nothing"
    );
}

#[tokio::test]
async fn a_queue_makes_room_for_packs_and_goes_with_its_last_one() {
    let mut scene = scene();
    scene.hook = loaded(scene.handler.clone(), None, 100);
    let room = scene.capacity.limits().deliveries;
    scene.add(3);
    assert!(scene.capacity.limits().deliveries > room);
    scene.handler.gate.add_permits(1);
    scene.ends.take(3).await;
    while !scene.packing.lock().is_empty() {
        scene.capacity.freed().await;
    }
    assert_eq!(scene.capacity.limits().deliveries, room);
}

#[tokio::test]
async fn what_has_no_turn_when_the_worker_stops_is_given_back() {
    let mut scene = scene();
    scene.hook = loaded(scene.handler.clone(), None, 1);
    scene.add(3);
    scene.settle().await;
    scene.add(3);
    scene.settle().await;
    scene.packing.stop.cancel();
    assert_eq!(
        scene.ends.take(3).await,
        [(1, "released"), (2, "released"), (3, "released")]
    );
}
