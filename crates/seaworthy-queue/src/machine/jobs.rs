use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use super::row::{JobRow, State};
use crate::job_id::JobId;
use crate::store::{Cancelled, DeadJob, Depth, Due, Entry, Held, Holder, NewJob, Received, Settlement, Take};

/// The header that counts how often a dead job was given another chance.
pub(crate) const REDRIVEN: &str = "redriven";

/// All jobs of one queue. Moments are since 1970, by the row clock.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    live: HashMap<JobId, JobRow>,
    /// When they are due, and in the order of acceptance.
    waiting: BTreeSet<(Duration, u64, JobId)>,
    /// When their leases are over.
    running: BTreeSet<(Duration, JobId)>,
    dead: HashMap<JobId, Buried>,
    /// In the order in which they died.
    died: BTreeMap<u64, JobId>,
    /// Done, until when they are remembered.
    done: HashMap<JobId, Duration>,
    /// The same by time.
    forgotten_at: BTreeSet<(Duration, JobId)>,
    accepted: u64,
    deaths: u64,
}

#[derive(Debug)]
struct Buried {
    job: DeadJob,
    /// In the order of deaths.
    number: u64,
    /// Of its last delivery: a resource that refuses older ones must not refuse a job that is redriven.
    fence: u64,
}

/// The queue has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Jobs {
    pub(crate) fn enqueue(
        &mut self,
        jobs: &[NewJob],
        max_len: Option<u64>,
        now: Duration,
    ) -> Result<Vec<Entry>, NoRoom> {
        self.forget(now);
        let is_known =
            |id: &JobId| self.live.contains_key(id) || self.dead.contains_key(id) || self.done.contains_key(id);
        let mut new = HashSet::new();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let is_new = !is_known(&job.id) && new.insert(&job.id);
            outcomes.push(if is_new { Entry::Accepted } else { Entry::Already });
        }
        let len = u64::try_from(self.live.len() + new.len()).unwrap_or(u64::MAX);
        if !new.is_empty() && max_len.is_some_and(|most| len > most) {
            return Err(NoRoom);
        }
        for (job, outcome) in jobs.iter().zip(&outcomes) {
            if *outcome == Entry::Accepted {
                self.accepted += 1;
                self.put(JobRow::accepted(job.clone(), self.accepted, now));
            }
        }
        Ok(outcomes)
    }

    /// Into the queue.
    fn put(&mut self, row: JobRow) {
        let id = row.id().clone();
        match row.state {
            State::Waiting => self.waiting.insert((row.due, row.number, id.clone())),
            State::Running { lease_until, .. } => self.running.insert((lease_until, id.clone())),
        };
        self.live.insert(id, row);
    }

    /// Out of the queue.
    fn pull(&mut self, id: &JobId) -> Option<JobRow> {
        let row = self.live.remove(id)?;
        match row.state {
            State::Waiting => self.waiting.remove(&(row.due, row.number, id.clone())),
            State::Running { lease_until, .. } => self.running.remove(&(lease_until, id.clone())),
        };
        Some(row)
    }

    fn bury(&mut self, row: JobRow, reason: Box<str>, now: Duration) {
        self.deaths += 1;
        let (number, fence, job) = (self.deaths, row.fence, row.die(reason, now));
        self.died.insert(number, job.id.clone());
        self.dead.insert(job.id.clone(), Buried { job, number, fence });
    }

    fn forget(&mut self, now: Duration) {
        while let Some((until, id)) = self.forgotten_at.first().filter(|(until, _)| *until <= now).cloned() {
            self.forgotten_at.remove(&(until, id.clone()));
            self.done.remove(&id);
        }
    }

    pub(crate) fn cancel(&mut self, id: &JobId) -> Cancelled {
        match self.live.get(id).map(|row| row.state) {
            None => Cancelled::Unknown,
            Some(State::Running { .. }) => Cancelled::Running,
            Some(State::Waiting) => {
                self.pull(id);
                Cancelled::Removed
            }
        }
    }

    /// The next that can be handed out.
    fn next(&self, now: Duration) -> Option<JobId> {
        let abandoned = self.running.first().filter(|(until, _)| *until <= now).map(|(_, id)| id);
        let due = || self.waiting.first().filter(|(due, ..)| *due <= now).map(|(.., id)| id);
        abandoned.or_else(due).cloned()
    }

    pub(crate) fn take(&mut self, take: &Take, now: Duration) -> Received {
        let room = usize::try_from(take.room).unwrap_or(usize::MAX);
        let mut received = Received::default();
        if take.repeats {
            let is_ours = |row: &&JobRow| matches!(row.state, State::Running { owner, lease_until } if owner == take.owner && now < lease_until);
            let ours: Vec<JobId> = self.live.values().filter(is_ours).take(room).map(|row| row.id().clone()).collect();
            for id in ours {
                if let Some(mut row) = self.pull(&id) {
                    let lease_until = now.saturating_add(take.visibility);
                    row.state = State::Running { owner: take.owner, lease_until };
                    received.jobs.push(row.taken(now));
                    self.put(row);
                }
            }
        }
        while received.jobs.len() < room
            && let Some(id) = self.next(now)
            && let Some(mut row) = self.pull(&id)
        {
            if row.spent >= take.max_deliveries {
                let reason = std::mem::take(&mut row.reason);
                let reason = if reason.is_empty() { "was abandoned each time".into() } else { reason };
                self.bury(row, reason, now);
                received.died.push(id);
                continue;
            }
            row.take(take.owner, now.saturating_add(take.visibility));
            received.jobs.push(row.taken(now));
            self.put(row);
        }
        received.next_due = self.next_at().map(|at| at.saturating_sub(now));
        received
    }

    /// When something is next to be handed out.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        let due = self.waiting.first().map(|(due, ..)| *due);
        let over = self.running.first().map(|(until, _)| *until);
        due.into_iter().chain(over).min()
    }

    pub(crate) fn extend(&mut self, holder: &Holder, visibility: Duration, now: Duration) -> Held {
        let is_live = |row: &&JobRow| {
            row.is_held_by(holder.owner, holder.fence)
                && matches!(row.state, State::Running { lease_until, .. } if now < lease_until)
        };
        if self.live.get(&holder.id).filter(is_live).is_none() {
            return Held::Lost;
        }
        if let Some(mut row) = self.pull(&holder.id) {
            row.state = State::Running { owner: holder.owner, lease_until: now.saturating_add(visibility) };
            self.put(row);
        }
        Held::Yes
    }

    pub(crate) fn settle(&mut self, holder: &Holder, settlement: &Settlement, now: Duration) -> Held {
        let is_ours = |row: &&JobRow| row.is_held_by(holder.owner, holder.fence);
        if self.live.get(&holder.id).filter(is_ours).is_none() {
            return Held::Lost;
        }
        let Some(mut row) = self.pull(&holder.id) else { return Held::Lost };
        match settlement {
            Settlement::Ack { remember } => {
                if let Some(span) = remember {
                    let until = now.saturating_add(*span);
                    self.done.insert(holder.id.clone(), until);
                    self.forgotten_at.insert((until, holder.id.clone()));
                }
            }
            Settlement::Retry { after, reason } => {
                row.reason.clone_from(reason);
                row.deferred_since = None;
                row.wait(now.saturating_add(*after));
                self.put(row);
            }
            Settlement::Defer { after } => {
                row.deferred_since.get_or_insert(now);
                row.unspend();
                row.wait(now.saturating_add(*after));
                self.put(row);
            }
            Settlement::Release => {
                row.unspend();
                // In its old place.
                row.wait(row.due.min(now));
                self.put(row);
            }
            Settlement::Dead { reason } => self.bury(row, reason.clone(), now),
        }
        Held::Yes
    }

    pub(crate) fn depth(&self, now: Duration) -> Depth {
        let count = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
        let ready = count(self.waiting.iter().take_while(|(due, ..)| *due <= now).count());
        let oldest = self.waiting.first().map(|(due, ..)| now.saturating_sub(*due));
        Depth {
            ready,
            later: count(self.waiting.len()) - ready,
            running: count(self.running.len()),
            dead: count(self.dead.len()),
            oldest_ready: oldest.unwrap_or_default(),
        }
    }

    pub(crate) fn list(&self, after: Option<&JobId>, most: u32) -> Vec<DeadJob> {
        // One that is not there any more begins the list anew, rather than to end it.
        let after = after.and_then(|id| self.dead.get(id)).map_or(0, |dead| dead.number);
        let later = self.died.range(after + 1..).filter_map(|(_, id)| self.dead.get(id));
        later.take(usize::try_from(most).unwrap_or(usize::MAX)).map(|dead| dead.job.clone()).collect()
    }

    pub(crate) fn dead(&self, id: &JobId) -> Option<DeadJob> {
        self.dead.get(id).map(|dead| dead.job.clone())
    }

    fn exhume(&mut self, id: &JobId) -> Option<Buried> {
        let dead = self.dead.remove(id)?;
        self.died.remove(&dead.number);
        Some(dead)
    }

    pub(crate) fn redrive(&mut self, id: &JobId, now: Duration) -> bool {
        let Some(Buried { job, fence, .. }) = self.exhume(id) else { return false };
        let DeadJob { id, kind, version, mut headers, body, accepted_at, .. } = job;
        headers.count_up(REDRIVEN);
        self.accepted += 1;
        let job = NewJob { id, kind, version, headers, body, due: Due::Now };
        self.put(JobRow { accepted_at, fence, ..JobRow::accepted(job, self.accepted, now) });
        true
    }

    pub(crate) fn discard(&mut self, id: &JobId) -> bool {
        self.exhume(id).is_some()
    }

    pub(crate) fn sweep(&mut self, keep: Option<Duration>, most: Option<u64>, now: Duration) -> u64 {
        let mut swept = 0;
        while let Some((_, id)) = self.died.first_key_value() {
            let is_old = |dead: &&Buried| keep.is_some_and(|keep| now.saturating_sub(dead.job.died_at) > keep);
            let is_over = most.is_some_and(|most| u64::try_from(self.dead.len()).unwrap_or(u64::MAX) > most);
            if !is_over && self.dead.get(id).filter(is_old).is_none() {
                break;
            }
            let id = id.clone();
            self.exhume(&id);
            swept += 1;
        }
        swept
    }
}
