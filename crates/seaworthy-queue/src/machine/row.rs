use std::time::Duration;

use crate::job_id::JobId;
use crate::store::{DeadJob, Due, NewJob, Taken};

/// A live job. Moments are since 1970, by the row clock.
#[derive(Clone, Debug)]
pub(crate) struct JobRow {
    pub(crate) job: NewJob,
    pub(crate) state: State,
    /// In the order of acceptance, for those that are due at the same moment.
    pub(crate) number: u64,
    pub(crate) accepted_at: Duration,
    /// Since when it could have been delivered.
    pub(crate) due: Duration,
    pub(crate) spent: u32,
    pub(crate) abandoned: u32,
    pub(crate) fence: u64,
    pub(crate) deferred_since: Option<Duration>,
    /// Of its last failure.
    pub(crate) reason: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Running { owner: u128, lease_until: Duration },
}

impl JobRow {
    pub(crate) fn accepted(job: NewJob, number: u64, now: Duration) -> JobRow {
        let due = match job.due {
            Due::Now => now,
            Due::After(span) => now.saturating_add(span),
            Due::At(moment) => moment.max(now),
        };
        JobRow {
            job,
            state: State::Waiting,
            number,
            accepted_at: now,
            due,
            spent: 0,
            abandoned: 0,
            fence: 0,
            deferred_since: None,
            reason: Box::default(),
        }
    }

    pub(crate) fn id(&self) -> &JobId {
        &self.job.id
    }

    /// Handed out to an owner.
    pub(crate) fn take(&mut self, owner: u128, lease_until: Duration) {
        if matches!(self.state, State::Running { .. }) {
            self.abandoned = self.abandoned.saturating_add(1);
        }
        self.state = State::Running { owner, lease_until };
        self.spent = self.spent.saturating_add(1);
        self.fence = self.fence.saturating_add(1);
    }

    pub(crate) fn taken(&self, now: Duration) -> Taken {
        let NewJob { id, kind, version, headers, body, due: _ } = self.job.clone();
        Taken {
            id,
            kind,
            version,
            headers,
            body,
            accepted_at: self.accepted_at,
            attempt: self.spent,
            fence: self.fence,
            abandoned: self.abandoned,
            deferred_for: self.deferred_since.map(|since| now.saturating_sub(since)),
            waited: now.saturating_sub(self.due),
        }
    }

    pub(crate) fn is_held_by(&self, owner: u128, fence: u64) -> bool {
        self.fence == fence && matches!(self.state, State::Running { owner: of, .. } if of == owner)
    }

    /// Back in the queue.
    pub(crate) fn wait(&mut self, due: Duration) {
        self.state = State::Waiting;
        self.due = due;
    }

    /// The attempt was none.
    pub(crate) fn unspend(&mut self) {
        self.spent = self.spent.saturating_sub(1);
    }

    pub(crate) fn die(self, reason: Box<str>, now: Duration) -> DeadJob {
        let NewJob { id, kind, version, headers, body, due: _ } = self.job;
        let (attempts, accepted_at) = (self.spent, self.accepted_at);
        DeadJob { id, kind, version, headers, body, attempts, reason, accepted_at, died_at: now }
    }
}
