use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::{AsyncCheck, BoxError, ConfigError, Event as CoreEvent};
use seaworthy_store::time::{now, sleep_until};
use seaworthy_store::{StoreError, limit};

use super::handle::Shared;
use crate::error::QueueError;
use crate::event::Event;
use crate::job_id::JobId;
use crate::store::{DeadJob, QueueStore};

/// In one request.
const PAGE: u32 = 100;

/// The dead letters of a queue: jobs that will not be delivered again by themselves.
///
/// # Clone
/// Costs a reference count.
pub struct Dead<S>(Arc<Shared<S>>);

/// Some dead letters, in the order in which they died.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadPage {
    /// At most 100.
    pub jobs: Vec<DeadJob>,
    /// What to give to [`list`](Dead::list) for those after these; none if there were no more.
    pub next: Option<JobId>,
}

impl<S: QueueStore> Dead<S> {
    pub(crate) fn new(shared: Arc<Shared<S>>) -> Dead<S> {
        Dead(shared)
    }

    async fn ask<T>(
        &self,
        asked: &'static str,
        request: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, QueueError> {
        Ok(limit::within(self.0.settings.request_timeout, asked, request).await?)
    }

    /// The first hundred, or those after a page's.
    ///
    /// # Errors
    /// If the store is unavailable, or refuses.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn list(&self, after: Option<&JobId>) -> Result<DeadPage, QueueError> {
        let jobs = self.ask("list", self.0.store.list(after, PAGE)).await?;
        let is_full = u32::try_from(jobs.len()).is_ok_and(|len| len >= PAGE);
        let next = jobs.last().filter(|_| is_full).map(|job| job.id.clone());
        Ok(DeadPage { jobs, next })
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn get(&self, id: &JobId) -> Result<Option<DeadJob>, QueueError> {
        self.ask("get", self.0.store.get(id)).await
    }

    /// Gives a job another chance: it is in the queue again, due at once, with no attempt made, and its header
    /// `redriven` says how often that has been done. False if there is no such dead job.
    ///
    /// # Errors
    /// As [`list`](Self::list); whether it was moved is unknown if the store is unavailable.
    ///
    /// # Cancellation
    /// It is dead or live, and never both or neither.
    pub async fn redrive(&self, id: &JobId) -> Result<bool, QueueError> {
        let is_back = self.ask("redrive", self.0.store.redrive(id)).await?;
        if is_back {
            let queue = &self.0.name;
            self.0.notifier.notify(CoreEvent::Extension(&Event::Redriven { queue, id }));
        }
        Ok(is_back)
    }

    /// The same for all that are dead now, so many a second. Returns how many.
    ///
    /// # Errors
    /// As [`redrive`](Self::redrive), and if the rate is zero; those before that have been moved.
    ///
    /// # Cancellation
    /// Each is dead or live; those that were not reached stay dead.
    pub async fn redrive_all(&self, per_second: u32) -> Result<u64, QueueError> {
        if per_second == 0 {
            return Err(ConfigError::new("queue", "per_second", 0, "must be at least 1").into());
        }
        let interval = Duration::from_secs(1) / per_second;
        let (mut redriven, mut due) = (0, now());
        // What dies again meanwhile is not given a third chance by the same request.
        let ids = self.ids().await?;
        for id in ids {
            sleep_until(due).await;
            due = due.max(now()) + interval;
            redriven += u64::from(self.redrive(&id).await?);
        }
        Ok(redriven)
    }

    async fn ids(&self) -> Result<Vec<JobId>, QueueError> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.list(after.as_ref()).await?;
            ids.extend(page.jobs.into_iter().map(|job| job.id));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// Removes a job for good. False if there is no such dead job.
    ///
    /// # Errors
    /// As [`redrive`](Self::redrive).
    ///
    /// # Cancellation
    /// It is removed or not.
    pub async fn discard(&self, id: &JobId) -> Result<bool, QueueError> {
        self.ask("discard", self.0.store.discard(id)).await
    }
}

impl<S: QueueStore> Dead<S> {
    /// A check that is down while there are more dead letters than this, for
    /// [`Health::report`](seaworthy::Health::report). Each run asks the store.
    #[must_use]
    pub fn at_most(&self, jobs: u64) -> AsyncCheck {
        let dead = self.clone();
        AsyncCheck::new(move || {
            let dead = dead.clone();
            async move {
                let depth = dead.ask("depth", dead.0.store.depth()).await?;
                if depth.dead > jobs {
                    return Err(BoxError::from(format!("{} dead letters, where {jobs} are the most", depth.dead)));
                }
                Ok(())
            }
        })
    }
}

impl<S> Clone for Dead<S> {
    fn clone(&self) -> Dead<S> {
        Dead(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for Dead<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dead").field("queue", &self.0.name).finish_non_exhaustive()
    }
}
