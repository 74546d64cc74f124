use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::runner::Task;
use seaworthy::{Backoff, BoxError, Bulkhead, Check, ConfigError, Name, Shutdown, ShutdownTrigger};
use tokio::runtime::Handle;
use tower_service::Service;

use super::error::ConsumerError;
use super::extend::extend;
use super::gate::{Gate, WhileUp};
use super::measure::measure;
use super::run::{Taking, drained};
use super::settings::Settings;
use super::shared::Shared;
use super::slots::Slots;
use super::solo::Solo;
use super::watch::ConsumerHandle;
use crate::delivery::{Classify, DefaultClassifier, Delivery};
use crate::job::Job;
use crate::memory::Memory;
use crate::queue::Queue;
use crate::store::QueueStore;

/// Does the jobs of a queue: gives each to a service, and settles it by what the service made of it.
///
/// Any `Service<Delivery<M>>` will do, with the layers that a request's would have. Nothing is taken from the queue
/// before there is a free slot and a clone of the service that is ready.
#[must_use = "a consumer does nothing until it runs"]
pub struct Consumer<M, S = Memory, V = (), C = DefaultClassifier> {
    queue: Queue<M, S>,
    settings: Settings,
    slots: Option<Bulkhead>,
    gates: Vec<Box<dyn Gate>>,
    solo: Solo,
    service: V,
    classifier: C,
    handle: ConsumerHandle,
}

impl<M: Job, S: QueueStore> Consumer<M, S> {
    /// Of this queue.
    pub fn new(queue: Queue<M, S>) -> Consumer<M, S> {
        let handle = ConsumerHandle::default();
        Consumer {
            queue,
            settings: Settings::default(),
            slots: None,
            gates: Vec::new(),
            solo: Solo::default(),
            service: (),
            classifier: DefaultClassifier,
            handle,
        }
    }
}

impl<M, S, V, C> Consumer<M, S, V, C> {
    /// For how long a job is invisible to others if this process dies; it is extended every third of that. Default 30
    /// s; 1 s to 12 h.
    pub fn visibility(mut self, span: Duration) -> Consumer<M, S, V, C> {
        self.settings.visibility = span;
        self
    }

    /// How many jobs are done at a time. Default 10; 1 to 10,000. See [`slots`](Self::slots).
    pub fn concurrency(mut self, jobs: u32) -> Consumer<M, S, V, C> {
        self.settings.concurrency = jobs;
        self
    }

    /// A bulkhead whose permits are the slots, in place of one of the consumer's own: it can be resized while the
    /// consumer runs, and shared with others. Whoever waits for jobs leaves them for 300 ms after each look that
    /// brought none, if it held all of them.
    pub fn slots(mut self, slots: Bulkhead) -> Consumer<M, S, V, C> {
        self.slots = Some(slots);
        self
    }

    /// A job is given to the service so often at most, however that ends, and is dead then. Default 5; 1 to 1,000.
    pub fn max_deliveries(mut self, deliveries: u32) -> Consumer<M, S, V, C> {
        self.settings.max_deliveries = deliveries;
        self
    }

    /// How long a job that failed waits. Default 1 s, doubling to 5 min, with full jitter.
    pub fn retry_backoff(mut self, backoff: Backoff) -> Consumer<M, S, V, C> {
        self.settings.backoff = backoff;
        self
    }

    /// How long a call may take; it is dropped then, and its job tried again. Default 10 min; more than zero.
    pub fn job_timeout(mut self, limit: Duration) -> Consumer<M, S, V, C> {
        self.settings.job_timeout = Some(limit);
        self
    }

    /// Calls may take for ever.
    pub fn no_job_timeout(mut self) -> Consumer<M, S, V, C> {
        self.settings.job_timeout = None;
        self
    }

    /// How long a job is put off if nothing says how long. Default 1 s; at least 100 ms.
    pub fn defer(mut self, span: Duration) -> Consumer<M, S, V, C> {
        self.settings.defer = span;
        self
    }

    /// A job that has been put off again and again for so long is tried, and that counts. Default 24 h; at least 100
    /// ms.
    pub fn defer_at_most(mut self, span: Duration) -> Consumer<M, S, V, C> {
        self.settings.defer_at_most = span;
        self
    }

    /// A job that was abandoned so often runs alone, in case it is what kills its process. Default 2; 1 to
    /// `max_deliveries` less 2.
    pub fn suspect_after(mut self, abandoned: u32) -> Consumer<M, S, V, C> {
        self.settings.suspect_after = Some(abandoned);
        self
    }

    /// No job runs alone.
    pub fn never_suspect(mut self) -> Consumer<M, S, V, C> {
        self.settings.suspect_after = None;
        self
    }

    /// What consumers of one process share, so that a job that runs alone does so in all of them.
    pub fn solo(mut self, solo: &Solo) -> Consumer<M, S, V, C> {
        self.solo = solo.clone();
        self
    }

    /// How long calls have at a shutdown. Default 15 s.
    pub fn drain(mut self, span: Duration) -> Consumer<M, S, V, C> {
        self.settings.drain = span;
        self
    }

    /// How long the store may wait for a job before it answers that there is none. Default 1 s, or a third of the
    /// visibility, if that is less; 10 ms to 10 s, and at most a third of the visibility.
    pub fn block(mut self, span: Duration) -> Consumer<M, S, V, C> {
        self.settings.block = Some(span);
        self
    }

