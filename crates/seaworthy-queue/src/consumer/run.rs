//! Takes jobs while there is room for them.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::Shutdown;
use seaworthy_store::retry_wait::RetryWait;
use seaworthy_store::tasks::Tasks;
use seaworthy_store::time::{Instant, now, sleep};
use seaworthy_store::{ErrorClass, StoreError, limit, random};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tower_service::Service;

use super::gate::{Gate, left};
use super::shared::Shared;
use super::slots::Slots;
use super::work::Work;
use crate::delivery::{Classify, Delivery};
use crate::event::Event;
use crate::job::Job;
use crate::store::{Holder, QueueStore, Received, Settlement, Take};

/// In one request.
const MOST: u32 = 64;

/// While there is no room, and nothing that would tell.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

pub(super) struct Taking<M, S, V, C> {
    pub(super) shared: Arc<Shared<M, S>>,
    pub(super) slots: Slots,
    pub(super) gates: Vec<Box<dyn Gate>>,
    pub(super) service: V,
    pub(super) classifier: Arc<C>,
    /// Clones that were driven to ready, for jobs to come.
    pub(super) ready: Vec<V>,
    pub(super) closed_since: Option<Instant>,
    /// A job has come that is to run alone; it was given back, and nothing else is taken before that.
    pub(super) wants_alone: bool,
    /// Nothing runs, and nothing begins while this is kept.
    pub(super) alone: Option<OwnedSemaphorePermit>,
}

