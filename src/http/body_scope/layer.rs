use std::sync::Arc;

use tower_layer::Layer;

use super::Early;
use super::judge::{MakeJudge, NoJudge};
use super::length::CheckLength;
use super::service::BodyCircuitBreakerService;
use crate::admission::classify::ErrorClassifier;
use crate::circuit_breaker::CircuitBreakerLayer;
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::machine::circuit_breaker::body_scope::{BodyScope, early_flaw};
use crate::machine::circuit_breaker::settings::OnDrop;

/// With feature `http`.
impl<C> CircuitBreakerLayer<C> {
    /// Settles a call when its response body has ended or is dropped, rather than at the response head: an answer that
    /// breaks off is a failure.
    pub fn until_body_end(self) -> BodyCircuitBreakerLayer<C> {
        BodyCircuitBreakerLayer::new(self)
    }
}

/// Puts a circuit breaker around an HTTP service, whose calls have succeeded only with the last byte of the response
/// body. To a plain [`CircuitBreakerLayer`] a call has succeeded once a good response head is there, so that it never
/// learns of a body that breaks off, or of a 200 that turns out to say nothing.
///
/// Made by [`CircuitBreakerLayer::until_body_end`].
///
/// | the call | counts as |
/// |---|---|
/// | has a head that is a failure or throttled | that, at once |
/// | has a body that is complete: after its last frame or its trailers | what its head said |
/// | has a body that ends in an error, or panics | a failure |
/// | has a body that its [deadline](crate::Deadline) ends | what [`OnDeadline`](crate::OnDeadline) says |
/// | has a body that is dropped before its end | what [`on_body_drop`](Self::on_body_drop) says; by default nothing |
///
/// A deadline is recognised in a body's error if that is a [`BoxError`](crate::BoxError), as the error of a
/// [`TimeoutBody`](crate::http::TimeoutBody) is, a [`Rejected`](crate::Rejected) or an [`io::Error`](std::io::Error).
///
/// # Streams that do not end
/// A stream that lives for hours keeps its call unsettled for hours, unless [`settle_early`](Self::settle_early) says
/// otherwise. A **probe** of a half-open circuit is settled with its first data frame in any case, unless that is set:
/// half-open does not wait for a stream to end, nor is a probe given up whose stream flows.
///
/// # Retries
/// A retry above it decides at the head. A body that fails later is not retried: its head has been passed on.
///
/// ```
/// use seaworthy::http::{Early, HttpClassifier};
/// use seaworthy::{CircuitBreaker, WrapErrorLayer};
/// use std::time::Duration;
/// use tower::ServiceBuilder;
///
/// # fn main() -> Result<(), seaworthy::ConfigError> {
/// let completions = CircuitBreaker::builder("completions").build()?;
/// let layer = completions
///     .layer()
///     .classify(HttpClassifier)
///     .until_body_end()
///     .settle_early(Early::After(Duration::from_secs(60)))?;
/// let stack = ServiceBuilder::new().layer(layer).layer(WrapErrorLayer::new());
/// # let _ = stack;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct BodyCircuitBreakerLayer<C = ErrorClassifier, M = NoJudge> {
    layer: CircuitBreakerLayer<C>,
    /// None for the defaults.
    scope: Option<Arc<BodyScope>>,
    make_judge: M,
}

impl<C> BodyCircuitBreakerLayer<C> {
    /// Like `layer`, but calls are settled when their bodies end.
    pub fn new(layer: CircuitBreakerLayer<C>) -> BodyCircuitBreakerLayer<C> {
        BodyCircuitBreakerLayer { layer, scope: None, make_judge: NoJudge }
    }
}

impl<C, M> BodyCircuitBreakerLayer<C, M> {
    fn set(mut self, change: impl FnOnce(&mut BodyScope)) -> Self {
        change(Arc::make_mut(self.scope.get_or_insert_with(|| Arc::new(BodyScope::DEFAULT))));
        self
    }

