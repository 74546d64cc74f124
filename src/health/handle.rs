use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use arcstr::literal;

use super::changes::Changes;
use super::check::Check;
use super::in_flight::InFlight;
use super::layer::ReadinessLayer;
use super::phase_word::PhaseWord;
use super::registry::{CheckEntry, List, Registry};
use super::report::RunChecks;
use crate::error::{ConfigError, Rejected};
use crate::machine::lifecycle::phase::Phase;
use crate::name::Name;
use crate::observe::event::HealthEvent;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;

/// The health of a service: its [`Phase`], what it depends on, and how many requests it has in flight.
///
/// This handle owns the state, and everything made from the same one shares it: clones, layers, the services those
/// layers make, and the health endpoints. Checks can be added, replaced and removed while requests run.
///
/// ```
/// use seaworthy::{CircuitBreaker, Health, Phase, Rejected};
///
/// let health = Health::new();
/// let circuit_breaker = CircuitBreaker::builder("payments").build()?;
/// health.require("payments", circuit_breaker.clone())?;
/// health.report("cache", || true)?;
///
/// assert!(matches!(health.admit(), Err(Rejected::NotReady { .. })));
/// health.advance(Phase::Serving);
/// let request = health.admit()?;
/// assert_eq!(health.in_flight(), 1);
/// drop(request);
///
/// circuit_breaker.force_open();
/// assert_eq!(health.admit().unwrap_err().to_string(), "not ready: payments");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Clone
/// Costs a reference count; all clones belong to the same service.
#[derive(Clone)]
pub struct Health(pub(super) Arc<Shared>);

pub(super) struct Shared {
    phase_word: PhaseWord,
    checks: Registry,
    notifier: Notifier,
    pub(super) changes: Changes,
}

/// What keeps a request out.
pub(crate) enum NotReadyCause {
    Phase(Phase),
    Check(Arc<CheckEntry>),
}

/// A panic in a check is caught, and no state is half-changed while a check runs.
impl UnwindSafe for Health {}
impl RefUnwindSafe for Health {}

impl Health {
    /// A service that is [`Starting`](Phase::Starting), without checks; it notifies the [default
    /// observer](crate::observe).
    #[must_use]
    pub fn new() -> Health {
        Health::of(Notifier::default().or_default())
    }

    /// Like [`new`](Health::new), with an observer of its own.
    #[must_use]
    pub fn observed(observer: impl Observer + 'static) -> Health {
        Health::of(Notifier::new(observer))
    }

    fn of(notifier: Notifier) -> Health {
        notifier.notify_of_calls(|| HealthEvent::Built {});
        let (phase_word, checks, changes) = (PhaseWord::new(), Registry::new(), Changes::new());
        Health(Arc::new(Shared { phase_word, checks, notifier, changes }))
    }

