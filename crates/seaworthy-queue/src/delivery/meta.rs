use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::{Name, Shutdown};

use crate::headers::Headers;
use crate::job_id::JobId;
use crate::store::Taken;

/// A job, as its service is given it.
///
/// # Clone
/// Costs a clone of the job and two reference counts, so that layers which repeat work can.
#[derive(Clone)]
pub struct Delivery<M> {
    job: M,
    meta: DeliveryMeta,
}

/// What is known of a delivery beside the job itself.
///
/// # Clone
/// Costs two reference counts.
#[derive(Clone, Debug)]
pub struct DeliveryMeta {
    about: Arc<About>,
    lost: Shutdown,
}

#[derive(Debug)]
struct About {
    queue: Name,
    id: JobId,
    headers: Headers,
    accepted_at: Duration,
    attempt: u32,
    max_attempts: u32,
    fence: u64,
    abandoned: u32,
    deferred_for: Option<Duration>,
    visibility: Duration,
}

impl<M> Delivery<M> {
    pub(crate) fn new(job: M, meta: DeliveryMeta) -> Delivery<M> {
        Delivery { job, meta }
    }

    /// The job.
    pub fn job(&self) -> &M {
        &self.job
    }

    /// The job, and what is known of its delivery.
    pub fn into_parts(self) -> (M, DeliveryMeta) {
        (self.job, self.meta)
    }

    /// What is known of it beside the job.
    pub fn meta(&self) -> &DeliveryMeta {
        &self.meta
    }
}

/// Without the job, which is for nobody but its service.
impl<M> fmt::Debug for Delivery<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl<M> std::ops::Deref for Delivery<M> {
    type Target = DeliveryMeta;

    fn deref(&self) -> &DeliveryMeta {
        &self.meta
    }
}

impl DeliveryMeta {
    pub(crate) fn of(
        queue: &Name,
        taken: &Taken,
        max_attempts: u32,
        visibility: Duration,
        lost: Shutdown,
    ) -> DeliveryMeta {
        let about = About {
            queue: queue.clone(),
            id: taken.id.clone(),
            headers: taken.headers.clone(),
            accepted_at: taken.accepted_at,
            attempt: taken.attempt,
            max_attempts,
            fence: taken.fence,
            abandoned: taken.abandoned,
            deferred_for: taken.deferred_for,
            visibility,
        };
        DeliveryMeta { about: Arc::new(about), lost }
    }

    /// The queue it lay in.
    #[must_use]
    pub fn queue(&self) -> &Name {
        &self.about.queue
    }

    /// The job's.
    #[must_use]
    pub fn id(&self) -> &JobId {
        &self.about.id
    }

    /// As they were enqueued.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.about.headers
    }

    /// When the job was accepted, since 1970 by the store's clock.
    #[must_use]
    pub fn accepted_at(&self) -> Duration {
        self.about.accepted_at
    }

    /// 1 for the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.about.attempt
    }

    /// After so many it is dead.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.about.max_attempts
    }

    /// Whether it is dead if it fails once more.
    #[must_use]
    pub fn is_last_attempt(&self) -> bool {
        self.about.attempt >= self.about.max_attempts
    }

    /// Grows with each delivery of the job: whoever is asked to do something can refuse an older one.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.about.fence
    }

    /// How often whoever had it died, or was cut off, in the middle of it.
    #[must_use]
    pub fn abandoned(&self) -> u32 {
        self.about.abandoned
    }

    /// Since the first of its last deferrals in a row.
    #[must_use]
    pub fn deferred_for(&self) -> Option<Duration> {
        self.about.deferred_for
    }

    /// For how long the job is invisible to others if this process dies.
    #[must_use]
    pub fn visibility(&self) -> Duration {
        self.about.visibility
    }

    /// Requested when the job is not this consumer's any more, because it could not be kept. The call is dropped then;
    /// what it has spawned by itself is not.
    #[must_use]
    pub fn lost(&self) -> Shutdown {
        self.lost.clone()
    }
}
