use std::sync::Arc;
use std::time::Duration;

use arcstr::literal;

use super::attempt::{CheckAttempt, Job, Maker};
use crate::health::check::Status;
use crate::machine::lifecycle::streak::{Streak, Thresholds};
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::time;

#[derive(Clone, Copy, Debug)]
pub(super) struct CheckSettings {
    pub(super) timeout: Duration,
    pub(super) min_interval: Duration,
    pub(super) max_age: Duration,
    pub(super) thresholds: Thresholds,
}

impl Default for CheckSettings {
    fn default() -> CheckSettings {
        CheckSettings {
            timeout: Duration::from_millis(500),
            min_interval: Duration::ZERO,
            max_age: Duration::from_secs(60),
            thresholds: Thresholds { failures: 1, successes: 1 },
        }
    }
}

/// What all clones of an asynchronous check share.
pub(super) struct Shared {
    pub(super) make: Maker,
    pub(super) settings: CheckSettings,
    /// After a failed run, how long the failure counts; 0 while the check is up.
    down_until: AtomicU64,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    /// The run in progress, and how many wait for it.
    attempt: Option<Arc<CheckAttempt>>,
    waiters: usize,
    streak: Streak,
    /// Why the check is down, while it is.
    reason: Option<Name>,
    /// The last result, and until when it is kept.
    kept: Option<(Status, Timestamp)>,
}

/// What is left to do after a waiter has gone.
pub(super) enum Leave {
    Nothing,
    /// No waiter is left: this is to be dropped.
    Last(Box<Job>),
}

/// How a caller gets its result.
pub(super) enum JoinAnswer {
    Kept(Status),
    Waits(Arc<CheckAttempt>),
    /// The caller is the run itself, which has to time out.
    Inside,
}

impl Shared {
    pub(super) fn new(make: Maker, settings: CheckSettings) -> Shared {
        Shared { make, settings, down_until: AtomicU64::new(0), present: Mutex::new(Present::default()) }
    }

    /// What the last run said.
    #[inline]
    pub(super) fn last(&self) -> Status {
        match self.down_until.load(Ordering::Acquire) {
            0 => Status::Up,
            until => last_failed(Timestamp::from_nanos(until)),
        }
    }

    pub(super) fn join(&self) -> JoinAnswer {
        let now = (!self.settings.min_interval.is_zero()).then(time::now);
        let mut present = self.present.lock();
        if let (Some(now), Some((status, until))) = (now, &present.kept) {
            if now < *until {
                return JoinAnswer::Kept(status.clone());
            }
        }
        let attempt = Arc::clone(present.attempt.get_or_insert_with(|| Arc::new(CheckAttempt::new())));
        if attempt.is_around() {
            return JoinAnswer::Inside;
        }
        present.waiters += 1;
        JoinAnswer::Waits(attempt)
    }

    /// A waiter of `attempt` has gone.
    pub(super) fn leave(&self, attempt: &Arc<CheckAttempt>) -> Leave {
        let mut present = self.present.lock();
        if !present.attempt.as_ref().is_some_and(|known| Arc::ptr_eq(known, attempt)) {
            // The run has ended already.
            return Leave::Nothing;
        }
        present.waiters -= 1;
        // The attempt stays in place until its work is dropped, so that no other run begins before that.
        let job = if present.waiters == 0 { attempt.take() } else { None };
        job.map_or(Leave::Nothing, Leave::Last)
    }

    /// The work of `attempt` is dropped. If waiters have come meanwhile, it starts over for them.
    pub(super) fn dropped(&self, attempt: &CheckAttempt) {
        let mut present = self.present.lock();
        if present.waiters == 0 {
            present.attempt = None;
        } else {
            attempt.restart();
        }
    }

    /// The run in progress has ended with `status`, so the next caller begins another one. Returns what the check now
    /// says.
    pub(super) fn ended(&self, status: Status) -> Status {
        let now = time::now();
        let CheckSettings { min_interval, max_age, thresholds, .. } = self.settings;
        let mut present = self.present.lock();
        let status = match (present.streak.settle(status.is_up(), thresholds), status) {
            (true, _) => Status::Up,
            (false, Status::Down(reason)) => Status::Down(reason),
            // Not enough successes yet.
            (false, Status::Up) => present.reason.clone().map_or(Status::Up, Status::Down),
        };
        let down_until = match status {
            Status::Up => 0,
            // The lowest timestamp is reserved for "up".
            Status::Down(_) => now.after(max_age).as_nanos().max(1),
        };
        self.down_until.store(down_until, Ordering::Release);
        present.attempt = None;
        present.waiters = 0;
        // Needed only where one success is not enough.
        present.reason = status.reason().filter(|_| thresholds.successes > 1).cloned();
        present.kept = (!min_interval.is_zero()).then(|| (status.clone(), now.after(min_interval)));
        status
    }
}

#[cold]
fn last_failed(until: Timestamp) -> Status {
    if time::now() < until { Status::Down(Name::literal(literal!("the last run failed"))) } else { Status::Up }
}
