use std::time::Duration;

use http::response::Parts;
use tower_layer::Layer;

use super::body_scope::{Early, MakeJudge, NoJudge};
use super::{BodyTimeoutLayer, HttpClassifier, HttpPolicyService, HttpReplay, HttpRetry};
use crate::fallback::handle::Fallback;
use crate::machine::circuit_breaker::settings::OnDrop;
use crate::policy::handle::Policy;
use crate::policy::{Class, PolicyBuilder, PolicyFallbackLayer, PolicyLayer, WithRetry, WithoutRetry};
use crate::retry::ByResult;

/// Puts a [`Policy`] around an HTTP service: a [`PolicyLayer`] that judges by status and retries requests that HTTP
/// allows to be repeated, and around it the time limits of the bodies.
///
/// Made by [`Policy::http_layer`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is given a service"]
pub struct HttpPolicyLayer<
    P = PolicyLayer<HttpClassifier, Class, WithRetry<ByResult<HttpRetry>, HttpReplay>>,
    M = NoJudge,
> {
    policy: P,
    bodies: Option<BodyTimeoutLayer>,
    make_judge: M,
}

/// One with a fallback.
type Falling<P, F, W, M> = HttpPolicyLayer<PolicyFallbackLayer<P, F, W>, M>;

/// One that may retry.
type Retrying<C, L, D, R, M> = HttpPolicyLayer<PolicyLayer<C, L, WithRetry<D, R>>, M>;

impl<P, M> HttpPolicyLayer<P, M> {
    fn map<Q>(self, change: impl FnOnce(P) -> Q) -> HttpPolicyLayer<Q, M> {
        HttpPolicyLayer { policy: change(self.policy), bodies: self.bodies, make_judge: self.make_judge }
    }

    /// Gives each response whose head was no failure a judge, which has the last word on the call if that goes on
    /// [until its body has ended](PolicyBuilder::until_body_end): see
    /// [`BodyCircuitBreakerLayer::judge_body`](super::BodyCircuitBreakerLayer::judge_body). Without that, no judge is
    /// made.
    pub fn judge_body<F, J>(self, make_judge: F) -> HttpPolicyLayer<P, F>
    where
        F: Fn(&Parts) -> J,
    {
        self.make_judge(make_judge)
    }

    pub(crate) fn make_judge<N: MakeJudge>(self, make_judge: N) -> HttpPolicyLayer<P, N> {
        HttpPolicyLayer { policy: self.policy, bodies: self.bodies, make_judge }
    }
}

impl<C, L, A, M> HttpPolicyLayer<PolicyLayer<C, L, A>, M> {
    /// Makes calls go on until their response bodies have ended, whatever the policy says: see
    /// [`PolicyBuilder::until_body_end`].
    pub fn until_body_end(self) -> Self {
        self.map(PolicyLayer::until_body_end)
    }

    /// Like [`PolicyLayer::class`].
    pub fn class(self, class: Class) -> HttpPolicyLayer<PolicyLayer<C, Class, A>, M> {
        self.map(|policy| policy.class(class))
    }

    /// Like [`PolicyLayer::class_for`].
    pub fn class_for<K>(self, class_for: K) -> HttpPolicyLayer<PolicyLayer<C, K, A>, M> {
        self.map(|policy| policy.class_for(class_for))
    }

    /// Like [`PolicyLayer::classify`].
    pub fn classify<K>(self, classifier: K) -> HttpPolicyLayer<PolicyLayer<K, L, A>, M> {
        self.map(|policy| policy.classify(classifier))
    }

    /// Like [`PolicyLayer::without_retry`].
    pub fn without_retry(self) -> HttpPolicyLayer<PolicyLayer<C, L, WithoutRetry>, M> {
        self.map(PolicyLayer::without_retry)
    }

    /// Like [`PolicyLayer::fallback`]. Its responses have the inner service's body type.
    pub fn fallback<F, W>(self, fallback: Fallback<F, W>) -> Falling<PolicyLayer<C, L, A>, F, W, M> {
        self.map(|policy| policy.fallback(fallback))
    }
}

impl<C, L, D, R, M> HttpPolicyLayer<PolicyLayer<C, L, WithRetry<D, R>>, M> {
    /// Like [`PolicyLayer::retry_if`].
    pub fn retry_if<K>(self, retry_if: K) -> Retrying<C, L, ByResult<K>, R, M> {
        self.map(|policy| policy.retry_if(retry_if))
    }

    /// Like [`PolicyLayer::retry_if_for`].
    pub fn retry_if_for<K>(self, retry_if: K) -> Retrying<C, L, K, R, M> {
        self.map(|policy| policy.retry_if_for(retry_if))
    }

    /// Like [`PolicyLayer::replay`].
    pub fn replay<K>(self, replay: K) -> Retrying<C, L, D, K, M> {
        self.map(|policy| policy.replay(replay))
    }
}

