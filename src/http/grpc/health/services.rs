use std::collections::HashMap;
use std::sync::Arc;

use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::health::RunChecks;
use crate::health::handle::Health;
use crate::machine::lifecycle::phase::Phase;
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::rt::sync::{AtomicU64, Mutex, Ordering};

/// What all clones of a health service share: the services that have a name, what their checks said last, and how many
/// watch them.
pub(super) struct Services {
    pub(super) health: Health,
    /// The whole, which has no name, is among them.
    table: Mutex<HashMap<Name, ServiceEntry>>,
    watchers: AtomicU64,
}

struct ServiceEntry {
    checks: ServiceChecks,
    /// What they said last.
    verdict: Option<CheckVerdict>,
}

/// The checks by which a service is judged.
#[derive(Clone)]
pub(super) enum ServiceChecks {
    /// All that are required.
    Required,
    /// These, required or not. One that was removed no longer counts.
    Named(Arc<[Name]>),
}

/// What the checks of a service said, so that one of its watchers asks them for all.
#[derive(Clone, Copy, Debug)]
pub(super) struct CheckVerdict {
    pub(super) is_up: bool,
    /// The [`Health::version`] for which they said it.
    pub(super) version: u64,
    pub(super) at: Timestamp,
}

impl Services {
    pub(super) fn new(health: Health) -> Services {
        let whole = ServiceEntry { checks: ServiceChecks::Required, verdict: None };
        let table = Mutex::new(HashMap::from([(Name::from(""), whole)]));
        Services { health, table, watchers: AtomicU64::new(0) }
    }

    pub(super) fn publish(&self, service: Name, checks: &[&str]) -> Result<(), ConfigError> {
        let subject = Subject::checked("gRPC health service", &service)?;
        for check in checks {
            subject.require(self.health.has_check(check), "checks", check, "must be the name of a check")?;
        }
        let checks = checks.iter().map(|check| Name::from((*check).to_owned())).collect();
        let entry = ServiceEntry { checks: ServiceChecks::Named(checks), verdict: None };
        let _dropped_outside = self.table.lock().insert(service, entry);
        self.health.services_changed();
        Ok(())
    }

    pub(super) fn withdraw(&self, service: &str) -> bool {
        // The whole cannot be withdrawn.
        let removed = if service.is_empty() { None } else { self.table.lock().remove(service) };
        if removed.is_some() {
            self.health.services_changed();
        }
        removed.is_some()
    }

    /// How a service is judged, and what its checks said last; none if no service has this name.
    pub(super) fn find(&self, service: &str) -> Option<(ServiceChecks, Option<CheckVerdict>)> {
        let table = self.table.lock();
        table.get(service).map(|entry| (entry.checks.clone(), entry.verdict))
    }

    /// Remembers what `checks` said, unless the service is judged by others now.
    pub(super) fn keep(&self, service: &str, checks: &ServiceChecks, verdict: CheckVerdict) {
        if let Some(entry) = self.table.lock().get_mut(service) {
            if entry.checks.is(checks) {
                entry.verdict = Some(verdict);
            }
        }
    }

    /// Asks `checks`; none if there is nothing to ask, and the phase alone decides.
    pub(super) fn ask(&self, checks: &ServiceChecks) -> Option<RunChecks> {
        self.health.run_some(|name, is_required| checks.include(name, is_required))
    }

    pub(super) fn is_serving(&self) -> bool {
        self.health.phase() == Phase::Serving
    }

    /// A place for one more watcher, unless there are `most`.
    pub(super) fn enter(self: &Arc<Services>, most: u32) -> Option<WatcherPlace> {
        let more = |watchers: u64| (watchers < most.into()).then_some(watchers + 1);
        self.watchers.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(WatcherPlace(Arc::clone(self)))
    }

    pub(super) fn watchers(&self) -> u64 {
        self.watchers.load(Ordering::Acquire)
    }

    /// The services by name, without the whole.
    pub(super) fn names(&self) -> Vec<Name> {
        let mut names: Vec<_> = self.table.lock().keys().filter(|name| !name.is_empty()).cloned().collect();
        names.sort_unstable_by(|one, other| one.as_str().cmp(other));
        names
    }
}

impl ServiceChecks {
    /// Whether these are the very same, not only checks of the same names.
    pub(super) fn is(&self, other: &ServiceChecks) -> bool {
        match (self, other) {
            (ServiceChecks::Required, ServiceChecks::Required) => true,
            (ServiceChecks::Named(one), ServiceChecks::Named(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    fn include(&self, name: &Name, is_required: bool) -> bool {
        match self {
            ServiceChecks::Required => is_required,
            ServiceChecks::Named(names) => names.contains(name),
        }
    }
}

/// Counts as a watcher until it is dropped.
pub(super) struct WatcherPlace(Arc<Services>);

impl Drop for WatcherPlace {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::AcqRel);
    }
}
