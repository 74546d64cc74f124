use std::fmt;
use std::sync::Arc;

use super::policy::ProbePolicy;
use super::probe::Probe;
use super::shared::{Changed, Shared};
use super::status::ProbeStatus;
use super::table::TargetState;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::health::check::{Check, Status};
use crate::machine::probe::track::TargetPhase;
use crate::machine::probe_state::ProbeState;
use crate::name::Name;
use crate::rt::time;

/// A target of a [`Prober`](super::Prober): shows its state, and changes its settings.
///
/// It is a [`Check`]: up while it is healthy, and also while it is disabled or removed, because then it is not probed
/// on purpose. It is down while it is unhealthy, and while its health is unknown: when it is starting or does not run.
///
/// # Clone
/// Costs two reference counts; all clones are the same target. Dropping them does not remove it.
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

    /// The name it was added with.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The state, read without a lock; disabled once the target is removed.
    #[must_use]
    pub fn state(&self) -> ProbeState {
        self.face.state()
    }

    /// Everything known about it at this moment. None once the target is removed.
    #[must_use]
    pub fn status(&self) -> Option<ProbeStatus> {
        let now = time::now();
        self.shared.with_table(|table| Some(ProbeStatus::new(&table.targets.get(&self.id)?.track, now)))
    }

    /// Gives the target another policy, or none, which disables it. A fresh window begins with a probe at once, and the
    /// probe under way is cancelled; the start period still counts from the start of the target. False if it was
    /// removed.
    pub fn set_policy(&self, policy: impl Into<Option<ProbePolicy>>) -> bool {
        let policy = policy.into();
        self.shared.change(self.id, |entry, now| {
            entry.policy = policy;
            Changed::set_rules(&mut entry.track, policy, now)
        })
    }

    /// Like [`set_policy`](Self::set_policy), with another probe as well.
    pub fn set_probe(&self, policy: impl Into<Option<ProbePolicy>>, probe: impl Probe) -> bool {
        let policy = policy.into();
        self.shared.change(self.id, |entry, now| {
            entry.policy = policy;
            let replaced = Some(std::mem::replace(&mut entry.probe, Arc::new(probe)));
            Changed { replaced, ..Changed::set_rules(&mut entry.track, policy, now) }
        })
    }

    /// Sets the phase of the target. A fresh window begins when it starts or stops running, and the start period when
    /// it starts. False if it was removed.
    pub fn set_phase(&self, phase: TargetPhase) -> bool {
        self.shared.change(self.id, |entry, now| {
            let (change, fresh) = entry.track.set_phase(phase, now);
            Changed { change, fresh, replaced: None }
        })
    }

    /// Says that the target was restarted: a fresh window and its start period begin, with a probe at once, and the
    /// probe under way is cancelled. False if it was removed.
    pub fn restart(&self) -> bool {
        self.shared.change(self.id, |entry, now| {
            let change = entry.track.restart(now);
            Changed { change, fresh: true, replaced: None }
        })
    }

    /// Lets this target drive a circuit breaker until the target is removed:
    ///
    /// - While it is unhealthy it [holds the circuit open](CircuitBreaker::hold_open). When it is healthy again it
    ///   closes the circuit at once: no call has to probe.
    /// - If calls have opened the circuit, the target's next probe takes it over: from then on no call becomes a
    ///   half-open probe, and the first success at or after the end of the open time closes the circuit. At that point
    ///   a probe is due at once, however long the interval. If interval and timeout together are shorter than the open
    ///   time, no call ever has to probe.
    /// - If the open time is already over or the circuit is half-open, the next probe is the half-open probe.
    ///
    /// A circuit that was forced stays as it is. A [reset](CircuitBreaker::reset) closes it until the next probe finds
    /// the target still unhealthy. While the target is not probed, because it is disabled, does not run, or the prober
    /// has stopped, the circuit breaker is on its own. Calling this twice has no further effect. False if the target
    /// was removed.
    pub fn drive(&self, circuit_breaker: &CircuitBreaker) -> bool {
        self.shared.driver(self.id, circuit_breaker)
    }

    /// Removes the target, cancels the probe under way, and leaves its circuit breakers on their own. False if it was
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
