use std::sync::Arc;
use std::time::Duration;

use super::attempt::{Attempt, Maker};
use crate::health::Status;
use crate::machine::moment::Moment;
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::{Name, time};

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) timeout: Duration,
    pub(super) min_interval: Duration,
    pub(super) max_age: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { timeout: Duration::from_millis(500), min_interval: Duration::ZERO, max_age: Duration::from_secs(60) }
    }
}

/// What all clones of an asynchronous check share.
pub(super) struct Shared {
    pub(super) make: Maker,
    pub(super) settings: Settings,
    /// After a run that failed, the moment until which that counts; 0 while there is nothing against it.
    down_until: AtomicU64,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    /// The run that is going on, and for how many.
    attempt: Option<Arc<Attempt>>,
    waiters: usize,
    /// The last result, and until when it is kept.
    kept: Option<(Status, Moment)>,
}

/// How somebody comes to a result.
pub(super) enum Join {
    Kept(Status),
    Waits(Arc<Attempt>),
}

impl Shared {
    pub(super) fn new(make: Maker, settings: Settings) -> Shared {
        Shared { make, settings, down_until: AtomicU64::new(0), present: Mutex::new(Present::default()) }
    }

    /// What the last run said.
    #[inline]
    pub(super) fn last(&self) -> Status {
        match self.down_until.load(Ordering::Acquire) {
            0 => Status::Up,
            until => last_failed(Moment::from_nanos(until)),
        }
    }

    pub(super) fn join(&self) -> Join {
        let now = (!self.settings.min_interval.is_zero()).then(time::now);
        let mut present = self.present.lock();
        if let (Some(now), Some((status, until))) = (now, &present.kept) {
            if now < *until {
                return Join::Kept(status.clone());
            }
        }
        present.waiters += 1;
        Join::Waits(Arc::clone(present.attempt.get_or_insert_with(|| Arc::new(Attempt::new()))))
    }

    /// One who waited for `attempt` does not wait any more. True if nobody does, and it has to be abandoned.
    pub(super) fn leave(&self, attempt: &Arc<Attempt>) -> bool {
        let mut present = self.present.lock();
        if !present.attempt.as_ref().is_some_and(|known| Arc::ptr_eq(known, attempt)) {
            // It has ended.
            return false;
        }
        present.waiters -= 1;
        if present.waiters > 0 {
            return false;
        }
        present.attempt = None;
        true
    }

    /// The run that is going on has ended: who comes now begins another one.
    pub(super) fn ended(&self, status: &Status) {
        let now = time::now();
        let down_until = match status {
            Status::Up => 0,
            // The lowest moment stands for nothing else.
            Status::Down(_) => now.after(self.settings.max_age).as_nanos().max(1),
        };
        let mut present = self.present.lock();
        self.down_until.store(down_until, Ordering::Release);
        present.attempt = None;
        present.waiters = 0;
        let kept =
            (!self.settings.min_interval.is_zero()).then(|| (status.clone(), now.after(self.settings.min_interval)));
        let _dropped_outside = std::mem::replace(&mut present.kept, kept);
        drop(present);
    }
}

#[cold]
fn last_failed(until: Moment) -> Status {
    if time::now() < until { Status::Down(Name::from("the last run failed")) } else { Status::Up }
}
