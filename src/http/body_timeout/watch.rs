use std::num::NonZeroU64;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::error::{DeadlineStage, Rejected};
use crate::machine::timestamp::Timestamp;
use crate::rt::time;
use crate::rt::time::Alarm;
use crate::timeout::{Limit, TimeoutNotifier};

/// In nanoseconds, because each service of a policy has room for them, whether it has limits or not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    idle: Option<NonZeroU64>,
    total: Option<NonZeroU64>,
    /// Whether the call's deadline ends the body, too.
    pub(super) deadline: bool,
}

impl Limits {
    /// A duration that the clock cannot represent means no limit. Zero has been refused.
    pub(super) fn new(idle: Option<Duration>, total: Option<Duration>, deadline: bool) -> Limits {
        let nanos = |limit: Option<Duration>| NonZeroU64::new(u64::try_from(limit?.as_nanos()).ok()?);
        Limits { idle: nanos(idle), total: nanos(total), deadline }
    }
}

fn duration(nanos: NonZeroU64) -> Duration {
    Duration::from_nanos(nanos.get())
}

/// The timer of one body.
#[derive(Debug)]
pub(super) struct BodyWatch {
    idle: Option<Duration>,
    total: Option<Total>,
    deadline: Timestamp,
    /// What the alarm is set for, while a reader waits for a frame.
    waiting: Option<Over>,
    /// It stays set once the frame has come. At worst it wakes a task for nothing, and setting it again takes no lock.
    alarm: Alarm,
    notifier: TimeoutNotifier,
}

#[derive(Clone, Copy, Debug)]
struct Total {
    after: Duration,
    ends: Timestamp,
}

/// A limit that is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Over {
    Time { limit: Limit, after: Duration },
    Deadline,
}

enum Begun {
    Waiting(Over),
    Over(Over),
    Endless,
}

impl From<Total> for Over {
    fn from(total: Total) -> Over {
        Over::Time { limit: Limit::BodyTotal, after: total.after }
    }
}

impl BodyWatch {
    /// The total time begins now. Without a deadline, that is never.
    pub(super) fn new(limits: Limits, deadline: Timestamp, notifier: TimeoutNotifier) -> BodyWatch {
        let (idle, total) = (limits.idle.map(duration), limits.total.map(duration));
        let total = total.map(|after| Total { after, ends: time::now().after(after) });
        let total = total.filter(|total| total.ends != Timestamp::NEVER);
        BodyWatch { idle, total, deadline, waiting: None, alarm: Alarm::default(), notifier }
    }

    pub(super) fn without_limits() -> BodyWatch {
        BodyWatch::new(Limits::default(), Timestamp::NEVER, TimeoutNotifier::default())
    }

    /// A reader waits for a frame. Ready when that takes too long.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        let over = match self.waiting {
            Some(over) => over,
            None => match self.begin_waiting() {
                Begun::Waiting(over) => over,
                Begun::Over(over) => return Poll::Ready(over),
                Begun::Endless => return Poll::Pending,
            },
        };
        self.alarm.poll(cx).map(|()| over)
    }

    /// Sets the alarm for the limit that ends first.
    fn begin_waiting(&mut self) -> Begun {
        if self.idle.is_none() && self.total.is_none() && self.deadline == Timestamp::NEVER {
            return Begun::Endless;
        }
        let now = time::now();
        let idle = self.idle.map(|after| (Over::Time { limit: Limit::BodyIdle, after }, now.after(after)));
        let total = self.total.map(|total| (Over::from(total), total.ends));
        let deadline = (self.deadline != Timestamp::NEVER).then_some((Over::Deadline, self.deadline));
        // Of two that end together the first counts: a body that had all the time it was promised has timed out.
        let first = [total, idle, deadline].into_iter().flatten().min_by_key(|(_, ends)| *ends);
        match first {
            None => Begun::Endless,
            // A timer would round it up to a millisecond.
            Some((over, ends)) if ends <= now => Begun::Over(over),
            Some((over, ends)) => {
                self.alarm.set(ends);
                self.waiting = Some(over);
                Begun::Waiting(over)
            }
        }
    }

    /// A frame came.
    #[inline]
    pub(super) fn stop_waiting(&mut self) {
        self.waiting = None;
    }

    /// The total limit, if it is over.
    #[inline]
    pub(super) fn total_over(&self) -> Option<Over> {
        self.total.filter(|total| total.ends <= time::now()).map(Over::from)
    }

    /// The body has ended: there will be no more waiting.
    pub(super) fn end(&mut self) {
        (self.idle, self.total, self.deadline, self.waiting) = (None, None, Timestamp::NEVER, None);
        self.alarm = Alarm::default();
    }

    /// The body is cut off: notifies the observer, and returns the error.
    pub(super) fn give_up(&mut self, over: Over) -> Rejected {
        let deadline = self.deadline;
        self.end();
        match over {
            Over::Time { limit, after } => self.notifier.timed_out(limit, after),
            Over::Deadline => self.notifier.deadline_exceeded(DeadlineStage::Body, time::now().since(deadline)),
        }
    }
}
