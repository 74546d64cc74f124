use std::fmt;
use std::sync::Arc;

use super::policy::ProbePolicy;
use super::probe::Probe;
use super::shared::{Changed, Shared};
use super::status::ProbeStatus;
use super::table::TargetState;
use crate::circuit_breaker::CircuitBreaker;
use crate::health::{Check, Status};
use crate::machine::probe::track::{ProbeState, TargetPhase};
use crate::name::Name;
use crate::rt::time;

/// A target of a [`Prober`](super::Prober): what is known of it, and what may be changed.
///
/// It is a [`Check`]: up while it is healthy, and while it is disabled or was removed, for then nobody asks how it is. It
/// is down while it is unhealthy, and as long as nobody knows: while it starts or does not run.
///
/// # Clone
/// Costs two reference counts; all clones are the same target's. Dropping them does not remove it.
#[derive(Clone)]
pub struct Target {
    shared: Arc<Shared>,
    id: u64,
    name: Name,
    face: Arc<TargetState>,
}

impl Target {
    pub(super) fn new(shared: Arc<Shared>, id: u64, name: Name, face: Arc<TargetState>) -> Target {
        Target { shared, id, name, face }
    }

    /// The name that it was added with.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The state, without a lock; disabled once the target was removed.
    #[must_use]
    pub fn state(&self) -> ProbeState {
        self.face.state()
    }

    /// Everything that is known, as of one moment. None once the target was removed.
    #[must_use]
    pub fn status(&self) -> Option<ProbeStatus> {
        let now = time::now();
        self.shared.with_table(|table| Some(ProbeStatus::new(&table.targets.get(&self.id)?.track, now)))
    }

    /// Gives the target another policy, or none, which disables it. A fresh window begins, with a probe at once, and what
    /// is under way is given up; the start period still counts from the start of the target. False if it was removed.
    pub fn set_policy(&self, policy: impl Into<Option<ProbePolicy>>) -> bool {
        let policy = policy.into();
        self.shared.change(self.id, |entry, now| {
            entry.policy = policy;
            Changed::set_rules(&mut entry.track, policy, now)
        })
    }

    /// As [`set_policy`](Self::set_policy), with another probe, too.
    pub fn set_probe(&self, policy: impl Into<Option<ProbePolicy>>, probe: impl Probe) -> bool {
        let policy = policy.into();
        self.shared.change(self.id, |entry, now| {
            entry.policy = policy;
            let replaced = Some(std::mem::replace(&mut entry.probe, Arc::new(probe)));
            Changed { replaced, ..Changed::set_rules(&mut entry.track, policy, now) }
        })
    }

    /// Says where the target is in its life. A fresh window begins when it begins or ceases to run, and the start period
    /// when it begins. False if it was removed.
    pub fn set_phase(&self, phase: TargetPhase) -> bool {
        self.shared.change(self.id, |entry, now| {
            let (change, fresh) = entry.track.set_phase(phase, now);
            Changed { change, fresh, replaced: None }
        })
    }

    /// Says that the target was started anew: a fresh window and its start period begin, with a probe at once, and what is
    /// under way is given up. False if it was removed.
    pub fn restart(&self) -> bool {
        self.shared.change(self.id, |entry, now| {
            let change = entry.track.restart(now);
            Changed { change, fresh: true, replaced: None }
        })
    }

    /// Lets this target drive a circuit, until it is removed:
    ///
    /// - While it is unhealthy it [holds the circuit open](CircuitBreaker::hold_open). When it is healthy again it closes the
    ///   circuit at once: no call has to try.
    /// - Where calls have opened the circuit, its next probe takes the circuit over: from then on no call becomes a
    ///   half-open probe, and the first success at or after the end of the open time closes it. At that end a probe is
    ///   due at once, however long the interval. Where interval and timeout together are shorter than the open time, no
    ///   call ever has to be the one that tries.
    /// - Where the open time is over already or the circuit is half-open, the next probe is the half-open probe.
    ///
    /// A circuit that was forced stays as it is. A [reset](CircuitBreaker::reset) closes it until the next probe finds the target
    /// unhealthy still. While the target is not probed, because it is disabled or does not run or the prober has stopped,
    /// the circuit is left to itself. Saying it twice is saying it once. False if the target was removed.
    pub fn drive(&self, circuit_breaker: &CircuitBreaker) -> bool {
        self.shared.driver(self.id, circuit_breaker)
    }

    /// Removes the target, gives up the probe that is under way, and leaves its circuits to themselves. False if it was
    /// removed already.
    pub fn remove(&self) -> bool {
        self.shared.remove(self.id)
    }

    fn reason(&self) -> Name {
        let error = self.status().and_then(|status| status.last_error);
        let state = match self.state() {
            ProbeState::Unknown => "not running",
            state => state.as_str(),
        };
        Name::from(match error {
            Some(error) => format!("{} is {state}: {error}", self.name),
            None => format!("{} is {state}", self.name),
        })
    }
}

impl Check for Target {
    fn status(&self) -> Status {
        match self.state() {
            ProbeState::Healthy | ProbeState::Disabled => Status::Up,
            ProbeState::Unknown | ProbeState::Starting | ProbeState::Unhealthy => Status::Down(self.reason()),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).field("state", &self.state()).finish_non_exhaustive()
    }
}
