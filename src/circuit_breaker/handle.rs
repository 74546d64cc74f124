use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::admission::ReadyMode;
use super::builder::CircuitBreakerBuilder;
use super::classified::ClassifiedCircuitBreaker;
use super::future::CircuitBreakerRun;
use super::layer::CircuitBreakerLayer;
use super::open_guard::OpenGuard;
use super::permit::Permit;
use super::shared::Shared;
use crate::admission::classify::ErrorClassifier;
use crate::admission::{Admission, Refused, admit};
use crate::context;
use crate::error::wrap::WrapErrorFuture;
use crate::error::{Rejected, StackError};
use crate::machine::circuit_breaker::notice::{Counts, State};
use crate::machine::keyed::idleness::Idleness;
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::rt::shared::Handle;
use crate::rt::time;

/// A circuit breaker: lets calls pass while the backend is healthy, and rejects them at once while it is not.
///
/// This is a handle to shared state. Clones, the layers made from it, the services those layers make and
/// [`run`](CircuitBreaker::run) all share it. Separate circuit breakers never affect each other.
///
/// # Clone
/// Costs a reference count, or nothing once it has been [leaked](CircuitBreaker::leak).
#[derive(Clone)]
pub struct CircuitBreaker(Handle<Shared>);

impl CircuitBreaker {
    /// Starts a builder; `name` appears in events and rejections.
    pub fn builder(name: impl Into<Name>) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(name.into())
    }

    pub(super) fn new(shared: Shared) -> CircuitBreaker {
        CircuitBreaker(Handle::new(shared))
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// Keeps this circuit breaker for the life of the process and returns a handle that costs no reference count to
    /// clone, which is the largest cost of a call through a shared one. It is the same circuit breaker; handles cloned
    /// earlier go on counting references.
    ///
    /// ```
    /// use seaworthy::CircuitBreaker;
    /// use std::sync::LazyLock;
    ///
    /// static PAYMENTS: LazyLock<CircuitBreaker> = LazyLock::new(|| {
    ///     CircuitBreaker::builder("payments").build().expect("the settings are fixed").leak()
    /// });
    ///
    /// assert_eq!(PAYMENTS.name(), "payments");
    /// ```
    #[must_use = "it returns the leaked handle"]
    pub fn leak(self) -> CircuitBreaker {
        self.name().leak();
        CircuitBreaker(self.0.leak())
    }

    /// The name it was built with.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &Name {
        self.shared().name()
    }

    /// A layer that puts this circuit breaker around a service. Every error is a failure and no response is: around an
    /// HTTP handler, whose error is `Infallible`, it never opens without `.classify(HttpClassifier)`.
    pub fn layer(&self) -> CircuitBreakerLayer {
        CircuitBreakerLayer::new(self.clone())
    }

    /// Lets a call pass, which must then be [settled](Permit::settle), or rejects it.
    ///
    /// The first call admitted at or after the end of the open time makes the circuit half-open and is its first probe.
    ///
    /// # Errors
    /// [`Rejected::CircuitOpen`] while the circuit is open or all of its probes are running;
    /// [`Rejected::DeadlineExceeded`] if the caller's [deadline](crate::Deadline) has passed.
    pub fn admit(&self) -> Result<Permit, Rejected> {
        if context::has_deadline() {
            return self.admit_in_time();
        }
        match self.shared().admit() {
            Ok(ticket) => Ok(Permit::new(self.clone(), ticket)),
            Err(refusal) => Err(self.reject(refusal)),
        }
    }

    #[cold]
    fn admit_in_time(&self) -> Result<Permit, Rejected> {
        match admit(self, (), &mut ReadyMode::default()) {
            Ok(ticket) => Ok(Permit::new(self.clone(), ticket)),
            Err(Refused::For(refusal)) => Err(self.reject(refusal)),
            Err(Refused::TooLate(stage)) => Err(self.deadline_exceeded(stage)),
            Err(Refused::MayWait(never)) => match never {},
        }
    }

    /// Admits a call only as a probe, so that a check of the backend can stand in for a caller: when the open time is
    /// over, or when the circuit is half-open and may send another probe. Otherwise returns `None`, as it always does
    /// while the circuit is closed, or if the current [deadline](crate::Deadline) has passed; that is not counted as a
    /// rejection.
    #[must_use = "a permit that is dropped at once counts as an abandoned call"]
    pub fn try_probe(&self) -> Option<Permit> {
        let check = context::check_deadline();
        if check.is_some_and(|check| check.has_passed) {
            return None;
        }
        let mut ticket = self.shared().admit_probe().ok()?;
        if let Some(check) = check {
            self.started(&mut ticket, check.now);
        }
        Some(Permit::new(self.clone(), ticket))
    }

    /// Holds the circuit open, whatever its state, for as long as the guard lives: the open time does not run out and
    /// no call becomes a probe. Any number of guards may hold it at once.
    ///
    /// Returns `None` if the circuit breaker is forced open or closed, or only observes: those settings take
    /// precedence. A [`reset`](CircuitBreaker::reset) or a force invalidates all guards.
    #[must_use = "a guard that is dropped at once holds nothing open"]
    pub fn hold_open(&self) -> Option<OpenGuard> {
        let generation = self.shared().hold()?;
        Some(OpenGuard::new(self.clone(), generation))
    }

    /// Like [`hold_open`](CircuitBreaker::hold_open), unless the circuit breaker has changed since a snapshot of this
    /// generation.
    #[cfg(feature = "prober")]
    pub(crate) fn hold_open_if_still(&self, generation: u64) -> Option<OpenGuard> {
        let generation = self.shared().hold_if_still(generation)?;
        Some(OpenGuard::new(self.clone(), generation))
    }

    /// Runs a future if the circuit breaker lets it pass, and settles it: an error is a failure. To judge differently,
    /// see [`classify`](CircuitBreaker::classify).
    ///
    /// If the error type cannot hold a rejection, wrap it: `.map_err(seaworthy::Error::Inner)`.
    ///
    /// # Errors
    /// The future's own error, or [`Rejected::CircuitOpen`], in which case the future was never polled.
    ///
    /// # Cancellation
    /// Dropping it drops `future` and counts as the circuit breaker's [`OnDrop`](crate::OnDrop) says. Before the first
    /// poll the call has not been admitted, and counts as nothing.
    ///
    /// ```
    /// use seaworthy::{CircuitBreaker, Error};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let circuit_breaker = CircuitBreaker::builder("parser").build()?;
    /// let answer = circuit_breaker.run(async { "7".parse::<u8>().map_err(Error::Inner) }).await;
    /// assert_eq!(answer, Ok(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn run<F, T, E>(&self, future: F) -> CircuitBreakerRun<'_, F>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
    {
        CircuitBreakerRun::new(self, future, &ErrorClassifier)
    }

    /// Like [`run`](CircuitBreaker::run), for an error type that cannot hold a rejection.
    ///
    /// # Errors
    /// The future's own error as [`Error::Inner`](crate::Error::Inner), or [`Error::Rejected`](crate::Error::Rejected),
    /// in which case the future was never polled.
    ///
    /// # Cancellation
    /// As [`run`](CircuitBreaker::run).
    ///
    /// ```
    /// use seaworthy::CircuitBreaker;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let circuit_breaker = CircuitBreaker::builder("parser").build()?;
    /// assert_eq!(circuit_breaker.run_wrapped(async { "7".parse::<u8>() }).await?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_wrapped<F, T, E>(&self, future: F) -> CircuitBreakerRun<'_, WrapErrorFuture<F>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(WrapErrorFuture::new(future))
    }

    /// A handle to this circuit breaker whose calls are judged by `classifier`: see [`Classify`](crate::Classify).
    #[must_use = "it returns a new handle"]
    pub fn classify<C>(&self, classifier: C) -> ClassifiedCircuitBreaker<C> {
        ClassifiedCircuitBreaker::new(self.clone(), classifier)
    }

    /// What would be lost if this handle were dropped.
    pub(crate) fn idleness(&mut self, now: Timestamp) -> Idleness {
        // `get_mut` instead of the reference count, because it also synchronises with whatever the last other handle
        // did.
        self.0.get_mut().map_or(Idleness::InUse, |shared| shared.idleness(now))
    }

    /// The state, read without changing it: once its open time is over, the circuit stays open until a call arrives.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared().state()
    }

    /// Everything there is to know, at one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = time::now();
        self.shared().with_machine(|machine, rejected| {
            machine.evict(now);
            Snapshot {
                state: machine.state(),
                forced: machine.is_forced(),
                held: machine.is_held_open(),
                generation: machine.generation(),
                counts: machine.counts(),
                rejected,
                time_in_state: now.since(machine.since()),
                retry_after: machine.retry_after(now),
            }
        })
    }

    /// Rejects every call until [`reset`](CircuitBreaker::reset) or [`force_closed`](CircuitBreaker::force_closed).
    pub fn force_open(&self) {
        let now = time::now();
        self.shared().step(|machine, _, _| ((), machine.force_open(now)));
    }

    /// Lets every call pass until [`reset`](CircuitBreaker::reset) or [`force_open`](CircuitBreaker::force_open). Calls
    /// are still measured.
    pub fn force_closed(&self) {
        let now = time::now();
        self.shared().step(|machine, _, _| ((), machine.force_closed(now)));
    }

    /// Closes the circuit, clears all counts and ends any force. Calls in flight no longer change anything when they
    /// end.
    pub fn reset(&self) {
        let now = time::now();
        self.shared().step(|machine, _, _| ((), machine.reset(now)));
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", self.name())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// A circuit breaker at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The state.
    pub state: State,
    /// Whether it was forced into this state and stays there until changed by hand.
    pub forced: bool,
    /// Whether it is being [held](CircuitBreaker::hold_open) open.
    pub held: bool,
    /// Increases with every change of state, reset and force.
    pub generation: u64,
    /// What this generation has counted.
    pub counts: Counts,
    /// Calls rejected since the circuit breaker was built; it only increases.
    pub rejected: u64,
    /// How long this generation has lasted.
    pub time_in_state: Duration,
    /// The open time that is left; zero once it is over and no call has arrived since. `None` unless the circuit is
    /// open for a limited time.
    pub retry_after: Option<Duration>,
}
