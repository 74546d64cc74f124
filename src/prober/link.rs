use crate::circuit::Hold;
use crate::machine::moment::Moment;
use crate::machine::probe::track::ProbeState;
use crate::{Circuit, Permit, State, Verdict};

/// A circuit that a target drives. Nothing in here runs under a lock: the circuit tells its observer, who may ask for
/// anything.
pub(super) struct Link {
    circuit: Circuit,
    hold: Option<Hold>,
    /// The circuit's own open time, which a healthy target does not cut short: the calls that opened it know better.
    not_before: Moment,
    /// Whether it is held because the target was found unhealthy, and not only taken over from its open time.
    sick: bool,
    /// The half-open probe that the probe under way stands for.
    permit: Option<Permit>,
}

impl Link {
    pub(super) fn new(circuit: Circuit) -> Link {
        Link { circuit, hold: None, not_before: Moment::NEVER, sick: false, permit: None }
    }

    pub(super) fn drives(&self, circuit: &Circuit) -> bool {
        self.circuit.id() == circuit.id()
    }

    /// A probe is about to begin.
    pub(super) fn begins(&mut self, now: Moment) {
        self.hand_back();
        if self.holds() || self.circuit.state() == State::Closed {
            return;
        }
        self.permit = self.circuit.try_probe();
        if self.permit.is_none() {
            self.take_over(now);
        }
    }

    /// An open circuit whose time is not over is held from now on, so that no call becomes the probe when it is.
    fn take_over(&mut self, now: Moment) {
        let snapshot = self.circuit.snapshot();
        if let (State::Open, Some(left)) = (snapshot.state, snapshot.retry_after) {
            // It may have been reset or closed since it was looked at.
            self.hold = self.circuit.hold_open_if_still(snapshot.generation);
            self.not_before = now.after(left);
            self.sick = false;
        }
    }

    /// A probe ended, which left its target in `state`.
    pub(super) fn ended(&mut self, well: bool, state: ProbeState, now: Moment) {
        if let Some(permit) = self.permit.take() {
            permit.settle(match (well, state) {
                (false, _) => Verdict::Failure,
                // One success of several that are needed.
                (true, ProbeState::Unhealthy) => Verdict::Ignored,
                (true, _) => Verdict::Success,
            });
        }
        self.turned(well, state, now);
    }

    /// The target is in `state`, and its last probe went `well` or not.
    pub(super) fn turned(&mut self, well: bool, state: ProbeState, now: Moment) {
        let over = match state {
            ProbeState::Unhealthy => return self.hold(now),
            ProbeState::Healthy => true,
            // Nothing is said of it yet. For what calls found out one success is enough, as it is for a permit.
            ProbeState::Starting => !self.sick,
            ProbeState::Disabled | ProbeState::Unknown => false,
        };
        if well && over && now >= self.not_before {
            if let Some(hold) = self.hold.take() {
                hold.close();
            }
        }
    }

    /// Holds the circuit open. From now on only the target says for how long.
    pub(super) fn hold(&mut self, now: Moment) {
        self.not_before = now;
        self.sick = true;
        if !self.holds() {
            self.hold = self.circuit.hold_open();
        }
    }

    /// When the open time is over of a circuit that was taken over, if that is still to come.
    pub(super) fn open_until(&self, now: Moment) -> Option<Moment> {
        (self.hold.is_some() && self.not_before > now).then_some(self.not_before)
    }

    fn holds(&self) -> bool {
        self.hold.as_ref().is_some_and(Hold::is_in_force)
    }

    /// Whether the probe under way is the circuit's half-open probe.
    pub(super) fn stands_in(&self) -> bool {
        self.permit.is_some()
    }

    /// Whether the circuit waits for this target.
    pub(super) fn takes_part(&self) -> bool {
        self.hold.is_some() || self.permit.is_some()
    }

    /// The probe that was under way says nothing any more.
    pub(super) fn hand_back(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.settle(Verdict::Ignored);
        }
    }

    /// Nobody probes the target any more: the circuit is left to itself.
    pub(super) fn let_go(&mut self) {
        self.hand_back();
        self.hold = None;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.let_go();
    }
}