impl<S, P: Layer<S>, M: Clone> Layer<S> for HttpPolicyLayer<P, M> {
    type Service = HttpPolicyService<P::Service, M>;

    fn layer(&self, inner: S) -> Self::Service {
        HttpPolicyService::new(self.policy.layer(inner), self.bodies.clone(), self.make_judge.clone())
    }
}

impl PolicyBuilder {
    /// Ends a response body whose next frame takes longer, while a reader waits for it: see
    /// [`BodyTimeoutLayer`](crate::http::BodyTimeoutLayer). More than zero; no limit if not set.
    ///
    /// Timeouts end with the response head; this and [`body_timeout`](Self::body_timeout) limit what follows. They
    /// apply to [`Policy::http_layer`] only: without responses there are no bodies.
    pub fn body_idle_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.bodies.idle = Some(time);
        self
    }

    /// Ends a response body that takes longer as a whole, counted from the head, whether or not a reader waits. More
    /// than zero; no limit if not set. Like [`body_idle_timeout`](Self::body_idle_timeout), it applies to
    /// [`Policy::http_layer`] only.
    pub fn body_timeout(mut self, time: Duration) -> PolicyBuilder {
        self.bodies.total = Some(time);
        self
    }

    /// Makes calls go on until their response bodies have ended: only then does the circuit breaker learn how they
    /// went, and the bulkhead get its permit back. Timeouts still end with the response head; a body that
    /// [`body_idle_timeout`](Self::body_idle_timeout) or [`body_timeout`](Self::body_timeout) ends is a failure.
    ///
    /// What counts as what is said at [`BodyCircuitBreakerLayer`](super::BodyCircuitBreakerLayer). An attempt that is
    /// retried ends with its head. Like the time limits, it applies to [`Policy::http_layer`] only; from data it is
    /// `circuit_breaker.until_body_end`, beside `settle_early` and `on_body_drop`. Needs a circuit breaker or a
    /// bulkhead.
    pub fn until_body_end(mut self) -> PolicyBuilder {
        self.bodies.rules.until_end = true;
        self
    }

    /// Settles calls before their bodies have ended: see
    /// [`BodyCircuitBreakerLayer::settle_early`](super::BodyCircuitBreakerLayer::settle_early). The permit is held
    /// until the body ends all the same. Needs [`until_body_end`](Self::until_body_end) and a circuit breaker.
    pub fn settle_early(mut self, early: Early) -> PolicyBuilder {
        self.bodies.rules.early = Some(early);
        self
    }

    /// What a call counts as whose response body is dropped before it has ended; nothing if not set. The time of
    /// [`OnDrop::FailureAfter`] counts from when the circuit breaker let the call in; with a shared one that does not
    /// time its calls, from the response head. Needs [`until_body_end`](Self::until_body_end) and a circuit breaker.
    pub fn on_body_drop(mut self, on_drop: OnDrop) -> PolicyBuilder {
        self.bodies.rules.on_drop = Some(on_drop);
        self
    }
}

impl Policy {
    /// A layer that puts this policy around an HTTP service. The circuit breaker judges by status, as
    /// [`HttpClassifier`] does. If the policy retries, it repeats requests that may be repeated, after responses and
    /// errors that may be transient; see [`HttpReplay`] and [`HttpRetry`]. The inner service gets requests with a
    /// [`ReplayBody`](super::ReplayBody), and responses have a [`PolicyBody`](super::PolicyBody), limited by the
    /// policy's `body_idle_timeout` and `body_timeout`.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response, StatusCode};
    /// use http_body_util::Empty;
    /// use seaworthy::http::ReplayBody;
    /// use seaworthy::{BoxError, Policy, State};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// let policy = Policy::builder("backend")
    ///     .circuit_breaker(|circuit_breaker| circuit_breaker.consecutive_failures(1))
    ///     .build()?;
    /// // A stand-in for an HTTP client.
    /// let broken = service_fn(async |_: Request<ReplayBody<Empty<Bytes>>>| {
    ///     let mut response = Response::new(Empty::<Bytes>::new());
    ///     *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    ///     Ok::<_, BoxError>(response)
    /// });
    /// let client = ServiceBuilder::new().layer(policy.http_layer()).service(broken);
    ///
    /// let request = Request::get("http://backend/orders").body(Empty::new())?;
    /// assert_eq!(client.oneshot(request).await?.status(), StatusCode::INTERNAL_SERVER_ERROR);
    /// assert_eq!(policy.circuit_breaker().map(|circuit_breaker| circuit_breaker.state()), Some(State::Open));
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_layer(&self) -> HttpPolicyLayer {
        let policy = self.layer().classify(HttpClassifier).retry_if(HttpRetry).replay(HttpReplay::new());
        let (limits, notifier) = self.bodies();
        HttpPolicyLayer { policy, bodies: BodyTimeoutLayer::of_policy(limits, notifier), make_judge: NoJudge }
    }
}
