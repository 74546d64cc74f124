//! One delivery, from its receipt to its settlement.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use seaworthy::Shutdown;
use seaworthy::bulkhead::Permit;
use seaworthy::observe::panic_text;
use seaworthy_store::time::{Instant, now, sleep, sleep_until};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tower_service::Service;

use super::caught::Caught;
use super::held::HeldJob;
use super::settling::{send, settle, unreadable};
use super::shared::Shared;
use crate::delivery::{Classify, Delivery, DeliveryMeta, Settle};
use crate::event::{Event, Outcome};
use crate::job::{DecodeError, Job, decode};
use crate::store::{Holder, QueueStore, Settlement, Taken};

/// What a delivery needs to be worked on.
pub(super) struct Work<M, S, V, C> {
    pub(super) shared: Arc<Shared<M, S>>,
    pub(super) taken: Taken,
    pub(super) owner: u128,
    /// When it was asked for.
    pub(super) asked: Instant,
    pub(super) service: V,
    pub(super) classifier: Arc<C>,
    pub(super) permit: Permit,
    /// Beside others, or alone.
    pub(super) entered: OwnedSemaphorePermit,
    pub(super) is_trial: bool,
}

/// A delivery as the rest of the consumer sees it.
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) holder: Holder,
    pub(super) meta: DeliveryMeta,
    until: watch::Receiver<Instant>,
    lost: Shutdown,
}

/// How a call ended.
enum End<R> {
    Answered(R),
    Panicked(String),
    TimedOut(Duration),
    CutOff,
    Lost,
}

impl<M, S, V, C> Work<M, S, V, C>
where
    M: Job,
    S: QueueStore,
    V: Service<Delivery<M>>,
    C: Classify<V::Response, V::Error>,
{
    pub(super) async fn run(self) {
        let Work { shared, taken, owner, asked, service, classifier, permit, entered, is_trial } = self;
        let entry = enter(&shared, &taken, owner, asked);
        let _gone = Gone { shared: Arc::clone(&shared), number: entry.number, is_trial };
        let _places = (permit, entered);
        match read(&taken) {
            Ok(job) => worked(&shared, &entry, &taken, job, service, &*classifier).await,
            Err(error) => {
                drop(service);
                settle(&shared, &entry, unreadable(&error, &taken), Duration::ZERO).await;
            }
        }
    }
}

/// Its body may be read by code that panics.
fn read<M: Job>(taken: &Taken) -> Result<M, DecodeError> {
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(&taken.kind, taken.version, &taken.body)));
    decoded.unwrap_or_else(|panic| Err(DecodeError::Body(format!("panicked: {}", panic_text(panic)).into())))
}

fn enter<M: Job, S: QueueStore>(shared: &Shared<M, S>, taken: &Taken, owner: u128, asked: Instant) -> Entry {
    let (lost, told) = Shutdown::new();
    let (until, extended) = watch::channel(asked + shared.settings.local_end());
    let holder = Holder { id: taken.id.clone(), owner, fence: taken.fence };
    let meta = DeliveryMeta::of(
        shared.name(),
        taken,
        shared.settings.max_deliveries,
        shared.settings.visibility,
        told.clone(),
    );
    let number = shared.number();
    let held = HeldJob { holder: holder.clone(), until, lost, timeout_at: None, is_stuck: false, is_settling: false };
    shared.held.lock().insert(number, held);
    Entry { number, holder, meta, until: extended, lost: told }
}