    /// Settles calls, probes among them, before their bodies have ended, as what the head said, if nothing has failed
    /// by then. If not set, probes are settled with their first data frame, and other calls wait for the end.
    ///
    /// A body that breaks off later is reported as
    /// [`BodyBroke`](crate::observe::event::CircuitBreakerEvent::BodyBroke), and counts if
    /// [`count_late_breaks`](Self::count_late_breaks) is set.
    ///
    /// # Errors
    /// If the time or the number of bytes is zero: the value, and the rule.
    pub fn settle_early(self, early: Early) -> Result<Self, ConfigError> {
        if let Some((value, rule)) = early_flaw(early) {
            let name = self.layer.circuit_breaker().name();
            return Err(Subject::named("circuit breaker", name).refuse_text("settle_early", value, rule));
        }
        Ok(self.set(|scope| scope.early = Some(early)))
    }

    /// What a call counts as whose response body is dropped before it has ended; nothing if not set. The time of
    /// [`OnDrop::FailureAfter`] counts from when the call was let in. A call that is dropped before its response head
    /// is there counts as the circuit breaker's own `on_drop` says.
    pub fn on_body_drop(self, on_drop: OnDrop) -> Self {
        self.set(|scope| scope.on_drop = on_drop)
    }

    /// Measures how slow a call is until it is settled. If not set, until the response head: how long a body takes is
    /// its reader's business, too. It is compared with the circuit breaker's
    /// [`slow_call`](crate::circuit_breaker::CircuitBreakerBuilder::slow_call).
    pub fn slow_to_body_end(self) -> Self {
        self.set(|scope| scope.slow_to_end = true)
    }

    /// Counts a body that breaks off after its call was [settled early](Self::settle_early) as a failure of its own,
    /// beside the call. It is never a probe's, and it counts as nothing if the circuit has changed its state since the
    /// call was let in.
    pub fn count_late_breaks(self) -> Self {
        self.set(|scope| scope.counts_late_breaks = true)
    }

    /// Gives each response whose head was no failure a judge, which sees the frames of its body and has the last word:
    /// see [`JudgeBody`](super::JudgeBody). `make_judge` gets the response head. If it returns an `Option`, there is no
    /// judge for a response whose head said everything.
    ///
    /// Replaces an earlier judge, and [`check_length`](Self::check_length). Each call holds a clone of `make_judge`, so
    /// it should be cheap to clone: a function, or a closure that captures nothing. If it panics, the call is a failure
    /// and the panic propagates, as with a classifier.
    pub fn judge_body<F, J>(self, make_judge: F) -> BodyCircuitBreakerLayer<C, F>
    where
        F: Fn(&http::response::Parts) -> J,
    {
        self.make_judge(make_judge)
    }

    /// Makes a failure of a response body that has fewer or more bytes than its `content-length` says, even though it
    /// ends without an error. HTTP clients such as hyper's report a body that ends too soon as an error, which is a
    /// failure without this. Responses to `HEAD` and those with status 204 or 304 have no body.
    ///
    /// Put it after [`judge_body`](Self::judge_body).
    pub fn check_length(self) -> BodyCircuitBreakerLayer<C, CheckLength<M>> {
        let BodyCircuitBreakerLayer { layer, scope, make_judge } = self;
        BodyCircuitBreakerLayer { layer, scope, make_judge: CheckLength::new(make_judge) }
    }

    pub(crate) fn make_judge<N: MakeJudge>(self, make_judge: N) -> BodyCircuitBreakerLayer<C, N> {
        let BodyCircuitBreakerLayer { layer, scope, make_judge: _ } = self;
        BodyCircuitBreakerLayer { layer, scope, make_judge }
    }
}

impl<S, C: Clone, M: Clone> Layer<S> for BodyCircuitBreakerLayer<C, M> {
    type Service = BodyCircuitBreakerService<S, C, M>;

    fn layer(&self, inner: S) -> BodyCircuitBreakerService<S, C, M> {
        BodyCircuitBreakerService::new(self.layer.layer(inner), self.scope.clone(), self.make_judge.clone())
    }
}
