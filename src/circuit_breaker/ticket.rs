use std::time::Duration;

use super::packed_state::PackedState;
use crate::admission::{HeldFlag, HeldTicket};
use crate::error::RetryAfter;
use crate::machine::timestamp::Timestamp;
use crate::rt::time;

/// What an admitted call holds, as a plain value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(super) generation: u64,
    /// When the call started; never, if its duration matters to no one.
    pub(super) started: Timestamp,
    /// 0 for a call that is not a probe.
    pub(super) probe: u32,
    /// Whether the circuit breaker is still to be told how the call went.
    pub(super) held: HeldFlag,
}

/// For a call that no circuit breaker admitted.
impl Default for Ticket {
    #[inline]
    fn default() -> Ticket {
        Ticket { generation: 0, started: Timestamp::NEVER, probe: 0, held: HeldFlag::default() }
    }
}

impl Ticket {
    /// For a call under a word that lets every call pass.
    #[inline]
    pub(super) fn new(word: PackedState) -> Ticket {
        let started = if word.measures() { time::now() } else { Timestamp::NEVER };
        Ticket { generation: word.generation(), started, probe: 0, held: HeldFlag::YES }
    }

    #[inline(always)]
    pub(crate) fn is_held(&self) -> bool {
        self.held.is()
    }

    /// The call has a deadline, so that its duration matters. A reading of its own is better than one that is shared
    /// within a poll, which may be of some time ago.
    pub(crate) fn start(&mut self, now: Timestamp) {
        if !self.is_timed() {
            self.started = now;
        }
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.probe != 0
    }

    /// Whether the call's duration matters to anyone.
    pub(crate) fn is_timed(&self) -> bool {
        self.started != Timestamp::NEVER
    }

    /// Times the call from now on, if it is not timed yet.
    pub(crate) fn start_clock(&mut self) {
        if !self.is_timed() {
            self.start(time::now());
        }
    }
}

impl HeldTicket for Ticket {
    #[inline(always)]
    fn held(&mut self) -> &mut HeldFlag {
        &mut self.held
    }
}

/// A rejection that has no name yet. A single integer, so that it travels in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The open time left, in nanoseconds, or the highest number if it is unknown.
    pub(super) left: u64,
}

impl Refusal {
    pub(super) const WITHOUT_TIME: Refusal = Refusal { left: u64::MAX };

    pub(super) fn new(retry_after: Option<Duration>) -> Refusal {
        let left = retry_after.and_then(|left| u64::try_from(left.as_nanos()).ok());
        left.map_or(Refusal::WITHOUT_TIME, |left| Refusal { left })
    }

    #[inline]
    pub(super) fn retry_after(self) -> Option<Duration> {
        (self.left != u64::MAX).then(|| Duration::from_nanos(self.left))
    }
}

/// The highest number is more than 49 days, which is unknown, too.
impl From<Refusal> for RetryAfter {
    #[inline]
    fn from(refusal: Refusal) -> RetryAfter {
        RetryAfter::from_nanos(refusal.left)
    }
}
