use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::task::Waker;

use tokio::task::AbortHandle;

use super::driver::{CircuitDriver, identity};
use super::kind::PROBE;
use super::policy::ProbePolicy;
use super::probe::AnyProbe;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::error::ConfigError;
use crate::machine::probe::schedule::ProbeSchedule;
use crate::machine::probe::track::{Change, Track};
use crate::machine::probe_state::ProbeState;
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::rt::sync::{AtomicU64, Ordering};

/// All targets and when they are probed: the state behind a prober's lock.
pub(super) struct TargetTable {
    pub(super) targets: BTreeMap<u64, TargetEntry>,
    names: HashMap<Name, u64>,
    pub(super) schedule: ProbeSchedule,
    /// The targets with something under way, including removed targets and what cancelled probes left running.
    pub(super) under_way: BTreeMap<u64, Name>,
    /// Whether the prober runs: without a run, nothing would ever release a circuit.
    pub(super) running: bool,
    /// Targets with a circuit breaker whose state may have changed.
    pub(super) turned: BTreeSet<u64>,
    last_id: u64,
    sequence: u64,
}

pub(super) struct TargetEntry {
    pub(super) name: Name,
    pub(super) policy: Option<ProbePolicy>,
    pub(super) probe: Arc<dyn AnyProbe>,
    pub(super) track: Track,
    pub(super) face: Arc<TargetState>,
    /// The circuit breakers; away while they are being notified.
    pub(super) links: Vec<CircuitDriver>,
    /// All circuit breakers that it drives, including those that are away.
    pub(super) drives: BTreeSet<usize>,
    /// The probe under way whose result will count.
    pub(super) flight: Option<InFlightProbe>,
}

pub(super) struct InFlightProbe {
    pub(super) window: u64,
    pub(super) began: Timestamp,
    /// None until it has been started.
    pub(super) task: Option<AbortHandle>,
}

/// The state of a target, readable without the lock.
#[derive(Debug)]
pub(super) struct TargetState(AtomicU64);

impl TargetState {
    fn new(state: ProbeState) -> TargetState {
        TargetState(AtomicU64::new(bits(state)))
    }

    pub(super) fn state(&self) -> ProbeState {
        from_bits(self.0.load(Ordering::Acquire))
    }

    fn show(&self, state: ProbeState) {
        self.0.store(bits(state), Ordering::Release);
    }
}

const fn bits(state: ProbeState) -> u64 {
    match state {
        ProbeState::Disabled => 0,
        ProbeState::Unknown => 1,
        ProbeState::Starting => 2,
        ProbeState::Healthy => 3,
        ProbeState::Unhealthy => 4,
    }
}

fn from_bits(bits: u64) -> ProbeState {
    match bits {
        1 => ProbeState::Unknown,
        2 => ProbeState::Starting,
        3 => ProbeState::Healthy,
        4 => ProbeState::Unhealthy,
        _ => ProbeState::Disabled,
    }
}

/// A target's change of state, to be reported outside the lock.
pub(super) struct TargetNews {
    pub(super) name: Name,
    pub(super) change: Change,
    pub(super) sequence: u64,
    pub(super) successes: u32,
    pub(super) failures: u32,
    pub(super) error: Option<Arc<str>>,
}

impl TargetTable {
    pub(super) fn new(most: usize) -> TargetTable {
        TargetTable {
            targets: BTreeMap::new(),
            names: HashMap::new(),
            schedule: ProbeSchedule::new(most),
            under_way: BTreeMap::new(),
            running: false,
            turned: BTreeSet::new(),
            last_id: 0,
            sequence: 0,
        }
    }

    pub(super) fn id(&self, name: &str) -> Option<u64> {
        self.names.get(name).copied()
    }

    /// Lets a target drive a circuit breaker, which it may do already. Returns whether the target is probed and
    /// unhealthy, and the driver, which has to be put back, or none if it is away. None if there is no such target.
    pub(super) fn driver(
        &mut self,
        id: u64,
        circuit_breaker: &CircuitBreaker,
        waker: Waker,
    ) -> Option<(bool, Option<CircuitDriver>)> {
        let entry = self.targets.get_mut(&id)?;
        let driver = if entry.drives.insert(identity(circuit_breaker)) {
            self.turned.insert(id);
            Some(CircuitDriver::new(circuit_breaker.clone(), waker))
        } else {
            let known = entry.links.iter().position(|driver| driver.drives(circuit_breaker));
            known.map(|place| entry.links.remove(place))
        };
        Some((self.running && entry.track.state() == ProbeState::Unhealthy, driver))
    }

    pub(super) fn add(
        &mut self,
        name: Name,
        policy: Option<ProbePolicy>,
        probe: Arc<dyn AnyProbe>,
        now: Timestamp,
    ) -> Result<(u64, Arc<TargetState>), ConfigError> {
        if self.names.contains_key(&name) {
            return Err(PROBE.refuse("name", &name, "must not be the name of another target"));
        }
        self.last_id += 1;
        let track = Track::new(policy.map(|policy| policy.rules()), now);
        let face = Arc::new(TargetState::new(track.state()));
        let entry = TargetEntry {
            name: name.clone(),
            policy,
            probe,
            track,
            face: face.clone(),
            links: Vec::new(),
            drives: BTreeSet::new(),
            flight: None,
        };
        self.names.insert(name, self.last_id);
        self.targets.insert(self.last_id, entry);
        Ok((self.last_id, face))
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<TargetEntry> {
        let entry = self.targets.remove(&id)?;
        self.names.remove(&entry.name);
        self.schedule.remove(id);
        self.turned.remove(&id);
        entry.face.show(ProbeState::Disabled);
        Some(entry)
    }

    /// Makes a change of state visible.
    pub(super) fn publish(&mut self, id: u64, change: Option<Change>) -> Option<TargetNews> {
        let (entry, change) = (self.targets.get(&id)?, change?);
        entry.face.show(change.to);
        self.sequence += 1;
        let findings = entry.track.findings();
        Some(TargetNews {
            name: entry.name.clone(),
            change,
            sequence: self.sequence,
            successes: findings.successes,
            failures: findings.failures,
            error: findings.error.clone(),
        })
    }
}
