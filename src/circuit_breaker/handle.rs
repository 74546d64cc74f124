use std::fmt;
use std::future::Future;
use std::time::Duration;

use super::builder::CircuitBreakerBuilder;
use super::classified::ClassifiedCircuitBreaker;
use super::classify::{ByRef, Classify, ErrorClassifier};
use super::future::CircuitBreakerCall;
use super::held::HeldTicket;
use super::layer::CircuitBreakerLayer;
use super::open_guard::OpenGuard;
use super::permit::Permit;
use super::shared::Shared;
use super::ticket::Refusal;
use crate::error::wrap::WrapErrorFuture;
use crate::error::{Error, Rejected, StackError};
use crate::machine::circuit_breaker::notice::{Counts, State};
use crate::machine::keyed::idleness::Idleness;
use crate::machine::timestamp::Timestamp;
use crate::name::Name;
use crate::rt::shared::Handle;
use crate::rt::time;

/// A circuit breaker: lets calls pass while the backend is well, and rejects them at once while it is not.
///
/// This is a handle that owns the state. Everything that was given the same circuit shares it: clones, the layers made
/// from it, the services made by those layers, and [`run`](CircuitBreaker::run). Two circuits never influence each other.
///
/// # Clone
/// Costs a reference count, or nothing once it was [leaked](CircuitBreaker::leak).
#[derive(Clone)]
pub struct CircuitBreaker(Handle<Shared>);

impl CircuitBreaker {
    /// Sets up a circuit; `name` stands in its events and rejections.
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

    /// Keeps this circuit for as long as the process lives and gives a handle to it that costs no reference count to
    /// clone, which is the largest cost of a call through a shared one. It is the same circuit; handles that were
    /// cloned before go on counting.
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
    #[must_use = "the handle that was leaked is this one's result"]
    pub fn leak(self) -> CircuitBreaker {
        CircuitBreaker(self.0.leak())
    }

    /// A number that no other circuit has, as long as there is a handle to this one.
    #[cfg(feature = "prober")]
    pub(crate) fn id(&self) -> usize {
        std::ptr::from_ref(self.shared()).addr()
    }