impl<M, S, V, C> Taking<M, S, V, C>
where
    M: Job,
    S: QueueStore,
    V: Service<Delivery<M>> + Clone + Send + 'static,
    V::Future: Send,
    V::Response: Send,
    V::Error: Send,
    C: Classify<V::Response, V::Error>,
{
    /// Until the shutdown is requested.
    pub(super) async fn run(&mut self, shutdown: &Shutdown) -> Result<(), StoreError> {
        let runtime = Handle::current();
        let mut waits = RetryWait::default();
        // Of an asking that had no answer: its owner, and for how many it asked.
        let mut in_doubt: Option<(u128, u32)> = None;
        while !shutdown.is_requested() {
            if let Err(wait) = self.open() {
                self.give_back();
                let _woken = shutdown.until(self.shared.changed_within(wait)).await;
                continue;
            }
            if self.ready.is_empty() && self.slots.has_any() {
                // However long it takes: nobody is asked for a job that could not be begun.
                self.slots.give_back();
                let Some(()) = shutdown.until(self.make_one_ready()).await else { break };
                continue;
            }
            // The last thing before a look: while it is kept nobody of those who share it begins anything.
            if self.wants_alone && self.alone.is_none() && in_doubt.is_none() {
                self.slots.give_back();
                let Some(alone) = shutdown.until(self.shared.solo.enter_alone()).await else { break };
                self.alone = alone;
                continue;
            }
            let (room, is_trial) = match self.room() {
                Ok(room) => room,
                Err(wait) => {
                    self.alone = None;
                    let _woken = shutdown.until(self.shared.changed_within(wait)).await;
                    continue;
                }
            };
            let repeated = in_doubt.take();
            let take = Take {
                owner: repeated.map_or_else(random::unique, |(owner, _)| owner),
                repeats: repeated.is_some(),
                // What it was handed, and has no place any more, is given back at no cost.
                room: repeated.map_or(room, |(_, before)| room.max(before)),
                visibility: self.shared.settings.visibility,
                max_deliveries: self.shared.settings.max_deliveries,
            };
            let asked = now();
            match receive(&self.shared, &take).await {
                Ok(received) => {
                    let is_nothing = received.jobs.is_empty();
                    self.begin(&runtime, &take, received, (asked, is_trial), shutdown).await;
                    if is_nothing {
                        self.leave_to_others(shutdown).await;
                    }
                }
                Err(error) => {
                    let class = error.class();
                    let is_first = self.shared.last_answer().is_none();
                    if class == ErrorClass::Refused && is_first {
                        return Err(error);
                    }
                    let _told = self.shared.answered::<()>(Err(error));
                    in_doubt = Some((take.owner, take.room));
                    self.give_back();
                    let _waited = shutdown.until(sleep(waits.after_error())).await;
                }
            }
        }
        self.give_back();
        Ok(())
    }

    /// Nothing is kept from those who share it while there is no look to come.
    fn give_back(&mut self) {
        self.ready.clear();
        self.slots.give_back();
        self.alone = None;
    }

    /// After a look that brought nothing. Whoever waits for a clone to be ready is woken; for slots others look now and
    /// then, so that they are left for longer than that.
    async fn leave_to_others(&mut self, shutdown: &Shutdown) {
        self.ready.clear();
        if self.slots.were_kept_from_others() {
            let _left = shutdown.until(sleep(LOOK_AGAIN + LOOK_AGAIN / 5)).await;
        }
    }

    /// For how many jobs the gates leave room, and whether they are a trial; or how long to wait.
    fn open(&mut self) -> Result<(u32, bool), Duration> {
        let shared = &self.shared;
        let is_alone = self.alone.is_some();
        let are_others_alone = !is_alone && !self.wants_alone && shared.solo.is_taken();
        if shared.is_paused.load(Ordering::Acquire) || are_others_alone {
            return Err(LOOK_AGAIN);
        }
        let on_trial = shared.on_trial.load(Ordering::Acquire);
        let open = left(&self.gates, if is_alone { 1 } else { MOST }, on_trial);
        self.tell_gates(open.is_err());
        open
    }

    /// For how many jobs there is room, and whether they are a trial; or how long to wait.
    fn room(&mut self) -> Result<(u32, bool), Duration> {
        let (most, is_trial) = self.open()?;
        let most = self.slots.hold(most);
        match self.make_more_ready(most) {
            0 => Err(LOOK_AGAIN),
            room => Ok((room, is_trial)),
        }
    }

    fn tell_gates(&mut self, closed: bool) {
        let queue = self.shared.name();
        match (closed, self.closed_since) {
            (true, None) => {
                self.closed_since = Some(now());
                self.shared.tell(&Event::GateClosed { queue });
            }
            (false, Some(since)) => {
                self.closed_since = None;
                self.shared.tell(&Event::GateOpened { queue, closed: now().saturating_duration_since(since) });
            }
            _ => {}
        }
    }

    async fn make_one_ready(&mut self) {
        while self.ready.is_empty() {
            let mut clone = self.service.clone();
            match poll_fn(|cx| clone.poll_ready(cx)).await {
                Ok(()) => self.ready.push(clone),
                // One that has failed is not asked again; the next may do better.
                Err(_) => sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// As many as are ready at once, up to so many. How many there are.
    fn make_more_ready(&mut self, wanted: u32) -> u32 {
        let mut nobody_waits = Context::from_waker(Waker::noop());
        self.ready.retain_mut(is_still_ready);
        let len = |ready: &Vec<V>| u32::try_from(ready.len()).unwrap_or(wanted);
        while len(&self.ready) < wanted {
            let mut clone = self.service.clone();
            let Poll::Ready(Ok(())) = clone.poll_ready(&mut nobody_waits) else { break };
            self.ready.push(clone);
        }
        len(&self.ready).min(wanted)
    }

    async fn begin(
        &mut self,
        runtime: &Handle,
        take: &Take,
        received: Received,
        (asked, is_trial): (Instant, bool),
        shutdown: &Shutdown,
    ) {
        let shared = &self.shared;
        let queue = shared.name();
        let Ok(received) = shared.answered(Ok(received)) else { return };
        for id in &received.died {
            shared.tell(&Event::Died { queue, id, reason: "was delivered too often" });
        }
        if !received.jobs.is_empty() {
            shared.tell(&Event::Received { queue, jobs: received.jobs.len() });
        }
        // Held for the one that is to run alone, if it came; no longer than for this look.
        let mut alone = self.alone.take();
        self.wants_alone = false;
        // Not longer than a shutdown may take; else before anything is taken again, for whoever is to run alone.
        let releases = if shutdown.is_requested() { shared.tasks.clone() } else { Tasks::default() };
        for taken in received.jobs {
            let is_suspect = shared.is_suspect(&taken);
            let entered = if is_suspect {
                alone.take()
            } else {
                alone = None;
                shared.solo.try_enter()
            };
            // It is given back rather than kept until the others have ended: one of them may kill this process, and it
            // would be abandoned once more.
            self.wants_alone |= is_suspect && entered.is_none();
            let may_begin = !shutdown.is_requested();
            let free = if may_begin { pop_ready(&mut self.ready).zip(self.slots.take()).zip(entered) } else { None };
            let Some(((service, permit), entered)) = free else {
                let holder = Holder { id: taken.id, owner: take.owner, fence: taken.fence };
                releases.spawn(runtime, release(Arc::clone(shared), holder));
                continue;
            };
            if is_trial {
                shared.on_trial.store(true, Ordering::Release);
            }
            let (shared, classifier) = (Arc::clone(shared), Arc::clone(&self.classifier));
            let tasks = shared.tasks.clone();
            let owner = take.owner;
            let work = Work { shared, taken, owner, asked, service, classifier, permit, entered, is_trial };
            tasks.spawn(runtime, work.run());
        }
        if !shutdown.is_requested() {
            releases.idle().await;
        }
    }
}

async fn release<M, S: QueueStore>(shared: Arc<Shared<M, S>>, holder: Holder) {
    let limit = shared.queue.settings.request_timeout;
    let release = shared.queue.store.settle(&holder, &Settlement::Release);
    let _comes_back_by_itself = shared.answered(limit::within(limit, "settle", release).await);
}

/// Whether one that was kept is ready for what it would do now. A circuit that was open when it was asked was ready to
/// refuse, and would do so still.
fn is_still_ready<M, V: Service<Delivery<M>>>(clone: &mut V) -> bool {
    matches!(clone.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
}

/// One that is ready after a look that may have waited.
fn pop_ready<M, V: Service<Delivery<M>>>(ready: &mut Vec<V>) -> Option<V> {
    std::iter::from_fn(|| ready.pop()).find_map(|mut clone| is_still_ready(&mut clone).then_some(clone))
}

/// Is never dropped before it has an answer: the store may have handed out jobs already.
async fn receive<M, S: QueueStore>(shared: &Shared<M, S>, take: &Take) -> Result<Received, StoreError> {
    let block = shared.settings.block();
    let limit = shared.queue.settings.request_timeout.saturating_add(block);
    limit::within(limit, "receive", shared.queue.store.receive(take, block)).await
}

/// Waits until nothing is left at work, for so long.
pub(super) async fn drained<M, S>(shared: &Shared<M, S>, span: Duration) -> bool {
    let idle = shared.tasks.idle();
    tokio::time::timeout(span, idle).await.is_ok()
}
