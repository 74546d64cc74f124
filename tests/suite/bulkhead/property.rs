//! The bulkhead against a naive model: a list of permit holders and a list of waiters.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use seaworthy::Bulkhead;
use seaworthy::bulkhead::{Acquire, Permit};
use tokio_test::task::{self, Spawn};

const MAX_WAIT: u64 = 5;

#[derive(Clone, Debug)]
enum Step {
    TryTake,
    Acquire,
    /// Polls a waiter, by its index among those that were made and have not ended.
    Poll(usize),
    /// Drops a waiter.
    Cancel(usize),
    /// Drops a permit.
    GiveBack(usize),
    SetLimit(u32),
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::TryTake),
        4 => Just(Step::Acquire),
        6 => any::<usize>().prop_map(Step::Poll),
        2 => any::<usize>().prop_map(Step::Cancel),
        4 => any::<usize>().prop_map(Step::GiveBack),
        1 => (1..4u32).prop_map(Step::SetLimit),
        2 => (1..=MAX_WAIT).prop_map(Step::Advance),
    ];
    vec(step, 1..120)
}

/// The state of a waiter in the model.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// Never polled.
    New,
    /// In the queue since this time.
    Queued(u64),
    /// Has a permit and does not know it yet.
    Granted,
}

#[derive(Debug, Default)]
struct Model {
    limit: usize,
    max_queued: usize,
    now: u64,
    held: usize,
    rejected: u64,
    waiters: Vec<(u32, Stage)>,
    /// The queue, in the order of their first polls.
    queue: Vec<u32>,
    last: u32,
}

impl Model {
    fn in_use(&self) -> usize {
        self.held + self.waiters.iter().filter(|(_, stage)| *stage == Stage::Granted).count()
    }

    fn serve(&mut self) {
        while self.in_use() < self.limit && !self.queue.is_empty() {
            let first = self.queue.remove(0);
            let waiter = self.waiters.iter_mut().find(|(id, _)| *id == first).expect("queued");
            waiter.1 = Stage::Granted;
        }
    }

    fn try_acquire(&mut self) -> bool {
        let free = self.in_use() < self.limit && self.queue.is_empty();
        self.held += usize::from(free);
        self.rejected += u64::from(!free);
        free
    }

    /// None while it waits.
    fn poll(&mut self, index: usize) -> Option<bool> {
        let (id, stage) = self.waiters[index];
        let granted = match stage {
            Stage::New if self.in_use() < self.limit => true,
            Stage::New if self.queue.len() < self.max_queued => {
                self.waiters[index].1 = Stage::Queued(self.now);
                self.queue.push(id);
                return None;
            }
            Stage::New => false,
            Stage::Granted => true,
            Stage::Queued(since) if self.now < since + MAX_WAIT => return None,
            Stage::Queued(_) => false,
        };
        self.waiters.remove(index);
        self.queue.retain(|queued| *queued != id);
        self.held += usize::from(granted);
        self.rejected += u64::from(!granted);
        Some(granted)
    }

    fn cancel(&mut self, index: usize) {
        let (id, _) = self.waiters.remove(index);
        self.queue.retain(|queued| *queued != id);
        self.serve();
    }
}

fn pick(index: usize, len: usize) -> Option<usize> {
    (len > 0).then(|| index % len)
}

async fn play(limit: u32, max_queued: u32, steps: Vec<Step>) {
    let bulkhead = Bulkhead::builder("model")
        .limit(limit)
        .max_wait(Duration::from_millis(MAX_WAIT))
        .max_queued(max_queued)
        .build()
        .expect("valid");
    let mut model = Model { limit: limit as usize, max_queued: max_queued as usize, ..Model::default() };
    let mut held: Vec<Permit> = Vec::new();
    let mut waiters: Vec<Spawn<Acquire>> = Vec::new();
    for step in steps {
        match step {
            Step::TryTake => {
                let permit = bulkhead.try_acquire();
                assert_eq!(permit.is_ok(), model.try_acquire());
                held.extend(permit);
            }
            Step::Acquire => {
                model.last += 1;
                model.waiters.push((model.last, Stage::New));
                waiters.push(task::spawn(bulkhead.acquire()));
            }
            Step::Poll(index) => {
                let Some(index) = pick(index, waiters.len()) else { continue };
                let woken = waiters[index].is_woken();
                let stage = model.waiters[index].1;
                let expected = model.poll(index);
                match waiters[index].poll() {
                    std::task::Poll::Pending => assert_eq!(expected, None),
                    std::task::Poll::Ready(permit) => {
                        assert_eq!(expected, Some(permit.is_ok()));
                        // A waiter is woken when there is a permit or its time is over; it need not be polled to find
                        // out.
                        assert!(woken || stage == Stage::New, "{stage:?} and not woken");
                        held.extend(permit);
                        drop(waiters.remove(index));
                    }
                }
            }
            Step::Cancel(index) => {
                let Some(index) = pick(index, waiters.len()) else { continue };
                drop(waiters.remove(index));
                model.cancel(index);
            }
            Step::GiveBack(index) => {
                let Some(index) = pick(index, held.len()) else { continue };
                drop(held.swap_remove(index));
                model.held -= 1;
                model.serve();
            }
            Step::SetLimit(limit) => {
                bulkhead.set_limit(limit).expect("in range");
                model.limit = limit as usize;
                model.serve();
            }
            Step::Advance(millis) => {
                tokio::time::advance(Duration::from_millis(millis)).await;
                model.now += millis;
            }
        }
        let counts = bulkhead.snapshot();
        assert_eq!(
            (counts.limit as usize, counts.in_use as usize, counts.queued as usize, counts.rejected),
            (model.limit, model.in_use(), model.queue.len(), model.rejected)
        );
        assert_eq!(bulkhead.available() as usize, model.limit.saturating_sub(model.in_use()));
    }
    drop((held, waiters));
    super::assert_idle(&bulkhead);
}

/// `PROPTEST_CASES`, or a number that takes about a second in all.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 400 };
    ProptestConfig { cases, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    /// BH-03, BH-04, BH-06, BH-07: any order of takes, polls, drops, changes of the limit and steps of the clock.
    #[test]
    fn as_the_model_says(limit in 1..4u32, max_queued in 0..4u32, steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(play(limit, max_queued, steps));
    }
}
