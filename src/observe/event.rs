use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use crate::machine::circuit_breaker::notice::{Counts, State, TransitionCause};
use crate::machine::lifecycle::phase::Phase;
use crate::machine::retry::attempts::StopReason;
use crate::machine::verdict::Verdict;
use crate::name::Name;
use crate::observe::Source;
use crate::retry::RetryBudget;
use crate::timeout::Limit;

/// Something that happened, told to an [`Observer`](crate::Observer).
///
/// Those marked with † are told only to an observer that [wants calls](crate::Observer::wants_calls).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A circuit changed its state. Told exactly once for each change, after the new state is visible.
    #[non_exhaustive]
    CircuitTransition {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The state that it left.
        from: State,
        /// The state that it is in; never the same.
        to: State,
        /// Grows with every change of this circuit, so that changes told by two threads can be put in order.
        sequence: u64,
        /// Why.
        cause: TransitionCause,
        /// What had been counted in the state that it left.
        counts: Counts,
    },
    /// A circuit rejected a call.
    #[non_exhaustive]
    CircuitRejected {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The open time that is left, where it is known.
        retry_after: Option<Duration>,
    },
    /// A circuit that only observes would have opened. Told once, until no rule is broken any more.
    #[non_exhaustive]
    CircuitWouldHaveOpened {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The rule that is broken.
        cause: TransitionCause,
        /// What has been counted.
        counts: Counts,
    },
    /// A service moved on to another phase of its life.
    #[non_exhaustive]
    PhaseChanged {
        /// The phase that it left.
        from: Phase,
        /// The phase that it is in.
        to: Phase,
    },
    /// A check of a service went down or up again, as noticed by a request or a run of the checks. A check is taken for
    /// up before it is first asked.
    #[non_exhaustive]
    CheckChanged {
        /// The check.
        name: &'a Name,
        /// Whether the service is out of rotation while it is down.
        required: bool,
        /// Why it is down; absent if it is up.
        reason: Option<&'a Name>,
    },
    /// A service that is not ready rejected a request.
    #[non_exhaustive]
    ReadinessRejected {
        /// The check that is in the way, or the phase.
        reason: &'a Name,
        /// Where the service is in its life; if it is serving, a check is in the way.
        phase: Phase,
    },
    /// † A circuit was built. It is closed.
    #[non_exhaustive]
    CircuitBuilt {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
    /// † The last handle of a circuit was dropped.
    #[non_exhaustive]
    CircuitDropped {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The state that it was in.
        state: State,
    },
    /// † A call that a circuit had let pass was settled. Told once for each such call, however it ended.
    #[non_exhaustive]
    CircuitSettled {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How it went. A call that was dropped is what [`OnDrop`](crate::OnDrop) says, one that panicked is a failure.
        /// Told as it is, also if it came too late to count.
        verdict: Verdict,
        /// From the moment at which the call was let pass.
        elapsed: Duration,
    },
    /// † The inner service of a circuit failed to become ready, which counts as a failed call that never began.
    #[non_exhaustive]
    CircuitReadyFailed {
        /// The circuit.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
    /// † The number of a bulkhead's permits changed.
    #[non_exhaustive]
    BulkheadResized {
        /// The bulkhead.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many permits it had; 0 when it was built.
        from: u32,
        /// How many it has; 0 when its last handle was dropped.
        to: u32,
    },
    /// † A caller of a bulkhead took or gave back a permit, or began or ended to wait for one. Told by the thread that
    /// brought it about, for a permit that is handed over the one that gave it back. What two threads tell may arrive in
    /// either order: add it up.
    #[non_exhaustive]
    BulkheadMoved {
        /// The bulkhead.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// Where the caller was.
        from: Place,
        /// Where it is; never the same.
        to: Place,
    },
    /// A bulkhead rejected a call.
    #[non_exhaustive]
    BulkheadRejected {
        /// The bulkhead.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The time that the call waited for a permit in vain. Absent if it was rejected at once.
        waited: Option<Duration>,
    },
    /// A timeout gave something up. Told after the inner future or body was dropped.
    #[non_exhaustive]
    TimedOut {
        /// The timeout, if it has a name.
        name: Option<&'a Name>,
        /// Which family it belongs to.
        source: Source<'a>,
        /// Which time was over.
        limit: Limit,
        /// How long it was.
        after: Duration,
    },
    /// † A retry policy was built.
    #[non_exhaustive]
    RetryBuilt {
        /// The retry policy.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The budget that it pays from, unless its retries are free.
        budget: Option<&'a RetryBudget>,
    },
    /// † The first attempt of a request begins.
    #[non_exhaustive]
    RetryBegan {
        /// The retry policy.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// The budget that it pays from, unless its retries are free.
        budget: Option<&'a RetryBudget>,
    },
    /// An attempt failed and will be made again, after a wait. Told before the wait.
    #[non_exhaustive]
    Retried {
        /// The retry policy.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// Which attempt failed; the first is 1.
        attempt: u32,
        /// The wait before the next one.
        delay: Duration,
        /// What it failed with; absent if it was a response that is retried.
        error: Option<ErrorRef<'a>>,
        /// The budget that it was paid from, unless it was free.
        budget: Option<&'a RetryBudget>,
    },
    /// A request is not retried any more, and its caller gets the last result. Not told of a request whose first
    /// attempt succeeded.
    #[non_exhaustive]
    RetryStopped {
        /// The retry policy.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many attempts were made, the first included.
        attempts: u32,
        /// Why.
        reason: StopReason,
        /// The error that the caller gets; absent if it is a response.
        error: Option<ErrorRef<'a>>,
        /// The budget of the policy, unless its retries are free.
        budget: Option<&'a RetryBudget>,
    },
    /// A task of a runner failed. Told by the task, after its future was dropped.
    #[non_exhaustive]
    TaskFailed {
        /// The task.
        name: &'a Name,
        /// Its error, or the message of its panic.
        error: ErrorRef<'a>,
        /// Whether it panicked.
        panicked: bool,
        /// The wait before it is run again, for supervised and periodic tasks. Absent if it is not, and then the run
        /// ends.
        again_in: Option<Duration>,
    },
    /// What is known of a probed target changed. Told exactly once for each change, after the new state is visible.
    #[cfg(feature = "prober")]
    #[non_exhaustive]
    ProbeChanged {
        /// The target.
        name: &'a Name,
        /// The state that it left.
        from: crate::prober::ProbeState,
        /// The state that it is in; never the same.
        to: crate::prober::ProbeState,
        /// Grows with every change of any target of this prober.
        sequence: u64,
        /// Successes in a row up to now.
        successes: u32,
        /// Failures in a row up to now.
        failures: u32,
        /// Why the last probe failed, if it did.
        error: Option<&'a str>,
    },
    /// There is no room for the handle of another key, and none of those that were looked at can be spared. Told once,
    /// until there is room again.
    #[non_exhaustive]
    KeysExhausted {
        /// The family of handles.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many handles it may have.
        max: u32,
    },
    /// A call failed and is answered in another way. Told before that begins.
    #[non_exhaustive]
    FellBack {
        /// The fallback.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// What the call failed with.
        error: ErrorRef<'a>,
    },
    /// † A [`Health`](crate::Health) was made. The service is [`Starting`](Phase::Starting), with no check and no request
    /// in flight.
    #[non_exhaustive]
    HealthBuilt {},
    /// † The last handle of a [`Health`](crate::Health) was dropped. Each check that it had was told as removed before.
    #[non_exhaustive]
    HealthDropped {
        /// The phase that the service was in.
        phase: Phase,
    },
    /// † A service has another check. One that takes the place of another is told only if it is required and the other
    /// was not, or the other way round.
    #[non_exhaustive]
    CheckAdded {
        /// The check.
        name: &'a Name,
        /// Whether the service is out of rotation while it is down.
        required: bool,
        /// What it is taken for: up, or what the check was noticed to be whose place it takes.
        up: bool,
    },
    /// † A service has a check no more. After this, nothing is told of it.
    #[non_exhaustive]
    CheckRemoved {
        /// The check.
        name: &'a Name,
        /// Whether the service was out of rotation while it was down.
        required: bool,
        /// Whether it was up, as noticed last.
        up: bool,
    },
    /// † A service let a request in, which is in flight from now on.
    #[non_exhaustive]
    RequestAdmitted {},
    /// † A request that a service let in is not in flight any more. Told once for each of them, however it ended.
    #[non_exhaustive]
    RequestLeft {},
    /// † A runner took in a task, which is about to begin.
    #[non_exhaustive]
    TaskStarted {
        /// The task.
        name: &'a Name,
    },
    /// † A task of a runner has ended for good, however that came about. Told once for each that was started.
    #[non_exhaustive]
    TaskEnded {
        /// The task.
        name: &'a Name,
    },
    /// † A prober has another target.
    #[cfg(feature = "prober")]
    #[non_exhaustive]
    TargetAdded {
        /// The target.
        name: &'a Name,
        /// The state that it is in.
        state: crate::prober::ProbeState,
    },
    /// † A prober has a target no more: it was removed, or the last handle of the prober was dropped.
    #[cfg(feature = "prober")]
    #[non_exhaustive]
    TargetRemoved {
        /// The target.
        name: &'a Name,
        /// The state that it was in.
        state: crate::prober::ProbeState,
    },
    /// † A probe ended and counts. Not told of one that was given up because the target, its policy or the prober
    /// changed.
    #[cfg(feature = "prober")]
    #[non_exhaustive]
    Probed {
        /// The target.
        name: &'a Name,
        /// How it went.
        outcome: crate::prober::ProbeOutcome,
        /// Why it failed, if it did.
        error: Option<&'a str>,
        /// From the moment at which it was due and there was room for it.
        elapsed: Duration,
    },
    /// † A family of handles was built, and is empty.
    #[non_exhaustive]
    KeyedBuilt {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many handles it may have.
        max: u32,
    },
    /// † The last clone of a family of handles was dropped, and the family forgets all of them.
    #[non_exhaustive]
    KeyedDropped {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many handles it might have had.
        max: u32,
        /// How many it had.
        handles: u64,
    },
    /// † A handle was made for another key.
    #[non_exhaustive]
    KeyAdded {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
    /// † The handles of some keys were forgotten.
    #[non_exhaustive]
    KeysForgotten {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
        /// How many.
        count: u64,
        /// Why.
        cause: EvictionCause,
    },
    /// † There was no room for the handle of a key, and the overflow was given out.
    #[non_exhaustive]
    KeyOverflowed {
        /// The family.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
    /// † A fallback was built.
    #[non_exhaustive]
    FallbackBuilt {
        /// The fallback.
        name: &'a Name,
        /// Which family it belongs to.
        source: Source<'a>,
    },
}

impl Event<'_> {
    /// Whether it is told only to an observer that wants calls.
    pub(crate) fn is_about_calls(&self) -> bool {
        match self {
            Event::CircuitBuilt { .. }
            | Event::CircuitDropped { .. }
            | Event::CircuitSettled { .. }
            | Event::CircuitReadyFailed { .. }
            | Event::BulkheadResized { .. }
            | Event::BulkheadMoved { .. }
            | Event::RetryBuilt { .. }
            | Event::RetryBegan { .. }
            | Event::HealthBuilt { .. }
            | Event::HealthDropped { .. }
            | Event::CheckAdded { .. }
            | Event::CheckRemoved { .. }
            | Event::RequestAdmitted { .. }
            | Event::RequestLeft { .. }
            | Event::TaskStarted { .. }
            | Event::TaskEnded { .. }
            | Event::KeyedBuilt { .. }
            | Event::KeyedDropped { .. }
            | Event::KeyAdded { .. }
            | Event::KeysForgotten { .. }
            | Event::KeyOverflowed { .. }
            | Event::FallbackBuilt { .. } => true,
            #[cfg(feature = "prober")]
            Event::TargetAdded { .. } | Event::TargetRemoved { .. } | Event::Probed { .. } => true,
            Event::CircuitTransition { .. }
            | Event::CircuitRejected { .. }
            | Event::CircuitWouldHaveOpened { .. }
            | Event::BulkheadRejected { .. }
            | Event::TimedOut { .. }
            | Event::Retried { .. }
            | Event::RetryStopped { .. }
            | Event::PhaseChanged { .. }
            | Event::CheckChanged { .. }
            | Event::ReadinessRejected { .. }
            | Event::TaskFailed { .. }
            | Event::KeysExhausted { .. }
            | Event::FellBack { .. } => false,
            #[cfg(feature = "prober")]
            Event::ProbeChanged { .. } => false,
        }
    }
}

/// Where a caller of a bulkhead is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// It has no permit and does not wait: it has not come yet, or has gone.
    Outside,
    /// It waits for a permit.
    Waiting,
    /// It has a permit, also if it waited for it and has not noticed yet.
    Inside,
}

/// Why the handle of a key was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvictionCause {
    /// Nobody had used it for long enough.
    Idle,
    /// Another key needed its place.
    Capacity,
    /// Somebody said so.
    Removed,
}

/// An error, in words. `Display` and `Debug` are the error's own: some print as an empty string with the one and say
/// everything with the other.
#[derive(Clone, Copy)]
pub struct ErrorRef<'a> {
    display: &'a dyn fmt::Display,
    debug: &'a dyn fmt::Debug,
}

/// It only shows the error, which is the caller's own.
impl UnwindSafe for ErrorRef<'_> {}
impl RefUnwindSafe for ErrorRef<'_> {}

impl<'a> ErrorRef<'a> {
    pub(crate) fn new<E: fmt::Display + fmt::Debug>(error: &'a E) -> ErrorRef<'a> {
        ErrorRef { display: error, debug: error }
    }
}

impl fmt::Display for ErrorRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.display.fmt(f)
    }
}

impl fmt::Debug for ErrorRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.debug.fmt(f)
    }
}