    /// The name that it was built with.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &Name {
        self.shared().name()
    }

    /// A layer that puts this circuit around a service, with every error a failure and no response: around an HTTP
    /// handler, whose error is `Infallible`, it never opens without `.classify(HttpClassifier)`.
    pub fn layer(&self) -> CircuitBreakerLayer {
        CircuitBreakerLayer::new(self.clone())
    }

    /// Lets a call pass, which then has to [settle](Permit::settle), or rejects it.
    ///
    /// The first admission at or after the end of the open time makes the circuit half-open and is its first probe.
    ///
    /// # Errors
    /// [`Rejected::CircuitOpen`] while the circuit is open or all probes are out.
    pub fn admit(&self) -> Result<Permit, Rejected> {
        match self.shared().admit() {
            Ok(ticket) => Ok(Permit::new(HeldTicket::new(self.clone(), ticket))),
            Err(refusal) => Err(self.reject(refusal)),
        }
    }

    /// Lets a call pass if it is a probe, so that a check of the backend can stand in for a caller: the open time is
    /// over, or the circuit is half-open and has a probe to give. None otherwise, which is not counted as a rejection;
    /// and always while the circuit is closed.
    #[must_use = "a permit that is dropped at once counts as a call that was given up"]
    pub fn try_probe(&self) -> Option<Permit> {
        let ticket = self.shared().admit_probe().ok()?;
        Some(Permit::new(HeldTicket::new(self.clone(), ticket)))
    }

    /// Holds the circuit open, in whatever state it is, for as long as the value lives: no time ends that, and no call
    /// becomes a probe. Any number may hold it at a time.
    ///
    /// None if the circuit was forced open or closed, or only observes: those who said so have the last word. A
    /// [`reset`](CircuitBreaker::reset) or a force makes all holds void.
    #[must_use = "a hold that is dropped at once lets go at once"]
    pub fn hold_open(&self) -> Option<OpenGuard> {
        let generation = self.shared().hold()?;
        Some(OpenGuard::new(self.clone(), generation))
    }

    /// As [`hold_open`](CircuitBreaker::hold_open), unless the circuit has changed since a snapshot of this generation.
    #[cfg(feature = "prober")]
    pub(crate) fn hold_open_if_still(&self, generation: u64) -> Option<OpenGuard> {
        let generation = self.shared().hold_if_still(generation)?;
        Some(OpenGuard::new(self.clone(), generation))
    }

    /// Runs a future if the circuit lets it pass, and settles it; an error is a failure. To judge otherwise, see
    /// [`classify`](CircuitBreaker::classify).
    ///
    /// For an error type that cannot hold a rejection, lift it: `.map_err(seaworthy::Error::Inner)`.
    ///
    /// # Errors
    /// The future's own, or [`Rejected::CircuitOpen`], and then the future was never polled.
    ///
    /// # Cancellation
    /// Dropping it drops `future` and counts as the circuit's [`OnDrop`](crate::OnDrop) says. Before its first poll it
    /// has not been admitted, and counts as nothing.
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
    pub async fn run<F, T, E>(&self, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
    {
        self.run_judged(future, &ErrorClassifier).await
    }

    /// As [`run`](CircuitBreaker::run), for an error that cannot hold a rejection.
    ///
    /// # Errors
    /// The future's own as [`Error::Inner`], or [`Error::Rejected`], and then the future was never polled.
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
    pub async fn run_wrapped<F, T, E>(&self, future: F) -> Result<T, Error<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.run(WrapErrorFuture::new(future)).await
    }

    /// A handle of this circuit whose calls `classifier` judges: see [`Classify`](crate::Classify).
    #[must_use = "the handle is this one's result"]
    pub fn classify<C>(&self, classifier: C) -> ClassifiedCircuitBreaker<C> {
        ClassifiedCircuitBreaker::new(self.clone(), classifier)
    }

    pub(super) async fn run_judged<F, T, E, C>(&self, future: F, classifier: &C) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: StackError,
        C: Classify<T, E>,
    {
        match self.shared().admit() {
            Ok(ticket) => CircuitBreakerCall::admitted(HeldTicket::new(self, ticket), future, ByRef(classifier)).await,
            Err(refusal) => Err(self.reject(refusal).into()),
        }
    }

    /// What would be lost if this handle were forgotten.
    pub(crate) fn idleness(&mut self, now: Timestamp) -> Idleness {
        // It is asked so, and not for the count, because this also sees whatever the last other handle did.
        self.0.get_mut().map_or(Idleness::InUse, |shared| shared.idleness(now))
    }

    #[inline]
    pub(crate) fn reject(&self, refusal: Refusal) -> Rejected {
        self.shared().rejected(refusal);
        Rejected::CircuitOpen { name: self.name().clone(), retry_after: refusal.retry_after() }
    }

    /// The state, without changing it: a circuit whose open time is over stays open until a call comes.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared().state()
    }

    /// Everything that there is to know, as of one moment.
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

    /// Lets every call pass until [`reset`](CircuitBreaker::reset) or [`force_open`](CircuitBreaker::force_open). Calls are still
    /// measured.
    pub fn force_closed(&self) {
        let now = time::now();
        self.shared().step(|machine, _, _| ((), machine.force_closed(now)));
    }

    /// Closes the circuit, with nothing counted, and leaves it to itself. Calls that are under way change nothing when
    /// they end.
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

/// A circuit at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The state.
    pub state: State,
    /// Whether it was forced into this state and stays there until told otherwise.
    pub forced: bool,
    /// Whether somebody [holds](CircuitBreaker::hold_open) it open.
    pub held: bool,
    /// Grows with every change of state, reset and force.
    pub generation: u64,
    /// What has been counted in this generation.
    pub counts: Counts,
    /// Calls rejected since the circuit was built; it only grows.
    pub rejected: u64,
    /// How long this generation has lasted.
    pub time_in_state: Duration,
    /// The open time that is left; zero once it is over and no call has come. Absent unless the circuit is open for a
    /// certain time.
    pub retry_after: Option<Duration>,
}