    /// The current phase of the service.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.phase_word.phase()
    }

    /// Moves to `phase`. Returns false, and changes nothing, if the service is already in that phase or past it.
    pub fn advance(&self, phase: Phase) -> bool {
        let Some(from) = self.0.phase_word.advance(phase) else { return false };
        self.0.changes.of_phase();
        self.0.notifier.notify(HealthEvent::PhaseChanged { from, to: phase });
        true
    }

    /// Says that startup has begun: from here on the service is live, though not ready yet. A
    /// [`Runner`](crate::Runner) does this when its run begins; without one, call it before a startup that
    /// takes time. Returns false, and changes nothing, if it was called before or startup is over.
    pub fn begin(&self) -> bool {
        self.0.phase_word.begin()
    }

    /// Takes the service out of rotation while `check` is down. Replaces a check of the same name.
    ///
    /// # Errors
    /// If the name is empty.
    pub fn require(&self, name: impl Into<Name>, check: impl Check + 'static) -> Result<(), ConfigError> {
        self.0.put(name.into(), true, Box::new(check))
    }

    /// Shows `check` in reports and at the health endpoints, as degraded while it is down. It never keeps requests out.
    /// Replaces a check of the same name.
    ///
    /// # Errors
    /// If the name is empty.
    pub fn report(&self, name: impl Into<Name>, check: impl Check + 'static) -> Result<(), ConfigError> {
        self.0.put(name.into(), false, Box::new(check))
    }

    /// Removes a check. Returns false if there is none of that name.
    pub fn remove(&self, name: &str) -> bool {
        let removed = self.0.checks.remove(name, &self.0.notifier, |any| self.0.phase_word.set_checked(any));
        if removed {
            self.0.changes.of_checks();
        }
        removed
    }

    /// Whether requests should be sent here: the phase is [`Serving`](Phase::Serving) and all required checks are up.
    /// Requests that arrive while it is draining are let in all the same.
    #[must_use]
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.is_ready_until(Phase::Serving)
    }

    #[inline]
    pub(super) fn is_ready_until(&self, last: Phase) -> bool {
        self.obstacle(last).is_none()
    }

    /// Lets a request in and counts it until the result is dropped, or rejects it. It is let in while the service is
    /// serving or draining and all required checks are up.
    ///
    /// # Errors
    /// [`Rejected::NotReady`] with the name of the first required check that is down, or with the phase: "starting" or
    /// "shutting down".
    #[inline]
    pub fn admit(&self) -> Result<InFlight, Rejected> {
        match self.enter(Phase::Draining) {
            Ok(()) => Ok(InFlight::new(self.clone())),
            Err(cause) => Err(self.reject(&cause)),
        }
    }

    /// Counts a request up to and including the phase `last`.
    #[inline]
    pub(super) fn enter(&self, last: Phase) -> Result<(), NotReadyCause> {
        if let Some(cause) = self.obstacle(last) {
            return Err(cause);
        }
        self.0.phase_word.enter(last).map_err(NotReadyCause::Phase)?;
        self.0.notifier.notify_of_calls(|| HealthEvent::RequestAdmitted {});
        Ok(())
    }

    /// What keeps a request out, if anything does.
    #[inline]
    fn obstacle(&self, last: Phase) -> Option<NotReadyCause> {
        match self.0.phase_word.look() {
            (phase, _) if !phase.takes_requests(last) => Some(NotReadyCause::Phase(phase)),
            (_, false) => None,
            (_, true) => self.0.checks.first_down(&self.0.notifier).map(NotReadyCause::Check),
        }
    }

    #[cold]
    pub(super) fn reject(&self, cause: &NotReadyCause) -> Rejected {
        let (phase, reason, retry_after) = match cause {
            NotReadyCause::Phase(phase) => (*phase, phase_in_the_way(*phase), None),
            NotReadyCause::Check(entry) => (Phase::Serving, entry.name.clone(), entry.retry_after()),
        };
        if self.0.notifier.hears_debug() {
            self.0.notifier.notify(HealthEvent::Rejected { reason: &reason, phase });
        }
        Rejected::NotReady { reason, retry_after: retry_after.into() }
    }

    #[inline]
    pub(super) fn left(&self) {
        self.0.phase_word.leave();
        self.0.notifier.notify_of_calls(|| HealthEvent::RequestLeft {});
    }

    /// The number of requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.0.phase_word.in_flight()
    }

    /// Waits until no request is in flight.
    ///
    /// # Cancellation
    /// Dropping it changes nothing.
    pub async fn idle(&self) {
        self.0.phase_word.empty().await;
    }

    /// A layer that lets requests into a service while it is ready, and counts them.
    pub fn readiness_layer(&self) -> ReadinessLayer {
        ReadinessLayer::new(self.clone())
    }

    /// Asks all checks, whatever the phase. Asynchronous checks run at the same time, so that this takes as long as the
    /// slowest.
    ///
    /// The health endpoints do this for each readiness request. If nothing calls them, do it now and then to keep
    /// [asynchronous checks](crate::AsyncCheck) up to date; and once before the service takes requests, if it should
    /// not take any while a check fails.
    ///
    /// # Cancellation
    /// Dropping it leaves the checks that are still running to others that wait for them, and drops those that nothing
    /// else waits for.
    pub fn run_checks(&self) -> RunChecks {
        RunChecks::new(self.clone())
    }

    /// Whether startup has [begun](Health::begin) or is over. From then on the process is live, and a liveness probe
    /// has no reason to restart it.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.phase_word.has_begun()
    }

    pub(super) fn list(&self) -> Arc<List> {
        self.0.checks.list()
    }

    pub(super) fn notifier(&self) -> &Notifier {
        &self.0.notifier
    }
}

impl Shared {
    fn put(&self, name: Name, is_required: bool, check: Box<dyn Check>) -> Result<(), ConfigError> {
        self.checks.put(name, is_required, check, &self.notifier, |any| self.phase_word.set_checked(any))?;
        self.changes.of_checks();
        Ok(())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.notifier.hears_calls() {
            self.checks.list().all.iter().for_each(|entry| entry.notify_removed(&self.notifier));
            self.notifier.notify(HealthEvent::Dropped { phase: self.phase_word.phase() });
        }
    }
}

#[cold]
pub(super) fn phase_in_the_way(phase: Phase) -> Name {
    Name::literal(match phase {
        Phase::Starting => literal!("starting"),
        Phase::Serving => literal!("serving"),
        Phase::Draining | Phase::Stopped => literal!("shutting down"),
    })
}

impl Default for Health {
    fn default() -> Health {
        Health::new()
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.list();
        let names: Vec<_> = list.all.iter().map(|entry| &entry.name).collect();
        f.debug_struct("Health")
            .field("phase", &self.phase())
            .field("in_flight", &self.in_flight())
            .field("checks", &names)
            .finish_non_exhaustive()
    }
}
