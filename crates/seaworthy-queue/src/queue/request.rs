use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use seaworthy::ConfigError;

use crate::error::QueueError;
use crate::headers::Headers;
use crate::job::Job;
use crate::job_id::JobId;
use crate::store::{Due, NewJob};

/// Beyond this a job is a mistake.
const LATEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A job to be enqueued, with what is to be said of it. A job alone becomes one by `into`: it has an id of its own, and
/// is due at once.
#[derive(Clone)]
#[must_use = "a job is not enqueued by naming it"]
pub struct EnqueueRequest<M> {
    job: M,
    id: Option<JobId>,
    due: Due,
    headers: Headers,
}

impl<M> EnqueueRequest<M> {
    /// Of this job.
    pub fn new(job: M) -> EnqueueRequest<M> {
        EnqueueRequest { job, id: None, due: Due::Now, headers: Headers::default() }
    }

    /// Under this id, so that it is one job however often it is enqueued. Default a new one.
    pub fn id(mut self, id: JobId) -> EnqueueRequest<M> {
        self.id = Some(id);
        self
    }

    /// Not before so long after it was accepted, by the store's clock. At most a year.
    pub fn after(mut self, delay: Duration) -> EnqueueRequest<M> {
        self.due = Due::After(delay);
        self
    }

    /// Not before this time, by the store's clock; at once, if that has passed. At most a year from now.
    pub fn at(mut self, time: SystemTime) -> EnqueueRequest<M> {
        self.due = Due::At(time.duration_since(UNIX_EPOCH).unwrap_or_default());
        self
    }

    /// With these headers.
    pub fn headers(mut self, headers: Headers) -> EnqueueRequest<M> {
        self.headers = headers;
        self
    }
}

impl<M> From<M> for EnqueueRequest<M> {
    fn from(job: M) -> EnqueueRequest<M> {
        EnqueueRequest::new(job)
    }
}

impl<M: Job> EnqueueRequest<M> {
    /// As the store takes it; `now` is the wall clock's.
    pub(crate) fn encode(self, max_payload: usize, now: Duration) -> Result<NewJob, QueueError> {
        let EnqueueRequest { job, id, due, headers } = self;
        let (is_near, shown) = match due {
            Due::Now => (true, Duration::ZERO),
            Due::After(delay) => (delay <= LATEST, delay),
            Due::At(time) => (time.saturating_sub(now) <= LATEST, time),
        };
        if !is_near {
            return Err(ConfigError::new("job", "due", shown, "must be within a year").into());
        }
        let body = serde_json::to_vec(&job).map_err(|error| QueueError::Encode(error.into()))?;
        if body.len() > max_payload {
            return Err(QueueError::TooLarge { len: body.len(), most: max_payload });
        }
        let id = id.unwrap_or_else(JobId::unique);
        Ok(NewJob { id, kind: M::KIND.into(), version: M::VERSION, headers, body: body.into(), due })
    }
}

/// Without the job, which is for nobody but its service.
impl<M> fmt::Debug for EnqueueRequest<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EnqueueRequest { job: _, id, due, headers } = self;
        let mut shown = f.debug_struct("EnqueueRequest");
        shown.field("id", id).field("due", due).field("headers", headers).finish_non_exhaustive()
    }
}