/// The call, and what comes of it.
async fn worked<M, S, V, C>(shared: &Shared<M, S>, entry: &Entry, taken: &Taken, job: M, mut service: V, classifier: &C)
where
    M: Job,
    S: QueueStore,
    V: Service<Delivery<M>>,
    C: Classify<V::Response, V::Error>,
{
    let began = now();
    let (id, attempt, waited) = (&taken.id, taken.attempt, taken.waited);
    shared.tell(&Event::Started { queue: shared.name(), id, attempt, waited });
    let timeout = shared.settings.job_timeout;
    if let Some(held) = shared.held.lock().get_mut(&entry.number) {
        held.timeout_at = timeout.and_then(|timeout| began.checked_add(timeout));
    }
    let call = catch_unwind(AssertUnwindSafe(|| service.call(Delivery::new(job, entry.meta.clone()))));
    let end = match call {
        Ok(call) => until_over(shared, entry, timeout, Caught::new(call)).await,
        Err(panic) => End::Panicked(panic_text(panic)),
    };
    // Its place in what is inside is given back before the store is asked.
    drop(service);
    // It has ended, however long its settlement takes.
    if let Some(held) = shared.held.lock().get_mut(&entry.number) {
        held.timeout_at = None;
    }
    let elapsed = now().saturating_duration_since(began);
    match end {
        End::Answered(result) => {
            let said = catch_unwind(AssertUnwindSafe(|| classifier.classify(result, &entry.meta)));
            let said = said.unwrap_or_else(|panic| Settle::Retry { after: None, reason: panic_text(panic) });
            settle(shared, entry, said, elapsed).await;
        }
        End::Panicked(text) => {
            settle(shared, entry, Settle::Retry { after: None, reason: format!("panicked: {text}") }, elapsed).await;
        }
        End::TimedOut(timeout) => {
            let reason = format!("timed out after {timeout:?}");
            settle(shared, entry, Settle::Retry { after: None, reason }, elapsed).await;
        }
        End::CutOff => ended(shared, entry, End::<()>::CutOff, elapsed).await,
        End::Lost => ended(shared, entry, End::<()>::Lost, elapsed).await,
    }
}

async fn ended<M: Job, S: QueueStore, R>(shared: &Shared<M, S>, entry: &Entry, end: End<R>, elapsed: Duration) {
    match end {
        End::CutOff => send(shared, entry, &Settlement::Release, Outcome::Release, elapsed).await,
        _ => shared.tell(&Event::Lost { queue: shared.name(), id: &entry.holder.id }),
    }
}

/// An extension said so, or none came in time.
pub(super) async fn lost(entry: &Entry) {
    let mut until = entry.until.clone();
    loop {
        let end = *until.borrow_and_update();
        tokio::select! {
            biased;
            () = entry.lost.requested() => return,
            changed = until.changed() => if changed.is_err() { return },
            () = sleep_until(end) => return,
        }
    }
}

async fn until_over<M, S, F: Future>(
    shared: &Shared<M, S>,
    entry: &Entry,
    timeout: Option<Duration>,
    call: Caught<F>,
) -> End<F::Output> {
    let mut call = call;
    // A job that is done at once needs no timer.
    let at_once = poll_fn(|cx| Poll::Ready(Pin::new(&mut call).poll(cx))).await;
    if let Poll::Ready(outcome) = at_once {
        call.discard();
        return outcome.map_or_else(End::Panicked, End::Answered);
    }
    let over = async {
        match timeout {
            Some(timeout) => sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let end = tokio::select! {
        biased;
        // First: a process that was stopped meanwhile does nothing more for a job that somebody else may have by now.
        () = lost(entry) => {
            if let Some(held) = shared.held.lock().get(&entry.number) {
                held.lost.fire();
            }
            End::Lost
        }
        outcome = &mut call => match outcome {
            Ok(result) => End::Answered(result),
            Err(text) => End::Panicked(text),
        },
        () = shared.cut_off.requested() => End::CutOff,
        () = over => End::TimedOut(timeout.unwrap_or_default()),
    };
    call.discard();
    end
}

/// Whatever became of it, there is room for another.
struct Gone<M, S> {
    shared: Arc<Shared<M, S>>,
    number: u64,
    is_trial: bool,
}

impl<M, S> Drop for Gone<M, S> {
    fn drop(&mut self) {
        self.shared.held.lock().remove(&self.number);
        if self.is_trial {
            self.shared.on_trial.store(false, Ordering::Release);
        }
        self.shared.changed.notify_one();
    }
}
