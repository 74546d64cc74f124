use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use seaworthy::{Check, Name, Status};

use super::shared::Shared;
use crate::job::Job;
use crate::store::QueueStore;

/// Pauses and resumes a consumer, and says how it is. As a check it is down once the store has not answered for one
/// visibility. Made by [`Consumer::handle`](super::Consumer::handle).
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Default)]
pub struct ConsumerHandle(Arc<OnceLock<Arc<dyn Watched>>>);

/// What a handle sees of a consumer that runs.
trait Watched: Send + Sync {
    fn set_paused(&self, paused: bool);
    fn is_paused(&self) -> bool;
    fn running(&self) -> usize;
    fn silent_for(&self) -> Option<Duration>;
    fn visibility(&self) -> Duration;
}

impl<M: Job, S: QueueStore> Watched for Shared<M, S> {
    fn set_paused(&self, paused: bool) {
        self.is_paused.store(paused, Ordering::Release);
        self.changed.notify_one();
    }

    fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }

    fn running(&self) -> usize {
        self.held.lock().len()
    }

    fn silent_for(&self) -> Option<Duration> {
        let silent = self.last_answer();
        if self.is_down() { Some(silent.unwrap_or(Duration::MAX)) } else { None }
    }

    fn visibility(&self) -> Duration {
        self.settings.visibility
    }
}

impl ConsumerHandle {
    pub(super) fn set<M: Job, S: QueueStore>(&self, shared: &Arc<Shared<M, S>>) {
        let shared: Arc<dyn Watched> = Arc::clone(shared) as _;
        // A consumer runs once.
        let _first = self.0.set(shared);
    }

    /// Takes no more jobs, but what the look into the queue that is under way brings. What runs is not touched. Without
    /// effect before it runs.
    pub fn pause(&self) {
        if let Some(watched) = self.0.get() {
            watched.set_paused(true);
        }
    }

    /// Takes jobs again.
    pub fn resume(&self) {
        if let Some(watched) = self.0.get() {
            watched.set_paused(false);
        }
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.0.get().is_some_and(|watched| watched.is_paused())
    }

    /// How many jobs are at work.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.get().map_or(0, |watched| watched.running())
    }
}

impl Check for ConsumerHandle {
    fn status(&self) -> Status {
        let Some(watched) = self.0.get() else { return Status::Down(Name::from("does not run yet")) };
        match watched.silent_for() {
            Some(silent) if silent > watched.visibility() => Status::Down(Name::from("the store does not answer")),
            _ => Status::Up,
        }
    }
}

impl fmt::Debug for ConsumerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerHandle")
            .field("running", &self.running())
            .field("is_paused", &self.is_paused())
            .finish()
    }
}