    /// Asks this gate before each look into the queue how many jobs there is room for. The smallest answer counts.
    pub fn gate(mut self, gate: impl Gate) -> Consumer<M, S, V, C> {
        self.gates.push(Box::new(gate));
        self
    }

    /// Takes jobs only while this check is up.
    pub fn require(self, check: impl Check + 'static) -> Consumer<M, S, V, C> {
        self.gate(WhileUp(check))
    }

    /// What is to become of a job, from what the service made of it; in place of the [default](DefaultClassifier).
    pub fn classify<D>(self, classifier: D) -> Consumer<M, S, V, D> {
        let Consumer { queue, settings, slots, gates, solo, service, classifier: _, handle } = self;
        Consumer { queue, settings, slots, gates, solo, service, classifier, handle }
    }

    /// Pauses and resumes it, and says how it is, when it has become a task.
    #[must_use]
    pub fn handle(&self) -> ConsumerHandle {
        self.handle.clone()
    }

    /// How long a shutdown takes at most: the wait for jobs, the drain, and two requests to the store. 26 s at
    /// defaults.
    #[must_use]
    pub fn stop_bound(&self) -> Duration {
        let request = self.queue.shared.settings.request_timeout;
        self.settings.block().saturating_add(self.settings.drain).saturating_add(request.saturating_mul(2))
    }

    /// Refuses a grace period that is shorter than [`stop_bound`](Self::stop_bound).
    ///
    /// # Errors
    /// If it is.
    pub fn fits(self, grace: Duration) -> Result<Consumer<M, S, V, C>, ConfigError> {
        if self.stop_bound() <= grace {
            return Ok(self);
        }
        let rule = "must be at least as long as the consumer's stop_bound";
        Err(ConfigError::new("consumer", "grace", grace, rule).with_name(self.queue.name().clone()))
    }
}

impl<M: Job, S: QueueStore, C> Consumer<M, S, (), C> {
    /// Who does the jobs. A clone of it is driven to ready for each.
    pub fn service<V: Service<Delivery<M>>>(self, service: V) -> Consumer<M, S, V, C> {
        let Consumer { queue, settings, slots, gates, solo, service: (), classifier, handle } = self;
        Consumer { queue, settings, slots, gates, solo, service, classifier, handle }
    }
}

impl<M, S, V, C> Consumer<M, S, V, C>
where
    M: Job,
    S: QueueStore,
    V: Service<Delivery<M>> + Clone + Send + 'static,
    V::Future: Send,
    V::Response: Send,
    V::Error: Send,
    C: Classify<V::Response, V::Error>,
{
    /// Does jobs until the shutdown is requested; then takes no more, lets those that run end, and gives back what does
    /// not in time.
    ///
    /// # Errors
    /// If a setting cannot be used, or the store refuses before it has ever answered. Not because the store is away:
    /// that is waited for.
    ///
    /// # Cancellation
    /// Dropping it drops the calls. Their jobs are delivered again when their visibility is over; settlements that had
    /// begun finish.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled. Not if a call does.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), ConsumerError> {
        let Consumer { queue, settings, slots, gates, solo, service, classifier, handle } = self;
        let named = |error: ConfigError| ConsumerError::Config(error.with_name(queue.name().clone()));
        settings.check(queue.shared.settings.request_timeout).map_err(named)?;
        let are_shared = slots.is_some();
        let slots = match slots {
            Some(slots) => slots,
            None => Bulkhead::builder(queue.name().clone()).limit(settings.concurrency).build().map_err(named)?,
        };
        let (cut_off, is_cut_off) = Shutdown::new();
        let (over, is_over) = Shutdown::new();
        let shared = Arc::new(Shared::<M, S>::new(Arc::clone(&queue.shared), settings, solo, is_cut_off, is_over));
        handle.set(&shared);
        let runtime = Handle::current();
        // Although the thread of a call may be blocked from here on.
        shared.beside.spawn_apart(&runtime, extend(Arc::clone(&shared)));
        shared.beside.spawn(&runtime, measure(Arc::clone(&shared)));
        let ends = Ends { cut_off, over };
        let (service, classifier) = (service, Arc::new(classifier));
        let (ready, slots) = (Vec::new(), Slots::new(slots, are_shared));
        let mut taking = Taking {
            shared: Arc::clone(&shared),
            slots,
            gates,
            service,
            classifier,
            ready,
            closed_since: None,
            wants_alone: false,
            alone: None,
        };
        let ended = taking.run(&shutdown).await;
        drop(taking);
        ended.map_err(ConsumerError::Store)?;
        if !drained(&shared, shared.settings.drain).await {
            ends.cut_off.fire();
            let request = shared.queue.settings.request_timeout;
            let _left_to_its_visibility = drained(&shared, request).await;
        }
        Ok(())
    }

    /// A task for a [`Runner`](seaworthy::Runner).
    pub fn into_task(self, name: impl Into<Name>) -> Task
    where
        C: 'static,
    {
        Task::new(name, move |shutdown| async move { self.run(shutdown).await.map_err(BoxError::from) })
    }
}

/// What is left behind ends, too, if the run is dropped.
struct Ends {
    cut_off: ShutdownTrigger,
    over: ShutdownTrigger,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.cut_off.fire();
        self.over.fire();
    }
}

impl<M, S, V, C> fmt::Debug for Consumer<M, S, V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("queue", self.queue.name())
            .field("settings", &self.settings)
            .field("gates", &self.gates.len())
            .finish_non_exhaustive()
    }
}
