use std::task::Waker;

use crate::circuit_breaker::handle::CircuitBreaker;
use crate::circuit_breaker::{OpenGuard, Permit};
use crate::machine::circuit_breaker::notice::State;
use crate::machine::probe_state::ProbeState;
use crate::machine::timestamp::Timestamp;
use crate::machine::verdict::Verdict;

/// A circuit breaker that a target drives. Nothing here runs under a lock, because the circuit breaker notifies its
/// observer, which may call anything.
pub(super) struct CircuitDriver {
    circuit_breaker: CircuitBreaker,
    hold: Option<OpenGuard>,
    /// The end of the circuit's own open time, which a healthy target does not cut short: the calls that opened it know
    /// better.
    not_before: Timestamp,
    /// Whether it is held because the target is unhealthy, rather than only taken over from its open time.
    sick: bool,
    /// The half-open probe that the probe under way stands in for.
    permit: Option<Permit>,
    /// Lets the target know when the circuit's state changes.
    waker: Waker,
    /// The id of `waker` among those that the circuit breaker wakes.
    place: u64,
    /// The end of an open time that began after the last probe did.
    over: Timestamp,
    /// The generation in which a probe that stood in for the circuit's own last opened it.
    own: Option<u64>,
}

impl CircuitDriver {
    pub(super) fn new(circuit_breaker: CircuitBreaker, waker: Waker) -> CircuitDriver {
        let (not_before, over) = (Timestamp::NEVER, Timestamp::NEVER);
        CircuitDriver {
            circuit_breaker,
            hold: None,
            not_before,
            sick: false,
            permit: None,
            waker,
            place: 0,
            over,
            own: None,
        }
    }

    pub(super) fn drives(&self, circuit_breaker: &CircuitBreaker) -> bool {
        identity(&self.circuit_breaker) == identity(circuit_breaker)
    }

    /// The circuit's state may have changed.
    pub(super) fn notice(&mut self, now: Timestamp) {
        // Registered before the state is read, so that a change in between is not missed.
        self.circuit_breaker.shared().watch(&mut self.place, &self.waker);
        let snapshot = self.circuit_breaker.snapshot();
        let left = snapshot.retry_after.filter(|_| snapshot.state == State::Open);
        // If the failure of a probe opened the circuit, it waits for the next probe.
        let left = left.filter(|_| self.own != Some(snapshot.generation));
        self.over = left.map_or(Timestamp::NEVER, |left| now.after(left));
    }

    /// A probe is about to begin.
    pub(super) fn begins(&mut self, now: Timestamp) {
        self.over = Timestamp::NEVER;
        self.hand_back();
        if self.holds() || self.circuit_breaker.state() == State::Closed {
            return;
        }
        self.permit = self.circuit_breaker.try_probe();
        if self.permit.is_none() {
            self.take_over(now);
        }
    }

    /// Holds an open circuit whose time is not over, so that no call becomes the probe when it is.
    fn take_over(&mut self, now: Timestamp) {
        let snapshot = self.circuit_breaker.snapshot();
        if let (State::Open, Some(left)) = (snapshot.state, snapshot.retry_after) {
            // It may have been reset or closed since the snapshot.
            self.hold = self.circuit_breaker.hold_open_if_still(snapshot.generation);
            self.not_before = now.after(left);
            self.sick = false;
        }
    }

    /// A probe ended and left its target in `state`.
    pub(super) fn ended(&mut self, well: bool, state: ProbeState, now: Timestamp) {
        if let Some(permit) = self.permit.take() {
            permit.settle(match (well, state) {
                (false, _) => Verdict::Failure,
                // One of several successes needed.
                (true, ProbeState::Unhealthy) => Verdict::Ignored,
                (true, _) => Verdict::Success,
            });
            self.own = Some(self.circuit_breaker.snapshot().generation);
        }
        self.turned(well, state, now);
    }

    /// The target is in `state`; `well` says whether its last probe succeeded.
    pub(super) fn turned(&mut self, well: bool, state: ProbeState, now: Timestamp) {
        let over = match state {
            ProbeState::Unhealthy => return self.hold(now),
            ProbeState::Healthy => true,
            // The target's state is still open. One success overrules what the calls found, as it does for a permit.
            ProbeState::Starting => !self.sick,
            ProbeState::Disabled | ProbeState::Unknown => false,
        };
        if well && over && now >= self.not_before {
            if let Some(hold) = self.hold.take() {
                hold.close();
            }
        }
    }

    /// Holds the circuit open. From here on only the target decides for how long.
    pub(super) fn hold(&mut self, now: Timestamp) {
        self.not_before = now;
        self.sick = true;
        if !self.holds() {
            self.hold = self.circuit_breaker.hold_open();
        }
    }

    /// When a probe is due because an open time ends: that of a circuit that was taken over, if it is still ahead, or
    /// one during which no probe has begun.
    pub(super) fn due(&self, now: Timestamp) -> Timestamp {
        let held = self.hold.is_some() && self.not_before > now;
        if held { self.not_before } else { self.over }
    }

    fn holds(&self) -> bool {
        self.hold.as_ref().is_some_and(OpenGuard::is_in_force)
    }

    /// Whether the probe under way stands in for the circuit's half-open probe.
    pub(super) fn stands_in(&self) -> bool {
        self.permit.is_some()
    }

    /// Whether the circuit is waiting for this target.
    pub(super) fn takes_part(&self) -> bool {
        self.hold.is_some() || self.permit.is_some()
    }

    /// The probe under way no longer counts.
    pub(super) fn hand_back(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.settle(Verdict::Ignored);
        }
    }

    /// The target is no longer probed: the circuit breaker is on its own again.
    pub(super) fn let_go(&mut self) {
        self.hand_back();
        self.hold = None;
    }
}

impl Drop for CircuitDriver {
    fn drop(&mut self) {
        self.circuit_breaker.shared().forget_watcher(self.place);
        self.let_go();
    }
}

/// A number that no other circuit breaker has while there is a handle to this one.
pub(super) fn identity(circuit_breaker: &CircuitBreaker) -> usize {
    std::ptr::from_ref(circuit_breaker.shared()).addr()
}
